"""Curation from top to bottom: what was ingested, the answers of the measures, the decisions over them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import polars as pl

from curate import manifest
from curate.engine.work import Job, Question, Told, named
from curate.ingest import root
from curate.measures import agreement, voices
from curate.measures.catalogue import Measures
from curate.measures.definition import Buffer, Measure, Store, corpus_key, keys
from curate.recipe import Recipe
from curate.steps import balance, duplicates, rules, segment, split, tag

STEPS = ("ingest", "segment", "measure", "filter", "balance", "split", "tag")
JOB_SECONDS = 300.0  # of clips in one job: a long recording is shared between workers
MOST_JOBS = 8  # of one recording
ASKED = "asked"  # the column that numbers rows while they are asked about

Watch = Callable[[str, float, float], None]  # what is being done, how much of it, of how much


class Engine(Protocol):
    """Where measures run: jobs in, answers out in any order, and the seconds of each finished job told."""

    def run(self, jobs: Sequence[Job], progress: Callable[[float], None]) -> Iterator[Told]:
        """Do the jobs."""


@dataclass(frozen=True)
class Panel:
    """Everything a run asks: the measures, where their answers are kept, who does the work, who is told about it."""

    measures: Measures
    store: Store
    engine: Engine
    roots: Mapping[str, Path]  # folder of each source
    watch: Watch = field(default=lambda what, done, total: None)


def roots(recipe: Recipe) -> dict[str, Path]:
    """The folder that each source's paths are relative to."""
    return {source.id: root(source) for source in recipe.source}


def curate(recipe: Recipe, ingested: pl.DataFrame, panel: Panel) -> Iterator[tuple[str, pl.DataFrame]]:
    """Every step's name and the frame after it, in the order of STEPS."""
    yield "ingest", ingested
    clips = _listen(ingested, panel)
    clips = segment.segment(
        clips,
        max_seconds=recipe.segment.max_seconds,
        margin=recipe.segment.margin,
        max_pause=recipe.segment.max_pause,
        trim_clips=recipe.segment.trim,
    )
    clips = manifest.rounded(clips)  # what is asked, and what is decided, goes by the values that people see
    yield "segment", clips
    clips = measure(recipe, clips, panel)
    yield "measure", clips
    clips = _filter(recipe, clips)
    yield "filter", clips
    clips = balance.balance(clips, **recipe.balance.model_dump())
    yield "balance", clips
    shares = {"validation": recipe.split.validation, "test": recipe.split.test}
    clips = split.split(clips, shares=shares, apart=recipe.split.apart, seed=recipe.split.seed)
    yield "split", clips
    yield "tag", tag.tag(clips, template=recipe.tag.template, form=recipe.tag.text)


def measure(recipe: Recipe, clips: pl.DataFrame, panel: Panel) -> pl.DataFrame:
    """Ask every measure about every clip that it can be asked about; nothing here looks at a threshold."""
    asked = panel.measures
    clips = _read_texts(clips.with_columns(pl.col("text").alias("written")), asked.texts, panel)
    clips = _ask(clips, asked.clips, rules.measurable(), panel, "clips")
    if heard_sources := [source.id for source in recipe.source if source.transcript == "heard"]:
        clips = _read_texts(_take_heard(clips, heard_sources), asked.texts, panel)
    clips = _read_texts(clips, asked.heard_texts, panel)
    for each in asked.corpus:
        clips = _ask_corpus(clips, each, panel.store)
    return manifest.rounded(voices.name(_derived(clips)))


def _filter(recipe: Recipe, clips: pl.DataFrame) -> pl.DataFrame:
    clips = rules.decide(clips, rules.rules(recipe))
    clips = duplicates.mark(clips, threshold=recipe.filter.duplicate)
    last = rules.duplicate(recipe)
    return rules.break_rule(clips, last.name, last.broken())


def _take_heard(clips: pl.DataFrame, sources: Sequence[str]) -> pl.DataFrame:
    """Where the source says so, what was heard is the text."""
    take = pl.col("source").is_in(list(sources)) & pl.col("text").is_null() & (pl.col("heard").str.strip_chars() != "")
    return clips.with_columns(
        pl.when(take).then("heard").otherwise("written").alias("written"),
        pl.when(take).then(pl.lit("heard")).otherwise("text_from").alias("text_from"),
    )


