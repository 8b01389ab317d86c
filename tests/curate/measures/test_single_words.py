"""Copies of single words are found by their waveforms; other takes and words, tones and held vowels are no copies."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile

from curate import audio
from curate.measures import equal_frames, fingerprint, print_layout, single_words

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "audio"
needs_speech = pytest.mark.skipif(not SHARED.exists(), reason="the shared test speech is not on this machine")
RATE = 16_000


def printed(sound: np.ndarray, rate: int = RATE) -> bytes:
    return fingerprint.fingerprint(np.asarray(sound, np.float32), rate)


def alike(one: np.ndarray, other: np.ndarray) -> single_words.Alike:
    return single_words.alike(*(single_words.packed(np.asarray(each, np.float32), RATE) for each in (one, other)))


def words(longest: float = 0.95) -> list[audio.Samples]:
    """Khmer words of four people, each of whom says the same ones."""
    found = []
    with (SHARED / "km/learn_khmer/segments_silver.tsv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            start, end = float(row["start"]), float(row["end"])
            if end - start <= longest:
                samples, rate = audio.read(SHARED / "km/learn_khmer" / row["file"])
                found.append(audio.resample(samples[round(start * rate) : round(end * rate)], rate, RATE))
    return found


def spoken(seed: int, seconds: float = 0.6) -> audio.Samples:
    """Something like a word: harmonics of a gliding pitch whose strengths change every 0.15 s."""
    rng = np.random.default_rng(seed)
    at = np.arange(round(seconds * RATE)) / RATE
    phase = (
        2 * np.pi * np.cumsum(rng.uniform(100, 200) * np.exp(rng.choice([-1, 1]) * rng.uniform(0.3, 0.8) * at)) / RATE
    )
    knots = np.arange(0, seconds + 0.15, 0.15)
    strengths = [np.interp(at, knots, rng.exponential(size=len(knots))) for _ in range(25)]
    tones = [strength * np.sin(each * phase) for each, strength in enumerate(strengths, 1)]
    sound = np.sum(tones, axis=0) * np.sin(np.pi * at / seconds) ** 0.5
    return np.asarray(sound / np.abs(sound).max() * 0.8, np.float32)


def again(sound: np.ndarray, seed: int = 0) -> np.ndarray:
    """The same magnitudes every 16 ms with other phases: what another take has in common, and more."""
    _, _, spectrum = scipy.signal.stft(sound, RATE, nperseg=512)
    turned = np.exp(2j * np.pi * np.random.default_rng(seed).random(spectrum.shape))
    return np.asarray(scipy.signal.istft(spectrum * turned, RATE, nperseg=512)[1][: len(sound)], np.float32)


def through_mp3(samples: audio.Samples) -> audio.Samples:
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format="MP3", subtype="MPEG_LAYER_III", compression_level=0.7)
    file.seek(0)
    return np.asarray(soundfile.read(file, dtype="float32")[0])


def copies(word: audio.Samples) -> dict[str, tuple[np.ndarray, int]]:
    return {
        "-6 dB": (word / 2, RATE),
        "turned over, 16 bits, -20 dB": (np.round(-word * 3276.8) / 32768, RATE),
        "70 ms off the start": (word[round(0.0703 * RATE) :], RATE),
        "90 ms off the end": (word[: -round(0.09 * RATE)], RATE),
        "MP3": (through_mp3(word), RATE),
        "8 kHz": (audio.resample(word, RATE, 8000), 8000),
        "44.1 kHz": (audio.resample(word, RATE, 44_100), 44_100),
        "silence around": (np.pad(word, (5001, 3000)), RATE),
    }


@needs_speech
def test_copies_of_short_words_are_found_and_no_others() -> None:
    every = words()
    prints = [printed(word) for word in every]
    short = [number for number, each in enumerate(prints) if print_layout.is_word(each)][:12]
    assert len(short) == 12
    more, origins = list(prints), []
    for number in short:
        for other, rate in copies(every[number]).values():
            more.append(printed(other, rate))
            origins.append(number)
    found = {pair[:2] for pair in fingerprint.pairs(more)}
    family = [*range(len(prints)), *origins]
    assert all(family[one] == family[other] for one, other in found)
    missed = [each for each, number in enumerate(origins) if (number, len(prints) + each) not in found]
    assert len(missed) <= 0.03 * len(origins)


@pytest.mark.parametrize("seed", range(6))
def test_a_copy_is_coherent_all_through_and_another_take_is_not(seed: int) -> None:
    word = spoken(seed)
    for what, (other, rate) in copies(word).items():
        found = single_words.alike(
            *(single_words.packed(np.asarray(a, np.float32), r) for a, r in ((word, RATE), (other, rate)))
        )
        assert found.is_copy(), what
        assert fingerprint.similarity(printed(word), printed(other, rate)) == pytest.approx(found.whole, abs=0.05), what
    for take in (again(word), again(word, 1), spoken(seed + 100)):
        assert not alike(word, take).is_copy()
        assert fingerprint.similarity(printed(word), printed(take)) <= fingerprint.TAKE


@pytest.mark.parametrize("seed", range(4))
def test_words_that_share_a_half_are_no_copies(seed: int) -> None:
    """As of numbers that are put together from recordings; a word of which a part was cut off is one."""
    common, one, other = (spoken(seed + each, 0.35) for each in (0, 20, 40))
    first, second = np.concatenate([common, one]), np.concatenate([common, other])
    assert not alike(first, second).is_copy()
    assert not alike(first, np.concatenate([other, common])).is_copy()
    assert not alike(np.concatenate([one, common]), np.concatenate([common, other])).is_copy()
    assert alike(first, first[: round(0.55 * RATE)]).is_copy()


def test_held_tones_are_no_copies_as_they_are_alike_at_any_lag() -> None:
    at = np.arange(round(0.5 * RATE)) / RATE
    tremor = 1 + 0.3 * np.sin(2 * np.pi * np.array([[4.0], [5.0]]) * at)
    hums = [sum(np.sin(2 * np.pi * 140 * each * at) for each in range(1, 20)) / 30 * tremble for tremble in tremor]
    assert alike(*hums).whole > single_words.COPY
    assert not alike(*hums).is_copy()
    assert fingerprint.similarity(*(printed(hum) for hum in hums)) <= fingerprint.TAKE


def test_words_are_compared_with_short_clips_that_have_a_print_and_with_no_others() -> None:
    clip = spoken(3, 1.3)
    cut = clip[: round(0.8 * RATE)]
    assert print_layout.is_word(printed(cut))
    assert not print_layout.is_word(printed(clip))
    ((one, other, likeness),) = fingerprint.pairs([printed(clip), printed(cut)])
    assert (one, other) == (0, 1)
    assert likeness > fingerprint.SURE
    long = np.concatenate([clip, spoken(4, 2.5)])
    assert len(print_layout.word(printed(long))) == 0
    assert fingerprint.similarity(printed(long), printed(cut)) == 0.0


def test_what_is_kept_of_a_word_leaves_the_rest_of_a_print_as_it_is() -> None:
    both, numbers = printed(spoken(5, 1.3)), np.arange(50, dtype=np.uint32)
    assert len(print_layout.word(both)) * 4 == pytest.approx(1.3 * 2050, rel=0.05)
    empty, levels = np.zeros((0, 2), np.uint32), np.zeros(50, np.uint8)
    signs, word = np.arange(9, dtype=np.uint32), np.arange(7, dtype=np.uint32)
    alone = print_layout.packed(numbers, empty, levels, signs)
    longer = print_layout.packed(numbers, empty, levels, signs, word)
    assert [each.tolist() for each in print_layout.parts(longer)] == [
        each.tolist() for each in print_layout.parts(alone)
    ]
    assert print_layout.word(longer).tolist() == word.tolist()


def test_one_equal_frame_makes_a_candidate_where_the_frames_about_it_agree() -> None:
    rng = np.random.default_rng(1)
    print_, other, none = *rng.integers(1, 2**32, (2, 40), dtype=np.uint32), np.zeros(0, np.uint32)
    noisy = print_ ^ (np.uint32(1) << rng.integers(0, 32, 40).astype(np.uint32))
    noisy[20] = other[20] = print_[20]
    rows = [print_, other, noisy, none]
    assert equal_frames.short_candidates(rows, [none] * 4) == {(0, 2): False}
    assert equal_frames.short_candidates([other, none, noisy], [none, none, print_]) == {}
    assert equal_frames.short_candidates([other, none, noisy], [none, print_, none]) == {(1, 2): True}
    assert equal_frames.short_candidates([noisy, none], [none, print_]) == {(0, 1): True}
    assert equal_frames.short_candidates([], []) == {}


@needs_speech
@pytest.mark.parametrize("speed", [0.95, 0.98, 1.02, 1.05])
def test_words_played_a_little_faster_are_found(speed: float) -> None:
    every = [word for word in words() if print_layout.is_word(printed(word))]
    copied = [audio.resample(word, round(RATE * speed * 50), RATE * 50) for word in every]
    found = {pair[:2] for pair in fingerprint.pairs([printed(word) for word in [*every, *copied]])}
    assert found <= {(number, number + len(every)) for number in range(len(every))}
    assert len(found) >= 0.85 * len(every)
