"""What a person should know of a choice and of a split: one line for each thing that is not as it was asked."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from curate.recipe import LANGUAGES, Recipe
from curate.steps import caps, coverage_facts, held_out, person_candidates, relations, split_causes

WITHIN = 0.005  # of the hours asked: nearer is as asked
LITTLE = 0.05  # hours: less is told in seconds
CHANCE = 4.0  # standard deviations by which a drawn share may differ from what was asked
NAMED = 6  # units and rules that are named in a line


NEEDED = (
    "id", "source", "path", "sha256", "language", "person", "session", "text_from", "spoken", "sounds_like", "seconds",
    "given_split", "drop", "split", "person_candidates", "training_text", "reference",
)  # fmt: skip


def notes(clips: pl.DataFrame, recipe: Recipe, coverage: Sequence[coverage_facts.Facts] | None = None) -> list[str]:
    """Lines about hours, caps, coverage and splits of a decided manifest.

    `coverage`: as `phonetic_coverage` finds it, where it was found already.
    """
    if not clips["split"].count() and clips["drop"].is_null().any():
        return []  # nothing is chosen yet
    coverage = coverage_facts.phonetic_coverage(clips) if coverage is None else coverage
    clips = clips.select(NEEDED)
    amounts = [*hours(clips, recipe), *_nothing_left(clips, recipe)]
    return [*amounts, *uncovered(coverage), *splits(clips, recipe), *references(clips, recipe)]


def hours(clips: pl.DataFrame, recipe: Recipe) -> Iterator[str]:
    """Languages that fall short of the hours asked, or have more, and why."""
    asked: dict[str, float] = dict(recipe.balance.hours.items())
    for language, wanted in asked.items():
        own = clips.filter(pl.col("language") == language)
        kept = _hours(own.filter(pl.col("drop").is_null()))
        name = LANGUAGES[language]
        if wanted > 0 and own.is_empty():
            remedy = f"add a source, or leave balance.hours.{language} out"
            yield f"{name}: {wanted:g} h are wanted, and no clip is in it; {remedy}"
        elif wanted - kept > WITHIN * wanted:
            have = f"{kept:.2f} of {wanted:g} h" if wanted >= LITTLE else f"{kept * 3600:.2f} of {wanted * 3600:.2f} s"
            amounts = f"{have}: {_amount(wanted - kept)} short"
            yield f"{name}: {amounts}; {_why_short(own, recipe, wanted)}"


def _nothing_left(clips: pl.DataFrame, recipe: Recipe) -> Iterator[str]:
    """Languages whose hours were not asked for, of which caps leave not a clip."""
    for language, name in LANGUAGES.items():
        own = clips.filter(pl.col("language") == language)
        over = own.filter(pl.col("drop") == "capped")
        if language not in recipe.balance.hours and over.height and not own["drop"].null_count():
            remedy = f"raise {caps.to_raise(own, recipe.balance, float('inf'))}"
            yield f"{name}: no clip is kept, {_amount(_hours(over))} are over a cap; {remedy}"


def _amount(hours: float) -> str:
    """Hours, or seconds where there are only a few."""
    return f"{hours:.2f} h" if hours >= LITTLE or not hours else f"{hours * 3600:.2f} s"


def _why_short(own: pl.DataFrame, recipe: Recipe, wanted: float) -> str:
    over = {name: _hours(own.filter(pl.col("drop") == name)) for name in ("capped", "leak", "surplus")}
    rest = own.filter(pl.col("drop").is_not_null(), ~pl.col("drop").is_in(list(over)))
    by_rule = (
        rest.group_by("drop").agg(pl.col("seconds").sum() / 3600).sort("seconds", "drop", descending=[True, False])
    )
    parts, remedies = [], []
    if over["capped"]:
        parts.append(f"{_amount(over['capped'])} are over a cap")
        remedies.append(f"raise {caps.to_raise(own, recipe.balance, wanted)}")
    if over["leak"]:
        parts.append(f"{_amount(over['leak'])} would leak from held-out clips")
    if over["surplus"]:
        parts.append(f"the clips left over ({_amount(over['surplus'])}) are each longer than what is missing")
        remedies.append("raise balance.hours until one more fits")
    if not by_rule.is_empty():
        named = ", ".join(f"{rule} {_amount(amount)}" for rule, amount in by_rule.head(3).iter_rows())
        parts.append(f"rules dropped {_amount(float(by_rule['seconds'].sum()))} ({named})")
    parts = parts or ["all there is is kept"]
    return f"{', '.join(parts)}; {' or '.join([*remedies, 'add recordings'])}"


def uncovered(coverage: Sequence[coverage_facts.Facts]) -> Iterator[str]:
    """Per language, the units that no kept clip has: of closed kinds, and of what could have been kept."""
    for each in coverage:
        parts = [part for kind in each["kinds"] for part in _missing(kind)]
        if parts:
            yield f"{LANGUAGES[each['language']]}: no kept clip has {'; '.join(parts)}"


def _missing(kind: dict[str, Any]) -> Iterator[str]:
    if kind["absent"]:
        yield f"{_some(kind['kind'], len(kind['absent']), kind['absent'])} of {kind['inventory']} there are"
    elif kind["lost"] and kind["inventory"] is None:
        yield f"{_some(kind['kind'], kind['lost'], kind['lost_first'])} of {kind['pool']} that clips had"


def _some(kind: str, count: int, units: list[str]) -> str:
    named = ", ".join(units[:NAMED])
    return f"{count} {kind}{'s' if count > 1 else ''} ({named}{', ...' if count > NAMED else ''})"


def splits(clips: pl.DataFrame, recipe: Recipe) -> list[str]:
    """A line for each language whose held-out shares are not as asked."""
    shares = {"validation": recipe.split.validation, "test": recipe.split.test}
    asked = recipe.split
    found = split_causes.of(clips, shares=shares, apart=asked.apart, seed=asked.seed, given=asked.given)
    return [*(split_causes.line(each, shares) for each in found), *_thinned(clips, recipe), *leaks(clips, recipe)]


def _thinned(clips: pl.DataFrame, recipe: Recipe) -> Iterator[str]:
    """Held-out sets as published of which hours or caps leave clips out."""
    if not recipe.split.given:
        return
    over = pl.col("drop").is_in(["surplus", "capped"])
    published = clips.filter(pl.col("drop").is_null() | over).with_columns(held_out.given().alias("published"))
    for (language, name), split in itertools.product(LANGUAGES.items(), held_out.HELD_OUT):
        own = published.filter(language=language, published=split)
        if gone := own.filter(over).height:
            yield (
                f"{name}: {gone} of {own.height} clips of the {split} set as published are left out, as [balance] asks "
                "for fewer hours; without hours and caps for the language it stays whole"
            )


def leaks(clips: pl.DataFrame, recipe: Recipe) -> Iterator[str]:
    """Hours per language that are neither trained on nor held out, by what they share, and how to have them."""
    held = clips.filter(pl.col("drop").is_null(), pl.col("split").is_in(held_out.HELD_OUT))
    shared = {
        name: held.select(relations.shared(name)).to_series().drop_nulls().unique() for name in recipe.split.apart
    }
    may_be = pl.col("person_candidates").list.len().fill_null(0) > 0
    clips = clips.with_columns((~person_candidates.taken_as_sure() | may_be).alias("unsure"))
    for language, name in LANGUAGES.items():
        lost = clips.filter(pl.col("drop") == "leak", pl.col("language") == language)
        doubtful = lost.filter("unsure")  # of these also a fresh draw drops some, of others only one that stays
        if "speaker" in shared and not doubtful.is_empty():
            yield (
                f"{name}: {_amount(_hours(doubtful))} are dropped as `leak`: they are too short, too noisy or too "
                "much like held-out persons to tell whether these speak; name speakers, or leave "
                '"speaker" out of split.apart'
            )
            lost = lost.filter(~pl.col("unsure"))
        if lost.is_empty():
            continue
        each = {
            what: _hours(lost.filter(lost.select(relations.shared(what).is_in(values.implode())).to_series()))
            for what, values in shared.items()
        }
        parts = [f"{what} ({_amount(hours)})" for what, hours in each.items() if hours]
        what = ", ".join(parts) or " or ".join(shared)  # of clips that are held out and not here, no hours are known
        most = max(each, key=lambda what: each[what])
        yield (
            f"{name}: {_amount(_hours(lost))} are dropped as `leak`: they share {what} with held-out clips; "
            f"{_without_leaks(recipe, most)}"
        )


def _without_leaks(recipe: Recipe, most: str) -> str:
    """How to have the hours that leak: it depends on who drew the held-out sets."""
    if recipe.split.given:
        return (
            f'leave "{most}" out of split.apart, or draw instead of keeping the published split (split.given = false)'
        )
    if recipe.split.max_dropped:
        return f"split.max_dropped = {recipe.split.max_dropped:g} lets them go so that speakers and texts are held out"
    return (
        "the held-out sets stay as they were first drawn (split.lock): while nothing was trained on this corpus, "
        "another split.seed draws them anew and loses nothing"
    )


def references(clips: pl.DataFrame, recipe: Recipe) -> Iterator[str]:
    """Languages in which fewer clips have a reference than were asked for, and why."""
    asked = recipe.tag.reference_share
    if not asked or not clips["training_text"].count():
        return  # it was not decided yet
    for language, name in LANGUAGES.items():
        own = clips.filter(pl.col("drop").is_null(), pl.col("language") == language)
        have = own["reference"].count() / max(own.height, 1)
        chance = (asked * (1 - asked) / max(own.height, 1)) ** 0.5  # each clip is drawn by itself
        if not own.is_empty() and have < asked - CHANCE * chance - 1e-9:
            yield f"{name}: {have:.0%} of the clips have a reference ({asked:.0%} asked): {_why_alone(own)}"


def _why_alone(own: pl.DataFrame) -> str:
    nobody = own["person"].null_count() / own.height
    texts = relations.bare_text().n_unique().over("person", "split")
    alone = own.select(((texts < 2) & pl.col("person").is_not_null()).mean()).item()
    causes = [f"of {nobody:.0%} nobody knows who speaks"] if nobody else []
    causes += [f"{alone:.0%} are of persons with one text in their split"] if alone else []
    remedies = ["name speakers"] if nobody else []
    remedies += ["add clips of the same persons"] if alone else []
    return f"{', '.join(causes)}; {', '.join([*remedies, 'or lower tag.reference_share'])}"


def cut_rows(ingested: pl.DataFrame, clips: pl.DataFrame, recipe: Recipe) -> Iterator[str]:
    """Sources that list clips, and of which rows without text were cut as recordings are."""
    place = ("source", "path", "channel")
    spoken = (pl.col("speech_seconds") > 0).fill_null(False).alias("spoken")
    pieces = clips.filter(pl.col("start").is_not_null()).select(*place, "start", "end", spoken).unique()
    rows = ingested.filter(pl.col("text").is_null()).select(
        *place, pl.col("start").alias("first"), pl.col("end").alias("last")
    )
    rows = rows.unique().with_row_index("row")
    inside = (pl.col("start") >= pl.col("first").fill_null(0)) & (pl.col("end") <= pl.col("last")).fill_null(True)
    parts = rows.join(pieces, on=place, nulls_equal=True).filter(inside)
    parts = parts.group_by("source", "row").agg(pl.len().alias("all"), pl.col("spoken").sum())
    for source in recipe.source:
        cut = parts.filter(pl.col("all") > 1, source=source.id)
        if source.kind != "folder" and not cut.is_empty():
            with_speech = int(cut["spoken"].sum())
            longer = ", and a longer segment.max_pause cuts the others less" if with_speech > cut.height else ""
            yield (
                f"source {source.id}: {cut.height} rows without text were cut at pauses, as recordings are, into "
                f"{with_speech} clips with speech and {int(cut['all'].sum()) - with_speech} without; a row with its "
                f"text stays whole{longer}"
            )


def _hours(clips: pl.DataFrame) -> float:
    return float(clips["seconds"].sum()) / 3600
