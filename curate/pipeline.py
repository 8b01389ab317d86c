"""Curation from top to bottom, in two halves: `measure` asks models, `decide` works over what they answered.

    ingested -> recordings listened to -> clips -> texts, clips and corpus measured -> measured     (measure)
    measured -> rules -> duplicates -> balance -> split -> tag -> manifest                          (decide)

Nothing that `measure` does depends on a threshold, and nothing that `decide` does asks a model.
"""

from collections.abc import Sequence

import polars as pl

from curate import manifest
from curate.engine.ask import Context, ask_clips, ask_corpus, ask_recordings, ask_texts
from curate.measures import agreement, pace
from curate.recipe import Recipe
from curate.steps import balance, duplicates, rule_catalogue, rules, segment, speakers, split, tag, verdicts

STEPS = ("ingest", "segment", "measure", "filter", "balance", "split", "tag")
DECISIONS = STEPS[3:]
# Columns that only measures read: they stay in the answers, and a decision need not carry them.
FOR_MEASURES = ("file_speech", "file_pauses", "file_events", "file_turns", "written", "embedding", "fingerprint")
COMPARED = ("text_edits", "unheard", "extra", "wrong_words")


def measure(recipe: Recipe, ingested: pl.DataFrame, context: Context, *, until: str = "measure") -> pl.DataFrame:
    """The measured frame: recordings become clips, and every measure is asked about each that it can be asked about.

    `until` may also be "segment": the clips as they were cut, with nothing measured of them.
    """
    asked = context.measures
    clips = ask_recordings(ingested, asked.recordings, context)
    clips = segment.segment(
        clips,
        max_seconds=recipe.segment.max_seconds,
        margin=recipe.segment.margin,
        max_pause=recipe.segment.max_pause,
        trim_clips=recipe.segment.trim,
    )
    clips = manifest.rounded(clips)  # what is asked, and what is decided, goes by the values that people see
    if until == "segment":
        return clips
    clips = ask_texts(clips.with_columns(pl.col("text").alias("written")), asked.texts, context)
    clips = ask_clips(clips, asked.clips, rules.measurable(), context)
    if heard_sources := [source.id for source in recipe.source if source.transcript == "heard"]:
        clips = ask_texts(_take_heard(clips, heard_sources), asked.texts, context)
        was_heard = rules.measurable() & (pl.col("text_from") == "heard")
        clips = ask_clips(clips, asked.heard_clips, was_heard, context)
    clips = ask_texts(clips, asked.heard_texts, context)
    for each in asked.corpus:
        clips = ask_corpus(clips, each, context.store)
    clips = manifest.rounded(speakers.name(speakers.persons(_compared(clips))))
    return manifest.conform(clips).drop(FOR_MEASURES)


def decide(
    recipe: Recipe, measured: pl.DataFrame, *, until: str = "tag", judged: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The manifest's frame after the step `until`, one of DECISIONS: who is dropped and why, who goes where.

    `judged`: what people said of clips (clip, verdict, reason, who).
    """
    order = rule_catalogue.order(recipe)
    clips = rules.decide(verdicts.attach(measured, judged), rule_catalogue.checks(recipe), order)
    clips = duplicates.mark(clips, threshold=recipe.filter.duplicate)
    repeats = rule_catalogue.duplicate(recipe)
    clips = rules.break_rule(clips, repeats.rule.name, repeats.broken(), order)
    if until == "filter":
        return clips
    clips = balance.balance(clips, **recipe.balance.model_dump(), order=order)
    if until == "balance":
        return clips
    shares = {"validation": recipe.split.validation, "test": recipe.split.test}
    clips = split.split(clips, shares=shares, apart=recipe.split.apart, seed=recipe.split.seed)
    if until == "split":
        return clips
    return tag.tag(clips, template=recipe.tag.template, form=recipe.tag.text)


def _take_heard(clips: pl.DataFrame, sources: Sequence[str]) -> pl.DataFrame:
    """Where the source says so, what was heard is the text."""
    take = pl.col("source").is_in(list(sources)) & pl.col("text").is_null() & (pl.col("heard").str.strip_chars() != "")
    return clips.with_columns(
        pl.when(take).then("heard").otherwise("written").alias("written"),
        pl.when(take).then(pl.lit("heard")).otherwise("text_from").alias("text_from"),
    )


def _compared(clips: pl.DataFrame) -> pl.DataFrame:
    """What follows from several measures: the text against what was heard, two hearings of one clip, and pace."""
    rates = {
        "cer": _error_rates(clips, "given", "spoken", "heard_spoken"),
        "heard_agreement": _error_rates(clips, "heard", "heard_spoken", "heard_again_spoken"),
    }
    measured = [pl.Series(name, each, dtype=pl.Float64) for name, each in rates.items()]
    letters = pl.col("spoken").str.replace_all(r"\s", "").str.len_chars()
    sounds = pl.Series("sounds", [each and pace.phones(each) for each in clips["pronounced"]], dtype=pl.Float64)
    talking = pl.when(pl.col("speech_seconds") > 0).then("speech_seconds")
    # against itself, a text that was heard says nothing
    given = [pl.when(pl.col("text_from") == "given").then(name).alias(name) for name in COMPARED]
    clips = clips.with_columns(
        *measured, (letters / talking).alias("pace"), (sounds / talking).alias("phone_pace"), *given
    )
    agreement_of_two = pl.max_horizontal(1 - pl.col("heard_agreement"), pl.lit(0.0))
    agreement_of_two = pl.when(pl.col("heard_agreement").is_not_null()).then(agreement_of_two)
    return clips.with_columns(agreement_of_two.alias("heard_agreement"), pace.outlying().alias("pace_z"))


def _error_rates(clips: pl.DataFrame, source: str, expected: str, recognised: str) -> list[float | None]:
    """The character error rate of one text against another, where the text is from that source and both are there."""
    texts = clips.select("text_from", expected, recognised).iter_rows()
    return [
        agreement.character_error_rate(one, other) if text_from == source and one and other is not None else None
        for text_from, one, other in texts
    ]
