"""Everything the report says, as plain values: the page shows nothing that is not here."""

from pathlib import Path
from typing import Any

import polars as pl

from curate import manifest, text
from curate.manifest import COLUMNS, SPLITS
from curate.measures import agreement
from curate.recipe import LANGUAGES, Models, Recipe, models_asked
from curate.report import (
    answers,
    examples,
    licences,
    nearness,
    numbers,
    persons,
    provenance,
    wording,
)
from curate.report.changes import Changes
from curate.report.distributions import distributions
from curate.report.named import named
from curate.report.nearness import Nearness
from curate.report.rows import digest
from curate.report.summary import Summary, summary
from curate.steps import notes, relations, rule_catalogue, sessions

PROVENANCE = ("collected", "people", "domain", "conditions", "consent")  # of a source, as its recipe tells it
# What most of the numbers are counted by: filtering these is cheap, all of a frame's eighty columns is not.
COUNTED = (
    "source", "path", "sha256", "language", "speaker", "person", "speaker_conflict", "session", "drop", "split",
    "seconds", "licence", "text_from", "spoken", "person_candidates", "sounds_like", "heard", "heard_agreement", "cer",
    "aligned",
)  # fmt: skip
NAMED = 10  # clips with words missing at an edge that are named, per language
SECTIONS = ("segment", "signal", "quality", "hear", "align", "text", "speakers", "duplicates")
LIMITS = (
    "Predicted quality (DNSMOS, DistillMOS) was not trained on Khmer or Korean: it ranks badly damaged speech below "
    "clean speech, and says nothing about a voice being pleasant. Clean read Korean scores 2.5 to 3.4 by DNSMOS.",
    "Language id is judged on speech alone and only where there is enough of it; single words are not judged.",
    "Agreement with a recogniser is measured only where the recipe names one for the language; elsewhere a wrong text "
    "is seen only by its pace, and by an aligner where one is named.",
    "Machine text was written by a recogniser; the mistakes that two hearings share are not seen.",
    "An estimated speaker is a guess from how voices sound; two people who sound alike may be one, and one person in "
    "two rooms may be two.",
    "Signal-to-noise is estimated from the pauses of each clip; without pauses there is little to estimate it from.",
    "What the speakers agreed to is told by the recipe, source by source; nothing here checks it, nor "
    "that the licence is what the source says it is.",
    "A corpus of voices can be used to imitate the people in it. Tell them, and do not publish voices without consent.",
)


def gather(
    clips: pl.DataFrame,
    recipe: Recipe,
    near: Nearness | None = None,
    folder: Path | None = None,
    cache: Path | None = None,
    told: Summary | None = None,
) -> dict[str, Any]:
    """Every number and text of the report, as JSON can carry it; `near` is of the clips that may be named.

    `folder` is the corpus on disk, where there is one; `cache` the file that keeps what the normaliser changed; `told`
    what is counted of these clips already.
    """
    changes = Changes(text.Options(clock=recipe.text.clock, date_words=recipe.text.date_words), cache)
    told = told or summary(clips, recipe)
    status = told.status
    shown = named(clips)
    near = near or nearness.nearness(shown, recipe)
    counted = clips.select(COUNTED)
    facts = {
        "corpus": {"name": recipe.corpus.name, "clips": clips.height, "digest": digest(clips), **_people(counted)},
        **{name: each for name, each in status.items() if name != "rules"},
        "balance": _balance(counted, recipe),
        "sources": _sources(counted, recipe),
        "licences": _licences(counted, recipe),
        "funnel": _funnel(clips, recipe, status),
        "shares": _by(manifest.kept(counted), ("language", "source", "split")),
        "speakers": _speakers(counted),
        "leaks": _leaks(counted, recipe),
        "leaking": list(notes.leaks(counted, recipe)),
        "distributions": distributions(clips, recipe),
        "normaliser": examples.normaliser(shown, changes),
        "unread": examples.unread(shown),
        "agreement": _agreement(counted, recipe),
        "edges": _edges(clips),
        "unreadable": _unreadable(shown),
        "examples": {"kept": examples.kept(shown, near), "dropped": examples.dropped(shown, recipe, near)},
        "persons": persons.persons(counted),
        "recordings": persons.recordings(counted),
        "coverage": told.coverage,
        "later": [rule.name for rule in recipe.RULES if rule.later],
        "provenance": provenance.provenance(recipe, folder),
        "models": _models(recipe),
        "limits": list(LIMITS),
        "columns": _columns(clips),
    }
    changes.save()
    plain = dict(wording.plain(facts))
    return plain | {"may_train": answers.may_train(plain), "wrong": answers.wrong(plain)}


def _amount(rows: pl.DataFrame) -> dict[str, Any]:
    if rows.is_empty():
        return {"clips": 0, "hours": 0.0}
    heard = rows.filter(numbers.machine_text())
    machine = {"machine_hours": round(manifest.hours(heard), 6)} if heard.height else {}
    return {"clips": rows.height, "hours": round(manifest.hours(rows), 6), **machine}


