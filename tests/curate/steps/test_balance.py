"""Balance: never more than is wanted, within a clip of it, spread over speakers, and the same whatever the order."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.steps.balance import balance
from tests.curate.frames import clips

NONE: dict[str, Any] = {"hours": {}, "max_speaker_hours": None, "max_source_hours": None, "seed": 0}
ROWS = st.lists(
    st.fixed_dictionaries({
        "language": st.sampled_from(["km", "ko"]), "source": st.sampled_from(["s", "t"]),
        "speaker": st.sampled_from(["a", "b", "c", None]), "seconds": st.floats(1, 30).map(lambda x: round(x, 4)),
        "drop": st.sampled_from([None, None, None, "noisy"]),
    }),
    min_size=1, max_size=40,
)  # fmt: skip


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return clips([{**row, "broke": [row["drop"]] if row.get("drop") else []} for row in rows])


def kept(found: pl.DataFrame, **where: Any) -> pl.DataFrame:
    return found.filter(pl.col("drop").is_null(), *(pl.col(k) == v for k, v in where.items()))


def even(count: int = 60, speakers: int = 3) -> pl.DataFrame:
    """Ten-second clips, in turns by so many speakers."""
    return frame([{"seconds": 10.0, "speaker": f"who{i % speakers}"} for i in range(count)])


@settings(max_examples=60, deadline=None)
@given(ROWS, st.floats(0, 0.1), st.integers(0, 3))
def test_hours_are_never_above_the_wanted_and_within_a_clip_of_them(
    rows: list[dict[str, Any]], wanted: float, seed: int
) -> None:
    before = frame(rows)
    found = balance(before, **{**NONE, "hours": {"ko": wanted}, "seed": seed})
    seconds = kept(found, language="ko")["seconds"].sum()
    surplus = found.filter(pl.col("broke").list.contains("surplus"))
    assert seconds <= wanted * 3600 + 1e-6
    for clip in surplus["seconds"]:
        assert seconds + clip > wanted * 3600 - 1e-6
    assert set(surplus["language"]) <= {"ko"}
    assert found.filter(language="km").equals(before.filter(language="km"))
    assert found.drop("broke", "drop").equals(before.drop("broke", "drop"))


@settings(max_examples=40, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(rows: list[dict[str, Any]], random: Any) -> None:
    before = frame(rows)
    order = list(range(before.height))
    random.shuffle(order)
    options: dict[str, Any] = {
        "hours": {"ko": 0.02, "km": 0.01},
        "max_speaker_hours": 0.01,
        "max_source_hours": 0.03,
        "seed": 1,
    }
    one, two = balance(before, **options), balance(before[order], **options)
    assert two.sort("id").equals(one.sort("id"))


def test_speakers_get_their_turns_and_a_large_one_does_not_fill_the_hours() -> None:
    rows = [{"seconds": 10.0, "speaker": "much"} for _ in range(100)] + [
        {"seconds": 10.0, "speaker": f"little{i % 4}"} for i in range(40)
    ]
    found = kept(balance(frame(rows), **{**NONE, "hours": {"ko": 500 / 3600}}))
    per_speaker = dict(found.group_by("speaker").agg(pl.col("seconds").sum()).rows())
    assert sum(per_speaker.values()) == 500
    assert set(per_speaker.values()) == {100}


def test_equal_names_in_two_sources_each_get_their_turn_and_their_cap() -> None:
    rows = [{"seconds": 10.0, "speaker": "1", "source": s} for s in "st" for _ in range(30)]
    capped = kept(balance(frame(rows), **{**NONE, "max_speaker_hours": 100 / 3600}))
    assert dict(capped.group_by("source").agg(pl.col("seconds").sum()).rows()) == {"s": 100.0, "t": 100.0}


def test_caps_hold_and_are_reached_within_a_clip() -> None:
    found = balance(even(), **{**NONE, "max_speaker_hours": 95 / 3600})
    assert set(kept(found).group_by("speaker").agg(pl.col("seconds").sum())["seconds"]) == {90.0}
    assert set(found["drop"]) == {None, "capped"}
    found = balance(even(), **{**NONE, "max_source_hours": 95 / 3600})
    assert kept(found)["seconds"].sum() == 90


def test_a_clip_without_a_speaker_is_under_no_speakers_cap() -> None:
    nobody = frame([{"seconds": 10.0, "speaker": None}] * 30)
    assert kept(balance(nobody, **{**NONE, "max_speaker_hours": 0.001})).height == 30


def test_enough_room_keeps_all_and_none_keeps_nothing() -> None:
    assert kept(balance(even(), **NONE)).height == 60
    assert kept(balance(even(), **{**NONE, "hours": {"ko": 600 / 3600}})).height == 60
    assert kept(balance(even(), **{**NONE, "hours": {"ko": 0.0}})).height == 0
    assert balance(even().clear(), **{**NONE, "hours": {"ko": 1.0}, "max_speaker_hours": 1.0}).height == 0


def test_what_was_dropped_before_takes_no_room_and_keeps_its_reason() -> None:
    rows = [{"seconds": 10.0, "speaker": "a", "drop": "noisy"}] * 20 + [{"seconds": 10.0, "speaker": "a"}] * 10
    found = balance(frame(rows), **{**NONE, "hours": {"ko": 100 / 3600}})
    assert found["drop"].to_list() == ["noisy"] * 20 + [None] * 10
    assert found["broke"].to_list()[:20] == [["noisy"]] * 20


@pytest.mark.parametrize("option", ["hours", "max_speaker_hours"])
def test_another_seed_keeps_other_clips_and_the_same_seed_the_same(option: str) -> None:
    value: Any = {"ko": 200 / 3600} if option == "hours" else 50 / 3600
    of = [kept(balance(even(), **{**NONE, option: value, "seed": seed}))["id"].to_list() for seed in (0, 0, 1)]
    assert of[0] == of[1] != of[2]
