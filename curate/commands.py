"""What the commands do to a corpus, without parsing or printing."""

import hashlib
import json
import time
from pathlib import Path

import polars as pl

from curate import audio, files, manifest, pipeline, recipe, report
from curate.console import printable
from curate.corpus import Corpus
from curate.engine import memory
from curate.engine.ask import Context, Watch
from curate.engine.local import Local
from curate.engine.store import Store
from curate.errors import UserError
from curate.export import clips as clip_files
from curate.export import voxcpm
from curate.ingest import WRITTEN, Ingested, archives, read, roots
from curate.ingest.probe import Progress
from curate.ingest.tree import shown
from curate.measures import catalogue
from curate.measures.catalogue import Measures
from curate.recipe import Recipe

MEASURED_VERSION = 3  # raise it when segmenting or what follows from measures changes: stored frames are made anew
FORMATS = {"voxcpm": voxcpm.write}


def ingest(corpus: Corpus, wanted: Recipe, watch: Watch) -> pl.DataFrame:
    """Read the sources and store what they hold; the rows."""
    return read_sources(corpus, wanted, lambda done, total, hours: watch("reading files", done, total)).rows


def read_sources(
    corpus: Corpus,
    wanted: Recipe,
    progress: Progress,
    *,
    verify: bool = False,
    unpacking: archives.Progress = archives.silent,
) -> Ingested:
    """Read the sources and store what they hold; the only stored input of all that follows.

    `verify`: hash every file again, also those whose size, time and inode are as they were.
    """
    before = pl.read_parquet(corpus.ingested) if _readable(corpus.ingested) else None
    found = read(wanted, unpacked=corpus.unpacked, before=before, verify=verify, progress=progress, unpacking=unpacking)
    files.write_parquet(found.rows, corpus.ingested)
    lines = [f"{source}\t{printable(shown(path))}\n" for source, paths in found.unlisted.items() for path in paths]
    files.write_text(corpus.unlisted, "source\tpath\n" + "".join(lines))
    corpus.save_recipe(recipe.dump(wanted))
    return found


def advance(
    corpus: Corpus,
    wanted: Recipe,
    *,
    until: str,
    workers: int,
    watch: Watch,
    again: bool = False,
    measures: Measures | None = None,
) -> pl.DataFrame:
    """Measure what is missing, decide, and write the manifest as it is after the step `until`.

    `again`: measures that failed are taken once more; else a measured frame that is of this recipe serves as it is.
    `measures` replaces those that the recipe's models give. `workers` 0: one per core, as far as memory goes.
    """
    started = time.monotonic()
    asked = measures or catalogue.of(wanted)
    if until == "ingest":
        clips = _read_ingested(corpus, wanted)
    elif until == "segment":
        clips = _measure(corpus, wanted, asked, workers=workers, watch=watch, until=until)
    else:
        clips = measure(corpus, wanted, asked, workers=workers, watch=watch, again=again)
    if until in pipeline.DECISIONS:
        clips = pipeline.decide(wanted, clips, until=until)
    manifest.write(clips, corpus.manifest)
    fingerprints = {each.name: each.fingerprint for each in asked.all()}
    corpus.log(until, seconds=round(time.monotonic() - started, 1), clips=clips.height, measures=fingerprints)
    return clips


def measure(
    corpus: Corpus, wanted: Recipe, asked: Measures, *, workers: int, watch: Watch, again: bool = False
) -> pl.DataFrame:
    """The measured frame: the stored one where it is of just these files, settings and models, else made and stored."""
    digest = measured_digest(corpus, wanted, asked)
    stored = _stored(corpus.measured)
    if stored.get("digest") == digest and not (again and stored.get("failures") != "0"):
        return pl.read_parquet(corpus.measured)
    frame = _measure(corpus, wanted, asked, workers=workers, watch=watch)
    failures = frame.filter(pl.col("error").is_not_null() & pl.col("speech").is_not_null()).height
    files.write_parquet(frame, corpus.measured, metadata={"digest": digest, "failures": str(failures)})
    return frame


