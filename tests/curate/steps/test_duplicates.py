"""The same audio twice: found whatever was done to it, and the best copy stays."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.measures import fingerprint
from curate.steps import duplicates
from tests.curate.conftest import RATE, tone
from tests.curate.frames import clips


def marked(
    similar: dict[str, dict[str, float]], threshold: float | bool = 0.4, **columns: list[object]
) -> dict[str, str]:
    """Which clip repeats which, of clips a, b, c... that sound alike as said (both ways)."""
    names = sorted(similar)
    rows = [
        {
            "id": a,
            "similar": [{"id": b, "similarity": s} for b, s in similar[a].items()],
            **{k: v[i] for k, v in columns.items()},
        }
        for i, a in enumerate(names)
    ]
    found = duplicates.mark(clips(rows), threshold=threshold)
    assert found["id"].to_list() == names
    return dict(found.filter(pl.col("duplicate_of").is_not_null()).select("id", "duplicate_of").rows())


def test_of_many_copies_one_stays() -> None:
    everyone = {a: {b: 0.9 for b in "abcd" if b != a} for a in "abcd"}
    assert marked(everyone) == {"b": "a", "c": "a", "d": "a"}


def test_clips_that_only_share_a_third_are_no_copies_of_each_other() -> None:
    chain = {"a": {"b": 0.9}, "b": {"a": 0.9, "c": 0.9}, "c": {"b": 0.9}}
    assert marked(chain) == {"b": "a"}  # c does not sound like a, and b is gone
    assert marked(chain, snr=[40.0] * 3, bandwidth=[4000.0, 8000.0, 4000.0]) == {"a": "b", "c": "b"}


def test_the_best_copy_stays_kept_before_wide_before_low_rate_before_first() -> None:
    pair = {"a": {"b": 0.9}, "b": {"a": 0.9}}
    assert marked(pair, drop=["noisy", None], bandwidth=[8000.0, 4000.0]) == {"a": "b"}
    assert marked(pair, bandwidth=[4000.0, 8000.0], rate=[8000, 48000]) == {"a": "b"}
    assert marked(pair, bandwidth=[7900.0, 8000.0], rate=[48000, 16000]) == {"a": "b"}  # as wide: the rate says more
    assert marked(pair, bandwidth=[7900.0, 8000.0]) == {"b": "a"}
    assert marked(pair, bandwidth=[None, 900.0]) == {"a": "b"}


def test_what_a_coder_or_a_room_adds_makes_no_copy_better() -> None:
    pair = {"a": {"b": 0.9}, "b": {"a": 0.9}}
    # Opus leaves something above the band of its original, and a reverberant copy of clean speech has as little noise
    assert marked(pair, bandwidth=[12250.0, 11025.0], codec=["OGG/OPUS", "WAV/PCM_16"]) == {"a": "b"}
    assert marked(pair, codec=["MP3/MP3FLOAT", "FLAC/PCM_16"], snr=[60.0, 40.0]) == {"a": "b"}
    assert marked(pair, codec=["WAV/PCM_S16LE", "MOV/ALAC"]) == {"b": "a"}
    assert marked(pair, snr=[61.74, 61.4]) == {"b": "a"}
    assert marked(pair, snr=[61.74, 61.4], distillmos=[3.1, 4.2]) == {"a": "b"}
    assert marked(pair, snr=[20.0, 41.0], distillmos=[4.2, 3.1]) == {"a": "b"}


def test_a_given_text_wins_over_a_heard_one_and_then_quality() -> None:
    pair = {"a": {"b": 0.9}, "b": {"a": 0.9}}
    assert marked(pair, text_from=["heard", "given"], bandwidth=[8000.0, 4000.0], snr=[60.0, 20.0]) == {"a": "b"}
    assert marked(pair, text_from=[None, "given"]) == {"a": "b"}
    assert marked(pair, text_from=["heard", "given"], drop=[None, "noisy"]) == {"b": "a"}  # no audio is lost for a text
    assert marked(pair, clipped=[0.002, 0.0]) == {"a": "b"}
    assert marked(pair, snr=[30.0, 45.0]) == {"a": "b"}
    assert marked(pair, snr=[30.0, 31.0]) == {"b": "a"}  # as good: the first


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"text_from": "heard"}, "its text was given, not heard"),
        ({"drop": "noisy", "broke": ["noisy", "duplicate"]}, "no other rule drops it"),
        ({"bandwidth": 4000.0}, "its band is wider (8000 against 4000 Hz)"),
        ({"rate": 48000}, "its sample rate promises no more than its band (16000 against 48000 Hz)"),
        ({"snr": 12.0}, "there is less noise in it (40 against 12 dB)"),
        ({"snr": None}, "there is less noise in it (40 against unknown dB)"),
        ({"codec": "MP3/MP3FLOAT"}, "it was not coded with loss (unknown against MP3/MP3FLOAT)"),
        ({}, "it comes first; they are equally good"),
    ],
)
def test_why_the_other_stays_is_told(changed: dict[str, Any], words: str) -> None:
    repeats = {"id": "b", "drop": "duplicate", "broke": ["duplicate"], **changed}
    assert duplicates.why(clips([{"id": "a"}, repeats]), "a", "b") == words


def test_the_threshold_counts_and_false_finds_none() -> None:
    pair = {"a": {"b": 0.5}, "b": {"a": 0.5}}
    assert marked(pair, 0.5) == {"b": "a"}
    assert marked(pair, 0.51) == {}
    assert marked(pair, False) == {}
    assert marked({"a": {}, "b": {}}) == {}


@pytest.fixture(scope="module")
def printed() -> pl.DataFrame:
    """Two voices; the first also quieter, and cut shorter; silence; a clip nobody listened to."""
    one, two = tone(4, 110, seed=1), tone(4, 150, seed=2)
    sounds = {
        "one": one,
        "two": two,
        "quiet": one * 0.2,
        "short": one[RATE // 2 :],
        "silence": np.zeros(RATE, np.float32),
    }
    prints = {name: fingerprint.fingerprint(sound, RATE) or None for name, sound in sounds.items()}
    return clips([{"id": name, "fingerprint": found} for name, found in prints.items()])


def test_copies_are_found_by_their_sound_both_ways_and_others_are_not(printed: pl.DataFrame) -> None:
    found = dict(fingerprint.similar_clips(printed).rows())
    alike = {name: {each["id"] for each in similar} for name, similar in found.items()}
    assert alike == {"one": {"quiet", "short"}, "quiet": {"one", "short"}, "short": {"one", "quiet"}, "two": set()}
    for name, similar in found.items():
        for each in similar:
            assert {"id": name, "similarity": each["similarity"]} in found[each["id"]]


def test_nothing_to_compare_is_no_error(printed: pl.DataFrame) -> None:
    assert fingerprint.similar_clips(printed.clear()).height == 0
    assert fingerprint.similar_clips(printed.filter(pl.col("id") == "silence")).height == 0


PAIRS = st.dictionaries(
    st.tuples(st.integers(0, 14), st.integers(0, 14)), st.sampled_from([0.3, 0.5, 0.9]), max_size=40
)


@settings(max_examples=200, deadline=None)
@given(PAIRS, st.lists(st.sampled_from([4000.0, 8000.0]), min_size=15, max_size=15))
def test_who_stays_is_what_a_walk_from_the_best_to_the_worst_gives(pairs: Any, bands: list[float]) -> None:
    alike: dict[str, dict[str, float]] = {f"c{i:02d}": {} for i in range(15)}
    for (a, b), similarity in sorted(pairs.items()):
        if a < b:
            alike[f"c{a:02d}"][f"c{b:02d}"] = alike[f"c{b:02d}"][f"c{a:02d}"] = similarity
    stay: set[str] = set()
    repeats: dict[str, str] = {}
    for name in sorted(alike, key=lambda each: (-bands[int(each[1:])], each)):
        twins = [other for other, similarity in alike[name].items() if similarity >= 0.4 and other in stay]
        if twins:
            repeats[name] = max(twins, key=lambda other: alike[name][other])
        else:
            stay.add(name)
    assert marked(alike, bandwidth=list(bands)) == repeats


def test_of_a_long_chain_of_takes_every_second_stays() -> None:
    """Each sounds like the next alone, so that one decision waits for another, and for longer than there are rounds."""
    count = 4 * duplicates.ROUNDS
    chain: dict[str, dict[str, float]] = {f"c{i:03d}": {} for i in range(count)}
    for i in range(count - 1):
        chain[f"c{i:03d}"][f"c{i + 1:03d}"] = chain[f"c{i + 1:03d}"][f"c{i:03d}"] = 0.9
    repeats = marked(chain)
    assert sorted(repeats) == [f"c{i:03d}" for i in range(1, count, 2)]
