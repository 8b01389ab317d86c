"""Several channels become one without losing, doubling or mixing up what was said; an offset is taken off and told."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import soundfile
from numpy.typing import NDArray
from polars.testing import assert_frame_equal

from curate import audio, ingest, manifest
from curate.channels import Mix, Survey
from curate.export import clips as clip_files
from curate.ingest import roots
from curate.recipe import load
from curate.steps import rule_catalogue, rules
from tests.curate.frames import clips

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "audio"
RATE = 16_000
needs_speech = pytest.mark.skipif(not SHARED.exists(), reason="the shared test speech is not on this machine")
Sound = NDArray[np.float32]


def speech(seed: int, seconds: float = 8.0, rate: int = RATE) -> Sound:
    """Something like speech: syllables of harmonics with pauses of random lengths between words."""
    random = np.random.default_rng(seed)
    parts = [np.zeros(rate // 5)]
    while sum(map(len, parts)) < seconds * rate:
        for _ in range(random.integers(2, 6)):
            at = np.arange(round(random.uniform(0.1, 0.25) * rate)) / rate
            pitch = random.uniform(90, 250)
            tones = [random.exponential() * np.sin(2 * np.pi * pitch * k * at) / k for k in range(1, 30)]
            parts.append(np.sum(tones, axis=0) * np.hanning(len(at)))
        parts.append(np.zeros(round(random.uniform(0.1, 0.6) * rate)))
    sound = np.concatenate(parts)[: round(seconds * rate)]
    return (0.5 * sound / np.abs(sound).max() + 0.0005 * random.normal(size=len(sound))).astype(np.float32)


def noise(level: float, seed: int = 9, seconds: float = 8.0) -> Sound:
    return (level * np.random.default_rng(seed).normal(size=round(seconds * RATE))).astype(np.float32)


def hum(level: float, seconds: float = 8.0) -> Sound:
    at = np.arange(round(seconds * RATE)) / RATE
    return (level * (np.sin(2 * np.pi * 50 * at) + np.sin(2 * np.pi * 150 * at) / 3)).astype(np.float32)


def mixed(*channels: Sound, rate: int = RATE, block: int = 10_000) -> Mix:
    survey, sound = Survey(rate, len(channels)), np.stack(channels, axis=1)
    for start in range(0, len(sound), block):
        survey.feed(sound[start : start + block])
    return survey.mix()


ONE, TWO = speech(1), speech(2)
TURNS = np.repeat(np.arange(8) % 2, RATE).astype(np.float32)  # a second each
CASES: dict[str, tuple[tuple[Sound, ...], str]] = {
    "the same": ((ONE, ONE), "1+2"),
    "the same, softer": ((0.5 * ONE, ONE), "1+2"),
    "opposite": ((ONE, -ONE), "1-2"),
    "opposite, with noise": ((ONE + noise(0.003, 1), -0.7 * ONE + noise(0.003, 2)), "1-2"),
    "a silent one": ((np.zeros_like(ONE), ONE), "2"),
    "a constant one": ((ONE, np.full_like(ONE, 0.3)), "1"),
    "loud hum": ((hum(0.4), ONE), "2"),
    "hiss": ((ONE, noise(0.05)), "1"),
    "crosstalk": ((0.003 * ONE, ONE), "2"),
    "a click in a silent one": ((np.where(np.arange(len(ONE)) == 500, 1, 0).astype(np.float32), ONE), "2"),
    "two people in turn": ((ONE * TURNS, TWO * (1 - TURNS)), "1|2"),
    "two people at once": ((ONE, TWO), "1|2"),
    "two people, each heard on the other's": ((ONE + 0.1 * TWO, TWO + 0.1 * ONE), "1|2"),
    "three channels, one dead, one opposite": ((ONE, np.zeros_like(ONE), -ONE), "1-3"),
    "silence": ((np.zeros_like(ONE), np.zeros_like(ONE)), "1"),
    "two hisses": ((noise(0.05, 3), noise(0.05, 4)), "1"),
}


@pytest.mark.parametrize(("channels", "expected"), CASES.values(), ids=list(CASES))
def test_the_channels_that_hold_the_speech_are_used(channels: tuple[Sound, ...], expected: str) -> None:
    found = mixed(*channels)
    assert str(found) == expected
    assert found == mixed(*channels, block=777)  # however it is read
    assert Mix.parse(str(found), found.offset) == found


@pytest.mark.parametrize("delay", [1, 16, 80, 800, 3200])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_delayed_channel_is_not_summed(delay: int, sign: int) -> None:
    found = mixed(ONE, sign * np.roll(ONE, delay))
    assert len(found.channels) == 1
    assert not found.differ


def without_pauses(sound: Sound) -> Sound:
    parts = sound[: len(sound) // 480 * 480].reshape(-1, 480)  # of 30 ms
    return parts[np.sqrt((parts**2).mean(axis=1)) > 0.008].ravel()


@pytest.mark.parametrize("seed", [0, 3, 6])
def test_two_people_who_do_not_pause_are_two(seed: int) -> None:
    """Speech without a pause is loud nearly all the time, as a hum is."""
    one, other = without_pauses(speech(seed, 8)), without_pauses(speech(seed + 10, 8))
    size = min(len(one), len(other))
    assert mixed(one[:size], other[:size]).differ
    assert not mixed(one[:size], hum(0.1)[:size]).differ


@needs_speech
@pytest.mark.parametrize("name", ["ko/zeroth/104_003_0577.flac", "km/slr42/khm_1161_1980987674.wav"])
def test_what_comes_out_is_the_speech(name: str, tmp_path: Path) -> None:
    """Opposite, dead, hum, delayed: the mono signal is the speech itself, to 1 % and its own sign or the other."""
    voice, rate = audio.read(SHARED / name)
    voice = voice * 0.8 / np.abs(voice).max()
    at = np.arange(len(voice)) / rate
    seconds = {
        "opposite": -voice, "dead": 0 * voice, "hum": 0.2 * np.sin(2 * np.pi * 50 * at),
        "delayed": 0.9 * np.roll(voice, rate // 100), "the same": voice,
    }  # fmt: skip
    for what, second in seconds.items():
        soundfile.write(tmp_path / "a.wav", np.stack([voice, second], axis=1), rate, subtype="FLOAT")
        heard, _ = audio.read(tmp_path / "a.wav")
        assert np.abs(heard - voice).max() < 0.01, what


def test_the_offset_is_that_of_what_is_heard() -> None:
    assert mixed(ONE + 0.1, -ONE + 0.02).offset == pytest.approx(0.04, abs=1e-3)
    assert mixed(ONE + 0.1).offset == pytest.approx(0.1, abs=1e-3)
    assert np.abs(Mix(offset=0.1).apply(np.full((5, 1), 0.1, np.float32))).max() < 1e-6
    assert Mix(offset=0.0004).apply(np.full((5, 1), 0.1, np.float32))[0] == np.float32(0.1)  # none that is one


# ---- in a corpus


@pytest.fixture
def corpus(tmp_path: Path) -> Any:
    """Ingest these files as one source; returns the recipe and the frame."""

    def make(files: dict[str, NDArray[Any]], more: str = "", before: pl.DataFrame | None = None) -> tuple[Any, Any]:
        (tmp_path / "in").mkdir(exist_ok=True)
        for name, sound in files.items():
            if not (tmp_path / "in" / name).exists():  # the header of a float WAV holds the time
                soundfile.write(tmp_path / "in" / name, sound, RATE, subtype="FLOAT")
        text = f'[[source]]\nid = "s"\nkind = "folder"\npath = "in"\nlanguage = "ko"\nlicence = "own"\n{more}\n'
        (tmp_path / "recipe.toml").write_text(text)
        recipe = load(tmp_path / "recipe.toml")
        return recipe, ingest.ingest(recipe, before=before)

    return make


def test_a_split_source_has_a_row_for_each_channel_and_others_keep_their_ids(corpus: Any) -> None:
    files = {"a.wav": np.stack([ONE + 0.1, TWO], axis=1), "b.wav": ONE}
    _, whole = corpus(files)
    assert whole.select("path", "channel", "channel_mix").rows() == [("a.wav", None, "1|2"), ("b.wav", None, "1")]
    assert whole["id"].to_list() == [manifest.clip_id("s", path, None, None) for path in ("a.wav", "b.wav")]
    _, split = corpus(files, 'channels = "split"', before=whole)
    rows = [("a.wav", 1, "1"), ("a.wav", 2, "2"), ("b.wav", 1, "1")]
    assert split.select("path", "channel", "channel_mix").rows() == rows
    assert split["dc_offset"].to_list() == pytest.approx([0.1, 0.0, 0.0], abs=1e-3)
    assert split["id"].n_unique() == 3
    assert split["id"][0] == manifest.clip_id("s", "a.wav", None, None, 1)
    for before in (None, split, whole):
        for more, expected in (('channels = "split"', split), ("", whole)):
            assert_frame_equal(corpus(files, more, before=before)[1].drop("modified"), expected.drop("modified"))


def test_clips_are_cut_from_the_channel_and_without_the_offset(corpus: Any, tmp_path: Path) -> None:
    recipe, split = corpus({"a.wav": np.stack([ONE * 0.5 + 0.1, TWO * 0.5], axis=1)}, 'channels = "split"')
    split = split.with_columns(cut_start=pl.lit(1000, pl.Int64), cut_end=pl.lit(90_000, pl.Int64))
    clip_files.cut(split, tmp_path / "clips", roots(recipe), progress=lambda done, total: None)
    for id, voice in zip(split["id"], (ONE, TWO), strict=True):
        written, _ = soundfile.read(tmp_path / "clips" / f"{id}.flac", dtype="float32")
        assert np.abs(written - 0.5 * voice[1000:90_000]).max() < 1e-3
        assert abs(written.mean()) < 1e-3


def test_two_people_on_two_channels_are_dropped_by_name(corpus: Any) -> None:
    recipe, _ = corpus({"a.wav": ONE})
    frame = clips([{"channel_mix": "1|2"}, {"channel_mix": "1+2"}, {"channel_mix": None}, {"channel": 1}])
    decided = rules.decide(frame, rule_catalogue.checks(recipe), rule_catalogue.order(recipe))
    assert decided["drop"].to_list() == ["several_speakers", None, None, None]
    without = recipe.model_copy(update={"models": recipe.models.model_copy(update={"turns": False})})
    decided = rules.decide(frame, rule_catalogue.checks(without), rule_catalogue.order(without))
    assert decided["drop"].to_list() == ["several_speakers", None, None, None]


def test_the_mean_of_a_long_plain_file_is_sampled(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    random = np.random.default_rng(0)
    rate = 1000
    soundfile.write(path, 0.05 * random.standard_normal(rate * 400) + 0.01, rate, subtype="PCM_16")
    info, mix, _ = audio.survey(path)
    assert info.frames == rate * 400
    assert mix.offset == pytest.approx(0.01, abs=5e-4)