def _people(clips: pl.DataFrame) -> dict[str, Any]:
    kept = manifest.kept(clips)
    return {
        "speakers": kept.select("source", "speaker").drop_nulls().unique().height,
        "persons": kept["person"].drop_nulls().n_unique(),
        "by_voice": persons.by_voice(kept),
        "unnamed": kept["person"].null_count(),
        "speaker_conflicts": kept["speaker_conflict"].count(),
    }


def _balance(clips: pl.DataFrame, recipe: Recipe) -> list[dict[str, Any]]:
    """Per language: hours kept against hours wanted (null: as many as there are), and against all there were."""
    balances = []
    hours: dict[str, float] = dict(recipe.balance.hours.items())
    for language, name in LANGUAGES.items():
        rows = clips.filter(pl.col("language") == language)
        wanted = hours.get(language)
        if rows.height or wanted:
            kept = _amount(manifest.kept(rows))
            share = round(kept["hours"] / wanted, 4) if wanted else None
            balances.append(
                {"language": language, "name": name, "wanted": wanted, "share": share, "all": _amount(rows), **kept}
            )
    return balances


def _sources(clips: pl.DataFrame, recipe: Recipe) -> list[dict[str, Any]]:
    sources = []
    for source in recipe.source:
        rows = clips.filter(pl.col("source") == source.id)
        facts = source.model_dump(include={"id", "kind", "licence", "attribution", "url", "transcript", *PROVENANCE})
        sources.append(
            {
                **facts,
                "flags": licences.flags(source.licence),
                "told": any(getattr(source, name) for name in PROVENANCE),
                "all": _amount(rows),
                "kept": _amount(manifest.kept(rows)),
            }
        )
    return sources


def _licences(clips: pl.DataFrame, recipe: Recipe) -> dict[str, Any]:
    """Kept hours by licence and split; conflicts count licences of kept clips only."""
    kept = manifest.kept(clips)
    named = [source.licence for source in recipe.source]  # a row may name its own besides
    names = list(dict.fromkeys([*named, *kept["licence"].drop_nulls().unique(maintain_order=True)]))
    used = [name for name in names if kept.filter(pl.col("licence") == name).height]
    rows = [
        {
            "licence": name,
            "flags": licences.flags(name),
            "known": licences.is_known(name),
            **_amount(kept.filter(pl.col("licence") == name)),
            "splits": {s: _amount(kept.filter((pl.col("licence") == name) & (pl.col("split") == s))) for s in SPLITS},
        }
        for name in used
    ]
    return {"kept": rows, "conflicts": licences.conflicts(used)}


def _funnel(clips: pl.DataFrame, recipe: Recipe, status: dict[str, Any]) -> list[dict[str, Any]]:
    """Per rule: what it asks, who was dropped for it first, how often it was broken at all, where it did not apply."""
    drops = []
    verdicts = clips.select("drop", "broke", "language", "seconds", "text_from")
    by_rule = {str(reason): rows for (reason,), rows in verdicts.group_by("drop", maintain_order=True)}
    for rule in recipe.RULES:
        rows = by_rule.get(rule.name, verdicts.clear())
        known = status["rules"].get(rule.name, {})
        threshold = known["threshold"] if known else rule_catalogue.asked_later(rule, recipe)
        off = rule_catalogue.is_off(rule, recipe)
        drops.append(
            {
                "rule": rule.name,
                "off": off,
                "threshold": None if off else threshold,
                "wanted": "" if off else wording.wanted(rule, threshold),
                "dropped": _amount(rows),
                "languages": {code: _amount(_in(rows, code)) for code in status["languages"]},
                "broke": known.get("broke", int(verdicts["broke"].list.contains(rule.name).sum())),
                "did_not_apply": known.get("did_not_apply", {}),
            }
        )
    return drops


def _in(rows: pl.DataFrame, language: str) -> pl.DataFrame:
    return rows if rows.is_empty() else rows.filter(pl.col("language") == language)


def _speakers(clips: pl.DataFrame) -> list[dict[str, Any]]:
    """Kept clips and hours by language, source, speaker and split, the most hours first within a language."""
    rows = _by(manifest.kept(clips), ("language", "source", "speaker", "split"))
    return sorted(rows, key=lambda row: (row["language"] or "", -row["hours"]))


