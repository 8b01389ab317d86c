"""Rules over measured columns: each clip keeps every reason it was dropped for.

A rule says where it applies. Where it does not, it neither holds nor breaks; where it does and the value is missing, it
breaks: unmeasured is not good.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from curate.recipe import Filter, Recipe

ORDER = (
    "unreadable", "too_short", "too_long", "no_speech", "music", "noise", "clipped", "narrow_band", "noisy",
    "low_quality", "several_speakers", "wrong_language", "no_text", "text_unreadable", "text_mismatch", "chopped",
    "duplicate", "capped", "surplus",
)  # fmt: skip
DECIDED_LATER = ("capped", "surplus")  # by balance, over the clips that no rule dropped

# Structure, not taste: with less speech than this there is nothing for a model to hear, so none is asked.
LISTENABLE_SECONDS = 0.3

# A clip is noise only where less of it than this is speech: a real noise file has none, words in a noisy room 0.25.
TALKING_SHARE = 0.2

MEASURABLE_SECONDS = 120.0  # an hour entered as one clip is not measured as one: memory is bounded
ALIGNABLE_SECONDS = 30.0  # what Whisper hears at once

Only = tuple[tuple[pl.Expr, str], ...]


@dataclass(frozen=True)
class Rule:
    """One rule: what it looks at, when it holds, where it applies (each condition with what is said where it fails)."""

    name: str
    value: pl.Expr
    holds: pl.Expr  # null: the value is missing
    threshold: Any
    only: Only = ()

    def applies(self) -> pl.Expr:
        """Whether the rule has anything to say about a clip."""
        return pl.all_horizontal(pl.lit(True), *(c.fill_null(False) for c, _ in self.only))

    def broken(self) -> pl.Expr:
        """Applies, and does not hold or was not measured."""
        return self.applies() & ~self.holds.fill_null(False)

    def why(self) -> pl.Expr:
        """Why the rule neither holds nor breaks; null where it applies."""
        whys = [pl.when(~condition.fill_null(False)).then(pl.lit(why)) for condition, why in self.only]
        return pl.coalesce(*whys, pl.lit(None, dtype=pl.String))


def decide(clips: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
    """Set `broke` and `drop` from scratch, all rules in one pass over the frame."""
    bits = [rule.broken().cast(pl.Int64) * 2 ** ORDER.index(rule.name) for rule in rules]
    return _with_broke(clips, clips.select(pl.sum_horizontal(pl.lit(0, pl.Int64), *bits).alias("bits")))


def break_rule(clips: pl.DataFrame, rule: str, broken: pl.Expr) -> pl.DataFrame:
    """Add `rule` to `broke` where `broken` holds (null: not), keep `broke` in order, and set `drop` to its first."""
    flags = clips.select(broken.fill_null(False).alias("broken"))
    if not flags["broken"].any():
        return clips
    bits = {name: 2**place for place, name in enumerate(ORDER)}
    before = pl.col("broke").list.eval(pl.element().replace_strict(bits, return_dtype=pl.Int64)).list.sum()
    flags = flags.with_columns(clips.select(before.fill_null(0).alias("bits"))["bits"])
    return _with_broke(
        clips, flags.select(pl.when("broken").then(pl.col("bits") | bits[rule]).otherwise("bits").alias("bits"))
    )


def _with_broke(clips: pl.DataFrame, bits: pl.DataFrame) -> pl.DataFrame:
    """`broke` and `drop` from one number a clip, a bit for each rule in the order of ORDER.

    There are many clips and few combinations of rules: a list is made once for each combination.
    """
    combinations = bits["bits"].unique()
    lists = [[rule for place, rule in enumerate(ORDER) if each >> place & 1] for each in combinations]
    made = pl.DataFrame({"bits": combinations, "broke": pl.Series(lists, dtype=pl.List(pl.String))})
    made = bits.join(made, on="bits", how="left", maintain_order="left")
    return clips.with_columns(made["broke"], made["broke"].list.first().alias("drop"))


def rules(recipe: Recipe) -> list[Rule]:
    """Every rule of the recipe in the fixed order, those switched off included; `duplicate` and balance come after."""
    return [*_structure(recipe), *_sound(recipe), *_words(recipe)]


def readable() -> pl.Expr:
    """A file that could be read, in a known language, whose speech could be looked for."""
    return pl.col("speech").is_not_null()


def listenable() -> pl.Expr:
    """Enough speech for a model to hear."""
    return readable() & (pl.col("speech_seconds") >= LISTENABLE_SECONDS)


def measurable() -> pl.Expr:
    """What the clip measures are asked about."""
    return listenable() & (pl.col("seconds") <= MEASURABLE_SECONDS)


READABLE: Only = ((readable(), "the file could not be read"),)
LISTENABLE: Only = (*READABLE, (listenable(), f"less than {LISTENABLE_SECONDS} s of speech"))
MEASURED: Only = (*LISTENABLE, (measurable(), f"longer than {MEASURABLE_SECONDS:g} s, so not measured"))
WITH_TEXT: Only = (*READABLE, (pl.col("text_from").is_not_null(), "there is no text"))


def _off(setting: object) -> Only:
    return ((pl.lit(setting is not False), "switched off in the recipe"),)


def _structure(recipe: Recipe) -> list[Rule]:
    least, most = recipe.segment.min_seconds, recipe.segment.max_seconds
    seconds = pl.col("seconds")
    return [
        Rule("unreadable", pl.col("error"), readable(), None),
        Rule("too_short", seconds, seconds >= least, least, READABLE),
        # an hour of music is music; only what has speech in it could have been a clip
        Rule("too_long", seconds, seconds <= most, most, LISTENABLE),
    ]


def _at_least(name: str, column: str, threshold: float | bool, only: Only) -> Rule:
    return Rule(name, pl.col(column), pl.col(column) >= threshold, threshold, (*_off(threshold), *only))


def _at_most(name: str, column: str, threshold: float | bool, only: Only) -> Rule:
    return Rule(name, pl.col(column), pl.col(column) <= threshold, threshold, (*_off(threshold), *only))


def _sound(recipe: Recipe) -> list[Rule]:
    wanted, models = recipe.filter, recipe.models
    events: Only = (*READABLE, (pl.lit(models.events is not False), "no model listens for music and noise"))
    turns: Only = (*MEASURED, (pl.lit(models.turns is not False), "no model tells speakers apart"))
    music = _at_most("music", "music", wanted.music, events)
    noise = _at_most("noise", "noise", wanted.noise, events)
    # speech in a noisy room is not noise: `noisy` judges that
    talking = pl.col("speech_seconds") >= TALKING_SHARE * pl.col("seconds")
    noise = replace(noise, holds=noise.holds | (noise.value.is_not_null() & talking))
    # music and noise are said to be that; only what is left and has no speech is silence
    other_sound = ~(music.broken() | noise.broken()) | pl.lit(models.events is False)
    silent: Only = (*READABLE, (other_sound, "it is music or noise"))
    several = _at_most("several_speakers", "second_voice", wanted.several_speakers, turns)
    # where nobody was told apart, nobody else was heard
    nobody = pl.col("voices") == 0
    several = replace(several, holds=several.holds | nobody)
    return [
        _at_least("no_speech", "speech_seconds", wanted.no_speech, silent),
        music,
        noise,
        _at_most("clipped", "clipped", wanted.clipped, MEASURED),
        _at_least("narrow_band", "bandwidth", wanted.narrow_band, MEASURED),
        _at_least("noisy", "snr", wanted.noisy, MEASURED),
        _quality(wanted, models.quality),
        several,
        _language(recipe),
    ]


def _quality(wanted: Filter, models: Sequence[str]) -> Rule:
    least = wanted.low_quality
    parts = {} if least is False else {n: t for n in models if (t := getattr(least, n)) is not False}
    holds = pl.all_horizontal(pl.lit(True), *(pl.col(name) >= threshold for name, threshold in parts.items()))
    only = (*_off(least), (pl.lit(bool(parts)), "no model rates quality"), *MEASURED)
    return Rule("low_quality", _struct(parts), holds, parts or None, only)


def _language(recipe: Recipe) -> Rule:
    wanted = recipe.filter.wrong_language
    only = (*_off(wanted), (pl.lit(recipe.models.language is not False), "no model tells languages apart"), *MEASURED)
    value = _struct(("language_probability", "other_language", "other_probability"))
    if wanted is False:
        return Rule("wrong_language", value, pl.lit(True), False, only)
    long_enough = (pl.col("speech_seconds") >= wanted.min_speech, f"less than {wanted.min_speech:g} s of speech")
    wrong = (pl.col("other_probability") >= wanted.other) & (pl.col("language_probability") < wanted.declared)
    threshold = {"other": wanted.other, "declared": wanted.declared}
    return Rule("wrong_language", value, ~wrong, threshold, (*only, long_enough))


def _words(recipe: Recipe) -> list[Rule]:
    wanted = recipe.filter
    readable_text = pl.col("unreadable").is_null() & (pl.col("spoken").fill_null("") != "")
    edge = pl.max_horizontal("head_edge", "tail_edge")
    return [
        Rule(
            "no_text", pl.col("text_from"), pl.col("text_from").is_not_null(), None, (*_off(wanted.no_text), *READABLE)
        ),
        Rule("text_unreadable", pl.col("unreadable"), readable_text, None, (*_off(wanted.text_unreadable), *WITH_TEXT)),
        _mismatch(recipe),
        Rule("chopped", edge, edge <= wanted.chopped, wanted.chopped, (*_off(wanted.chopped), *MEASURED)),
    ]


def _mismatch(recipe: Recipe) -> Rule:
    """Text against audio: by a recogniser where there is one, and by pace; by confidence where the text was heard."""
    wanted = recipe.filter.text_mismatch
    value = _struct(("cer", "aligned", "pace", "heard_confidence"))
    only = (*_off(wanted), *WITH_TEXT, *MEASURED)
    if wanted is False:
        return Rule("text_mismatch", value, pl.lit(True), False, only)
    heard = pl.col("text_from") == "heard"
    recognised = pl.col("language").is_in(list(recipe.models.asr)) & ~heard
    parts = [pl.when(heard).then(pl.col("heard_confidence") >= recipe.filter.heard_confidence).otherwise(True)]
    if wanted.max_cer is not False:
        parts.append(~recognised | (pl.col("cer") <= wanted.max_cer))
    if wanted.min_aligned is not False:
        alignable = recognised & (pl.col("seconds") <= ALIGNABLE_SECONDS)
        parts.append(~alignable | (pl.col("aligned") >= wanted.min_aligned))
    if wanted.min_pace is not False:
        parts.append(pl.col("pace") >= wanted.min_pace)
    if wanted.max_pace is not False:
        parts.append(pl.col("pace") <= wanted.max_pace)
    threshold = {**wanted.model_dump(), "heard_confidence": recipe.filter.heard_confidence}
    return Rule("text_mismatch", value, pl.all_horizontal(part.fill_null(False) for part in parts), threshold, only)


def duplicate(recipe: Recipe) -> Rule:
    """The last rule, for when it is known which clips repeat which."""
    wanted = recipe.filter.duplicate
    only = (*_off(wanted), *MEASURED)
    return Rule("duplicate", pl.col("duplicate_of"), pl.col("duplicate_of").is_null(), wanted, only)


def _struct(names: Sequence[str] | dict[str, Any]) -> pl.Expr:
    return pl.struct(list(names)) if names else pl.lit(None)
