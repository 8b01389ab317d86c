"""What the commands do to a corpus, without parsing or printing."""

import time
from pathlib import Path

import polars as pl

from curate import cut, manifest, measures, pipeline, recipe, report
from curate.corpus import Corpus
from curate.engine.local import Local
from curate.errors import UserError
from curate.export import voxcpm
from curate.ingest import ingest
from curate.measure import Store
from curate.measures import Measures
from curate.pipeline import Watch
from curate.recipe import Recipe

FORMATS = {"voxcpm": voxcpm.write}


def ingested(corpus: Corpus, wanted: Recipe, watch: Watch) -> pl.DataFrame:
    """Read the sources and store what they hold; the only stored input of all that follows."""
    frame = ingest(wanted, progress=lambda done, total: watch("reading files", done, total))
    corpus.save_recipe(recipe.dump(wanted))
    manifest.write_parquet(frame, corpus.ingested)
    return frame


def advance(
    corpus: Corpus, wanted: Recipe, *, last: str, workers: int, watch: Watch, asked: Measures | None = None
) -> pl.DataFrame:
    """Run the pipeline from what was ingested through `last`, and write the manifest.

    `asked` replaces the measures that the recipe's models give.
    """
    started = time.monotonic()
    frame = pl.read_parquet(corpus.ingested)
    asked = asked or measures.of(wanted)
    with Local(asked.in_workers(), workers) as engine:
        panel = pipeline.Panel(asked, Store(corpus.answers), engine, pipeline.roots(wanted), watch)
        clips = pipeline.through(pipeline.curate(wanted, frame, panel), last)
    manifest.write(clips, corpus.manifest)
    fingerprints = {each.name: each.fingerprint for each in asked.all()}
    corpus.log(last, seconds=round(time.monotonic() - started, 1), clips=clips.height, measures=fingerprints)
    return clips


def cut_clips(corpus: Corpus, wanted: Recipe, clips: pl.DataFrame, watch: Watch) -> None:
    """Make `clips/` hold the kept clips."""
    roots = pipeline.roots(wanted)
    cut.cut(clips, corpus.clips, roots, progress=lambda done, total: watch("cutting clips", done, total))


def export(corpus: Corpus, clips: pl.DataFrame, *, format: str, into: Path | None) -> Path:
    """Write what one kind of trainer reads; returns its folder."""
    if format not in FORMATS:
        raise UserError(f"no export format {format!r}; there are {', '.join(FORMATS)}")
    folder = into or corpus.export(format)
    FORMATS[format](clips, corpus.clips, folder)
    return folder


def write_report(corpus: Corpus, wanted: Recipe, clips: pl.DataFrame) -> Path:
    """Write the quality report; returns the page."""
    return report.write(clips, wanted, corpus.report, corpus.clips)
