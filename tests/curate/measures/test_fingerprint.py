"""Copies of a sound are found whatever was done to them; other sounds are not taken for copies."""

import io
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile

from curate import audio
from curate.measures import fingerprint, print_layout

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "audio"
needs_speech = pytest.mark.skipif(not SHARED.exists(), reason="the shared test speech is not on this machine")
NAMES = [
    "ko/zeroth/104_003_0019.flac",
    "ko/picovoice/leopard_test_ko.wav",
    "km/slr42/khm_1161_1980987674.wav",
    "km/learn_khmer/002-hello.mp3",
    "neg/en_librispeech/1089-134686-0001.flac",
]
RATE = 16_000
NO_SIGNS = np.zeros(0, np.uint32)


def syllables(seed: int, seconds: float = 4.0) -> audio.Samples:
    """Something like speech: every 0.15 s another mixture of harmonics."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(round(seconds / 0.15)):
        at = np.arange(round(0.15 * RATE)) / RATE
        pitch = rng.uniform(90, 250)
        tones = [rng.exponential() * np.sin(2 * np.pi * pitch * k * at) for k in range(1, 20)]
        parts.append(np.sum(tones, axis=0) * np.hanning(len(at)))
    sound = np.concatenate(parts)
    return np.asarray(sound / np.abs(sound).max() * 0.8, np.float32)


def noise(count: int, level: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=count) * level


def through_mp3(samples: audio.Samples, rate: int) -> audio.Samples:
    """64 kb/s or a little less: level 0.7 of libsndfile's encoder."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="MP3", subtype="MPEG_LAYER_III", compression_level=0.7)
    assert len(file.getvalue()) * 8 * rate / len(samples) < 64_000
    file.seek(0)
    return np.asarray(soundfile.read(file, dtype="float32")[0])


