"""Which answers are missing, who gives them, and into which columns they go."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import polars as pl

from curate.channels import Mix
from curate.console import printable
from curate.engine.store import KEY_DIGITS, Buffer, Store
from curate.engine.work import Job, Request, Result, named
from curate.errors import UserError
from curate.files import Root
from curate.measures.catalogue import Measures
from curate.measures.definition import Answer, Measure, corpus_key, keys

JOB_SECONDS = 300.0  # of clips in one job: a long recording is shared between workers
MOST_JOBS = 8  # of one recording
# what is known of the file and the place of a clip
FILE = ("source", "path", "channel_mix", "dc_offset", "rate", "modified", "frames", "cut_start", "cut_end")
ROW = "asked"  # the column that numbers rows while they are asked about

Watch = Callable[[str, float, float], None]  # what is being done, how much of it, of how much


class Engine(Protocol):
    """Where measures run: jobs in, results out in any order; `progress` is given the seconds of each finished job."""

    def run(self, jobs: Sequence[Job], progress: Callable[[float], None]) -> Iterator[Result]:
        """Do the jobs."""


@dataclass(frozen=True)
class Context:
    """Everything that measuring needs: the measures, where answers are kept, who works, who watches."""

    measures: Measures
    store: Store
    engine: Engine
    roots: Mapping[str, Root]  # folder of each source
    watch: Watch = field(default=lambda what, done, total: None)


@dataclass(frozen=True)
class Asked:
    """The rows that a measure is asked about, each with its key, and the answers that are known."""

    measure: Measure
    rows: pl.DataFrame
    known: pl.DataFrame

    def missing(self) -> pl.DataFrame:
        """One row for each key that has no answer yet."""
        rows = self.rows.with_columns(pl.lit(self.measure.name).alias("measure"))
        return rows.unique("key", maintain_order=True).join(self.known, on="key", how="anti", maintain_order="left")


def ask_recordings(clips: pl.DataFrame, measures: Sequence[Measure], context: Context) -> pl.DataFrame:
    """Fill the columns of recording-scope measures; each distinct readable file is listened to once."""
    return _ask_audio(clips, measures, pl.col("error").is_null(), context, "recordings")


def ask_clips(clips: pl.DataFrame, measures: Sequence[Measure], where: pl.Expr, context: Context) -> pl.DataFrame:
    """Fill the columns of clip-scope measures where `where` holds."""
    return _ask_audio(clips, measures, where, context, "clips")


def ask_texts(clips: pl.DataFrame, measures: Sequence[Measure], context: Context) -> pl.DataFrame:
    """Fill the columns of text-scope measures one after the other; these are fast and run in this process."""
    for each in measures:
        asked = _asked(clips, each, pl.lit(True), context.store)
        if asked.rows.is_empty():  # a language or a form that no clip has
            continue
        missing = asked.missing()
        results = _read_texts(missing, each, context.watch) if missing.height else iter(())
        clips = _filled(clips, [asked], results, context.store)
    return clips


def ask_corpus(clips: pl.DataFrame, each: Measure, store: Store) -> pl.DataFrame:
    """Fill the columns of a measure that looks at all clips at once, unless it was asked about just these."""
    measured = clips.filter(pl.col(each.inputs[0]).is_not_null())
    if measured.is_empty():
        return clips
    key = corpus_key(measured, each)
    store.asked(each, [key[:KEY_DIGITS]])
    answer = store.read_table(each, key)
    if answer is None:
        answer = each.make()(clips)
        store.write_table(each, key, answer)
    return clips.drop(each.outputs).join(answer, on="id", how="left", maintain_order="left").select(clips.columns)


def _ask_audio(
    clips: pl.DataFrame, measures: Sequence[Measure], where: pl.Expr, context: Context, what: str
) -> pl.DataFrame:
    asked = [_asked(clips, each, where, context.store) for each in measures]
    asked = [each for each in asked if not each.rows.is_empty()]
    missing = pl.concat([each.missing() for each in asked]) if asked else clips.clear()
    results = _listen(missing, measures, context, what) if missing.height else iter(())
    return _filled(clips, asked, results, context.store)


def _asked(clips: pl.DataFrame, each: Measure, where: pl.Expr, store: Store) -> Asked:
    """Structure alone decides whom a measure is asked about: what it needs is there, and the language is its own."""
    if not _possible(clips, each):
        return Asked(each, clips.clear(), clips.clear())
    needed = [pl.col(name).is_not_null() for name in each.needs]
    language = [pl.col("language") == each.language] if each.language else []
    rows = clips.with_row_index(ROW).filter(pl.all_horizontal(where, *needed, *language))
    rows = rows.with_columns(pl.Series("key", keys(rows, each), dtype=pl.String))
    store.asked(each, rows["key"])
    return Asked(each, rows, store.read(each))


def _possible(clips: pl.DataFrame, each: Measure) -> bool:
    """Whether any clip has the measure's language, and any has what it needs: to look is cheaper than to filter."""
    if each.language and not (clips["language"] == each.language).any():
        return False
    return all(clips[name].null_count() < clips.height for name in each.needs)


def _filled(clips: pl.DataFrame, asked: Sequence[Asked], results: Iterator[Result], store: Store) -> pl.DataFrame:
    """Keep results as they come, then fill the columns of every measure, and `error` where there is no answer."""
    answers: dict[str, list[Answer]] = {each.measure.name: [] for each in asked}
    failures: dict[str, str] = {}
    with Buffer(store, [each.measure for each in asked]) as buffer:
        for result in results:
            if result.answer is None:
                failures[result.key] = f"{result.measure}: {result.failure}"
            else:
                buffer.add(result.measure, result.key, result.answer)
                answers[result.measure].append({"key": result.key, **result.answer})
    for each in asked:
        new = pl.DataFrame(answers[each.measure.name], schema=each.measure.schema())
        known = pl.concat([each.known, new]).unique("key", keep="first", maintain_order=True)
        clips = _with_columns(clips, each, known)
        clips = _with_errors(clips, each.rows, failures)
    return clips


