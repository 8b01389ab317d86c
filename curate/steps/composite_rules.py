"""Rules made of several bounds: how these come together for one clip.

The bounds themselves, their defaults and where a rule applies stand in `rule_catalogue`.
"""

from collections.abc import Sequence
from typing import Any

import polars as pl

from curate.steps.rules import Bound, Check, Rule

# Language id says something of sentences only: single Khmer words get from 0.00 to 0.96.
SENTENCE_SECONDS, SENTENCE_WORDS = 2.0, 4
MISMATCH_VALUES = (
    "cer", "unheard", "extra", "wrong_words", "aligned", "ctc_score", "pace", "pace_z", "language_probability",
    "heard_confidence", "heard_agreement",
)  # fmt: skip
ALIGNABLE_SECONDS = 30.0  # what Whisper hears at once
# Two recordings side by side; their mean, which is what was measured, is of neither.
CHANNELS_DIFFER = pl.col("channel_mix").str.contains("|", literal=True).fill_null(False)


def low_quality(rule: Rule, recipe: Any) -> Check:
    """Every rating that a model of the recipe gives and that has a limit, in the order of the models."""
    known = {bound.name: bound for bound in rule.bounds}
    asked = [known[name] for name in recipe.models.quality if rule.setting(recipe) is not False]
    limits = {bound.name: limit for bound in asked if (limit := bound.limit(recipe)) is not False}
    holds = pl.all_horizontal(pl.lit(True), *(known[name].holds(limit) for name, limit in limits.items()))
    switched, *rest = rule.where(recipe)
    only = (switched, (pl.lit(bool(limits)), "no model rates quality"), *rest)
    return Check(rule, _struct(list(limits)), holds, limits or None, only)


def wrong_language(rule: Rule, recipe: Any) -> Check:
    """Wrong only where another language is strong and the declared one weak, over enough speech."""
    other, declared, speech = rule.bounds
    value = _struct(["language_probability", "other_language", "other_probability"])
    if rule.setting(recipe) is False:
        return Check(rule, value, pl.lit(True), False, rule.where(recipe))
    least = speech.limit(recipe)
    enough = (speech.holds(least), f"less than {least:g} s of speech")
    wrong = (pl.col(other.column) >= other.limit(recipe)) & (pl.col(declared.column) < declared.limit(recipe))
    threshold = {bound.name: bound.limit(recipe) for bound in (other, declared)}
    return Check(rule, value, ~wrong, threshold, (*rule.where(recipe), enough))


def several_speakers(rule: Rule, recipe: Any) -> Check:
    """Others than the main voice, one after the other or at once; two people on two channels of one file."""
    apart = pl.when(CHANNELS_DIFFER).then("channel_mix").alias("channel_mix")
    value = pl.struct("second_voice", "other_voice", "overlap", "voice_similarity", apart)
    if rule.setting(recipe) is False:
        return Check(rule, value, pl.lit(True), False, rule.where(recipe))
    shares, at_once, alike = (bound.limit(recipe) for bound in rule.bounds)
    # where diarization told nobody apart, it heard nobody else
    parts = [(pl.col("second_voice") <= shares) | (pl.col("voices") == 0), pl.col("other_voice") <= shares]
    parts += [] if at_once is False else [pl.col("overlap") <= at_once]
    holds = pl.all_horizontal(~CHANNELS_DIFFER, *(part.fill_null(False) for part in parts))
    if alike is not False:  # too little speech tells of nobody else
        holds &= (pl.col("voice_similarity") >= alike).fill_null(True)
    limits = {bound.name: limit for bound, limit in zip(rule.bounds, (shares, at_once, alike), strict=True)}
    return Check(rule, value, holds, limits, rule.where(recipe))


def text_mismatch(rule: Rule, recipe: Any) -> Check:
    """Text against audio: by a recogniser where there is one, and by pace; by confidence where the text was heard."""
    value = _struct(MISMATCH_VALUES)
    if rule.setting(recipe) is False:
        return Check(rule, value, pl.lit(True), False, rule.where(recipe))
    from_asr = pl.col("text_from") == "heard"
    has_asr = pl.col("language").is_in(list(recipe.models.asr))
    recognised = has_asr & ~from_asr
    sentence = (pl.col("speech_seconds") >= SENTENCE_SECONDS) & (
        pl.col("words").str.count_matches(r"\|") >= SENTENCE_WORDS - 1
    )
    by_language = ~has_asr & sentence & pl.lit(recipe.models.language is not False)
    where = {
        **dict.fromkeys(("max_cer", "max_unheard", "max_extra"), recognised),
        "min_aligned": recognised & (pl.col("seconds") <= ALIGNABLE_SECONDS),
        "min_ctc": pl.col("language").is_in(list(recipe.models.aligner)),
        "max_pace_z": ~has_asr & pl.col("pace_z").is_not_null(),
        "min_language": by_language,
        **dict.fromkeys(("heard_confidence", "heard_agreement"), from_asr),
    }  # fmt: skip
    limits = {bound.name: bound.limit(recipe) for bound in rule.bounds}
    parts = [
        ~where.get(bound.name, pl.lit(True)).fill_null(False) | _within(bound, limits[bound.name])
        for bound in rule.bounds
        if limits[bound.name] is not False
    ]
    holds = pl.all_horizontal(part.fill_null(False) for part in parts)
    return Check(rule, value, holds, limits, rule.where(recipe))


def _within(bound: Bound, limit: float) -> pl.Expr:
    """The bound itself, but for the one that has two sides."""
    return pl.col("pace_z").abs() <= limit if bound.column == "pace_z" else bound.holds(limit)


def _struct(names: Sequence[str]) -> pl.Expr:
    return pl.struct(list(names)) if names else pl.lit(None)
