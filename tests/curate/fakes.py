"""Fast stand-ins for the listening models: each answers from the sound itself, and writes down that it was asked."""

import functools
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import binary_closing

from curate.measures import extractors
from curate.measures.catalogue import Measures
from curate.measures.definition import Answer, Clip, ClipExtractor, Measure, RecordingExtractor, TextExtractor, Waveform

FRAME = 320  # 20 ms at 16 kHz
BRIDGED = 10  # frames of silence inside speech, as between syllables


class Loud:
    """Calls speech what is louder than -40 dBFS."""

    def __init__(self, log: Path) -> None:
        self._log, self._parts = log, list[Waveform]()

    def feed(self, samples: Waveform) -> None:
        self._parts.append(samples)

    def finish(self) -> Answer:
        note(self._log, "speech")
        sound = np.concatenate([np.zeros(0, np.float32), *self._parts])
        frames = sound[: sound.size // FRAME * FRAME].reshape(-1, FRAME)
        loud = binary_closing(np.pad(np.sqrt((frames**2).mean(axis=1)) > 0.01, BRIDGED), np.ones(BRIDGED))
        edges = (np.flatnonzero(np.diff(loud.astype(int))) + 1 - BRIDGED) * FRAME
        return {"file_speech": [{"start": int(a), "end": int(b)} for a, b in edges.reshape(-1, 2)]}


def note(log: Path, what: str) -> None:
    """One line per question asked; appending is atomic for so few bytes, also from several processes."""
    with log.open("a") as file:
        file.write(what + "\n")


def asked(log: Path) -> list[str]:
    """Every question asked so far."""
    return log.read_text().splitlines() if log.exists() else []


def speech(log: Path) -> RecordingExtractor:
    return lambda: Loud(log)


def signal(log: Path, pause: float) -> ClipExtractor:
    real = extractors.signal_extractor()

    def extract(clips: Sequence[Clip]) -> list[Answer]:
        for _ in clips:
            note(log, "signal")
            time.sleep(pause)
        return real(clips)

    return extract


def fails_below(log: Path, peak: float) -> ClipExtractor:
    """A model that breaks on quiet clips."""

    def extract(clips: Sequence[Clip]) -> list[Answer]:
        for clip in clips:
            if np.abs(clip.sound.samples).max() < peak:
                raise FloatingPointError("too quiet for me")
        return [{"dnsmos": 4.0} for _ in clips]

    return extract


def spoken(log: Path) -> TextExtractor:
    def extract(rows: Sequence[Mapping[str, Any]]) -> list[Answer]:
        note(log, "spoken")
        if any("BREAK" in row["written"] for row in rows):
            raise ValueError("cannot say this")
        return [{"spoken": row["written"].strip(), "unreadable": None, "text_rules": []} for row in rows]

    return extract


def measures(log: Path, *, version: str = "1", pause: float = 0.0, quality: bool = False) -> Measures:
    """What `curate.measures.of` gives, with fakes; `version` stands for another model."""
    broken = Measure("dnsmos", "clip", ("dnsmos",), version, functools.partial(fails_below, log, 0.2))
    return Measures(
        recordings=(Measure("speech", "recording", ("file_speech",), version, functools.partial(speech, log)),),
        texts=(
            Measure(
                "spoken", "text", ("spoken", "unreadable", "text_rules"), version, functools.partial(spoken, log),
                inputs=("written",), needs=("written",),
            ),
        ),
        clips=(
            Measure(
                "signal", "clip",
                ("loudness", "peak", "clipped", "noise_floor", "snr", "bandwidth", "pitch", "head_edge", "tail_edge"),
                version, functools.partial(signal, log, pause), inputs=("speech",),
            ),
            Measure("fingerprint", "clip", ("fingerprint",), version, extractors.fingerprint_extractor),
            *([broken] if quality else []),
        ),
        heard_texts=(),
        corpus=(
            Measure(
                "duplicates", "corpus", ("similar",), version, extractors.duplicates_extractor,
                inputs=("fingerprint",),
            ),
        ),
    )  # fmt: skip
