"""The dataset card: README.md with the front matter that the Hugging Face Hub reads, then the same for people.

What comes from a recipe or a manifest is data: in the front matter it is quoted, in the text Markdown and HTML of it
are made harmless.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from curate.export.description import NOT_STATED, Facts, describe
from curate.export.front_matter import front_matter
from curate.recipe import Recipe
from curate.report.facts import LIMITS, PROVENANCE
from curate.report.wording import duration

MISUSE = (
    "Imitating a speaker, or passing off made speech as theirs.",
    "Finding out who the speakers are, or recognising them elsewhere by their voice.",
    "Judging people by how they speak: their origin, health, honesty or mood.",
)
Cell = str | int | float


def render(
    clips: pl.DataFrame,
    recipe: Recipe,
    *,
    data_files: Mapping[str, str | Sequence[str]] | None = None,
    features: Sequence[Mapping[str, Any]] = (),
    config: str = "default",
    bytes_per_split: Mapping[str, int] | None = None,
    told: Facts | None = None,
) -> str:
    """The card's text, ending in a newline; equal input gives equal bytes.

    `data_files`: split -> path or glob, relative to the card. `features` in the form of `dataset_info.features`, such
    as {"name": "audio", "dtype": "audio"}. `bytes_per_split` is of the files, for `dataset_info.splits`. `told`: what
    `describe` says of these clips, where it was asked already.
    """
    facts = told or describe(clips, recipe)
    front = front_matter(facts, data_files or {}, features, config, bytes_per_split or {})
    body = "\n".join(_body(facts))
    return f"---\n{front}---\n\n{body}\n"


def _body(facts: Facts) -> Iterator[str]:
    yield from _summary(facts)
    yield from _licences(facts)
    yield from _sources(facts)
    yield from _people(facts)
    yield from _structure(facts)
    yield from _creation(facts)
    yield from _limits(facts)
    yield from _after(facts)


def _summary(facts: Facts) -> Iterator[str]:
    languages = " and ".join(language["name"] for language in facts["languages"]) or "no language"
    yield f"# {text(facts['name'])}"
    yield ""
    yield text(facts["description"]) or f"Speech with its text, in {languages}. Its maker has not described it further."
    yield ""
    yield (
        f"{facts['clips']} clips, {duration(facts['hours'])} of speech in {languages}, by {facts['persons']} persons"
        + (f"; who speaks in {facts['unnamed']} clips is not known" if facts["unnamed"] else "")
        + "."
    )
    if facts["machine"]["clips"]:
        machine = facts["machine"]
        yield ""
        yield (
            f"**Machine text**: the text of {machine['clips']} clips ({duration(machine['hours'])}) was written by a "
            "speech recogniser and checked by no person."
        )
    yield ""
    yield from table(
        [["language", "clips", "hours", "persons"]]
        + [[each["name"], each["clips"], duration(each["hours"]), each["persons"]] for each in facts["languages"]]
    )
    yield ""
    for key in ("creator", "contact", "url", "version", "published"):
        yield f"- {key}: {text(facts[key]) or NOT_STATED}"
    yield ""


def _licences(facts: Facts) -> Iterator[str]:
    yield "## Licences"
    yield ""
    rows: list[list[Cell]] = [["licence", "NC, SA, ND", "clips", "hours", "train", "validation", "test"]]
    for each in facts["licences"]:
        marks = ", ".join(each["flags"]) or ("none" if each["known"] else "not known here")
        hours = [duration(each["splits"][name]["hours"]) for name in each["splits"]]
        rows.append([each["licence"], marks, each["clips"], duration(each["hours"]), *hours])
    yield from table(rows)
    yield ""
    if facts["conflicts"]:
        yield "**These licences pull in different directions:**"
        yield ""
        yield from (f"- {text(line)}" for line in facts["conflicts"])
        yield ""
    yield "What this means for the whole corpus:"
    yield ""
    yield from (f"- {text(line)}" for line in facts["terms"]["corpus"])
    yield ""
    yield "What this means for an adapter trained on all of it, read carefully:"
    yield ""
    yield from (f"- {text(line)}" for line in facts["terms"]["adapter"])
    yield ""
    yield "This is read off the names of the licences; it is not legal advice."
    yield ""
    yield "### Attribution"
    yield ""
    for each in facts["attributions"]:
        url = f", {text(each['url'])}" if each["url"] else ""
        yield f"- {text(each['attribution'])} ({text(each['licence'])}{url}; {each['clips']} clips)"
    if not facts["attributions"]:
        yield f"{NOT_STATED.capitalize()}."
    yield ""


def _sources(facts: Facts) -> Iterator[str]:
    yield "## Where the recordings are from"
    yield ""
    for source in facts["sources"]:
        kept, everything = source["kept"], source["all"]
        yield f"### {text(source['id'])}"
        yield ""
        yield f"- kept: {kept['clips']} clips, {duration(kept['hours'])}, of {everything['clips']} clips"
        yield f"- licence: {text(source['licence'])}"
        yield f"- published: {text(source['url']) or NOT_STATED}"
        yield from (f"- {name}: {text(source[name])}" for name in PROVENANCE)
        yield ""


def _people(facts: Facts) -> Iterator[str]:
    voices = facts["voices"]
    by_voice = (
        f" ({facts['by_voice']} by voice alone: estimated, one person may be several of these)"
        if facts["by_voice"]
        else ""
    )
    yield "## People"
    yield ""
    yield (
        f"{facts['persons']} persons, told apart by the names that the sources give and by how voices sound{by_voice}. "
        "Ages, genders and origins are what the sources say above; nothing of this kind was guessed."
    )
    yield ""
    yield (
        f"By the median pitch of each clip, {duration(voices['lower']['hours'])} lie below {voices['hz']:g} Hz and "
        f"{duration(voices['higher']['hours'])} above it ({duration(voices['unmeasured']['hours'])} not measured)."
    )
    yield ""
    yield "Voices are personal data: a voice tells who speaks. What the speakers agreed to is told per source above."
    yield ""


def _structure(facts: Facts) -> Iterator[str]:
    yield "## Splits"
    yield ""
    rows: list[list[Cell]] = [["split", "clips", "hours", "persons"]]
    for name, each in facts["splits"].items():
        rows.append([name, each["clips"], duration(each["hours"]), each["persons"]])
    yield from table(rows)
    yield ""
    yield f"No two splits share a {', '.join(facts['apart'])}." if facts["apart"] else "Splits may share anything."
    rates = ", ".join(f"{count} clips at {rate} Hz" for rate, count in facts["rates"].items())
    yield f"Audio is mono: {rates or 'none'}."
    yield ""


def _creation(facts: Facts) -> Iterator[str]:
    yield "## How it was made"
    yield ""
    yield (
        "By Samsori's `curate`: recordings are cut at pauses, texts normalised, every clip measured, then kept or "
        "dropped by rules that are the same for all. Dropped, by the first rule broken:"
    )
    yield ""
    rows: list[list[Cell]] = [["rule", "clips", "hours"]]
    rows += [[name, each["clips"], duration(each["hours"])] for name, each in facts["dropped"].items()]
    yield from table(rows)
    yield ""
    yield "Models that listened:"
    yield ""
    for model in facts["models"]:
        yield f"- {model['use']}{' ' + model['language'] if model['language'] else ''}: {text(model['name'])}"
    yield ""


def _limits(facts: Facts) -> Iterator[str]:
    yield "## Limits and biases"
    yield ""
    yield from (f"- {line}" for line in biases(facts))
    yield from (f"- {text(line)}" for line in LIMITS)
    yield ""
    yield "## Misuse"
    yield ""
    yield "Not for:"
    yield ""
    yield from (f"- {line}" for line in MISUSE)
    yield ""


def _after(facts: Facts) -> Iterator[str]:
    yield "## Taking a voice out"
    yield ""
    yield (
        f"A speaker who wants to be taken out writes to: {text(facts['contact']) or NOT_STATED}. Each row carries the "
        "id of its clip; a verdict on it removes the clip from the next version."
    )
    yield ""
    yield "## Citation"
    yield ""
    if facts["citation"].lstrip().startswith("@"):
        yield "```bibtex"
        yield facts["citation"].replace("```", "'''")
        yield "```"
    else:
        yield text(facts["citation"]) or NOT_STATED


def biases(facts: Facts) -> list[str]:
    """How uneven the corpus is, in figures: languages, persons, voices, sources."""
    total = facts["hours"] or 1.0
    lines = [f"{each['name']} is {100 * each['hours'] / total:.0f} % of the hours." for each in facts["languages"]]
    largest = max(facts["sources"], key=lambda each: each["kept"]["hours"])
    lines.append(
        f"The largest source, {text(largest['id'])}, is {100 * largest['kept']['hours'] / total:.0f} % of the hours."
    )
    lower, higher = facts["voices"]["lower"]["hours"], facts["voices"]["higher"]["hours"]
    if lower + higher:
        lines.append(
            f"Lower voices (median pitch below {facts['voices']['hz']:g} Hz) are {100 * lower / (lower + higher):.0f} "
            "% of the hours where pitch was measured."
        )
    untold = [source["id"] for source in facts["sources"] if source["people"] == NOT_STATED]
    if untold:
        lines.append(f"Who the speakers are is not stated for {text(', '.join(untold))}.")
    return lines


def table(rows: Sequence[Sequence[Cell]]) -> list[str]:
    """A Markdown table; numbers to the right are left to the reader's renderer."""
    lines = [f"| {' | '.join(text(str(cell)) for cell in row)} |" for row in rows]
    return [lines[0], f"|{'---|' * len(rows[0])}", *lines[1:]]


def text(value: str) -> str:
    """Data as one line of Markdown that means nothing but itself: no markup, no HTML, no line breaks."""
    line = " ".join(value.split())
    line = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in line)
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*\[\]|#~])|(?<!\w)(_)|(_)(?!\w)", lambda found: f"\\{found[0]}", line)