def _by(rows: pl.DataFrame, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Clips and hours of each combination of values in these columns."""
    grouped = rows.group_by(names, maintain_order=True).agg(
        pl.len().alias("clips"),
        (pl.col("seconds").sum() / 3600).round(6).alias("hours"),
        (pl.col("seconds").filter(numbers.machine_text()).sum() / 3600).round(6).alias("machine_hours"),
    )
    return grouped.sort(names, nulls_last=True).to_dicts()


def _leaks(clips: pl.DataFrame, recipe: Recipe) -> list[dict[str, Any]]:
    """Speakers (as persons), texts, recordings and audio that sounds alike in more than one split.

    Counted anew, not by the code that split.
    """
    bare = pl.col("spoken").map_elements(agreement.comparable, return_dtype=pl.String)
    what = {
        "speaker": pl.col("person"),
        "text": pl.when(bare != "").then(bare),
        "recording": pl.col("sha256"),
        "audio": pl.col("sounds_like"),
        "session": sessions.session(),
    }
    kept = manifest.kept(clips)
    leaks = []
    for name, shared in what.items():
        splits = kept.select(shared.alias("it"), "split").drop_nulls().group_by("it").agg(pl.col("split").n_unique())
        in_two = int((splits["split"] > 1).sum())
        leaks.append({"what": name, "in_two": in_two, "of": splits.height, "asked": name in recipe.split.apart})
    return leaks


def _agreement(clips: pl.DataFrame, recipe: Recipe) -> list[dict[str, Any]]:
    """How well given texts and the recogniser agree, over clips that have both; per language."""
    languages = []
    recognisers: dict[str, str] = dict(recipe.models.asr.items())
    for language, name in LANGUAGES.items():
        rows = clips.filter(pl.col("language") == language)
        if rows.height:
            model = recognisers.get(language)
            both, kept = (
                rows.filter(pl.col("cer").is_not_null()),
                manifest.kept(rows).filter(pl.col("cer").is_not_null()),
            )
            facts = {"language": language, "name": name, "asr": _model_name(model), "heard": rows["heard"].count()}
            machine = _machine(manifest.kept(rows).filter(numbers.machine_text()))
            languages.append({**facts, "all": _rates(both), "kept": _rates(kept), "machine": machine})
    return languages


def _machine(rows: pl.DataFrame) -> dict[str, Any]:
    """How much of what is kept has a text that a recogniser wrote, and how well two hearings of it agree."""
    agreement_p50 = rows["heard_agreement"].median()
    return {**_amount(rows), "agreement_p50": round(agreement_p50, 4) if isinstance(agreement_p50, float) else None}


def _edges(clips: pl.DataFrame) -> list[dict[str, Any]]:
    """Kept clips with words at an edge that only their text or only their audio has, counted, and a few named."""
    at_edge = pl.col("text_edits").list.eval(pl.element().struct.field("place").is_in(["start", "end", "whole"]))
    rows = manifest.kept(clips.select("id", "language", "drop", "text_edits"))
    rows = rows.filter(at_edge.list.any().fill_null(False))
    found = []
    for language, name in LANGUAGES.items():
        own = rows.filter(pl.col("language") == language)
        if own.height:
            some = [
                {"id": i, "says": wording.edits(e)} for i, e in own.select("id", "text_edits").head(NAMED).iter_rows()
            ]
            found.append({"language": language, "name": name, "clips": own.height, "examples": some})
    return found


def _rates(rows: pl.DataFrame) -> dict[str, Any]:
    quantiles = {f"cer_p{q}": rows["cer"].quantile(q / 100, interpolation="linear") for q in (50, 90)}
    letters = rows.select(relations.bare_text().str.len_chars().fill_null(0))["spoken"]
    pooled = float((rows["cer"] * letters).sum()) / int(letters.sum()) if letters.sum() else None
    rates = {"clips": rows.height, "cer": pooled, **quantiles, "aligned_p50": rows["aligned"].median()}
    return {name: round(each, 4) if isinstance(each, float) else each for name, each in rates.items()}


def _unreadable(clips: pl.DataFrame) -> list[dict[str, Any]]:
    """Every file that could not be read, and every measure that could not be taken, with its reason."""
    return clips.filter(pl.col("error").is_not_null()).select("id", "source", "path", "error", "drop").to_dicts()


def _models(recipe: Recipe) -> list[dict[str, Any]]:
    """Who listened, by the recipe's names; of a folder its last part, as the rest tells of the machine."""
    about = {use: field.description or "" for use, field in Models.model_fields.items()}
    return [
        {"use": use, "language": language, "name": _model_name(model), "about": about[use]}
        for use, language, model in models_asked(recipe)
    ]


def _model_name(model: Any) -> str | None:
    """`bundled`, a hub id as it is, the last part of a folder; null where nobody was asked."""
    if model is False or model is None:
        return None
    name = str(model)
    return (
        name if "@" in name or not ("/" in name or "\\" in name) else name.replace("\\", "/").rstrip("/").split("/")[-1]
    )


def _columns(clips: pl.DataFrame) -> list[dict[str, Any]]:
    """What each measured column means, its unit, who wrote it, and how many clips have it."""
    measured = [c for c in COLUMNS.values() if c.stored and c.writer.split(",")[0] in SECTIONS]
    return [
        {
            "column": c.name,
            "meaning": c.meaning.replace("`", ""),
            "unit": c.unit,
            "by": c.writer,
            "clips": clips[c.name].count(),
        }
        for c in measured
    ]