def _derived(clips: pl.DataFrame) -> pl.DataFrame:
    """Columns that are arithmetic over others."""
    texts = zip(clips["text_from"], clips["spoken"], clips["heard_spoken"], strict=True)
    cer = [
        agreement.character_error_rate(spoken, heard) if text_from == "given" and spoken and heard is not None else None
        for text_from, spoken, heard in texts
    ]
    letters = pl.col("spoken").str.replace_all(r"\s", "").str.len_chars()
    talking = pl.when(pl.col("speech_seconds") > 0).then("speech_seconds")
    return clips.with_columns(pl.Series("cer", cer, dtype=pl.Float64), (letters / talking).alias("pace"))


def _listen(clips: pl.DataFrame, panel: Panel) -> pl.DataFrame:
    """Ask the recording-scope measures, once per distinct file."""
    readable = pl.col("error").is_null()
    return _ask(clips, panel.measures.recordings, readable, panel, "recordings")


def _read_texts(clips: pl.DataFrame, measures: Sequence[Measure], panel: Panel) -> pl.DataFrame:
    """Ask the text-scope measures; these are fast and run here."""
    for each in measures:
        rows = clips.with_row_index(ASKED).filter(_askable(each, pl.lit(True)))
        rows = rows.with_columns(pl.Series("key", keys(rows, each), dtype=pl.String))
        missing = rows.unique("key", maintain_order=True).join(panel.store.read(each), on="key", how="anti")
        failures = _answer_texts(missing, each, panel) if missing.height else {}
        clips = _noted(_filled(clips, rows, each, panel.store), rows, failures)
    return clips


def _answer_texts(missing: pl.DataFrame, each: Measure, panel: Panel) -> dict[str, str]:
    judge = each.make()
    failures: dict[str, str] = {}
    with Buffer(panel.store, [each]) as buffer:
        for done, (key, *values) in enumerate(missing.select("key", *each.inputs).iter_rows(), 1):
            try:
                buffer.add(each.name, key, judge([dict(zip(each.inputs, values, strict=True))])[0])
            except Exception as error:  # one bad text must not stop a run
                failures[key] = f"{each.name}: {named(error)}"
            panel.watch(f"reading texts: {each.name}", done, missing.height)
    return failures


def _ask(clips: pl.DataFrame, measures: Sequence[Measure], where: pl.Expr, panel: Panel, what: str) -> pl.DataFrame:
    """Ask measures that need audio about the rows that lack an answer, then fill their columns from the store."""
    asked: list[tuple[Measure, pl.DataFrame]] = []
    questions: list[pl.DataFrame] = []
    for each in measures:
        rows = clips.with_row_index(ASKED).filter(_askable(each, where))
        rows = rows.with_columns(
            pl.Series("key", keys(rows, each), dtype=pl.String), pl.lit(each.name).alias("measure")
        )
        missing = rows.unique("key", maintain_order=True).join(panel.store.read(each), on="key", how="anti")
        asked.append((each, rows))
        questions.append(missing)
    failures = _answer(pl.concat(questions) if questions else clips.clear(), measures, panel, what)
    for each, rows in asked:
        clips = _filled(clips, rows, each, panel.store)
        clips = _noted(clips, rows, failures)
    return clips


def _askable(each: Measure, where: pl.Expr) -> pl.Expr:
    """Structure only: whether a measure can be asked about a clip."""
    there = [pl.col(name).is_not_null() for name in each.needs]
    language = [pl.col("language") == each.language] if each.language else []
    return pl.all_horizontal(where, *there, *language)


def _answer(missing: pl.DataFrame, measures: Sequence[Measure], panel: Panel, what: str) -> dict[str, str]:
    """Have the engine answer, keep what comes, and return why the rest could not be answered, by key."""
    failures: dict[str, str] = {}
    if missing.is_empty():
        return failures
    jobs = _jobs(missing, {each.name: each for each in measures}, panel.roots)
    total, done = sum(job.seconds for job in jobs), 0.0

    def progress(seconds: float) -> None:
        nonlocal done
        done += seconds
        panel.watch(f"listening to {what}", done, total)

    panel.watch(f"listening to {what}", 0.0, total)
    with Buffer(panel.store, measures) as buffer:
        for told in panel.engine.run(jobs, progress):
            if told.answer is None:
                failures[told.key] = f"{told.measure}: {told.failure}"
            else:
                buffer.add(told.measure, told.key, told.answer)
    return failures


