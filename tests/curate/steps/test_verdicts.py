"""What people said of clips: a drop drops, a keep overrules judgement and no fact, and a row still says why."""

from typing import Any

import polars as pl
import pytest

from curate import manifest, pipeline
from curate.recipe import Recipe
from curate.report import precision
from curate.steps.verdicts import SCHEMA, taken_down
from tests.curate.frames import clips

SOURCE = {"id": "studio", "kind": "table", "path": "x", "licence": "own", "language": "ko"}
SIMILAR = pl.List(pl.Struct({"id": pl.String, "similarity": pl.Float64}))


def recipe(**parts: Any) -> Recipe:
    return Recipe.model_validate({"source": [SOURCE], **parts})


def judged(*said: tuple[int | str, str] | tuple[int | str, str, str]) -> pl.DataFrame:
    rows = [(each[0] if isinstance(each[0], str) else f"{each[0]:016x}", each[1], *each[2:]) for each in said]
    full = [(*row, *[None] * (3 - len(row)), "me") for row in rows]
    return pl.DataFrame(full, schema=SCHEMA, orient="row")


def decided(rows: list[dict[str, Any]], said: pl.DataFrame, wanted: Recipe | None = None) -> pl.DataFrame:
    return pipeline.decide(wanted or recipe(split={"validation": 0, "test": 0}), clips(rows), judged=said)


def alike(rows: list[dict[str, Any]], *pairs: tuple[int, int]) -> list[dict[str, Any]]:
    """Rows of which pairs sound the same."""
    for one, other in pairs:
        rows[one].setdefault("similar", []).append({"id": f"{other:016x}", "similarity": 0.9})
        rows[other].setdefault("similar", []).append({"id": f"{one:016x}", "similarity": 0.9})
    return rows


def test_a_persons_drop_drops_and_comes_before_every_rule() -> None:
    found = decided([{}, {"snr": 1.0}, {}], judged((0, "drop", "mumbled"), (1, "drop")))
    assert found["drop"].to_list() == ["rejected", "rejected", None]
    assert found["broke"].to_list() == [["rejected"], ["rejected", "noisy"], []]
    assert found["verdict_reason"].to_list() == ["mumbled", None, None]
    assert found["verdict_who"].to_list() == ["me", "me", None]
    assert found["training_text"].to_list()[:2] == [None, None]
    assert found["split"].to_list()[:2] == [None, None]


JUDGEMENT: list[dict[str, Any]] = [
    {"snr": 1.0}, {"music": 0.9}, {"noise": 0.9, "speech_seconds": 0.4}, {"clipped": 0.1}, {"bandwidth": 3000.0},
    {"dropout": 30.0}, {"second_voice": 0.5}, {"other_probability": 0.95, "language_probability": 0.0}, {"cer": 0.99},
    {"head_edge": 0.0}, {"seconds": 0.5}, {"seconds": 119.0}, {"unreadable": "☃"}, {"speech_seconds": 0.2},
    {"snr": None}, {"snr": 1.0, "cer": 0.99, "clipped": 0.1},
]  # fmt: skip


@pytest.mark.parametrize("bad", JUDGEMENT)
def test_a_persons_keep_overrules_what_judges_and_the_row_still_says_what_broke(bad: dict[str, Any]) -> None:
    without = decided([bad], judged())
    assert without["drop"].item() is not None
    found = decided([bad], judged((0, "keep")))
    assert found["drop"].item() is None
    assert found["broke"].to_list() == without["broke"].to_list()
    assert found["training_text"].item() == "(Korean)말"
    assert found["split"].item() == "train"


FACTS: list[tuple[dict[str, Any], str]] = [
    ({"speech": None, "speech_seconds": None, "seconds": None, "error": "not audio"}, "unreadable"),
    ({"text": None, "text_from": None, "spoken": None}, "no_text"),
    ({"text": None, "text_from": None, "spoken": None, "snr": 1.0}, "no_text"),
    ({"spoken": ""}, "text_unreadable"),
    ({"spoken": None}, "text_unreadable"),
    ({"seconds": 121.0}, "too_long"),
]


@pytest.mark.parametrize(("bad", "rule"), FACTS)
def test_a_keep_does_not_overrule_what_cannot_be_and_the_drop_says_that(bad: dict[str, Any], rule: str) -> None:
    found = decided([bad], judged((0, "keep")))
    assert found["drop"].item() == rule
    assert rule in found["broke"].item()
    assert found["training_text"].item() is None


def test_a_text_may_be_kept_out_and_in_as_the_recipe_says() -> None:
    wanted = recipe(filter={"no_text": False}, split={"validation": 0, "test": 0})
    found = decided([{"text": None, "text_from": None, "spoken": None, "snr": 1.0}], judged((0, "keep")), wanted)
    assert found["drop"].item() is None


