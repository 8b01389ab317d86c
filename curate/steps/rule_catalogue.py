"""Every rule there is, in the fixed order: its column, limit, wording and where it applies stand here, nowhere else.

A new rule is a `Rule` in RULES, and its column in `manifest.COLUMNS` with the measure that fills it.
"""

from typing import Any

import polars as pl

from curate.steps import composite_rules
from curate.steps.rules import (
    DROP,
    LISTENABLE_SECONDS,
    MEASURABLE_SECONDS,
    Bound,
    Check,
    Only,
    Rule,
    listenable,
    measurable,
    readable,
)

# A clip is noise only where less of it than this is speech: a real noise file has none, words in a noisy room 0.25.
TALKING_SHARE = 0.2

READABLE: Only = ((readable(), "the file could not be read"),)
LISTENABLE: Only = (*READABLE, (listenable(), f"less than {LISTENABLE_SECONDS} s of speech"))
MEASURED: Only = (*LISTENABLE, (measurable(), f"longer than {MEASURABLE_SECONDS:g} s, so not measured"))
WITH_TEXT: Only = (*READABLE, (pl.col("text_from").is_not_null(), "there is no text"))


def _with_model(name: str, missing: str, others: Only) -> Any:
    """Conditions of a rule that needs a model of `[models]`."""
    return lambda recipe: (*others, (pl.lit(getattr(recipe.models, name) is not False), missing))


EVENTS = _with_model("events", "no model listens for music and noise", READABLE)
TURNS = _with_model("turns", "no model tells speakers apart", MEASURED)

MUSIC = Rule(
    "music",
    (Bound("music", "at most", "filter.music", "music in at most {} of the clip", 0.5, "largest share of music"),),
    only=EVENTS,
)
NOISE = Rule(
    "noise",
    (
        Bound(
            "noise", "at most", "filter.noise", "other sound in at most {} of the clip", 0.5,
            "largest share of sound that is neither voice nor music",
        ),
    ),
    only=EVENTS,
    # speech in a noisy room is not noise: `noisy` judges that
    unless=pl.col("noise").is_not_null() & (pl.col("speech_seconds") >= TALKING_SHARE * pl.col("seconds")),
)  # fmt: skip


def _silent(recipe: Any) -> Only:
    """Music and noise are said to be that; only what is left and has no speech is silence."""
    other_sound = ~(MUSIC.check(recipe).broken() | NOISE.check(recipe).broken()) | pl.lit(recipe.models.events is False)
    return (*READABLE, (other_sound, "it is music or noise"))


def _several_known(recipe: Any) -> Only:
    """Channels that differ tell of several people without a model."""
    return tuple((composite_rules.CHANNELS_DIFFER | condition, why) for condition, why in TURNS(recipe))


