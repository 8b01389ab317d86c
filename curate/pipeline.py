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
from curate.steps import (
    balance,
    duplicates,
    held_out,
    person_candidates,
    references,
    relations,
    rule_catalogue,
    rules,
    segment,
    speakers,
    split,
    tag,
    verdicts,
)
from curate.steps.before import NOTHING_BEFORE, Before
from curate.text.coverage.known import Known

STEPS = ("ingest", "segment", "measure", "filter", "balance", "split", "tag")
DECISIONS = STEPS[3:]
DRAWS = 4  # of held-out sets: one, and once more with what it bars; a set that cannot be had at first may come later
# Columns that only measures read: they stay in the answers, and a decision need not carry them.
FOR_MEASURES = (
    "file_speech",
    "file_pauses",
    "file_dips",
    "file_sounds",
    "file_events",
    "file_turns",
    "written",
    "embedding",
    "fingerprint",
)
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
    clips = person_candidates.fill(speakers.persons(_compared(clips)))
    clips = manifest.rounded(speakers.name(clips))
    return manifest.conform(clips).drop(FOR_MEASURES)


def decide(
    recipe: Recipe,
    measured: pl.DataFrame,
    *,
    until: str = "tag",
    before: Before = NOTHING_BEFORE,
    judged: pl.DataFrame | None = None,
    known: Known | None = None,
) -> pl.DataFrame:
    """The manifest's frame after the step `until`, one of DECISIONS: who is dropped and why, who goes where.

    `before`: what was chosen and held out before clips were added. `judged`: what people said of clips (clip, verdict,
    reason, who). `known`: the units of the clips' texts, where they were found already.
    """
    order = rule_catalogue.order(recipe)
    clips = rules.decide(verdicts.attach(measured, judged), rule_catalogue.checks(recipe), order)
    clips = duplicates.mark(clips, threshold=recipe.filter.duplicate, first=before.held["id"])
    repeats = rule_catalogue.duplicate(recipe)
    clips = rules.break_rule(clips, repeats.rule.name, repeats.broken(), order)
    clips = relations.name_alike(clips)
    if until == "filter":
        return clips
    # of people who asked to be taken out nothing is held out, nor kept from others for their sake
    drawn = held_out.without(before.held, clips.filter(verdicts.taken_down())["id"])
    candidates = balance.candidates(clips, known=known, **recipe.balance.model_dump(exclude={"stable"}))
    earlier = before.chosen if recipe.balance.stable else frozenset()
    # What is drawn now bars other clips of the same persons and texts, so the choice is made again with it; a run that
    # finds it drawn already ends in the same.
    for _ in range(DRAWS):
        held = held_out.together(drawn, held_out.as_given(clips)) if recipe.split.given else drawn
        barred = held_out.leaks(clips, held, recipe.split.apart)
        chosen = balance.choose(
            clips, candidates, order=order, earlier=earlier, held=drawn["id"].to_list(), barred=barred
        )
        chosen = rules.break_rule(chosen, "leak", pl.lit(barred), order)
        if until == "balance":
            return chosen
        divided = _split(recipe, chosen, held, order)
        found = held_out.of(divided)
        if found["id"].is_in(drawn["id"].implode()).all():
            break
        drawn = held_out.together(drawn, found)
    if until == "split":
        return divided
    tagged = tag.tag(divided, template=recipe.tag.template, form=recipe.tag.text, controls=recipe.tag.controls)
    return references.assign(tagged, share=recipe.tag.reference_share, seed=recipe.tag.seed)


def _split(recipe: Recipe, clips: pl.DataFrame, held: pl.DataFrame, order: Sequence[str]) -> pl.DataFrame:
    shares = {"validation": recipe.split.validation, "test": recipe.split.test}
    asked = recipe.split.model_dump(include={"apart", "seed", "max_dropped"})
    return split.split(clips, shares=shares, **asked, held=held, order=order)


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
    sounds = pl.Series(
        "sounds", [pace.phones(each) if each else None for each in clips["pronounced"]], dtype=pl.Float64
    )
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
