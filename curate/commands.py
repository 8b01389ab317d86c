"""What the commands do to a corpus, without parsing or printing."""

import hashlib
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl

from curate import audio, files, locks, manifest, outputs, pipeline, recipe, report, verdicts
from curate.console import printable
from curate.corpus import Corpus
from curate.engine import memory
from curate.engine.ask import Context, Watch
from curate.engine.local import Local
from curate.engine.store import Store
from curate.errors import UserError
from curate.ingest import WRITTEN, Ingested, archives, read, roots, unread
from curate.ingest.probe import Progress
from curate.ingest.tree import shown
from curate.leftovers import forget_latents, left_behind
from curate.measures import catalogue
from curate.measures.catalogue import Measures
from curate.models import compute
from curate.recipe import Recipe
from curate.report import packing, rows
from curate.report.summary import Summary, summary
from curate.steps import notes as steps_notes
from curate.steps.before import Before
from curate.text.coverage.known import NEEDED, Known, kept, known

log = logging.getLogger(__name__)

MEASURED_VERSION = 9  # raise it when segmenting or what follows from measures changes: stored frames are made anew
DIVIDED = pipeline.STEPS[pipeline.STEPS.index("split") :]  # what is decided there stays, in the corpus's locks


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

    `verify`: hash every file again, also those whose size, time and inode are as they were. Raises UserError, and
    leaves the corpus as it was, where there was audio and no file can be read now: a disk that is not mounted.
    """
    verdicts.require(corpus, wanted)
    before = pl.read_parquet(corpus.ingested) if _readable(corpus.ingested) else None
    found = read(wanted, unpacked=corpus.unpacked, before=before, verify=verify, progress=progress, unpacking=unpacking)
    unread.require_still(found.rows, before, corpus.folder)
    files.write_parquet(found.rows, corpus.ingested)
    lines = [f"{source}\t{printable(shown(path))}\n" for source, paths in found.unlisted.items() for path in paths]
    files.write_text(corpus.unlisted, "source\tpath\n" + "".join(lines))
    corpus.save_recipe(recipe.dump(_settled(wanted)))
    return found


def was_of_another_recipe(corpus: Corpus, wanted: Recipe) -> bool:
    """Whether the corpus holds another recipe than this."""
    return corpus.recipe.exists() and corpus.recipe.read_text(encoding="utf-8") != recipe.dump(_settled(wanted))


def _settled(wanted: Recipe) -> Recipe:
    """With the device that `auto` means here: elsewhere the corpus is still decided by what was measured on it."""
    models = wanted.models.model_copy(update={"device": compute.chosen(wanted.models.device)})
    return wanted.model_copy(update={"models": models})


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
    verdicts.require(corpus, wanted)
    asked = measures or catalogue.of(wanted)
    if until == "ingest":
        clips = _read_ingested(corpus, wanted)
    elif until == "segment":
        clips = measure_anew(corpus, wanted, asked, workers=workers, watch=watch, until=until)
    else:
        clips = measure(corpus, wanted, asked, workers=workers, watch=watch, again=again)
    if until in pipeline.DECISIONS:
        before, units = locks.read(corpus, wanted, clips), known(clips, corpus.units)
        clips = decide(corpus, wanted, clips, until=until, before=before, units=units)
        if until in DIVIDED:
            locks.write(corpus, wanted, clips, before)
    manifest.write(clips, corpus.manifest)
    fingerprints = {each.name: each.fingerprint for each in asked.all()}
    corpus.log(until, seconds=round(time.monotonic() - started, 1), clips=clips.height, measures=fingerprints)
    return clips


def decide(
    corpus: Corpus,
    wanted: Recipe,
    measured: pl.DataFrame,
    *,
    until: str = "tag",
    before: Before | None = None,
    units: Known | None = None,
) -> pl.DataFrame:
    """The frame after the step `until`, by the recipe, what people said and what the locks hold; nothing is written.

    `units`: of the texts, where they were found already.
    """
    before = locks.read(corpus, wanted, measured) if before is None else before
    judged = verdicts.load(corpus, wanted, measured["id"])
    rows = judged.rows if judged else None
    return pipeline.decide(wanted, measured, until=until, before=before, judged=rows, known=units)


def measure(
    corpus: Corpus, wanted: Recipe, asked: Measures, *, workers: int, watch: Watch, again: bool = False
) -> pl.DataFrame:
    """The measured frame: the stored one where it is of just these files, settings and models, else made and stored."""
    digest = measured_digest(corpus, wanted, asked)
    stored = _stored(corpus.measured)
    if stored.get("digest") == digest and not (again and stored.get("failures") != "0"):
        return pl.read_parquet(corpus.measured)
    frame = measure_anew(corpus, wanted, asked, workers=workers, watch=watch)
    failures = frame.filter(pl.col("error").is_not_null() & pl.col("speech").is_not_null()).height
    files.write_parquet(frame, corpus.measured, metadata={"digest": digest, "failures": str(failures)})
    return frame


def measure_anew(
    corpus: Corpus,
    wanted: Recipe,
    asked: Measures,
    *,
    workers: int,
    watch: Watch,
    until: str = "measure",
    store: Store | None = None,
) -> pl.DataFrame:
    """The frame after the step `until`, made from the answers of `store` and asking for what is missing there."""
    ingested = _read_ingested(corpus, wanted)
    each = memory.per_worker(wanted.models.folders())
    count = memory.workers(workers, each)
    with Local(asked.in_workers(), count, lambda: watch(memory.words(count, each), 1, 1)) as engine:
        context = Context(asked, store or Store(corpus.answers), engine, roots(wanted, corpus.unpacked), watch)
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
    for name in wanted.models.PLACE:  # it is in the fingerprints
        del parts["models"][name]
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


def notes(corpus: Corpus, wanted: Recipe, clips: pl.DataFrame) -> list[str]:
    """What is to be known of verdicts, also those not followed yet, and of what holds clips that people dropped."""
    said = verdicts.load(corpus, wanted, clips["id"])
    verdict = [*(said.notes if said else []), *verdicts.waiting(corpus, said, clips), *left_behind(corpus, clips)]
    return [*verdict, *unread.notes(clips), *_cut_rows(corpus, wanted, clips)]


def _cut_rows(corpus: Corpus, wanted: Recipe, clips: pl.DataFrame) -> list[str]:
    """A line for each source that lists clips and of which some had to be cut."""
    listed = [source.id for source in wanted.source if source.kind != "folder"]
    pieces = clips.select(pl.col("source").is_in(listed) & pl.col("start").is_not_null() & pl.col("text").is_null())
    if not pieces.to_series().any() or not _readable(corpus.ingested):
        return []
    ingested = pl.read_parquet(corpus.ingested, columns=["source", "path", "channel", "start", "end", "text"])
    return list(steps_notes.cut_rows(ingested, clips, wanted))


@dataclass(frozen=True)
class Finished:
    """The report's page, and what it tells that the terminal tells too."""

    page: Path
    told: Summary


