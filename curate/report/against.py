"""Two corpora side by side: hours by language and reason, distributions, settings, clips with another fate."""

from typing import Any

import polars as pl

from curate import manifest
from curate.recipe import LANGUAGES, Recipe
from curate.report import numbers, provenance, wording
from curate.report.distributions import distributions
from curate.report.named import hidden

MOVED = 200  # clips with another fate that are listed; all are counted
COMPARED = ("p5", "p50", "p95")


def against(clips: pl.DataFrame, recipe: Recipe, other: pl.DataFrame, its_recipe: Recipe) -> dict[str, Any]:
    """What differs between a corpus and another one, which is called `other` in the report."""
    mine, its = numbers.status(clips, recipe), numbers.status(other, its_recipe)
    codes = [code for code in LANGUAGES if code in mine["languages"] or code in its["languages"]]
    return dict(
        wording.plain(
            {
                "name": its_recipe.corpus.name,
                "kept": {"this": mine["kept"], "other": its["kept"]},
                "ingested": {"this": mine["ingested"], "other": its["ingested"]},
                "languages": [_language(code, mine, its) for code in codes],
                "reasons": _reasons(mine, its),
                "splits": _splits(mine, its),
                "distributions": _distributions(clips, recipe, other, its_recipe),
                "settings": _settings(recipe, its_recipe),
                "sources": _sources(recipe, its_recipe),
                "clips": _fates(clips, other),
            }
        )
    )


def _language(code: str, mine: dict[str, Any], its: dict[str, Any]) -> dict[str, Any]:
    nothing = {"clips": 0, "hours": 0.0}
    this, other = (each["languages"].get(code, {}).get("kept", nothing) for each in (mine, its))
    return {"language": code, "name": LANGUAGES[code], "this": this, "other": other, **_change(this, other)}


def _change(this: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {"more_hours": round(this["hours"] - other["hours"], 6), "more_clips": this["clips"] - other["clips"]}


def _reasons(mine: dict[str, Any], its: dict[str, Any]) -> list[dict[str, Any]]:
    nothing = {"clips": 0, "hours": 0.0}
    names = list(dict.fromkeys([*mine["dropped"], *its["dropped"]]))
    pairs = [(name, mine["dropped"].get(name, nothing), its["dropped"].get(name, nothing)) for name in names]
    return [{"rule": name, "this": this, "other": other, **_change(this, other)} for name, this, other in pairs]


def _splits(mine: dict[str, Any], its: dict[str, Any]) -> list[dict[str, Any]]:
    def only(amount: dict[str, Any]) -> dict[str, Any]:
        return {name: amount[name] for name in ("clips", "hours")}

    return [
        {"split": name, "this": only(mine["splits"][name]), "other": only(its["splits"][name])}
        for name in mine["splits"]
        if name in its["splits"]
    ]


def _distributions(
    clips: pl.DataFrame, recipe: Recipe, other: pl.DataFrame, its_recipe: Recipe
) -> list[dict[str, Any]]:
    """Quantiles of what both measured, over kept clips."""
    mine = {each["column"]: each for each in distributions(manifest.kept(clips), recipe)}
    its = {each["column"]: each for each in distributions(manifest.kept(other), its_recipe)}
    return [
        {
            "column": column,
            "title": mine[column]["title"],
            "unit": mine[column]["unit"],
            "language": code,
            "name": LANGUAGES[code],
            **{
                whose: {name: each["languages"][code][name] for name in COMPARED}
                for whose, each in (("this", mine[column]), ("other", its[column]))
            },
        }
        for column in mine
        if column in its
        for code in LANGUAGES
        if code in mine[column]["languages"] and code in its[column]["languages"]
    ]


def _settings(recipe: Recipe, its_recipe: Recipe) -> list[dict[str, Any]]:
    """Settings that differ, sources and names aside."""
    mine, its = ({each["key"]: each for each in provenance.settings(one)} for one in (recipe, its_recipe))
    found = []
    for key in dict.fromkeys([*mine, *its]):
        usual = (mine.get(key) or its[key])["default"]
        this, other = (each[key]["value"] if key in each else usual for each in (mine, its))
        if this != other:
            found.append({"key": key, "this": this, "other": other})
    return found


def _sources(recipe: Recipe, its_recipe: Recipe) -> dict[str, list[str]]:
    mine, its = ([source.id for source in one.source] for one in (recipe, its_recipe))
    return {
        "both": [id for id in mine if id in its],
        "this": [id for id in mine if id not in its],
        "other": [id for id in its if id not in mine],
    }


def _fates(clips: pl.DataFrame, other: pl.DataFrame) -> dict[str, Any]:
    """Clips that both corpora hold, by id, and those that one keeps or puts elsewhere and the other does not."""
    columns = ["id", "drop", "split"]
    its = other.select("id", pl.col("drop").alias("its_drop"), pl.col("split").alias("its_split"))
    shared = clips.select(*columns, "language", "seconds", "path").join(
        its, on="id", how="inner", maintain_order="left"
    )
    changed = shared.filter(pl.col("drop").ne_missing(pl.col("its_drop")))
    kinds = {
        "gained": changed.filter(pl.col("drop").is_null()),
        "lost": changed.filter(pl.col("its_drop").is_null()),
        "other_reason": changed.filter(pl.col("drop").is_not_null() & pl.col("its_drop").is_not_null()),
    }
    gone = pl.concat([hidden(each)["id"] for each in (clips, other)])  # counted, and not named
    moved = shared.filter(pl.col("split").is_not_null() & pl.col("its_split").is_not_null())
    return {
        "shared": shared.height,
        "only_this": clips.height - shared.height,
        "only_other": other.height - shared.height,
        **{name: {"clips": rows.height, "hours": round(manifest.hours(rows), 6)} for name, rows in kinds.items()},
        "other_split": moved.filter(pl.col("split") != pl.col("its_split")).height,
        "listed": [
            {"id": row["id"], "language": row["language"], "seconds": row["seconds"], "path": row["path"],
             "this": row["drop"] or "kept", "other": row["its_drop"] or "kept"}
            for row in changed.filter(~pl.col("id").is_in(gone.implode())).head(MOVED).iter_rows(named=True)
        ],
    }  # fmt: skip
