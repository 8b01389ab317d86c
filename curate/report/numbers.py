"""The numbers of a corpus: what was kept, what was dropped and why, per language, split and step."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from curate import manifest
from curate.recipe import LANGUAGES, Recipe
from curate.report import precision
from curate.steps import rule_catalogue, split_causes

Numbers = dict[str, Any]
COUNTED = ("drop", "language", "split", "seconds", "text_from")  # what amounts are counted by


def status(clips: pl.DataFrame, recipe: Recipe) -> Numbers:
    """Clips and hours kept, dropped by reason, per language and split; machine text; splits that are not as asked."""
    shares = {"validation": recipe.split.validation, "test": recipe.split.test}
    counted, asked = clips.select(COUNTED), recipe.split  # not all of a frame's eighty columns for every number
    kept = manifest.kept(counted)
    uneven = split_causes.of(clips, shares=shares, apart=asked.apart, seed=asked.seed, given=asked.given)
    return {
        "ingested": _files(clips),
        "kept": _amount(kept),
        "dropped": _dropped(counted, recipe),
        "also_broke": _also_broke(clips, recipe),
        "machine_text": _machine_text(kept),
        "trimmed": {"hours": _hours(_trimmed_seconds(clips))},
        "languages": {
            language: {"kept": _amount(_in(kept, language)), "dropped": _dropped(own, recipe)}
            for language in LANGUAGES
            if (own := _in(counted, language)).height
        },
        "splits": {name: _split(kept.filter(pl.col("split") == name)) for name in manifest.SPLITS},
        "empty_splits": [
            {"split": name, "language": each.language, "cause": each.why} for each in uneven for name in each.empty
        ],
        "uneven_splits": [
            {"language": each.language, "says": split_causes.line(each, shares)} for each in uneven if not each.empty
        ],
        "verdicts": precision.verdicts(clips, recipe),
        "rules": rules(clips, recipe),
    }


def machine_text() -> pl.Expr:
    """Clips whose text nobody gave: a recogniser wrote it."""
    return (pl.col("text_from") == "heard").fill_null(False)


def _machine_text(kept: pl.DataFrame) -> Numbers:
    """Of what is kept, the part whose text a recogniser wrote: in all, by language and by split."""
    heard = kept.filter(machine_text())
    splits = {name: _amount(heard.filter(pl.col("split") == name)) for name in manifest.SPLITS}
    languages = {language: _amount(_in(heard, language)) for language in LANGUAGES if _in(heard, language).height}
    return {"kept": _amount(heard), "languages": languages, "splits": splits}


def rules(clips: pl.DataFrame, recipe: Recipe) -> Mapping[str, Numbers]:
    """Per rule: clips that broke it (also those dropped for an earlier one), and where it did not apply, by why."""
    counts = {}
    for check in [*rule_catalogue.checks(recipe), rule_catalogue.duplicate(recipe)]:
        whys = clips.select(check.why().alias("why")).filter(pl.col("why").is_not_null())
        counts[check.rule.name] = {
            "threshold": check.threshold,
            "broke": int(clips["broke"].list.contains(check.rule.name).sum()),
            "did_not_apply": dict(whys.group_by("why").len().sort("why").iter_rows()),
        }
    return counts


def _in(clips: pl.DataFrame, language: str) -> pl.DataFrame:
    return clips.filter(pl.col("language") == language)


def _files(clips: pl.DataFrame) -> Numbers:
    files = clips.select("source", "path", "frames", "rate").unique(
        ["source", "path"], keep="first", maintain_order=True
    )
    return {"files": files.height, "hours": _hours(float((files["frames"] / files["rate"]).sum() or 0))}


def _amount(clips: pl.DataFrame) -> Numbers:
    return {"clips": clips.height, "hours": round(manifest.hours(clips), 6)}


def _dropped(clips: pl.DataFrame, recipe: Recipe) -> dict[str, Numbers]:
    """In the order of the rules; reasons nobody was dropped for are left out."""
    by_reason = {str(reason): rows for (reason,), rows in clips.group_by("drop", maintain_order=True)}
    return {reason: _amount(by_reason[reason]) for reason in rule_catalogue.order(recipe) if reason in by_reason}


def _also_broke(clips: pl.DataFrame, recipe: Recipe) -> dict[str, int]:
    """Per rule, in their order, the clips that broke it and were dropped for another one."""
    broke = clips.select("drop", "broke").drop_nulls("drop").explode("broke").filter(pl.col("broke") != pl.col("drop"))
    counts = dict(broke.group_by("broke").len().iter_rows())
    return {rule: counts[rule] for rule in rule_catalogue.order(recipe) if rule in counts}


def _split(clips: pl.DataFrame) -> Numbers:
    by_language = {language: _amount(_in(clips, language)) for language in LANGUAGES if _in(clips, language).height}
    return {**_amount(clips), "languages": by_language}


def _trimmed_seconds(clips: pl.DataFrame) -> float:
    """Seconds of silence cut off clips that came with their text."""
    length = pl.coalesce("end", "frames") - pl.coalesce("start", pl.lit(0))
    cut = pl.col("cut_end") - pl.col("cut_start")
    return float(clips.select(((length - cut) / pl.col("rate")).sum()).item() or 0.0)


def _hours(seconds: float) -> float:
    return round(seconds / 3600, 6)