def _with_columns(clips: pl.DataFrame, asked: Asked, known: pl.DataFrame) -> pl.DataFrame:
    """The measure's columns where it was asked; elsewhere what was there."""
    outputs = asked.measure.outputs
    answers = asked.rows.select(ROW, "key").join(known, on="key", how="left", maintain_order="left")
    answers = answers.with_columns(pl.lit(True).alias("was_asked"))
    ours = clips.select(outputs).with_row_index(ROW)  # a source's own columns may be called anything
    both = ours.join(answers, on=ROW, how="left", suffix="_new", maintain_order="left")
    new = [pl.when("was_asked").then(f"{name}_new").otherwise(name).alias(name) for name in outputs]
    return clips.with_columns(both.select(new).get_columns())


def _with_errors(clips: pl.DataFrame, rows: pl.DataFrame, failures: Mapping[str, str]) -> pl.DataFrame:
    """Why a measure could not be taken, added to `error`."""
    notes = {row: failures[key] for row, key in rows.select(ROW, "key").iter_rows() if key in failures}
    if not notes:
        return clips
    note = pl.int_range(pl.len()).replace_strict(notes, default=None, return_dtype=pl.String)
    note = pl.when(~pl.col("error").fill_null("").str.contains(note, literal=True)).then(note)
    return clips.with_columns(
        pl.concat_str("error", note, separator="; ", ignore_nulls=True).replace("", None).alias("error")
    )


def _read_texts(missing: pl.DataFrame, each: Measure, watch: Watch) -> Iterator[Result]:
    extract = each.make()
    for done, (key, *values) in enumerate(missing.select("key", *each.inputs).iter_rows(), 1):
        try:
            yield Result(each.name, key, extract([dict(zip(each.inputs, values, strict=True))])[0])
        except Exception as error:  # one bad text must not stop a run
            yield Result(each.name, key, None, named(error))
        watch(f"reading texts: {each.name}", done, missing.height)


def _listen(missing: pl.DataFrame, measures: Sequence[Measure], context: Context, what: str) -> Iterator[Result]:
    """Have the engine do what is missing, and tell who watches how far it has come, in seconds of audio."""
    _require_sources(missing, context.roots)
    jobs = _jobs(missing, {each.name: each for each in measures}, context.roots)
    total, done = sum(job.seconds for job in jobs), 0.0

    def progress(seconds: float) -> None:
        nonlocal done
        done += seconds
        context.watch(f"listening to {what}", done, total)

    context.watch(f"listening to {what}", 0.0, total)
    return context.engine.run(jobs, progress)


def _require_sources(missing: pl.DataFrame, roots: Mapping[str, Root]) -> None:
    """Raise UserError where not a file of a source is there, as of a disk that is not mounted.

    One file that is gone is a row without answers; a whole source that is gone would drop all its clips.
    """
    files = missing.select("source", "path").unique(maintain_order=True)
    for (source,), rows in files.group_by("source", maintain_order=True):
        root = roots[str(source)]
        if not any((root / path).exists() for path in rows["path"]):
            first = printable(str(root / rows["path"][0]))
            raise UserError(
                f"source {source}: none of the {rows.height} recordings that have to be listened to is there, such as "
                f"{first}; bring them back, or take the source out of the recipe and run it again"
            )


def _jobs(missing: pl.DataFrame, measures: Mapping[str, Measure], roots: Mapping[str, Root]) -> list[Job]:
    """Requests gathered by file, and by bounded stretches of a long one, so that each is decoded once."""
    jobs: list[Job] = []
    needed = dict.fromkeys((*FILE, "measure", "key", *(name for each in measures.values() for name in each.inputs)))
    by_file: dict[tuple[str, str, str | None], list[dict[str, Any]]] = {}
    for row in missing.select(*needed).iter_rows(named=True):  # of eighty columns a dozen become Python's objects
        by_file.setdefault((row["source"], row["path"], row["channel_mix"]), []).append(row)
    for (source, path, mixed), rows in by_file.items():
        first = rows[0]
        rate, seconds = first["rate"], first["frames"] / first["rate"]
        mix = None if mixed is None else Mix.parse(mixed, first["dc_offset"])
        file = Job(roots[source] / path, rate, first["modified"], mix)
        spans: dict[tuple[int, int], list[Request]] = {}
        recording: list[Request] = []
        for row in rows:
            each = measures[row["measure"]]
            request = Request(each.name, row["key"], {name: row[name] for name in each.inputs})
            if each.scope == "recording":
                recording.append(request)
            else:
                spans.setdefault((row["cut_start"], row["cut_end"]), []).append(request)
        if recording:
            jobs.append(replace(file, recording=tuple(recording), seconds=seconds))
        jobs += _stretches(file, spans, seconds)
    return jobs


def _stretches(file: Job, spans: Mapping[tuple[int, int], list[Request]], recording_seconds: float) -> Iterator[Job]:
    # a compressed file is decoded from its beginning for each stretch of it, so there are not many
    longest = max(JOB_SECONDS, recording_seconds / MOST_JOBS)
    batch: list[tuple[int, int, tuple[Request, ...]]] = []
    seconds = 0.0
    for (start, end), requests in sorted(spans.items()):
        batch.append((start, end, tuple(requests)))
        seconds += (end - start) / file.rate
        if seconds >= longest:
            yield replace(file, clips=tuple(batch), seconds=seconds)
            batch, seconds = [], 0.0
    if batch:
        yield replace(file, clips=tuple(batch), seconds=seconds)