class Reporter(Protocol):
    """Begins to write a report; what it returns waits for the end."""

    def __call__(self, corpus: Corpus, wanted: Recipe, clips: pl.DataFrame) -> Callable[[], Finished]:
        """Begin."""


def finish(
    corpus: Corpus, wanted: Recipe, clips: pl.DataFrame, watch: Watch, reporter: Reporter | None = None
) -> Finished:
    """Clips, VoxCPM manifests, card and report, all of the same decisions.

    The report needs none of the others, and a `reporter` writes it meanwhile.
    """
    begun = reporter(corpus, wanted, clips) if reporter else None
    forget_latents(corpus, clips)
    outputs.cut_clips(corpus, wanted, clips, watch)
    outputs.export(corpus, wanted, clips, format="voxcpm", into=None, watch=watch)
    outputs.renew_exports(corpus, wanted, clips, watch)
    outputs.write_metadata(corpus, wanted, clips)
    return begun() if begun else reported(corpus, wanted, clips)


@dataclass(frozen=True)
class Prepared:
    """What a report needs and no decision changes, made before one; what is of other clips is not used."""

    units: Known | None = None
    begun: packing.Begun | None = None


NOT_PREPARED = Prepared()


def prepare(corpus: Corpus) -> Prepared:
    """From what was measured, where there is that; nothing is written. Of 15,000 clips a report takes 0.2 s less so."""
    names = dict.fromkeys([*NEEDED, *rows.measured_columns()])
    report.warm_up()
    try:
        clips = pl.read_parquet(corpus.measured, columns=list(names))
        return Prepared(kept(clips, corpus.units), packing.begin(rows.measured(clips)))
    except (pl.exceptions.PolarsError, OSError):
        return NOT_PREPARED


def reported(corpus: Corpus, wanted: Recipe, clips: pl.DataFrame, prepared: Prepared = NOT_PREPARED) -> Finished:
    """The report is written."""
    told = summary(clips, wanted, prepared.units or known(clips, corpus.units))
    return Finished(outputs.write_report(corpus, wanted, clips, told=told, begun=prepared.begun), told)