def _measure(
    corpus: Corpus, wanted: Recipe, asked: Measures, *, workers: int, watch: Watch, until: str = "measure"
) -> pl.DataFrame:
    ingested = _read_ingested(corpus, wanted)
    each = memory.per_worker(wanted.models.folders())
    count = memory.workers(workers, each)
    with Local(asked.in_workers(), count, lambda: watch(memory.words(count, each), 1, 1)) as engine:
        context = Context(asked, Store(corpus.answers), engine, roots(wanted, corpus.unpacked), watch)
        return pipeline.measure(wanted, ingested, context, until=until)


def measured_digest(corpus: Corpus, wanted: Recipe, asked: Measures) -> str:
    """Of all that a measured frame comes from: what was ingested, the recipe's part, every model, our own columns."""
    digest = hashlib.sha256()
    try:
        with corpus.ingested.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    except OSError as error:
        raise UserError(f"{corpus.ingested} cannot be read ({error.strerror}); run `curate ingest` again") from None
    parts = wanted.model_dump(mode="json", include={"source", "models", "text", "segment"})
    columns = [[column.name, str(column.dtype), column.digits] for column in manifest.COLUMNS.values()]
    fingerprints = [[each.name, each.fingerprint, each.outputs] for each in asked.all()]
    digest.update(json.dumps([MEASURED_VERSION, audio.VERSION, parts, columns, fingerprints], sort_keys=True).encode())
    return digest.hexdigest()


def _stored(measured: Path) -> dict[str, str]:
    """What is noted in a measured frame; nothing where there is none that can be read."""
    try:
        return pl.read_parquet_metadata(measured)
    except (pl.exceptions.PolarsError, OSError):
        return {}


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
    if absent := sorted(WRITTEN - set(frame.columns)):
        raise UserError(
            f"{corpus.ingested} is of an earlier version (it has no {absent[0]}); read its sources again with "
            f"`curate ingest {corpus.recipe} --into {corpus.folder}`"
        )
    if set(frame["source"]) != {source.id for source in wanted.source}:
        raise UserError(f"{corpus.ingested} is of other sources than {corpus.recipe}; run `curate ingest` again")
    return frame


def cut_clips(corpus: Corpus, wanted: Recipe, clips: pl.DataFrame, watch: Watch) -> None:
    """Make `clips/` hold the kept clips."""
    clip_files.cut(
        clips,
        corpus.clips,
        roots(wanted, corpus.unpacked),
        progress=lambda done, total: watch("cutting clips", done, total),
    )


def export(corpus: Corpus, clips: pl.DataFrame, *, format: str, into: Path | None) -> Path:
    """Write what one kind of trainer reads; returns its folder."""
    if format not in FORMATS:
        raise UserError(f"no export format {format!r}; there are {', '.join(FORMATS)}")
    folder = into or corpus.export(format)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file: choose a folder with --into")
    FORMATS[format](clips, corpus.clips, folder)
    return folder


def finish(corpus: Corpus, wanted: Recipe, clips: pl.DataFrame, watch: Watch) -> Path:
    """Clips, VoxCPM manifests and report, all of the same decisions; returns the report's page."""
    cut_clips(corpus, wanted, clips, watch)
    export(corpus, clips, format="voxcpm", into=None)
    return write_report(corpus, wanted, clips)


def write_report(corpus: Corpus, wanted: Recipe, clips: pl.DataFrame, *, against: Path | None = None) -> Path:
    """Write the quality report, beside that of another corpus where one is named; returns the page."""
    other = None if against is None else another(against)
    places = roots(wanted, corpus.unpacked)
    return report.write(clips, wanted, corpus.report, corpus.clips, roots=places, folder=corpus.folder, other=other)


def another(folder: Path) -> report.Other:
    """A corpus to compare with, as its last run left it: read, never changed. A UserError where it is none."""
    corpus = Corpus(folder)
    corpus.require()
    clips = manifest.read(corpus.manifest)
    if clips["broke"].is_null().all():
        raise UserError(f"nothing is decided in {folder} yet: run `curate tag {folder}` first")
    return report.Other(clips, recipe.load(corpus.recipe))
