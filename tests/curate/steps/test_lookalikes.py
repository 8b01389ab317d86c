"""Held out is somebody whom nobody else sounds like, at no clip's cost."""

from typing import Any

import numpy as np
import polars as pl

from curate.steps import held_out, lookalikes, person_candidates, speakers, split
from tests.curate.frames import clips
from tests.curate.steps.test_speakers import SIZE

PERSONS = 16  # nobody like another, and then two voices each of four more


def sound(axis: int, seed: int, other: int | None = None) -> list[float]:
    """A unit vector about an axis, or between two axes, so that it is as near to either by .6."""
    vector = np.random.default_rng(seed).standard_normal(SIZE)
    vector[:40] = 0
    vector *= 0.5 / np.linalg.norm(vector)
    vector[axis] = 0.87 if other is None else 0.6
    if other is not None:
        vector[other] = 0.6
    return [float(each) for each in vector / np.linalg.norm(vector)]


def voice(number: int, axis: int, *, other: int | None = None, count: int = 6, **more: Any) -> list[dict[str, Any]]:
    return [
        {"voice": f"voice-{number:03d}", "embedding": sound(axis, 100 * number + i, other), **more}
        for i in range(count)
    ]


def corpus(count: int = 6, **more: Any) -> list[dict[str, Any]]:
    """Voices 1 to 16 by themselves; 17 and 18, 19 and 20... are two voices of one person each."""
    rows = [row for who in range(PERSONS) for row in voice(who + 1, who, **more)]
    for pair in range(4):
        rows += voice(17 + 2 * pair, PERSONS + pair, count=count, **more)
        rows += voice(18 + 2 * pair, PERSONS + pair, other=PERSONS + 4 + pair, count=count, **more)
    return rows


def filled(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return person_candidates.fill(speakers.persons(clips(rows)))


def unsure(rows: list[dict[str, Any]]) -> set[str]:
    return set(filled(rows).filter(~person_candidates.sure())["person"])


TWO_VOICES = {f"voice-{number:03d}" for number in range(17, 25)}


def test_of_two_voices_that_are_alike_none_is_held_out_and_nothing_is_given_up() -> None:
    told = filled(corpus())
    assert set(told.filter(~person_candidates.sure())["person"]) == TWO_VOICES
    assert told["person_candidates"].drop_nulls().to_list() == [[]] * told["person_candidates"].drop_nulls().len()
    for seed in range(5):
        dealt = split.split(told, shares={"validation": 0.15, "test": 0.15}, apart=("speaker",), seed=seed)
        assert dealt["drop"].null_count() == told.height
        assert not held_out.leaks(dealt, held_out.of(dealt), ("speaker",)).any()
        assert not set(dealt.filter(pl.col("split") != "train")["person"]) & TWO_VOICES
        assert dealt.filter(pl.col("split") != "train").height > 0.2 * told.height


def test_names_of_one_source_are_different_people_however_alike() -> None:
    rows = [{**row, "speaker": row["voice"]} for row in corpus()]
    assert unsure(rows) == set()
    elsewhere = [{**row, "source": "ab"[int(row["voice"][-1]) % 2]} for row in rows]  # each pair in two sources
    assert unsure(elsewhere) == {f"{'ab'[int(person[-1]) % 2]} {person}" for person in TWO_VOICES}


def test_of_a_few_persons_all_may_be_held_out() -> None:
    rows = [row for row in corpus() if row["voice"] in {"voice-001", "voice-002", *sorted(TWO_VOICES)[:4]}]
    assert unsure(rows) == set()


def test_most_of_a_corpus_in_which_all_are_alike_may_not_be_held_out_but_some_may() -> None:
    rows = [row for who in range(20) for row in voice(who + 1, who, other=30)]
    found = unsure(rows)
    assert 12 <= len(found) <= 14  # 70 % of the speech


def test_of_voices_that_are_equally_alike_those_of_many_clips_are_held_out() -> None:
    rows = [row for who in range(20) for row in voice(who + 1, who, other=30, count=4 if who % 2 else 12)]
    assert {f"voice-{who + 1:03d}" for who in range(20) if who % 2} <= unsure(rows)


def test_one_clip_of_another_is_enough_to_sound_like_them() -> None:
    """Somebody's clip in another voice does not move that voice's centre."""
    rows = [row for who in range(PERSONS) for row in voice(who + 1, who)]
    assert unsure(rows) == set()
    rows += [{**row, "speaker": "mina", "source": "radio"} for row in voice(40, 30, count=6)]
    assert unsure(rows) == set()
    stray = {**voice(40, 30, other=0, count=9)[8], "speaker": "mina", "source": "radio"}
    assert unsure([*rows, stray]) == {"voice-001"}
    named = [{**row, "speaker": row["voice"], "source": "radio"} for row in rows[: 6 * PERSONS]]
    assert unsure([*named, *rows[6 * PERSONS :], stray]) == set()


def test_of_voices_that_are_equally_alike_those_whose_clips_are_alike_are_held_out() -> None:
    rows = [row for who in range(20) for row in voice(who + 1, who)]
    owner, label = np.repeat(np.arange(20), 6), np.full(120, -1)
    own = np.where(owner % 2 == 0, 0.6, 0.9).astype(np.float32)
    nearest, sizes = np.full(20, 0.5, np.float32), np.full(20, 6)
    found = lookalikes.find(clips(rows), owner, label, own, nearest, sizes)
    assert set(range(0, 20, 2)) <= set(found.tolist())


def test_each_language_has_persons_who_may_be_held_out() -> None:
    khmer = [{**row, "voice": f"km{row['voice']}", "language": "km"} for row in corpus()]
    alike = [row for who in range(20) for row in voice(30 + who, who, other=39)]
    told = filled([*alike, *khmer])
    sure = told.filter(person_candidates.sure())
    assert sure.group_by("language").len().sort("language")["len"].to_list() > [0.2 * 144, 0.2 * 120]
    assert set(sure["language"]) == {"km", "ko"}


def test_noise_does_not_count_as_speech_of_which_some_may_be_held_out() -> None:
    """Else what is dropped as noisy could be all that may be held out."""
    noise = [row for who in range(20) for row in voice(50 + who, who, snr=0.0)]
    alike = [row for who in range(12) for row in voice(1 + who, 20 + who, other=39)]
    told = filled([*noise, *alike]).filter(pl.col("snr") > 0)
    assert told.filter(person_candidates.sure())["person"].n_unique() >= 4


def test_somebody_heard_only_in_a_moment_is_not_held_out_where_others_are() -> None:
    """A second is too little to tell whose it is; of names of one source that does not matter."""
    rows = corpus()
    moment = {**voice(1, 0, count=9)[8], "voice": None, "speaker": "mina", "source": "radio", "speech_seconds": 0.9}
    assert unsure([*rows, moment]) - unsure(rows) >= {"radio mina"}
    named = [{**row, "speaker": row["voice"], "source": "radio"} for row in rows]
    assert unsure([*named, moment]) == set()


def test_a_voice_with_labels_of_somebody_else_is_like_them() -> None:
    """It may be that person's other voice, as unlike as they are."""
    rows = corpus()
    rows += [{**row, "speaker": "mina", "source": "read"} for row in voice(40, 30, count=8)]
    rows += voice(41, 31, count=5)
    wrong = [{**voice(41, 31, count=9)[8], "speaker": "mina", "source": "read"}]
    assert not unsure(rows) & {"read mina", "voice-041"}
    assert unsure([*rows, *wrong]) >= {"read mina", "voice-041"}