@pytest.mark.parametrize(
    ("said", "drops"),
    [
        ([], [None, "duplicate"]),
        ([(0, "drop")], ["rejected", "duplicate"]),  # its copy does not come back
        ([(1, "keep")], ["duplicate", None]),
        ([(0, "keep"), (1, "keep")], [None, "duplicate"]),  # one sound stays once
        ([(0, "drop"), (1, "keep")], ["rejected", None]),  # somebody asked for just this copy
        ([(0, "drop"), (1, "drop")], ["rejected", "rejected"]),
    ],
)
def test_copies(said: list[tuple[int, str]], drops: list[str | None]) -> None:
    found = decided(alike([{}, {}], (0, 1)), judged(*said))
    assert found["drop"].to_list() == drops


def test_a_noisy_copy_that_a_person_keeps_wins_over_a_clean_one() -> None:
    found = decided(alike([{}, {"snr": 1.0}], (0, 1)), judged((1, "keep")))
    assert found["drop"].to_list() == ["duplicate", None]
    assert found["broke"].to_list() == [["duplicate"], ["noisy"]]


def test_keep_says_that_a_clip_is_good_and_not_that_more_is_wanted() -> None:
    wanted = recipe(balance={"hours": {"ko": 6 / 3600}}, split={"validation": 0, "test": 0})
    found = decided([{}, {"snr": 1.0}, {}], judged((0, "keep"), (1, "keep"), (2, "keep")), wanted)
    assert found["drop"].to_list().count("surplus") == 2
    for broke, drop in found.filter(pl.col("drop").is_not_null()).select("broke", "drop").iter_rows():
        assert drop == "surplus"  # and not `noisy`, which was overruled
        assert broke[-1] == "surplus"


def test_verdicts_are_decided_anew_each_time_and_change_no_measure() -> None:
    rows: list[dict[str, Any]] = [{}, {"snr": 1.0}]
    once = decided(rows, judged((0, "drop"), (1, "keep")))
    again = pipeline.decide(recipe(split={"validation": 0, "test": 0}), once)
    assert again.equals(decided(rows, judged()))
    decisions = ["drop", "broke", "split", "training_text", "verdict", "verdict_reason", "verdict_who"]
    assert once.drop(decisions).equals(again.drop(decisions))
    assert manifest.conform(once).columns == manifest.conform(again).columns


def test_a_request_to_be_taken_out_is_told_by_its_reason() -> None:
    said = judged((0, "drop", "Takedown, by letter"), (1, "drop", "mumbled"), (2, "keep", "takedown"))
    found = decided([{}, {}, {}, {}], said)
    assert found.select(taken_down().alias("it"))["it"].to_list() == [True, False, False, False]


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [  # statsmodels.stats.proportion.proportion_confint(method="wilson")
        (0, 10, 0.0, 0.27753279),
        (10, 10, 0.72246721, 1.0),
        (7, 10, 0.39677815, 0.89220873),
        (1, 3, 0.06149194, 0.79234044),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilsons_interval(hits: int, of: int, low: float, high: float) -> None:
    assert precision.wilson(hits, of) == pytest.approx((low, high), abs=1e-7)


def test_wilsons_interval_is_that_of_statsmodels() -> None:
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    for of in (1, 2, 5, 30, 1000):
        for hits in {0, 1, of // 3, of}:
            theirs = proportion.proportion_confint(hits, of, method="wilson")
            assert precision.wilson(hits, of) == pytest.approx(theirs, abs=1e-9)


def test_precision_is_of_judged_clips_that_a_rule_broke() -> None:
    rows: list[dict[str, Any]] = [{"snr": 1.0}] * 5 + [{"cer": 0.99, "snr": 1.0}] + [{}] * 4
    rows = [dict(row) for row in rows]
    said = judged(
        (0, "drop", "noise"), (1, "drop", "noise"), (2, "keep"), (3, "drop", "takedown"), (5, "drop"), (6, "drop"),
        (7, "keep"), (8, "keep"),
    )  # fmt: skip
    told = precision.verdicts(decided(rows, said), recipe())
    assert told["judged"]["clips"] == 8
    assert (told["keep"]["clips"], told["drop"]["clips"], told["taken_down"]["clips"]) == (3, 5, 1)
    low, high = precision.wilson(3, 4)
    assert told["precision"]["noisy"] == {
        "judged": 4, "drop": 3, "keep": 1, "share": 0.75, "ci": [round(low, 4), round(high, 4)],
    }  # fmt: skip
    assert told["precision"]["text_mismatch"]["judged"] == 1
    assert set(told["precision"]) == {"noisy", "text_mismatch"}
    assert (told["passed"]["judged"], told["passed"]["drop"]) == (3, 1)  # what the rules let through
    assert told["overruled"] == {"noisy": 1}
    assert told["not_followed"] == {}
    assert told["who"] == {"": 1, "me": 7}  # a request to be taken out may be signed by the speaker


def test_nothing_judged_gives_no_shares() -> None:
    told = precision.verdicts(decided([{}], judged()), recipe())
    assert told["judged"]["clips"] == 0
    assert told["precision"] == {}
    assert told["passed"]["share"] is None
