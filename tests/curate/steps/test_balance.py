"""Balance: never more than is wanted, within a clip of it, spread over speakers, and the same whatever the order."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curate.steps.balance import balance, candidates, choose
from curate.steps.selection import shuffled
from curate.text import coverage
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
@example(rows=[{"language": "ko", "source": "s", "speaker": "a", "seconds": 1.0, "drop": None}], wanted=5e-324, seed=0)
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


def test_sessions_and_texts_have_caps_of_their_own() -> None:
    rows = [{"seconds": 10.0, "speaker": f"w{i}", "session": f"day {i % 2}"} for i in range(40)]
    found = balance(frame(rows), **{**NONE, "max_session_hours": 55 / 3600})
    assert dict(kept(found).group_by("session").agg(pl.col("seconds").sum()).rows()) == {"day 0": 50.0, "day 1": 50.0}
    rows = [{"seconds": 10.0, "speaker": f"w{i}", "spoken": ["말.", "말", "글"][i % 3]} for i in range(30)]
    found = balance(frame(rows), **{**NONE, "max_text_clips": 4})
    texts = kept(found)["spoken"].str.strip_chars(".").value_counts()
    assert dict(texts.rows()) == {"말": 4, "글": 4}
    assert set(found["drop"]) == {None, "capped"}


def test_what_several_clips_were_cut_from_is_a_session_and_so_is_a_persons_folder() -> None:
    long = [{"seconds": 10.0, "speaker": None, "path": "long.wav", "start": i, "end": i + 1} for i in range(20)]
    assert kept(balance(frame(long), **{**NONE, "max_session_hours": 45 / 3600})).height == 4
    nobody = [{"seconds": 10.0, "speaker": None} for _ in range(20)]
    assert kept(balance(frame(nobody), **{**NONE, "max_session_hours": 0.001})).height == 20
    folders = [{"seconds": 10.0, "speaker": "a", "path": f"{i % 2}/{i}.wav"} for i in range(20)]
    assert kept(balance(frame(folders), **{**NONE, "max_session_hours": 45 / 3600})).height == 8


def varied(count: int, *, first: int = 0) -> pl.DataFrame:
    """Clips of few frequent words and many rare ones, by thirty persons, good and bad."""
    random = np.random.default_rng(first)
    words = ["가나", "다라", "마바", "국물", "책값", "학교", "뷁", "닭을", "앉다", "옳지", "왜곡", "쥐", "희망", "꿰다"]
    chance = 1 / np.arange(1, len(words) + 1) ** 2
    rows = [
        {
            "id": f"{first + i:016x}", "path": f"{first + i}.wav", "seconds": round(random.uniform(2, 9), 2),
            "spoken": (text := " ".join(random.choice(words, 3, p=chance / chance.sum()))), "pronounced": text,
            "speaker": f"w{random.integers(30)}", "snr": float(random.uniform(15, 45)),
        }
        for i in range(count)
    ]  # fmt: skip
    return frame(rows)


def test_the_choice_covers_more_and_is_better_than_chance_of_equal_hours() -> None:
    pool = varied(3000)
    hours = float(pool["seconds"].sum()) / 3600 / 20
    found = kept(balance(pool, **{**NONE, "hours": {"ko": hours}}))
    chance = pool.sort(shuffled("id", seed=0)).filter(pl.col("seconds").cum_sum() <= hours * 3600)
    assert abs(float(found["seconds"].sum()) / 3600 / hours - 1) < 0.005

    def rarest(clips: pl.DataFrame) -> int:
        table, _, numbers = coverage.units(clips, "ko")
        assert table.height
        return int(np.sort(np.bincount(numbers))[: table.height // 4].sum())

    assert coverage.units(found, "ko")[0].height >= coverage.units(chance, "ko")[0].height
    assert rarest(found) > rarest(chance)
    assert float(found["snr"].mean()) > float(chance["snr"].mean())  # type: ignore[arg-type]


def test_nearly_all_earlier_choices_stay_when_a_tenth_is_added() -> None:
    pool, more = varied(1500), varied(150, first=1500)
    hours = {"ko": float(pool["seconds"].sum()) / 7200}
    before = set(kept(balance(pool, **{**NONE, "hours": hours}))["id"])
    after = kept(balance(pl.concat([more, pool]), **{**NONE, "hours": hours, "earlier": before}))
    assert len(before & set(after["id"])) >= 0.95 * len(before)
    assert float(after["seconds"].sum()) / 3600 == pytest.approx(hours["ko"], rel=0.005)
    anew = balance(pl.concat([more, pool]), **{**NONE, "hours": hours, "earlier": before, "stable": False})
    assert anew.equals(balance(pl.concat([more, pool]), **{**NONE, "hours": hours}))


def test_held_clips_stay_and_barred_ones_do_not_and_each_is_told_by_its_own_rule() -> None:
    pool = even()
    found = candidates(pool, hours={"ko": 200 / 3600})
    barred = pl.Series([i < 10 for i in range(60)])
    held = pool["id"][50:].to_list()
    kept_ids = set(kept(choose(pool, found, held=held, barred=barred))["id"])
    assert set(held) <= kept_ids
    assert not kept_ids & set(pool["id"][:10])


def test_fifty_thousand_clips_are_chosen_within_half_a_percent_and_again_the_same() -> None:
    base = varied(2000)
    many = pl.concat([base.with_columns(pl.format("{}-{}", "id", pl.lit(n)).alias("id")) for n in range(25)])
    many = many.with_columns(pl.format("{}.wav", "id").alias("path"))
    hours = {"ko": float(many["seconds"].sum()) / 7200}
    one = balance(many, **{**NONE, "hours": hours})
    assert abs(float(kept(one)["seconds"].sum()) / 3600 / hours["ko"] - 1) < 0.005
    again = balance(many.reverse(), **{**NONE, "hours": hours})
    assert again.reverse().equals(one)
