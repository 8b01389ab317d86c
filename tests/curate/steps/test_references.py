"""Reference clips: another text of the same person in the same split, the same ones when clips are added."""

from typing import Any

import polars as pl
import pytest

from curate.steps.references import assign
from tests.curate.frames import clips


def corpus(count: int = 300, people: int = 6) -> list[dict[str, Any]]:
    return [
        {
            "id": f"clip{i:05d}", "person": f"p{i % people}", "split": ("train", "train", "test")[i % people % 3],
            "language": ("ko", "km")[i % 7 == 0], "spoken": f"말 {i // 2}", "training_text": f"(x)말 {i // 2}",
            "seconds": 1.0 + i % 20,
        }
        for i in range(count)
    ]  # fmt: skip


def assigned(rows: list[dict[str, Any]], share: float = 1.0, seed: int = 0) -> dict[str, str]:
    frame = assign(clips(rows), share=share, seed=seed)
    assert frame["id"].to_list() == [row["id"] for row in rows]
    found = frame.filter(pl.col("reference").is_not_null())
    return dict(zip(found["id"], found["reference"], strict=True))


def test_a_reference_is_of_the_same_person_split_and_language_and_says_something_else() -> None:
    rows = corpus()
    by_id = {row["id"]: row for row in rows}
    found = assigned(rows)
    assert len(found) == len(rows)
    for id, reference in found.items():
        one, other = by_id[id], by_id[reference]
        assert id != reference
        assert all(one[name] == other[name] for name in ("person", "split", "language"))
        assert one["spoken"] != other["spoken"]
        assert 2 <= other["seconds"] <= 15


def test_a_person_with_one_text_or_without_a_name_has_none() -> None:
    row = {"split": "train", "training_text": "(x)말"}
    alone = [{**row, "id": "a", "person": "one"}]
    same = [{**row, "id": id, "person": "two", "spoken": text} for id, text in (("b", "같은 말."), ("c", "같은 말"))]
    nobody = [{**row, "id": id, "person": None, "spoken": id} for id in "de"]
    apart = [{**row, "id": id, "person": "three", "spoken": id, "split": id} for id in ("train", "test")]
    dropped = [
        {**row, "id": id, "person": "four", "spoken": id, "drop": drop} for id, drop in (("f", None), ("g", "noisy"))
    ]
    assert assigned([*alone, *same, *nobody, *apart, *dropped]) == {}


def test_clips_of_another_length_serve_where_there_are_no_better() -> None:
    rows = [
        {"id": id, "person": "p", "split": "train", "training_text": id, "spoken": id, "seconds": 1.1} for id in "ab"
    ]
    assert assigned(rows) == {"a": "b", "b": "a"}


@pytest.mark.parametrize("share", [0.0, 0.2, 0.7, 1.0])
def test_a_share_of_the_rows_gets_one(share: float) -> None:
    rows = corpus(1200)
    assert len(assigned(rows, share)) / len(rows) == pytest.approx(share, abs=0.04)
    assert set(assigned(rows, share).items()) <= set(assigned(rows).items())


def test_order_does_not_matter_and_the_seed_does() -> None:
    rows = corpus()
    assert assigned(rows[::-1], 0.5) == assigned(rows, 0.5)
    assert assigned(rows, 0.5, seed=1) != assigned(rows, 0.5)


def test_when_a_tenth_is_added_nine_in_ten_stay() -> None:
    rows = corpus(2000)
    before, after = assigned(rows[:1800], 0.5), assigned(rows, 0.5)
    assert before.keys() <= after.keys()
    stayed = sum(after[id] == reference for id, reference in before.items())
    assert stayed / len(before) > 0.85  # of n candidates k are new: n / (n + k) is the most that chance allows
    assert all(after[id] == reference or reference < "clip01800" <= after[id] for id, reference in before.items())
