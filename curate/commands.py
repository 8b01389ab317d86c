"""What the commands do to a corpus, without parsing or printing."""

import time
from pathlib import Path

import polars as pl

from curate import files, manifest, pipeline, recipe, report
from curate.corpus import Corpus
from curate.engine.local import Local
from curate.errors import UserError
from curate.export import clips as clip_files
from curate.export import voxcpm
from curate.ingest import ingest
from curate.measures import catalogue
from curate.measures.catalogue import Measures
from curate.measures.definition import Store
from curate.pipeline import Watch
from curate.recipe import Recipe

FORMATS = {"voxcpm": voxcpm.write}


def ingested(corpus: Corpus, wanted: Recipe, watch: Watch) -> pl.DataFrame:
    """Read the sources and store what they hold; the only stored input of all that follows."""
    before = pl.read_parquet(corpus.ingested) if _readable(corpus.ingested) else None
    frame = ingest(wanted, before=before, progress=lambda done, total: watch("reading files", done, total))
    files.write_parquet(frame, corpus.ingested)
    corpus.save_recipe(recipe.dump(wanted))
    return frame


def advance(
    corpus: Corpus, wanted: Recipe, *, last: str, workers: int, watch: Watch, asked: Measures | None = None
) -> pl.DataFrame:
    """Run the pipeline from what was ingested through `last`, and write the manifest.

    `asked` replaces the measures that the recipe's models give.
    """
    started = time.monotonic()
    frame = _read_ingested(corpus, wanted)
    asked = asked or catalogue.of(wanted)
    with Local(asked.in_workers(), workers) as engine:
        panel = pipeline.Panel(asked, Store(corpus.answers), engine, pipeline.roots(wanted), watch)
        clips = pipeline.through(pipeline.curate(wanted, frame, panel), last)
    manifest.write(clips, corpus.manifest)
    fingerprints = {each.name: each.fingerprint for each in asked.all()}
    corpus.log(last, seconds=round(time.monotonic() - started, 1), clips=clips.height, measures=fingerprints)
    return clips


def _readable(path: Path) -> bool:
    try:
        pl.read_parquet_schema(path)
    except (pl.exceptions.PolarsError, OSError):
        return False
    return True


def _read_ingested(corpus: Corpus, wanted: Recipe) -> pl.DataFrame:
    """What ingest found; a UserError where it is broken, or of another recipe (a run killed between the two)."""
    try:
        frame = pl.read_parquet(corpus.ingested)
    except (pl.exceptions.PolarsError, OSError) as error:
        first = str(error).splitlines()[0]
        raise UserError(
            f"{corpus.ingested} cannot be read ({first}); run `curate run` or `curate ingest` again"
        ) from None
    if set(frame["source"]) != {source.id for source in wanted.source}:
        raise UserError(f"{corpus.ingested} is of other sources than {corpus.recipe}; run `curate ingest` again")
    return frame


def cut_clips(corpus: Corpus, wanted: Recipe, clips: pl.DataFrame, watch: Watch) -> None:
    """Make `clips/` hold the kept clips."""
    roots = pipeline.roots(wanted)
    clip_files.cut(clips, corpus.clips, roots, progress=lambda done, total: watch("cutting clips", done, total))


def export(corpus: Corpus, clips: pl.DataFrame, *, format: str, into: Path | None) -> Path:
    """Write what one kind of trainer reads; returns its folder."""
    if format not in FORMATS:
        raise UserError(f"no export format {format!r}; there are {', '.join(FORMATS)}")
    folder = into or corpus.export(format)
    FORMATS[format](clips, corpus.clips, folder)
    return folder


def finish(corpus: Corpus, wanted: Recipe, clips: pl.DataFrame, watch: Watch) -> Path:
    """Clips, VoxCPM manifests and report, all of the same decisions; returns the report's page."""
    cut_clips(corpus, wanted, clips, watch)
    export(corpus, clips, format="voxcpm", into=None)
    return write_report(corpus, wanted, clips)


def write_report(corpus: Corpus, wanted: Recipe, clips: pl.DataFrame) -> Path:
    """Write the quality report; returns the page."""
    return report.write(clips, wanted, corpus.report, corpus.clips)
