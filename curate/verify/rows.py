"""What the manifest's rows must be whatever made them: ids, spans, texts, licences, splits."""

from collections.abc import Sequence

import polars as pl

from curate import manifest
from curate.manifest import SPLITS
from curate.measures.agreement import comparable
from curate.recipe import Recipe
from curate.report import licences
from curate.steps import held_out, relations
from curate.verify.finding import Checked, Finding, Findings

FILE = ("source", "path", "channel")
SHORTEST_TEXT = 1  # characters that count; a text of signs alone is no text
SECONDS_DIGITS = 4  # of the manifest's column


def spans(clips: pl.DataFrame, ingested: pl.DataFrame) -> Checked:
    """Every sample that was ingested is accounted for once: per file, the rows' spans have its length and its union.

    And what is cut of a clip lies inside its span and has its length.
    """
    found = Findings()
    before, after = _covered(ingested), _covered(clips)
    joined = before.join(after, on=FILE, how="full", nulls_equal=True, suffix="_now", maintain_order="left_right")
    for row in joined.iter_rows(named=True):
        where = f"{row['source'] or row['source_now']} {row['path'] or row['path_now']}"
        if row["samples"] is None:
            found.add(where, "was not ingested, and has rows")
        elif row["samples_now"] is None:
            found.add(where, "was ingested, and has no row")
        elif row["samples_now"] != row["samples"]:
            found.add(where, f"rows account for {row['samples_now']} samples, ingested were {row['samples']}")
        elif row["union_now"] != row["union"]:
            found.add(where, f"rows overlap: they cover {row['union_now']} different samples of {row['union']}")
    listed = [*found, *_cuts(clips)]
    return Checked("spans", "files", before.height, listed)


def _covered(rows: pl.DataFrame) -> pl.DataFrame:
    """Per file: samples that its rows account for, and how many different ones these are."""
    start = pl.col("start").fill_null(0)
    ended = rows.with_columns(start.alias("start"), pl.coalesce("end", "frames").alias("end")).filter(
        pl.col("path") != ""
    )
    ended = ended.sort("start", maintain_order=True)
    reached = pl.col("end").cum_max().shift(1).fill_null(0).over(FILE)
    new = (pl.col("end") - pl.max_horizontal("start", reached)).clip(lower_bound=0)
    return (
        ended.with_columns(new.alias("new"))
        .group_by(FILE, maintain_order=True)
        .agg((pl.col("end") - pl.col("start")).sum().alias("samples"), pl.col("new").sum().alias("union"))
    )


def _cuts(clips: pl.DataFrame) -> list[Finding]:
    rows = manifest.kept(clips)
    start, end = pl.col("start").fill_null(0), pl.coalesce("end", "frames")
    inside = (start <= pl.col("cut_start")) & (pl.col("cut_start") < pl.col("cut_end")) & (pl.col("cut_end") <= end)
    outside = rows.filter(~inside.fill_null(False))["id"]
    seconds = (pl.col("cut_end") - pl.col("cut_start")) / pl.col("rate")
    long = rows.filter(((seconds - pl.col("seconds")).abs() > 10.0**-SECONDS_DIGITS).fill_null(True))["id"]
    return [
        *(Finding(id, "what is cut does not lie inside the clip's span") for id in outside),
        *(Finding(id, "its seconds are not those of what is cut") for id in long if id not in set(outside)),
    ]


def ids(clips: pl.DataFrame) -> Checked:
    """An id is the hash of where its clip is from."""
    found = Findings()
    columns = ("id", "source", "path", "start", "end", "channel")
    for id, *place in clips.select(columns).iter_rows():
        if id.partition("-")[0] != manifest.clip_id(*place):
            found.add(id, "is not the id of its source, path and span")
    return Checked("ids", "rows", clips.height, found.listed)


def texts(clips: pl.DataFrame, recipe: Recipe) -> Checked:
    """Kept clips have something to train on."""
    rows = manifest.kept(clips)
    if recipe.filter.no_text is False:  # then those without are kept for other uses, and are in no export
        rows = rows.filter(pl.col("text_from").is_not_null())
    wordless = [
        id for id, text in rows.select("id", "spoken").iter_rows() if len(comparable(text or "")) < SHORTEST_TEXT
    ]
    untagged = rows.filter(pl.col("training_text").fill_null("").str.strip_chars() == "")["id"]
    found = [*(Finding(id, "training_text is empty") for id in untagged)]
    found += [Finding(id, "spoken has no letter") for id in wordless if id not in set(untagged)]
    return Checked("texts", "kept clips", rows.height, found)


def terms(clips: pl.DataFrame, ingested: pl.DataFrame) -> Checked:
    """Every row has a licence, and the one it was ingested with."""
    found = Findings()
    bare = clips.filter(pl.col("licence").fill_null("").str.strip_chars() == "")
    for id in bare["id"]:
        found.add(id, "has no licence")
    keys = (*FILE, "licence", "attribution")
    strange = clips.filter(~pl.col("id").is_in(bare["id"].implode())).join(
        ingested.select(keys).unique(), on=keys, how="anti", nulls_equal=True, maintain_order="left"
    )
    for id, licence in strange.select("id", "licence").iter_rows():
        found.add(id, f"its licence {licence!r}, or whom it names, is not what was ingested")
    return Checked("licences", "rows", clips.height, found.listed)


def conflicts(clips: pl.DataFrame) -> list[str]:
    """What the licences of kept clips forbid or demand together; for a person to know, and no fault of the files."""
    return licences.conflicts(manifest.kept(clips)["licence"].drop_nulls().unique())


