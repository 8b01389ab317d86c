"""Trimming to the speech, and edges where a word was cut."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from curate.measures.edges import Edges, edge_levels

AUDIO = Path(__file__).resolve().parents[3].parent / "shared" / "audio"
RATE = 16_000
CUT_DB = -10.0  # recommended threshold
WHOLE = {  # clips that begin and end in a pause; silero-vad's spans (defaults, 16 kHz), in samples
    "ko/zeroth/104_003_0294.flac": [(13344, 87520)],
    "ko/picovoice/leopard_test_ko.wav": [(10272, 55264)],
    "neg/en_librispeech/1089-134686-0001.flac": [(8736, 46560)],
}


def read(name: str) -> NDArray[np.float32]:
    if not (AUDIO / name).exists():
        pytest.skip(f"needs the shared test audio ({name})")
    samples: NDArray[np.float32] = soundfile.read(AUDIO / name, dtype="float32")[0]
    return samples


def speech(seconds: float, seed: int = 0) -> NDArray[np.float32]:
    """Noise that swells and fades like words."""
    time = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(seed).normal(0, 0.1, len(time))
    return (noise * (1.2 + np.sin(2 * np.pi * 4 * time))).astype(np.float32)


def padded(pause: float, level: float = 1e-4) -> NDArray[np.float32]:
    room = np.random.default_rng(1).normal(0, level, round((2 + 2 * pause) * RATE)).astype(np.float32)
    room[round(pause * RATE) :][: 2 * RATE] += speech(2)
    return room


@pytest.mark.parametrize("name", WHOLE)
def test_whole_real_clips_are_quiet_at_both_edges(name: str) -> None:
    edges = edge_levels(read(name), RATE, WHOLE[name])
    assert edges is not None
    assert max(edges) < CUT_DB - 10


def test_cutting_inside_the_speech_of_real_clips_is_mostly_seen() -> None:
    found = []
    for name, [(start, end)] in WHOLE.items():
        clip, tenth = read(name), (end - start) // 10
        for cut in range(start + 2 * tenth, end - 2 * tenth, tenth // 2):  # 13 places, pauses and stops included
            without_head = edge_levels(clip[cut:], RATE, [(0, end - cut)])
            without_tail = edge_levels(clip[:cut], RATE, [(start, cut)])
            assert without_head is not None
            assert without_tail is not None
            assert max(without_head.tail, without_tail.head) < CUT_DB  # the other edge is still whole
            found += [without_head.head > CUT_DB, without_tail.tail > CUT_DB]
    assert np.mean(found) > 0.65


def test_only_the_cut_edge_is_loud() -> None:
    clip = padded(0.2)[RATE:]
    edges = edge_levels(clip, RATE, [(0, len(clip) - round(0.2 * RATE))])
    assert edges is not None
    assert edges.head > CUT_DB
    assert edges.tail < -30


def test_level_and_offset_do_not_matter() -> None:
    clip, spans = padded(0.2)[RATE:], [(0, RATE)]
    quiet = (clip * 0.01 + 0.2).astype(np.float32)
    assert edge_levels(quiet, RATE, spans) == pytest.approx(edge_levels(clip, RATE, spans), abs=0.1)


def test_noise_is_not_a_cut_word() -> None:
    spans = [(round(0.2 * RATE), round(2.2 * RATE))]
    edges = edge_levels(padded(0.2, level=0.04), RATE, spans)  # the speech is only about 10 dB above it
    assert edges is not None
    assert max(edges) < CUT_DB


def test_a_click_with_a_pause_before_the_speech_is_not_a_cut_word() -> None:
    near, far = padded(0.2), padded(0.5)
    near[:320] += 0.3 * speech(0.02)
    far[:320] += 0.3 * speech(0.02)
    heads = [edge_levels(clip, RATE, [(round(pause * RATE), len(clip))]) for clip, pause in ((near, 0.2), (far, 0.5))]
    assert heads[0] is not None
    assert heads[1] is not None
    assert heads[0].head > -20
    assert heads[1].head == -80


@pytest.mark.parametrize("spans", [[], [(5, 5)], [(99_999, 100_000)]])
def test_a_clip_without_speech_has_no_edges(spans: list[tuple[int, int]]) -> None:
    assert edge_levels(padded(0.1), RATE, spans) is None


def test_silence_nan_and_very_short_clips_are_answered() -> None:
    assert edge_levels(np.zeros(RATE, np.float32), RATE, [(0, RATE)]) is None
    assert edge_levels(np.full(RATE, np.nan, np.float32), RATE, [(0, RATE)]) is None
    assert edge_levels(np.zeros(0, np.float32), RATE, [(0, 1)]) is None
    assert isinstance(edge_levels(speech(0.01), RATE, [(0, 160)]), Edges)