def changed(samples: audio.Samples, rate: int) -> dict[str, tuple[np.ndarray, int]]:
    loudness, other = samples.std(), 16_000 if rate > 16_000 else 48_000
    return {
        "-1 dB": (samples * 0.891, rate),
        "-30 dB, 16 bits": (np.round(samples * 0.0316 * 32768) / 32768, rate),
        "10 ms off": (samples[rate // 100 :], rate),
        "20 ms off": (samples[rate // 50 :], rate),
        "300 ms off": (samples[rate * 3 // 10 :], rate),
        "300 ms off the end": (samples[: -rate * 3 // 10], rate),
        "MP3": (through_mp3(samples, rate), rate),
        "other rate": (audio.resample(samples, rate, other), other),
        "noise at 30 dB": (samples + noise(len(samples), 0.0316 * loudness), rate),
        "clipped": (np.clip(samples * 3, -1, 1), rate),
    }


@needs_speech
@pytest.mark.parametrize("name", NAMES)
def test_a_copy_is_found_whatever_was_done_to_it(name: str) -> None:
    samples, rate = audio.read(SHARED / name)
    original = fingerprint.fingerprint(samples, rate)
    for what, (other, at) in changed(samples, rate).items():
        copy = fingerprint.fingerprint(other.astype(np.float32), at)
        assert fingerprint.similarity(original, copy) > 0.65, what
        assert [pair[:2] for pair in fingerprint.pairs([original, copy])] == [(0, 1)], what


def faster(samples: audio.Samples, rate: int, speed: float) -> audio.Samples:
    """Played faster: shorter, and higher by as much."""
    return audio.resample(samples, round(rate * 1000), round(rate * 1000 / speed))


def in_a_room(samples: audio.Samples, rate: int, seconds: float = 0.3) -> audio.Samples:
    """With the echo of a small room, 3 dB under the direct sound."""
    at = np.arange(round(1.2 * seconds * rate)) / rate
    echo = noise(len(at), 1.0) * 10 ** (-3 * at / seconds) * (at > 0.003)
    echo *= np.sqrt(0.5 / np.sum(echo**2))
    echo[0] = 1.0
    return np.asarray(scipy.signal.fftconvolve(samples, echo)[: len(samples)], np.float32)


@needs_speech
@pytest.mark.parametrize("name", NAMES)
def test_a_copy_is_found_at_another_speed_and_in_a_room(name: str) -> None:
    samples, rate = audio.read(SHARED / name)
    original = fingerprint.fingerprint(samples, rate)
    copies = [faster(samples, rate, speed) for speed in (0.95, 0.98, 1.02, 1.05)]
    for what, copy in enumerate([*copies, in_a_room(samples, rate), faster(in_a_room(samples, rate), rate, 1.03)]):
        (found,) = fingerprint.pairs([original, fingerprint.fingerprint(copy, rate)]) or [None]
        assert found is not None, what
        assert found[2] > fingerprint.THRESHOLD, what


@needs_speech
def test_the_same_music_under_other_words_and_the_same_words_again_are_no_copies() -> None:
    """A music bed 6 dB under each of eight sentences; and clips that share their first two seconds of eight."""
    files = sorted(SHARED.glob("ko/zeroth/*.flac"))
    music, at = audio.read(SHARED / "neg/music/Kevin_MacLeod_-_Vibe_Ace.ogg")
    bed = audio.resample(music, at, RATE)
    spoken = [audio.read(file)[0][: 8 * RATE] for file in files]
    beds = [one + bed[: len(one)] * (one.std() / bed.std() / 2) for one in spoken]
    opened = [np.concatenate([spoken[0][: 2 * RATE], one[RATE : 7 * RATE]]) for one in spoken[1:]]
    for sounds in (beds, opened):
        assert fingerprint.pairs([fingerprint.fingerprint(np.float32(one), RATE) for one in sounds]) == []


@needs_speech
@pytest.mark.parametrize("kept", [1.5, 2.5])
def test_clips_that_share_a_jingle_or_their_first_or_last_words_are_no_copies(kept: float) -> None:
    """Three seconds of music or of one sentence, then `kept` seconds of each of seven others; and turned about."""
    music, at = audio.read(SHARED / "neg/music/Kevin_MacLeod_-_Vibe_Ace.ogg")
    spoken = [audio.read(file)[0] for file in sorted(SHARED.glob("ko/zeroth/*.flac"))]
    own = [one[RATE : RATE + round(kept * RATE)] for one in spoken[1:]]
    for common in (audio.resample(music, at, RATE)[8 * RATE : 11 * RATE] / 3, spoken[0][RATE : 4 * RATE]):
        for order in (1, -1):
            sounds = [np.concatenate([common, one][::order]) for one in own]
            assert fingerprint.pairs([fingerprint.fingerprint(np.float32(one), RATE) for one in sounds]) == []


@needs_speech
@pytest.mark.parametrize("common", [2, 3])
def test_clips_that_each_go_on_beyond_what_they_share_are_no_copies(common: int) -> None:
    """One second of other words before and behind the same ones; and one clip, trimmed and with a long pause."""
    spoken = [audio.read(file)[0] for file in sorted(SHARED.glob("ko/zeroth/*.flac"))]
    found = []
    for shared, before, behind in zip(spoken, spoken[1:], spoken[2:], strict=False):
        words = shared[RATE : RATE * (1 + common)]
        first, last = before[RATE : 2 * RATE], behind[RATE : 2 * RATE]
        whole = np.concatenate([first, words, last])
        paused = np.concatenate([first, words, np.zeros(3 * RATE // 2), last])  # longer than what follows it
        sounds = [np.concatenate([first, words]), np.concatenate([words, last]), whole, whole[3200:-3200], paused]
        prints = [fingerprint.fingerprint(np.float32(sound), RATE) for sound in sounds]
        assert fingerprint.similarity(prints[0], prints[1]) < fingerprint.THRESHOLD
        assert fingerprint.similarity(prints[2], prints[3]) > fingerprint.THRESHOLD
        found.append(fingerprint.similarity(prints[2], prints[4]) > fingerprint.THRESHOLD)
    assert sum(found) >= 4 < len(found)  # the sentences are cut anywhere: some end in what may be another word


@needs_speech
@pytest.mark.parametrize("pause", [0.3, -0.15])
def test_a_copy_whose_pause_was_edited_is_found(pause: float) -> None:
    """A pause of 0.3 s put in the middle, or 0.15 s cut out of it."""
    for file in sorted(SHARED.glob("ko/zeroth/*.flac"))[:4]:
        samples, middle = audio.read(file)[0], 4 * RATE
        silence = np.zeros(round(max(pause, 0) * RATE), np.float32)
        edited = np.concatenate([samples[:middle], silence, samples[middle + round(max(-pause, 0) * RATE) :]])
        prints = [fingerprint.fingerprint(sound, RATE) for sound in (samples, edited)]
        assert fingerprint.similarity(*prints) >= fingerprint.THRESHOLD


def with_other_words(seed: int) -> dict[str, tuple[audio.Samples, audio.Samples]]:
    """Pairs that are the same but for 0.4 to 0.65 s: at the end, at the start, inside, and after an edited pause."""
    random = np.random.default_rng(seed)
    spoken = [audio.read(file)[0] for file in sorted(SHARED.glob("ko/zeroth/*.flac"))]
    spoken = [one[RATE // 2 :] / one.std() * 0.05 for one in spoken]
    one, others = spoken[seed], [each for each in spoken if each is not spoken[seed]]
    size, at = round(random.uniform(0.4, 0.65) * RATE), round(random.uniform(2, 3) * RATE)
    word, other = (each[2 * RATE : 2 * RATE + size] for each in random.permutation(np.array(others, object))[:2])
    start, end = one[:at], one[at : 5 * RATE]
    silence = noise(RATE // 5, 1e-5)
    return {
        "end": (np.concatenate([start, end, word]), np.concatenate([start, end, other])),
        "start": (np.concatenate([word, start, end]), np.concatenate([other, start, end])),
        "inside": (np.concatenate([start, word, end]), np.concatenate([start, other, end])),
        "replaced": (np.concatenate([start, end]), np.concatenate([start, other, end[size:]])),
        "inside, a longer pause": (
            np.concatenate([start, word, silence, end]),
            np.concatenate([start, other, silence, silence, end]),
        ),
    }


@needs_speech
def test_clips_that_are_the_same_but_for_one_word_are_no_copies() -> None:
    """80 pairs, half of them with one clip through MP3; a word that is mostly a pause may be missed."""
    taken = []
    for seed in range(8):
        for one, other in with_other_words(seed).values():
            original = fingerprint.fingerprint(np.float32(one), RATE)
            for sound in (np.float32(other), through_mp3(np.float32(other), RATE)):
                likeness = fingerprint.similarity(original, fingerprint.fingerprint(sound, RATE))
                taken.append(likeness >= fingerprint.THRESHOLD)
    assert len(taken) == 80
    assert sum(taken) <= 2  # 34 before single words were looked at


def quietest(samples: audio.Samples, start: float, end: float) -> int:
    """The middle of the quietest 60 ms between two times (s), in samples."""
    step = RATE * 6 // 100
    at = range(round(start * RATE), round(end * RATE), step // 4)
    return min(at, key=lambda place: float(np.square(samples[place : place + step]).sum())) + step // 2


def loudest(samples: audio.Samples, size: int) -> audio.Samples:
    """The loudest stretch of so many samples that begins after 2 s and ends before 6 s."""
    at = range(2 * RATE, 6 * RATE - size, RATE // 50)
    place = max(at, key=lambda place: float(np.square(samples[place : place + size]).sum()))
    return samples[place : place + size]


@needs_speech
@pytest.mark.parametrize("snr", [None, 20])
def test_one_short_word_inside_makes_another_clip(snr: int | None) -> None:
    """0.26 to 0.4 s, of other lengths in the two clips: a stretch of loud speech that another one replaces."""
    spoken = [audio.read(file)[0] for file in sorted(SHARED.glob("ko/zeroth/*.flac"))]
    spoken = [one / one.std() * 0.05 for one in spoken]
    random, taken = np.random.default_rng(4), []
    for seed, one in enumerate(spoken):
        word, other = (loudest(spoken[(seed + by) % 8], round(random.uniform(0.26, 0.4) * RATE)) for by in (1, 3))
        place = quietest(one, 2.5, 4)
        clips = [np.concatenate([one[:place], each, one[place : 6 * RATE]]) for each in (word, other)]
        if snr:
            clips[1] = clips[1] + noise(len(clips[1]), 0.05 / 10 ** (snr / 20), seed)
        prints = [fingerprint.fingerprint(np.float32(each), RATE) for each in clips]
        taken.append(fingerprint.similarity(*prints) >= fingerprint.THRESHOLD)
    assert sum(taken) <= 1


@needs_speech
@pytest.mark.parametrize("snr", [None, 20])
def test_a_copy_with_two_edited_pauses_and_noise_is_found(snr: int | None) -> None:
    """0.3 s of silence in one pause, and 0.2 s in another; then 0.2 s off the start."""
    for seed, file in enumerate(sorted(SHARED.glob("ko/zeroth/*.flac"))):
        samples = audio.read(file)[0]
        one, two = quietest(samples, 1.5, 3.5), quietest(samples, 4, 6)
        edited = np.concatenate([
            samples[RATE // 5 : one], np.zeros(3 * RATE // 10), samples[one:two], np.zeros(RATE // 5), samples[two:],
        ])  # fmt: skip
        if snr:
            edited = edited + noise(len(edited), samples.std() / 10 ** (snr / 20), seed)
        prints = [fingerprint.fingerprint(np.float32(sound), RATE) for sound in (samples, edited)]
        assert fingerprint.similarity(*prints) >= fingerprint.THRESHOLD, file.name


@needs_speech
def test_sentences_in_another_order_are_no_copy() -> None:
    spoken = [audio.read(file)[0][RATE : 4 * RATE] for file in sorted(SHARED.glob("ko/zeroth/*.flac"))]
    for one, two, three in zip(spoken, spoken[1:], spoken[2:], strict=False):
        clips = [np.concatenate([one, two[: 3 * RATE // 2], three]), np.concatenate([three, two[: 3 * RATE // 2], one])]
        prints = [fingerprint.fingerprint(np.float32(each), RATE) for each in clips]
        assert fingerprint.similarity(*prints) < fingerprint.THRESHOLD


def test_a_print_keeps_how_far_each_frame_lies_under_the_loud_ones() -> None:
    sound = syllables(3, 3.0)
    sound[RATE : 2 * RATE] *= 0.1
    side = print_layout.frames(fingerprint.fingerprint(sound, RATE))
    assert len(side.levels) == len(side.numbers)
    loud, soft = np.median(side.levels[:38]), np.median(side.levels[50:88])
    assert soft - loud == pytest.approx(20 / fingerprint.LEVEL, abs=2)
    for count in range(40, 60):
        levels = np.arange(count, dtype=np.uint8) % 16
        back = print_layout.frames(
            print_layout.packed(np.arange(count, dtype=np.uint32), np.zeros((3, 2), np.uint32), levels, NO_SIGNS)
        )
        assert back.numbers.tolist() == list(range(count))
        assert back.levels.tolist() == levels.tolist()


@needs_speech
@pytest.mark.parametrize("seed", range(8))
def test_a_copy_with_noise_or_a_beep_over_a_word_is_no_other_word(seed: int) -> None:
    one, _ = with_other_words(seed)["end"]
    beep = one.copy()
    beep[RATE : RATE * 14 // 10] += 0.15 * np.sin(np.arange(RATE * 4 // 10) * 2 * np.pi * 1000 / RATE)
    hiss = one + noise(len(one), one.std() / 10**0.5, seed)
    for what, copy in {"beep": beep, "noise at 10 dB": hiss}.items():
        prints = [fingerprint.fingerprint(np.float32(sound), RATE) for sound in (one, copy)]
        assert fingerprint.similarity(*prints) >= fingerprint.THRESHOLD, what


@needs_speech
def test_only_the_damaged_copies_are_found_among_all_files() -> None:
    files = [*SHARED.glob("ko/*/*.*"), *SHARED.glob("km/*/*.mp3"), *SHARED.glob("neg/*/*.*"), *SHARED.glob("derived/*")]
    files = sorted(file for file in files if file.suffix in {".wav", ".flac", ".mp3", ".ogg"})
    found = fingerprint.pairs([fingerprint.fingerprint(*audio.read(file)) for file in files])
    family = [i for i, file in enumerate(files) if file.stem.startswith("0294") or file.stem.endswith("0294")]
    assert len(family) == 5
    assert [(i, j) for i, j, _ in found] == [(i, j) for i in family for j in family if i < j]


@needs_speech
def test_other_speech_of_the_same_speaker_is_far_under_the_threshold() -> None:
    prints = [fingerprint.fingerprint(*audio.read(file)) for file in sorted(SHARED.glob("ko/zeroth/*.flac"))]
    alike = [fingerprint.similarity(a, b) for i, a in enumerate(prints) for b in prints[i + 1 :]]
    assert max(alike) < 0.75 * fingerprint.THRESHOLD


def test_sound_without_change_has_no_print() -> None:
    at = np.arange(5 * RATE) / RATE
    hum = np.sin(2 * np.pi * 400 * at) + 0.5 * np.sin(2 * np.pi * 1100 * at)
    for sound in (np.zeros(RATE * 5), hum, np.zeros(0), np.full(9, np.nan), hum[:99], syllables(0)[:99]):
        assert fingerprint.fingerprint(np.asarray(sound, np.float32), RATE) == b""
    assert fingerprint.similarity(b"", b"") == 0.0
    assert fingerprint.pairs([b"", b"", b""]) == []
    assert fingerprint.pairs([]) == []


def test_two_rooms_with_the_same_noise_are_not_copies() -> None:
    colour = np.hanning(64)
    rooms = [np.convolve(noise(8 * RATE, 0.05, seed), colour).astype(np.float32) for seed in range(6)]
    assert fingerprint.pairs([fingerprint.fingerprint(room, RATE) for room in rooms]) == []


def test_a_part_cut_from_a_longer_clip_is_found() -> None:
    long = syllables(1, 12.0)
    prints = [fingerprint.fingerprint(long, RATE), fingerprint.fingerprint(long[5 * RATE : 9 * RATE], RATE)]
    assert fingerprint.similarity(*prints) > 0.9
    assert fingerprint.similarity(*prints) == fingerprint.similarity(*reversed(prints))


def test_every_pair_of_a_corpus_is_found_and_no_other() -> None:
    """200 clips, every twentieth a copy with noise; and a crowd of 80 copies hangs together."""
    sounds = [syllables(seed, 1.5) for seed in range(200)]
    prints = [fingerprint.fingerprint(sound, RATE) for sound in sounds]
    copies = [
        fingerprint.fingerprint((sound + noise(len(sound), 0.003)).astype(np.float32), RATE) for sound in sounds[::20]
    ]
    found = fingerprint.pairs([*prints, *copies])
    assert [(i, j) for i, j, _ in found] == [(20 * i, 200 + i) for i in range(10)]
    crowd = fingerprint.pairs([prints[0]] * 80)
    assert {j for _, j, _ in crowd} == set(range(1, 80))


def random_print(rng: np.random.Generator, seconds: float = 6.0) -> bytes:
    """A print of the right shape: 3.7 landmarks a second, whose numbers have the 20 bits that those of speech have."""
    frames = np.repeat(rng.integers(1, 2**32, round(seconds * 50 / 3), dtype=np.uint32), 3)
    at = np.sort(rng.choice(len(frames), round(3.7 * seconds), replace=False)).astype(np.uint32)
    marks = np.stack([rng.integers(0, 2**20, len(at), dtype=np.uint32), at | np.uint32(1 << 21 | 2 << 26)], axis=1)
    return print_layout.packed(frames, marks, np.zeros(len(frames), np.uint8), NO_SIGNS)


def test_of_a_large_corpus_few_pairs_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random prints of the right shape, 5,000 clips of 6 s: of 12.5 million pairs one is alike."""
    rng = np.random.default_rng(0)
    prints = [random_print(rng) for _ in range(5000)]
    compared, real = [], fingerprint.similarity
    monkeypatch.setattr(fingerprint, "similarity", lambda a, b: compared.append(1) or real(a, b))
    assert fingerprint.pairs([*prints, prints[7]]) == [(7, 5000, 1.0)]
    assert len(compared) < 250  # one of 50,000


@needs_speech
@pytest.mark.parametrize("speed", [0.95, 0.96, 1.04, 1.05])
def test_short_copies_at_another_speed_are_found(speed: float) -> None:
    """A second and a half of each of eight sentences: some eight landmarks, few of which are the same in the copy."""
    short = [audio.read(file)[0][3 * RATE : round(4.5 * RATE)] for file in sorted(SHARED.glob("ko/zeroth/*.flac"))[:8]]
    both = [*short, *(faster(one, RATE, speed) for one in short)]
    found = fingerprint.pairs([fingerprint.fingerprint(np.float32(one), RATE) for one in both])
    assert {pair[:2] for pair in found} <= {(which, which + len(short)) for which in range(len(short))}
    assert len(found) >= len(short) - 1