RULES: tuple[Rule, ...] = (
    # a person's word comes before every rule
    Rule(
        "rejected",
        value=pl.concat_str("verdict", "verdict_reason", separator=": ", ignore_nulls=True),
        holds=pl.col("verdict") != DROP,
        only=((pl.col("verdict").is_not_null(), "no person has judged it"),),
        words="no person has dropped it",
        overruled=False,
    ),
    Rule("unreadable", value=pl.col("error"), holds=readable(), words="the file can be read", overruled=False),
    Rule(
        "too_short",
        (Bound("seconds", "at least", "segment.min_seconds", "at least {} s", title="Length"),),
        only=READABLE,
    ),
    # an hour of music is music; only what has speech in it could have been a clip
    Rule(
        "too_long",
        (Bound("seconds", "at most", "segment.max_seconds", "at most {} s", title="Length"),),
        only=LISTENABLE,
        overruled=pl.col("seconds") <= MEASURABLE_SECONDS,
    ),
    Rule(
        "no_speech",
        (
            Bound(
                "speech_seconds", "at least", "filter.no_speech", "at least {} s of speech", 0.3,
                "least seconds of speech",
            ),
        ),
        only=_silent,
    ),
    MUSIC,
    NOISE,
    Rule(
        "clipped",
        (
            Bound(
                "clipped", "at most", "filter.clipped", "at most {} of the samples clipped", 0.002,
                "largest share of clipped samples; clean speech stays below 0.0001", title="Clipped share",
            ),
        ),
        only=MEASURED,
    ),
    Rule(
        "narrow_band",
        (
            Bound(
                "bandwidth", "at least", "filter.narrow_band", "content up to at least {} Hz", 5000.0,
                "least bandwidth in Hz; telephone speech ends below 4 kHz", title="Bandwidth",
            ),
        ),
        only=MEASURED,
    ),
    Rule(
        "noisy",
        (
            Bound(
                "snr", "at least", "filter.noisy", "at least {} dB of speech over background", 15.0,
                "least SNR in dB; permissive (arXiv 2510.03111)", title="Speech over background",
            ),
        ),
        only=MEASURED,
    ),
    Rule(
        "dropout",
        (
            Bound(
                "dropout", "at most", "filter.dropout", "gaps of at most {} ms inside words", 0.5,
                "longest gap of lost samples in ms; 0 in speech that lost nothing, and none under 1 ms is found",
            ),
        ),
        only=MEASURED,
    ),
    Rule(
        "low_quality",
        (
            Bound(
                "dnsmos", "at least", "filter.low_quality.dnsmos", "DNSMOS at least {}", False,
                "off: clean read Korean scores 2.0-3.1, with noise at 20 dB 2.1; Emilia uses 3.0",
                title="Predicted quality (DNSMOS)",
            ),
            Bound(
                "distillmos", "at least", "filter.low_quality.distillmos", "DistillMOS at least {}", False,
                "off: not validated on Khmer or Korean", title="Predicted quality (DistillMOS)",
            ),
        ),
        only=MEASURED,
        about="Predicted quality below which a clip is dropped, by models not trained on Khmer or Korean. One "
        "without a limit is not asked.",
        made=composite_rules.low_quality,
    ),
    Rule(
        "several_speakers",
        (
            Bound(
                "second_voice", "at most", "filter.several_speakers", "at most {} of the speech by others", 0.15,
                "largest share of speech by others than the main voice, by diarization or within 10 s",
            ),
            Bound(
                "overlap", "at most", "filter.overlap", "two at once with a probability of at most {}", 0.08,
                "several_speakers: highest mean probability over the speech that two speak at once; one speaker: at "
                "most 0.05", title="Two at once",
            ),
            Bound(
                "voice_similarity", "at least", "filter.voice_similarity", "its parts alike by at least {}", 0.55,
                "several_speakers: lowest cosine similarity between parts of the clip's speech; one "
                "speaker: mostly over 0.6", title="Voice of its parts",
            ),
        ),
        only=_several_known,
        made=composite_rules.several_speakers,
    ),
    Rule(
        "wrong_language",
        (
            Bound(
                "other_probability", "below", "filter.wrong_language.other", "not: another language at {} or more",
                0.86, "at or above, another language is strong; foreign speech: 0.88-1", "share",
            ),
            Bound(
                "language_probability", "at least", "filter.wrong_language.declared", "with the declared one below {}",
                0.05, "probability of the declared language below which it is weak", "share",
            ),
            Bound(
                "speech_seconds", "at least", "filter.wrong_language.min_speech", "over {} s of speech", 2.0,
                "seconds of speech below which language id is not trusted", "seconds",
            ),
        ),
        only=lambda recipe: (
            (pl.lit(recipe.models.language is not False), "no model tells languages apart"), *MEASURED,
        ),
        about="A clip is in the wrong language when another is strong and the declared one weak, over enough speech.",
        made=composite_rules.wrong_language,
    ),
    Rule(
        "no_text", value=pl.col("text_from"), holds=pl.col("text_from").is_not_null(), only=READABLE, switch=True,
        words="there is a text", about="false keeps clips without text", overruled=False,
    ),
    Rule(
        "text_unreadable", value=pl.col("unreadable"),
        holds=pl.col("unreadable").is_null() & (pl.col("spoken").fill_null("") != ""), only=WITH_TEXT, switch=True,
        words="every character of the text can be read", overruled=pl.col("spoken") != "",
        about="false keeps clips whose text has unreadable characters",
    ),
    Rule(
        "text_mismatch",
        (
            Bound(
                "cer", "at most", "filter.text_mismatch.max_cer", "CER at most {}", 0.75,
                "character error rate against the recogniser; true texts reach 0.63 in a reverberant room, another "
                "clip's begins at 0.87", title="Character error rate",
            ),
            Bound(
                "unheard", "at most", "filter.text_mismatch.max_unheard", "at most {} of the text unheard", 0.2,
                "share of the text in words without any sound; true texts up to 0.08, of talks up to 0.22; half as "
                "many words again from 0.24 (docs/measures/text_against_audio.md)", title="Text without sound",
            ),
            Bound(
                "extra", "at most", "filter.text_mismatch.max_extra", "at most {} of what was heard beyond it", 0.2,
                "share of what was heard in words that the text has not; true texts up to 0.12, half of a text from "
                "0.31", title="Heard beyond the text",
            ),
            Bound(
                "aligned", "at least", "filter.text_mismatch.min_aligned", "aligned at least {}", 0.25,
                "mean probability of the transcript's words in the audio", title="Text found in the audio",
            ),
            Bound(
                "ctc_score", "at least", "filter.text_mismatch.min_ctc", "letters found at {} or more", False,
                "mean probability of the transcript's letters by the CTC aligner; off: each model has its own scale, "
                "see its histogram in the report", title="Letters found by the CTC aligner",
            ),
            Bound(
                "pace", "at least", "filter.text_mismatch.min_pace", "at least {} characters/s", 2.0,
                "characters per second of speech (2-30: khmer-tts-pipeline)", title="Characters per second",
            ),
            Bound(
                "pace", "at most", "filter.text_mismatch.max_pace", "at most {} characters/s", 30.0,
                "characters per second of speech (2-30: khmer-tts-pipeline)", title="Characters per second",
            ),
            Bound(
                "pace_z", "at most", "filter.text_mismatch.max_pace_z", "pace within {} deviations of the usual", 4.0,
                "without a recogniser: robust deviations from the usual pace of the speaker and of the source",
                title="Pace against the usual",
            ),
            Bound(
                "language_probability", "at least", "filter.text_mismatch.min_language",
                "sentences sound like the language at {} or more", False,
                "without a recogniser: least probability of the declared language on sentences; off: a read Khmer one "
                "has 0.97, true short ones 0.02-0.08, and backwards they have 0.00-0.09",
            ),
            Bound(
                "heard_agreement", "at least", "filter.heard_agreement",
                "two hearings agree at {} or more where it was heard", 0.9,
                "transcript = heard: least agreement of two hearings, else `text_mismatch`; texts with a fifth of "
                "their characters wrong agree at up to 0.89, good ones from 0.94",
                title="Agreement of two hearings",
            ),
            Bound(
                "heard_confidence", "at least", "filter.heard_confidence",
                "confidence at least {} where the text was heard", 0.6,
                "transcript = heard: least confidence, else `text_mismatch`", "share",
            ),
        ),
        only=(*WITH_TEXT, *MEASURED),
        about="A text does not belong to its audio. Each part can be switched off with false.",
        made=composite_rules.text_mismatch,
    ),
    Rule(
        "chopped",
        (
            Bound(
                "head_edge", "at most", "filter.chopped", "edges at most {} dB relative to the speech", -10.0,
                "highest level at an edge, in dB relative to the speech",
            ),
        ),
        value=pl.max_horizontal("head_edge", "tail_edge"),
        only=MEASURED,
    ),
    # decided once it is known which clips repeat which
    Rule(
        "duplicate",
        (
            Bound(
                "duplicate_of", "at most", "filter.duplicate", "no better copy that is alike by {}", 0.4,
                "least similarity of two fingerprints that makes a duplicate, from 0.3 up",
            ),
        ),
        value=pl.col("duplicate_of"),
        holds=pl.col("duplicate_of").is_null(),
        only=MEASURED,
        overruled=False,
    ),
    # by `balance`, over the clips that no rule dropped
    Rule(
        "capped",
        (
            Bound("seconds", "at most", "balance.max_speaker_hours", "at most {} h by one speaker"),
            Bound("seconds", "at most", "balance.max_source_hours", "at most {} h from one source"),
            Bound("seconds", "at most", "balance.max_session_hours", "at most {} h of one session"),
            Bound("seconds", "at most", "balance.max_text_clips", "at most {} clips of one text"),
        ),
        later=True,
        overruled=False,
    ),
    Rule(
        "surplus",
        (
            Bound("seconds", "at most", "balance.hours.km", "at most {} h of Khmer"),
            Bound("seconds", "at most", "balance.hours.ko", "at most {} h of Korean"),
        ),
        later=True,
        overruled=False,
    ),
    # what shares something with a clip that was held out before, or that parts splits (`split.max_dropped`)
    Rule(
        "leak",
        (Bound("split", "at most", "split.apart", "shares no {} with a held-out clip"),),
        later=True,
        overruled=False,
    ),
)  # fmt: skip
ORDER = tuple(rule.name for rule in RULES)
REPEATS = "duplicate"


