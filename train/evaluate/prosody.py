"""How it is spoken: rate, pauses and pitch, from the sound alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curate.measures import signal
from curate.models.silero import Samples, Silero

RATE = 16_000
Spans = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Heard:
    """A sound at 16 kHz with where speech is in it, in samples."""

    sound: Samples
    speech: Spans
    pauses: Spans  # inside the speech, 0.15 s and more


def listen(model: Silero, sound: Samples) -> Heard:
    """Where speech is in a 16 kHz sound."""
    listener = model.listen()
    listener.feed(sound)
    speech = listener.finish()
    return Heard(sound, speech, listener.pauses())


def measure(heard: Heard, phones: int) -> dict[str, float | None]:
    """How one sentence is spoken; what cannot be measured is None.

    seconds, speech_seconds; head and tail, those before the first and after the last speech; gap, the longest between;
    phones, as given; pauses, seconds of them over those from first to last speech; phones_per_second of speech without
    pauses; pitch, median F0 in Hz; pitch_range, semitones between its tenth and its ninetieth percentile.
    """
    seconds = len(heard.sound) / RATE
    spoken = sum(end - start for start, end in heard.speech) / RATE
    if not heard.speech:
        blank = dict.fromkeys(("head", "tail", "gap", "pauses", "phones_per_second", "pitch", "pitch_range"))
        return {"seconds": round(seconds, 3), "speech_seconds": 0.0, "phones": phones, **blank}
    head, tail = heard.speech[0][0] / RATE, seconds - heard.speech[-1][1] / RATE
    gaps = [(after[0] - before[1]) / RATE for before, after in zip(heard.speech[:-1], heard.speech[1:], strict=True)]
    paused = sum(end - start for start, end in heard.pauses) / RATE
    span = seconds - head - tail
    return {
        "seconds": round(seconds, 3),
        "speech_seconds": round(spoken, 3),
        "phones": phones,
        "head": round(head, 3),
        "tail": round(tail, 3),
        "gap": round(max(gaps, default=0.0), 3),
        "pauses": round((sum(gaps) + paused) / span, 4) if span > 0 else None,
        "phones_per_second": round(phones / (spoken - paused), 3) if phones and spoken > paused else None,
        **_pitch(heard),
    }


def _pitch(heard: Heard) -> dict[str, float | None]:
    peak = float(np.abs(heard.sound).max(initial=0.0))
    if peak < signal.SILENT:
        return {"pitch": None, "pitch_range": None}
    hertz = signal.pitches(heard.sound / np.float32(peak), RATE, heard.speech)
    if len(hertz) < 5:
        return {"pitch": None, "pitch_range": None}
    low, high = np.quantile(hertz, (0.1, 0.9))
    return {"pitch": round(float(np.median(hertz)), 2), "pitch_range": round(float(12 * np.log2(high / low)), 3)}
