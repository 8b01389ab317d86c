"""What a dataset card and its Croissant metadata say of a corpus: gathered once, from the manifest and the recipe.

What the recipe does not tell is `NOT_STATED`, never guessed.
"""

from dataclasses import dataclass
from typing import Any

import polars as pl

from curate import manifest
from curate.manifest import SPLITS
from curate.recipe import LANGUAGES, Recipe, models_asked
from curate.report import licences, numbers, persons, terms
from curate.report.facts import PROVENANCE

Facts = dict[str, Any]
NOT_STATED = "not stated"
# Median pitch of speech: adult men mostly below, adult women and children above (Baken & Orlikoff 2000, ch. 6).
LOWER_VOICE_HZ = 165.0
USED = (
    "drop", "language", "split", "source", "person", "seconds", "text_from", "licence", "attribution", "url", "pitch",
    "rate",
)  # fmt: skip
PARQUET = "application/x-parquet"  # the one name of it that mlcroissant 1.1 reads


@dataclass(frozen=True)
class DataFile:
    """One file of a published corpus: its path from the card, and of its bytes the sha256 and the number."""

    path: str
    sha256: str
    bytes: int
    format: str = PARQUET


def describe(clips: pl.DataFrame, recipe: Recipe) -> Facts:
    """Plain values about the kept clips; `clips` may hold dropped rows too."""
    clips = clips.select(USED)  # not all of a frame's eighty columns for every number
    kept = manifest.kept(clips)
    names = kept["licence"].drop_nulls().unique(maintain_order=True).to_list()
    together = terms.of(names)
    corpus = recipe.corpus
    return {
        **{key: getattr(corpus, key) for key in ("name", "description", "creator", "contact", "url")},
        **{key: getattr(corpus, key) for key in ("version", "published", "citation")},
        **amount(kept),
        "machine": amount(kept.filter(numbers.machine_text())),
        "languages": [
            {"code": code, "name": name, **amount(rows), "persons": _persons(rows)}
            for code, name in LANGUAGES.items()
            if (rows := kept.filter(pl.col("language") == code)).height
        ],
        "splits": {name: _split(kept.filter(pl.col("split") == name)) for name in SPLITS},
        "apart": list(recipe.split.apart),
        "licences": [_licence(name, kept) for name in names],
        "conflicts": licences.conflicts(names),
        "terms": {"corpus": together.corpus, "adapter": together.adapter, "compatible": together.compatible},
        "sources": [_source(source, clips) for source in recipe.source],
        "attributions": _attributions(kept),
        "persons": _persons(kept),
        "by_voice": persons.by_voice(kept),
        "unnamed": kept["person"].null_count(),
        "voices": _voices(kept),
        "rates": {str(rate): count for rate, count in kept.group_by("rate").len().sort("rate").iter_rows()},
        "dropped": {rule: amount(clips.filter(pl.col("drop") == rule)) for rule in _reasons(clips, recipe)},
        "models": _models(recipe),
    }


def amount(rows: pl.DataFrame) -> Facts:
    """Clips and hours, as every report counts them."""
    return {"clips": rows.height, "hours": round(manifest.hours(rows), 6)}


def size_category(count: int) -> str:
    """The hub's name for so many clips."""
    bounds = [(1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")]
    return next((name for most, name in bounds if count < most), "1M<n<10M")


def licence_url(licence: str) -> str | None:
    """The address of a Creative Commons licence, or of an SPDX id; None for what is neither."""
    proper = licences.spdx(licence) or licence.strip()
    if proper.upper() in ("CC0-1.0", "CC0"):
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    parts = proper.upper().split("-")
    if parts[:2] == ["CC", "BY"] and parts[-1].replace(".", "").isdigit():
        return f"https://creativecommons.org/licenses/{'-'.join(parts[1:-1]).lower()}/{parts[-1]}/"
    known = {"mit": "MIT", "apache-2.0": "Apache-2.0", "pddl-1.0": "PDDL-1.0", "odbl-1.0": "ODbL-1.0"}
    spdx = known.get(proper.lower())
    return f"https://spdx.org/licenses/{spdx}.html" if spdx else None


def _split(rows: pl.DataFrame) -> Facts:
    by_language = {code: amount(rows.filter(pl.col("language") == code)) for code in LANGUAGES}
    return {**amount(rows), "persons": _persons(rows), "languages": by_language}


def _licence(name: str, kept: pl.DataFrame) -> Facts:
    rows = kept.filter(pl.col("licence") == name)
    splits = {split: amount(rows.filter(pl.col("split") == split)) for split in SPLITS}
    return {
        "licence": name, "flags": licences.flags(name), "known": licences.is_known(name), "url": licence_url(name),
        **amount(rows), "splits": splits,
    }  # fmt: skip


def _source(source: Any, clips: pl.DataFrame) -> Facts:
    rows = clips.filter(pl.col("source") == source.id)
    told = {name: getattr(source, name) or NOT_STATED for name in PROVENANCE}
    return {
        "id": source.id, "licence": source.licence, "attribution": source.attribution, "url": source.url, **told,
        "machine_text": source.transcript == "heard", "all": amount(rows), "kept": amount(manifest.kept(rows)),
    }  # fmt: skip


def _attributions(kept: pl.DataFrame) -> list[Facts]:
    """Whom to name for which licence, each text once, with its hours."""
    named = kept.filter(pl.col("attribution").fill_null("") != "")
    grouped = named.group_by("attribution", "licence", "url", maintain_order=True)
    return [
        {"attribution": text, "licence": licence, "url": url or "", **amount(rows)}
        for (text, licence, url), rows in grouped
    ]


def _persons(rows: pl.DataFrame) -> int:
    return rows["person"].drop_nulls().n_unique()


def _voices(kept: pl.DataFrame) -> Facts:
    """Hours by pitch of voice: nobody's gender is recorded, and this is not one."""
    pitch = pl.col("pitch")
    return {
        "lower": amount(kept.filter(pitch < LOWER_VOICE_HZ)),
        "higher": amount(kept.filter(pitch >= LOWER_VOICE_HZ)),
        "unmeasured": amount(kept.filter(pitch.is_null() | pitch.is_nan())),
        "hz": LOWER_VOICE_HZ,
    }


def _reasons(clips: pl.DataFrame, recipe: Recipe) -> list[str]:
    there = set(clips["drop"].drop_nulls().unique())
    return [rule.name for rule in recipe.RULES if rule.name in there]


def _models(recipe: Recipe) -> list[Facts]:
    """Who listened; of a model in a folder only the folder's name, as the rest tells of the machine."""
    return [
        {"use": use, "language": language, "name": str(model).replace("\\", "/").rstrip("/").split("/")[-1]
         if "@" not in str(model) else str(model)}
        for use, language, model in models_asked(recipe)
        if model
    ]  # fmt: skip