def checks(recipe: Any) -> list[Check]:
    """Every rule of a recipe that looks at clips one by one, in order, those switched off included."""
    return [rule.check(recipe) for rule in recipe.RULES if not rule.later and rule.name != REPEATS]


def duplicate(recipe: Any) -> Check:
    """The rule for when it is known which clips repeat which."""
    rule: Rule = next(rule for rule in recipe.RULES if rule.name == REPEATS)
    return rule.check(recipe)


def order(recipe: Any) -> tuple[str, ...]:
    """The names of a recipe's rules."""
    return tuple(rule.name for rule in recipe.RULES)


def asked_later(rule: Rule, recipe: Any) -> dict[str, Any]:
    """What `[split]` and `[balance]` ask of a rule that is decided over all clips at once."""
    if rule.name == "leak":
        return {"apart": " or ".join(recipe.split.apart)} if recipe.split.apart else {}
    if rule.name == "surplus":  # in the recipe's own order
        return dict(recipe.balance.hours.items())
    limits = {bound.name: bound.limit(recipe) for bound in rule.bounds}
    return {name: limit for name, limit in limits.items() if limit is not None}


def is_off(rule: Rule, recipe: Any) -> bool:
    """Whether a recipe switches a rule off, or does not ask for it."""
    return not asked_later(rule, recipe) if rule.later else rule.setting(recipe) is False