def _jobs(missing: pl.DataFrame, measures: Mapping[str, Measure], roots: Mapping[str, Path]) -> list[Job]:
    """Questions gathered by file, and by bounded stretches of a long one, so that each is decoded once."""
    jobs: list[Job] = []
    for (source, path), rows in missing.group_by("source", "path", maintain_order=True):
        rate = rows["rate"][0]
        file = Job(roots[str(source)] / str(path), rate, rows["modified"][0])
        spans: dict[tuple[int, int], list[Question]] = {}
        recording: list[Question] = []
        for row in rows.iter_rows(named=True):
            each = measures[row["measure"]]
            question = Question(each.name, row["key"], {name: row[name] for name in each.inputs})
            if each.scope == "recording":
                recording.append(question)
            else:
                spans.setdefault((row["cut_start"], row["cut_end"]), []).append(question)
        if recording:
            jobs.append(replace(file, recording=tuple(recording), seconds=rows["frames"][0] / rate))
        jobs += _stretches(file, spans, rows["frames"][0] / rate)
    return jobs


def _stretches(file: Job, spans: Mapping[tuple[int, int], list[Question]], whole: float) -> Iterator[Job]:
    # a compressed file is decoded from its beginning for each stretch of it, so there are not many
    longest = max(JOB_SECONDS, whole / MOST_JOBS)
    batch: list[tuple[int, int, tuple[Question, ...]]] = []
    seconds = 0.0
    for (start, end), questions in sorted(spans.items()):
        batch.append((start, end, tuple(questions)))
        seconds += (end - start) / file.rate
        if seconds >= longest:
            yield replace(file, clips=tuple(batch), seconds=seconds)
            batch, seconds = [], 0.0
    if batch:
        yield replace(file, clips=tuple(batch), seconds=seconds)


def _filled(clips: pl.DataFrame, rows: pl.DataFrame, each: Measure, store: Store) -> pl.DataFrame:
    """The measure's columns where it was asked, taken from the store; elsewhere what was there."""
    answers = rows.select(ASKED, "key").join(store.read(each), on="key", how="left", maintain_order="left")
    answers = answers.with_columns(pl.lit(True).alias("was_asked"))
    ours = clips.select(each.outputs).with_row_index(ASKED)  # a source's own columns may be called anything
    both = ours.join(answers, on=ASKED, how="left", suffix="_new", maintain_order="left")
    new = [pl.when("was_asked").then(f"{name}_new").otherwise(name).alias(name) for name in each.outputs]
    return clips.with_columns(both.select(new).get_columns())


def _noted(clips: pl.DataFrame, rows: pl.DataFrame, failures: Mapping[str, str]) -> pl.DataFrame:
    """Why a measure could not be taken, added to `error`."""
    notes = {asked: failures[key] for asked, key in rows.select(ASKED, "key").iter_rows() if key in failures}
    if not notes:
        return clips
    note = pl.int_range(pl.len()).replace_strict(notes, default=None, return_dtype=pl.String)
    note = pl.when(~pl.col("error").fill_null("").str.contains(note, literal=True)).then(note)
    return clips.with_columns(
        pl.concat_str("error", note, separator="; ", ignore_nulls=True).replace("", None).alias("error")
    )


def _ask_corpus(clips: pl.DataFrame, each: Measure, store: Store) -> pl.DataFrame:
    """Ask a measure that looks at all clips at once, unless it was asked about just these."""
    measured = clips.filter(pl.col(each.inputs[0]).is_not_null())
    key = corpus_key(measured, each)
    answer = store.read_table(each, key)
    if answer is None:
        answer = each.make()(clips)
        store.write_table(each, key, answer)
    return clips.drop(each.outputs).join(answer, on="id", how="left", maintain_order="left").select(clips.columns)


def through(steps: Iterator[tuple[str, pl.DataFrame]], last: str) -> pl.DataFrame:
    """Run the steps up to and including one; returns the frame after it."""
    for name, frame in steps:
        if name == last:
            return frame
    raise ValueError(f"no step {last!r}; there are {', '.join(STEPS)}")