def splits(
    clips: pl.DataFrame, apart: Sequence[str], measured: pl.DataFrame | None, held: pl.DataFrame | None = None
) -> Checked:
    """Kept clips are in a split, no two splits share what `apart` names, and what was held out before still is.

    `measured` has which clips sound alike: every such pair, as split takes it, however alike. What the manifest says of
    that is not believed. `held` are the rows of the corpus's split.lock.
    """
    kept = manifest.kept(clips)
    found = Findings()
    for id, split in kept.filter(~pl.col("split").is_in(SPLITS).fill_null(False)).select("id", "split").iter_rows():
        found.add(id, f"is kept and in no split ({split})")
    for id in clips.filter(pl.col("drop").is_not_null() & pl.col("split").is_not_null())["id"]:
        found.add(id, "is dropped and in a split")
    for name in apart:
        if name != "audio":
            found.listed += _leaks(kept, name, kept.select(relations.shared(name)).to_series())
    if held is not None:
        found.listed += _moved(kept, held)
    skipped = ""
    if "audio" in apart and measured is not None and "similar" in measured.columns:
        found.listed += _same_sound(kept, measured)
    elif "audio" in apart:
        skipped = "without measured.parquet nobody can tell which clips sound alike"
    return Checked("splits", "kept clips", kept.height, found.listed, skipped)


def _leaks(kept: pl.DataFrame, name: str, values: pl.Series) -> list[Finding]:
    rows = kept.select("id", "split").with_columns(values.alias("it")).drop_nulls("it")
    two = rows.group_by("it", maintain_order=True).agg(pl.col("split").unique(maintain_order=True), pl.col("id"))
    two = two.filter(pl.col("split").list.len() > 1)
    return [
        Finding(clips[0], f"its {name} {shown(it)} is in {' and '.join(map(str, splits))} ({len(clips)} clips)")
        for it, splits, clips in two.iter_rows()
    ]


def _moved(kept: pl.DataFrame, held: pl.DataFrame) -> list[Finding]:
    """Kept clips that split.lock holds out elsewhere than where they are."""
    both = kept.select("id", "split").join(held.select("id", pl.col("split").alias("locked")), on="id")
    both = both.filter(pl.col("split").ne_missing(pl.col("locked"))).sort("id")
    return [
        Finding(id, f"is in {split} and held out as {locked} in split.lock: run `curate tag`")
        for id, split, locked in both.iter_rows()
    ]


def _same_sound(kept: pl.DataFrame, measured: pl.DataFrame) -> list[Finding]:
    pairs = measured.select("id", "similar").explode("similar").drop_nulls("similar")
    pairs = pairs.select(pl.col("id").alias("one"), pl.col("similar").struct.unnest())
    pairs = pairs.with_columns(pl.min_horizontal("one", "id").alias("one"), pl.max_horizontal("one", "id").alias("id"))
    pairs = pairs.unique(("one", "id"))
    places = kept.select("id", "split")
    pairs = pairs.join(places, on="id").join(places.rename({"id": "one"}), on="one", suffix="_one")
    pairs = pairs.filter(pl.col("split") != pl.col("split_one")).sort("one", "id")
    return [
        Finding(
            row["one"], f"sounds like {row['id']} ({row['similarity']:.2f}), in {row['split_one']} and {row['split']}"
        )
        for row in pairs.iter_rows(named=True)
    ]


def noted(clips: pl.DataFrame, held: pl.DataFrame, chosen: pl.Series | None) -> Checked:
    """What the locks note is what the manifest has: of the clips held out, and which are chosen now.

    `held` are the rows of split.lock, `chosen` the ids of balance.lock, None where no choice is made.
    """
    expected, found = held_out.of(clips), Findings()
    if expected.height and held.join(expected, on="id", how="semi").is_empty():
        found.add("split.lock", "lists none of the clips that are held out: run `curate tag`")
    else:
        for id in expected.join(held, on="id", how="anti", maintain_order="left")["id"]:
            found.add(id, "is held out, and split.lock does not list it: run `curate tag`")
        found.listed += _noted_otherwise(expected, held)
    if chosen is not None and clips["split"].count() and (wrong := set(manifest.kept(clips)["id"]) ^ set(chosen)):
        found.add("balance.lock", f"does not list the clips that are kept, {len(wrong)} differ: run `curate tag`")
    return Checked("locks", "rows", held.height + (0 if chosen is None else len(chosen)), found.listed)


def _noted_otherwise(expected: pl.DataFrame, held: pl.DataFrame) -> list[Finding]:
    """Held-out clips that are here with another person, text or recording than split.lock notes of them."""
    both = expected.join(held, on="id", suffix="_noted", maintain_order="left")
    differing = {
        name: pl.col(name).ne_missing(pl.col(f"{name}_noted")) for name in ("language", "person", "text", "recording")
    }
    by_voice = pl.col("person", "person_noted").str.contains(held_out.ESTIMATED).fill_null(False)
    differing["person"] &= ~pl.any_horizontal(by_voice)  # numbered anew when clips are added
    return [
        Finding(id, f"has another {name} in split.lock than in the manifest: run `curate tag`")
        for name, differs in differing.items()
        for id in both.filter(differs)["id"]
    ]


def shown(value: object) -> str:
    """A shared value, cut short."""
    text = str(value)
    return repr(text if len(text) <= 40 else text[:40] + "…")
