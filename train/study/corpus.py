"""What a corpus says of itself: who collected what, from its recipe; hours and persons, from its manifest."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curate.errors import UserError
from train.data import corpus as reading
from train.evaluate import folder
from train.messages import counted
from train.study.settings import Study, table

FIELDS = ("collected", "people", "domain", "conditions", "consent")
NOT_STATED = "not stated"


@dataclass(frozen=True)
class CorpusFacts:
    """`hours` and `persons`: (language, split) -> number; `sources`: what the recipe says of each that is kept."""

    name: str = ""
    sources: list[dict[str, str]] = field(default_factory=list)
    hours: Mapping[tuple[str, str], float] = field(default_factory=dict)
    clips: Mapping[tuple[str, str], int] = field(default_factory=dict)
    persons: Mapping[tuple[str, str], int] = field(default_factory=dict)
    source_hours: Mapping[tuple[str, str], float] = field(default_factory=dict)  # (source, language)
    apart: str = NOT_STATED  # what no two splits share

    @property
    def measured(self) -> bool:
        """Whether there was a manifest to count in."""
        return bool(self.hours)


def facts(
    study: Study, study_file: Path, corpus: Path | None, sweep: Mapping[str, Any], notes: list[str]
) -> CorpusFacts:
    """Of the sweep's corpus where it is given; else of the recipe that the study names, and nothing is counted.

    Raises UserError for another corpus than the sweep's. What a recipe does not say is noted, a line a source.
    """
    if corpus is None:
        notes.append("no --corpus: hours, persons and balance are not stated")
        recipe = study_file.parent / study.corpus.recipe if study.corpus.recipe else None
        return _described(recipe, None, notes) if recipe else CorpusFacts()
    clips = reading.read(corpus, quiet=True)
    if folder.digest([[clip.id, clip.split, clip.text] for clip in clips]) != sweep["corpus"]:
        raise UserError(f"{corpus} is not the corpus of this sweep, or was tagged anew since: give the one it was")
    found = _described(corpus / "recipe.toml", corpus, notes)
    return _counted(found, corpus, {clip.id for clip in clips})


def _described(recipe: Path, corpus: Path | None, notes: list[str]) -> CorpusFacts:
    if not recipe.is_file():
        if corpus is None:
            raise UserError(f"there is no {recipe}, which the study names as corpus.recipe")
        notes.append(f"there is no {recipe}: how the corpus was collected is not stated")
        return CorpusFacts(corpus.name)
    raw: Any = table(recipe)
    sources = raw.get("source", [])
    if not isinstance(sources, list) or not all(isinstance(each, dict) and "id" in each for each in sources):
        raise UserError(f"{recipe} is no recipe: its sources have no id")
    told = [{name: str(value) for name, value in each.items() if isinstance(value, str)} for each in sources]
    for each in told:
        if missing := [name for name in FIELDS if not each.get(name)]:
            notes.append(f"source {each['id']} of {recipe.name} does not say {', '.join(missing)}: not stated")
    split = raw.get("split", {}).get("apart")
    name = str(raw.get("corpus", {}).get("name", recipe.stem))
    apart = ", ".join(map(str, split)) if isinstance(split, list) and split else NOT_STATED
    return CorpusFacts(name, told, apart=apart)


def _counted(found: CorpusFacts, corpus: Path, ids: set[str]) -> CorpusFacts:
    """With hours, clips and persons of the clips that are trained and evaluated on."""
    import polars as pl

    frame = pl.read_parquet(corpus / "manifest.parquet").filter(pl.col("id").is_in(ids))
    who = "person" if "person" in frame.columns else "speaker"
    hours: dict[tuple[str, str], float] = {}
    by_source: dict[tuple[str, str], float] = {}
    clips: dict[tuple[str, str], int] = {}
    persons: dict[tuple[str, str], int] = {}
    for language, split in sorted(frame.select("language", "split").unique().rows()):
        part = frame.filter(pl.col("language") == language, pl.col("split") == split)
        hours[language, split] = float(part["seconds"].sum()) / 3600
        clips[language, split] = len(part)
        persons[language, split] = part[who].drop_nulls().n_unique()
    for language in sorted(frame["language"].unique()):
        part = frame.filter(pl.col("language") == language)
        persons[language, ""] = part[who].drop_nulls().n_unique()
        for source in part["source"].unique(maintain_order=True).to_list() if "source" in frame.columns else []:
            by_source[source, language] = float(part.filter(pl.col("source") == source)["seconds"].sum()) / 3600
    sources = [each for each in found.sources if not by_source or any(key[0] == each["id"] for key in by_source)]
    return CorpusFacts(found.name, sources, hours, clips, persons, by_source, found.apart)


def balance(found: CorpusFacts, language: str) -> str:
    """Hours, clips and persons of a language, all and by split."""
    splits = [key for key in found.hours if key[0] == language]
    if not splits:
        return NOT_STATED
    total = sum(found.hours[key] for key in splits)
    parts = [
        f"{split} {hours_text(found.hours[language, split])} ({counted(found.clips[language, split], 'clip')}, "
        f"{counted(found.persons[language, split], 'known person')})"
        for _, split in sorted(splits, key=lambda key: ("train", "validation", "test").index(key[1]))
    ]
    return f"{hours_text(total)} of {counted(found.persons[language, ''], 'known person')}: {'; '.join(parts)}"


def hours_text(hours: float) -> str:
    """Hours as people read them; minutes or seconds where there is less."""
    return f"{hours:.2f} h" if hours >= 0.5 else f"{60 * hours:.1f} min" if hours >= 1 / 60 else f"{3600 * hours:.0f} s"
