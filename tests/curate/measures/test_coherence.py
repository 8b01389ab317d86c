"""A copy is one waveform whatever was done to it; another take of the words is not, nor is another word."""

from pathlib import Path

import numpy as np
import pytest
import scipy.signal

from curate import audio
from curate.measures import alignment, coherence, fingerprint, print_layout

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "audio"
needs_speech = pytest.mark.skipif(not SHARED.exists(), reason="the shared test speech is not on this machine")
RATE = 5000


def spoken(seed: int) -> audio.Samples:
    file = sorted(SHARED.glob("ko/zeroth/*.flac"))[seed]
    samples, rate = audio.read(file)
    return audio.resample(samples, rate, RATE)[RATE // 2 : 5 * RATE]


def wave(sound: np.ndarray) -> coherence.Wave:
    size = np.convolve(np.square(sound), np.ones(1280), "valid")[100::100]
    levels = np.clip(5 * np.log10(np.quantile(size, 0.95) / (size + 1e-9)), 0, 15)
    return coherence.Wave(coherence.waves(coherence.signs(np.float32(sound))), levels.astype(np.uint8))


def heard(one: np.ndarray, other: np.ndarray, faster: float = 1.0, offset: int = 0) -> coherence.Heard:
    first, second = wave(one), wave(other)
    found = coherence.heard(first, second, np.arange(int(len(second.levels) * faster)) + offset, faster)
    assert found is not None
    return found


def again(sound: np.ndarray, seed: int = 0) -> np.ndarray:
    """The same magnitudes every 50 ms with other phases: what another take has in common, and no more."""
    _, _, spectrum = scipy.signal.stft(sound, RATE, nperseg=512)
    turned = np.exp(2j * np.pi * np.random.default_rng(seed).random(spectrum.shape))
    return np.float32(scipy.signal.istft(spectrum * turned, RATE, nperseg=512)[1][: len(sound)])


def test_signs_keep_the_phase_of_the_low_band_alone() -> None:
    at = np.arange(2 * RATE) / RATE
    for hertz in (371.3, 503.7, 640.9):
        kept = coherence.waves(coherence.signs(np.float32(np.cos(2 * np.pi * hertz * at))))
        assert len(kept) == 2 * coherence.RATE
        assert np.abs(kept) == pytest.approx(1)
        back = np.exp(-2j * np.pi * (hertz - coherence.CENTRE) * np.arange(len(kept)) / coherence.RATE)
        assert abs((kept * back)[50:-50].mean()) > 0.85
    low, high = (np.float32(np.cos(2 * np.pi * hertz * at)) for hertz in (100.0, 1500.0))
    tone = np.float32(np.cos(2 * np.pi * 480 * at))
    differ = np.bitwise_count(coherence.signs(tone + low + high) ^ coherence.signs(tone))
    assert differ.mean() < 0.03 * 32


@needs_speech
@pytest.mark.parametrize("seed", range(4))
def test_a_copy_is_coherent_and_another_take_is_not(seed: int) -> None:
    sound = spoken(seed)
    noise = np.random.default_rng(seed).normal(size=len(sound)) * sound.std() / 10**0.5
    copies = {"turned over, softer": -sound / 8, "18.6 ms later": sound[93:], "noise at 10 dB": sound + noise}
    for what, copy in copies.items():
        found = heard(sound, copy)
        assert found.alike > 0.5, what
        assert not found.another_word, what
    assert heard(sound, again(sound)).is_take(0.6)
    assert heard(sound, spoken(seed + 1)).is_take(0.6)


@needs_speech
@pytest.mark.parametrize("told", [1.0, 0.985, 0.96])
def test_the_speed_is_told_better_than_the_prints_do(told: float) -> None:
    """A copy played 2 % faster, whose speed is given 2 % off or less."""
    for seed in range(4):
        sound = spoken(seed)[: 3 * RATE]
        found = heard(sound, audio.resample(sound, 1000 * RATE, round(1000 * RATE / 0.98)), told)
        assert found.speed == pytest.approx(0.98, abs=0.004)
        assert not found.is_take(0.5)
        assert not found.another_word


@needs_speech
@pytest.mark.parametrize("seed", range(4))
def test_one_other_word_is_heard_and_an_edited_pause_is_none(seed: int) -> None:
    sound, other = spoken(seed), spoken(seed + 3)
    size, at = RATE * 3 // 10, 2 * RATE
    loudest = np.convolve(np.square(other), np.ones(size), "valid").argmax()
    word = other[loudest : loudest + size] * 2
    first = np.concatenate([sound[:at], sound[at : at + size] * 2, sound[at + size :]])
    assert heard(first, np.concatenate([sound[:at], word, sound[at + size :]])).another_word
    assert not heard(first, first + np.float32(0)).another_word
    gap = 12  # frames
    longer = np.concatenate([sound[:at], np.zeros(gap * 100, np.float32), sound[at:]])
    path = np.arange(len(wave(longer).levels))
    path[(at // 100) :] -= gap
    found = coherence.heard(wave(sound), wave(longer), path, 1.0)
    assert found is not None
    assert found.alike > 0.9
    assert not found.another_word


@needs_speech
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("longer", [-0.0125, 0.0075, 0.015])
def test_another_word_is_heard_where_what_follows_is_some_milliseconds_off(seed: int, longer: float) -> None:
    """By less than a frame of a print, so that its path tells of one offset alone."""
    sound, other = spoken(seed), spoken(seed + 3)
    size, at = RATE * 4 // 10, int(np.convolve(np.square(sound[: 3 * RATE]), np.ones(RATE // 2), "valid").argmax())
    long = size + round(longer * RATE)
    loudest = np.convolve(np.square(other), np.ones(long), "valid").argmax()
    replaced = np.concatenate([sound[:at], other[loudest : loudest + long], sound[at + size :]])
    shifted = np.concatenate([sound[:at], np.zeros(max(0, long - size), np.float32), sound[at + max(0, size - long) :]])
    assert heard(sound, replaced).another_word
    assert heard(sound, shifted).alike > 0.6


@needs_speech
@pytest.mark.parametrize("seed", range(4))
def test_a_word_that_one_clip_lacks_is_heard(seed: int) -> None:
    sound = spoken(seed)
    at = int(np.convolve(np.square(sound), np.ones(2 * RATE // 5), "valid").argmax())
    silenced = np.concatenate([sound[:at], np.zeros(2 * RATE // 5, np.float32), sound[at + 2 * RATE // 5 :]])
    assert heard(sound, silenced).another_word
    assert heard(silenced, sound).another_word


def test_without_loud_sound_in_common_nothing_is_told() -> None:
    random = np.random.default_rng(0)
    sound = coherence.Wave(coherence.waves(random.integers(0, 2**32, 100, dtype=np.uint32)), np.zeros(190, np.uint8))
    assert coherence.heard(sound, sound._replace(levels=np.full(190, 15, np.uint8)), np.arange(190), 0.99) is None
    nothing = coherence.Wave(np.zeros(0, np.complex64), np.zeros(190, np.uint8))
    assert coherence.heard(nothing, nothing, np.arange(190), 1.0) is None


@needs_speech
def test_a_take_whose_bits_agree_by_more_than_the_threshold_is_no_copy() -> None:
    for file in sorted(SHARED.glob("ko/zeroth/*.flac")):
        samples, rate = audio.read(file)
        low = audio.resample(samples, rate, RATE)[: 5 * RATE]
        prints = [fingerprint.fingerprint(np.float32(each), RATE) for each in (low, again(low))]
        bits, _ = alignment.likeness(*(print_layout.numbers(each) for each in prints))
        assert bits > fingerprint.THRESHOLD
        assert fingerprint.similarity(*prints) < fingerprint.THRESHOLD
