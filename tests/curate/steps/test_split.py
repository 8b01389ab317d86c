"""Splits: nothing is in two, every kept clip is in one, an empty one says why."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.recipe import LANGUAGES
from curate.steps import split, split_causes
from tests.curate.frames import clips

SHARES = {"validation": 0.05, "test": 0.05}
APART = ("speaker", "text", "recording")
NAMES = {"train", "validation", "test"}


def dealt(
    rows: list[dict[str, Any]], *, shares: dict[str, float] = SHARES, apart: tuple[str, ...] = APART, seed: int = 0
) -> pl.DataFrame:
    return split.split(clips(rows), shares=shares, apart=apart, seed=seed)


ROW = st.fixed_dictionaries({
    "language": st.sampled_from(["km", "ko"]), "source": st.sampled_from(["s", "t"]),
    "speaker": st.sampled_from([None, *(f"who{i}" for i in range(12))]),
    "voice": st.sampled_from([None, None, "who1", "who2"]),
    "spoken": st.sampled_from([None, "", "!?", *(f"text {i}" for i in range(30)), "Text, 3."]),
    "sha256": st.sampled_from([f"{i:064x}" for i in range(60)]),
    "seconds": st.floats(0.5, 30), "drop": st.sampled_from([None, None, None, None, "noisy"]),
})  # fmt: skip
CORPUS = st.lists(ROW, min_size=1, max_size=60)


@settings(max_examples=150, deadline=None)
@given(CORPUS, st.sampled_from([0.0, 0.05, 0.3]), st.sampled_from([0.0, 0.1, 0.3]), st.integers(0, 5))
def test_no_speaker_text_or_recording_is_in_two_splits(
    rows: list[dict[str, Any]], validation: float, test: float, seed: int
) -> None:
    found = dealt(rows, shares={"validation": validation, "test": test}, seed=seed)
    kept = found.filter(pl.col("drop").is_null())
    assert set(kept["split"]) <= NAMES
    assert found.filter(pl.col("drop").is_not_null())["split"].null_count() == found.height - kept.height
    assert found.drop("split").equals(clips(rows).drop("split"))
    where: dict[tuple[str, str], set[str]] = {}
    for row in kept.rows(named=True):
        text = "".join(c for c in (row["spoken"] or "").lower() if c.isalnum())
        same_voice = row["speaker"] is not None and row["speaker"] == row["voice"]
        speaker = row["speaker"] if same_voice or row["speaker"] is None else f"{row['source']} {row['speaker']}"
        for kind, value in (("speaker", speaker), ("text", text), ("recording", row["sha256"])):
            if value:
                where.setdefault((kind, value), set()).add(row["split"])
    assert {key for key, splits in where.items() if len(splits) > 1} == set()


@settings(max_examples=100, deadline=None)
@given(CORPUS, st.integers(0, 5))
def test_every_language_keeps_seven_tenths_or_more_for_training(rows: list[dict[str, Any]], seed: int) -> None:
    kept = dealt(rows, seed=seed).filter(pl.col("drop").is_null())
    for language in LANGUAGES:
        ours = kept.filter(language=language)
        trained = ours.filter(split="train")["seconds"].sum()
        assert trained >= 0.7 * ours["seconds"].sum() - 1e-6


@settings(max_examples=40, deadline=None)
@given(CORPUS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(rows: list[dict[str, Any]], random: Any) -> None:
    frame = clips(rows)
    order = list(range(frame.height))
    random.shuffle(order)
    one = split.split(frame, shares=SHARES, apart=APART, seed=0)
    two = split.split(frame[order], shares=SHARES, apart=APART, seed=0)
    assert two.sort("id").equals(one.sort("id"))


def many(count: int = 400, **more: Any) -> list[dict[str, Any]]:
    """Clips of ten seconds by forty speakers in each language, no text twice."""
    return [
        {"language": "ko" if i % 2 else "km", "speaker": f"who{i % 80}", "spoken": f"글 {i}", "seconds": 10.0, **more}
        for i in range(count)
    ]


@pytest.mark.parametrize(("validation", "test"), [(0.05, 0.05), (0.1, 0.2), (0.0, 0.1)])
def test_shares_are_met_in_each_language_where_there_are_many_groups(validation: float, test: float) -> None:
    found = dealt(many(), shares={"validation": validation, "test": test})
    for language in LANGUAGES:
        ours = found.filter(language=language)
        for name, share in (("validation", validation), ("test", test)):
            have = ours.filter(split=name)["seconds"].sum() / ours["seconds"].sum()
            assert share - 1 / 40 <= have <= share + 1e-9


def test_one_who_speaks_little_of_one_language_and_most_of_another_is_not_held_out() -> None:
    rows = [{"language": "km", "speaker": f"km{i}", "spoken": f"k{i}", "seconds": 10.0} for i in range(40)]
    rows += [{"language": "km", "speaker": "both", "spoken": "kb", "seconds": 1.0}]
    rows += [{"language": "ko", "speaker": "both", "spoken": f"b{i}", "seconds": 10.0} for i in range(36)]
    rows += [{"language": "ko", "speaker": f"ko{i}", "spoken": f"o{i}", "seconds": 10.0} for i in range(4)]
    for seed in range(10):
        found = dealt(rows, seed=seed)
        assert set(found.filter(speaker="both")["split"]) == {"train"}


def test_two_texts_that_differ_in_marks_and_case_are_one() -> None:
    rows = [{"speaker": f"w{i}", "spoken": text} for i, text in enumerate(["Hello, you!", "hello you", "HELLO YOU."])]
    assert split.groups(clips(rows), ["text"]).tolist() == [0, 0, 0]
    bare = [{"speaker": f"w{i}", "spoken": text} for i, text in enumerate(["...", "!", None])]
    assert split.groups(clips(bare), ["text"]).tolist() == [0, 1, 2]


def test_groups_hang_together_through_others() -> None:
    rows = [
        {"speaker": "a", "spoken": "1"},
        {"speaker": "b", "spoken": "2"},
        {"speaker": "b", "spoken": "1"},
        {"speaker": "c", "spoken": "3"},
    ]
    assert split.groups(clips(rows), APART).tolist() == [0, 0, 0, 1]
    assert split.groups(clips(rows), ["text"]).tolist() == [0, 1, 0, 2]
    assert split.groups(clips(rows), []).tolist() == [0, 1, 2, 3]


def causes(rows: list[dict[str, Any]], **options: Any) -> list[str]:
    asked = {"apart": options.get("apart", APART), "shares": options.get("shares", SHARES)}
    return [each.why for each in split_causes.of(dealt(rows, **options), **asked) for _ in each.empty]


def test_an_empty_split_names_its_cause_in_one_line() -> None:
    one_speaker = [{"speaker": "mina", "spoken": f"t{i}"} for i in range(20)]
    same_texts = [{"speaker": f"w{i % 5}", "spoken": f"t{i // 5}"} for i in range(20)]
    one_file = [{"speaker": None, "spoken": f"t{i}", "sha256": "f"} for i in range(20)]
    assert causes([{}]) == ["there is only one clip; add recordings"] * 2
    assert all(
        "100% of the hours are by one speaker" in said and 'split.apart = ["text", "recording"]' in said
        for said in causes(one_speaker)
    )
    assert all("5 speakers read the same texts" in said for said in causes(same_texts))
    assert all("there is one recording with 100% of the hours" in said for said in causes(one_file))
    for rows in (one_speaker, same_texts, one_file):
        assert len(causes(rows)) == 2
        assert not any("\n" in said for said in causes(rows))


def test_what_is_not_wanted_or_has_nothing_is_not_called_empty() -> None:
    assert causes(many()) == []
    assert causes([{}], shares={"validation": 0.0, "test": 0.0}) == []
    assert causes([{"drop": "noisy", "broke": ["noisy"]}]) == []
    assert dealt(many()[:1]).head(0).height == 0


def test_the_remedy_that_is_named_helps() -> None:
    one_speaker = [{"speaker": "mina", "spoken": f"t{i}"} for i in range(40)]
    assert causes(one_speaker, apart=("text", "recording")) == []


def test_a_new_source_does_not_stir_the_others() -> None:
    first = many(200)
    more = [
        {"id": f"f{i:015x}", "source": "new", "speaker": f"n{i}", "spoken": f"n{i}", "seconds": 0.01} for i in range(5)
    ]
    before = dict(dealt(first).select("id", "split").rows())
    # placed before the others, as a source named first would be
    rows = clips([{"id": f"{i:016x}", "path": f"{i}.wav", "sha256": f"{i:064x}", **row} for i, row in enumerate(first)])
    both = split.split(pl.concat([clips(more), rows]), shares=SHARES, apart=APART, seed=0)
    after = dict(both.filter(pl.col("source") != "new").select("id", "split").rows())
    assert sum(before[id] != after[id] for id in before) == 0
