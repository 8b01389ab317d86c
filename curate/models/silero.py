"""Where speech is: Silero VAD as its package carries it (MIT), without torch (`silero_network`).

`clean`, `Blocks` and `Spans` serve the other listeners too: a long recording is read forwards once, and what a listener
holds does not grow with its length, its answer aside.
"""

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.channels import finite
from curate.models import bundled, pauses
from curate.models.silero_network import FRAME, Network

ADAPTER = 4  # raise it when an answer changes for the same model: it enters the fingerprint
RATE = 16_000
FRAMES_PER_CALL = 512  # about 16 s; fixed, because rounding depends on it
WEIGHTS = "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85"

# The defaults of silero_vad.get_speech_timestamps (6.2.3), in samples.
HYSTERESIS = 0.15
SHORTEST_SPEECH = 4_000
SHORTEST_SILENCE = 1_600
PADDING = 480
# Ours: what is shorter is kept, too, where it lasts for more than this and the model is so sure: an isolated word.
SHORTEST_CLEAR, CLEAR = 1_536, 0.9

Samples = NDArray[np.float32]
Span = tuple[int, int]


class Silero:
    """Finds speech in 16 kHz mono; a frame is speech from `threshold` on, until it falls 0.15 below."""

    def __init__(self, *, threshold: float = 0.5) -> None:
        self._threshold = threshold

    @functools.cached_property
    def fingerprint(self) -> str:
        """What decides the answers: weights, settings and this adapter's version."""
        ours = f"silero-{ADAPTER} pauses-{pauses.VERSION}"
        return f"{ours} {WEIGHTS} threshold-{self._threshold:g}"

    def listen(self) -> "SpeechListener":
        """A listener for one recording."""
        return SpeechListener(self._network, self._threshold)

    @functools.cached_property
    def _network(self) -> Network:
        return Network(bundled.packaged("silero_vad", "data/silero_vad_16k_sequence.onnx", WEIGHTS))


class SpeechListener:
    """Hears one recording from its beginning to its end; how it is cut into feeds does not matter."""

    def __init__(self, network: Network, threshold: float) -> None:
        self._network = network
        self._found: list[Span] = []
        self._memory = network.forget()
        self._blocks = Blocks(FRAME * FRAMES_PER_CALL)
        self._length = 0
        # 620 bytes a second, 2 MB an hour: where pauses are is only known once it is known where speech ends
        self._levels: list[Samples] = []
        self._probabilities: list[Samples] = []
        leave = max(threshold - HYSTERESIS, 0.01)
        clear = SHORTEST_CLEAR, CLEAR
        self._speech = Spans(FRAME, threshold, leave, silence=SHORTEST_SILENCE, shortest=SHORTEST_SPEECH, clear=clear)

    def feed(self, samples: Samples) -> None:
        """The next samples, none or as many as there are."""
        self._length += len(samples)
        for block in self._blocks.feed(samples):
            self._hear(block)

    def pauses(self) -> list[Span]:
        """Short pauses inside the speech, after `finish`."""
        if not self._levels:
            return []
        level, heard = np.concatenate(self._levels), np.concatenate(self._probabilities)
        return pauses.find(level, np.repeat(heard, FRAME // pauses.FRAME), self._found, RATE)

    def dips(self) -> list[Span]:
        """Moments inside the speech that are as quiet as a pause, after `finish`."""
        return pauses.dips(np.concatenate(self._levels), self._found, RATE) if self._levels else []

    def sounds(self) -> list[Span]:
        """Sounds beside the speech that are as loud, after `finish`."""
        return pauses.sounds(np.concatenate(self._levels), self._found, RATE) if self._levels else []

    def finish(self) -> list[Span]:
        """Every stretch of speech, half-open, in samples, in order; [] for silence and for nothing."""
        rest = self._blocks.rest()
        if len(rest):
            self._hear(np.concatenate([rest, np.zeros(-len(rest) % FRAME, np.float32)]))
        self._found = _padded(self._speech.finish(self._length), self._length)
        return self._found

    def _hear(self, samples: Samples) -> None:
        probabilities, self._memory = self._network.probabilities(samples, self._memory)
        self._speech.add(probabilities)
        self._levels.append(pauses.levels(samples))
        self._probabilities.append(probabilities)


def _padded(spans: list[Span], length: int) -> list[Span]:
    """Spans widened on both sides; a silence too short for that is shared by its neighbours."""
    starts, ends = [start for start, _ in spans], [end for _, end in spans]
    if not spans:
        return []
    starts[0], ends[-1] = max(0, starts[0] - PADDING), min(length, ends[-1] + PADDING)
    for i in range(1, len(spans)):
        share = min(PADDING, (spans[i][0] - spans[i - 1][1]) // 2)
        ends[i - 1] += share
        starts[i] -= share
    return list(zip(starts, ends, strict=True))


class Spans:
    """Turns one probability per frame into spans, frame by frame, as Silero's authors do.

    A span begins with the first frame of at least `enter` and ends with the first below `leave` unless `enter` is
    reached again before `silence` samples have passed. Spans not longer than `shortest` samples are left out, but those
    longer than the first of `clear` in which some frame reaches the second.
    """

    def __init__(
        self,
        frame: int,
        enter: float,
        leave: float,
        *,
        silence: int,
        shortest: int,
        clear: tuple[int, float] = (0, math.inf),
    ) -> None:
        self._frame, self._enter, self._leave = frame, enter, leave
        self._silence, self._shortest, self._clear = silence, shortest, clear
        self._surest = 0.0
        self._at = 0
        self._start: int | None = None
        self._pause: int | None = None
        self._found: list[Span] = []

    def add(self, probabilities: NDArray[Any]) -> None:
        """The probabilities of the next frames."""
        start, pause, surest = self._start, self._pause, self._surest
        for at, probability in enumerate(probabilities.tolist()):
            if probability >= self._enter:
                pause = None
                if start is None:
                    start, surest = self._at + at * self._frame, probability
                surest = max(surest, probability)
            elif start is not None and probability < self._leave:
                here = self._at + at * self._frame
                pause = here if pause is None else pause
                if here - pause >= self._silence:
                    self._keep(start, pause, surest)
                    start = pause = None
        self._start, self._pause, self._surest = start, pause, surest
        self._at += len(probabilities) * self._frame

    def finish(self, length: int) -> list[Span]:
        """All spans of a recording that was `length` samples long."""
        if self._start is not None:
            self._keep(self._start, length, self._surest)
        return self._found

    def _keep(self, start: int, end: int, surest: float) -> None:
        least, sure = self._clear
        if end - start > (least if surest >= sure else self._shortest):
            self._found.append((start, end))


class Blocks:
    """Regroups samples that come in pieces of any length into blocks that overlap by `ahead` samples.

    Each block is `size + ahead` long and the next begins `size` later, so an answer made of blocks cannot depend on how
    the samples came.
    """

    def __init__(self, size: int, ahead: int = 0) -> None:
        self._size = size
        self._buffer = np.empty(size + ahead, dtype=np.float32)
        self._filled = 0

    def feed(self, samples: Samples) -> Iterator[Samples]:
        """The blocks that these samples complete."""
        samples = finite(np.asarray(samples, dtype=np.float32))
        while len(samples):
            taken = samples[: len(self._buffer) - self._filled]
            np.clip(taken, -1.0, 1.0, out=self._buffer[self._filled : self._filled + len(taken)])
            self._filled += len(taken)
            samples = samples[len(taken) :]
            if self._filled == len(self._buffer):
                block, self._filled = self._buffer.copy(), self._filled - self._size
                self._buffer[: self._filled] = block[self._size :]
                yield block

    def rest(self) -> Samples:
        """What no block has had as its first `size` samples."""
        return self._buffer[: self._filled]


def clean(samples: Samples) -> Samples:
    """The samples with NaN and infinities made silence and peaks held within [-1, 1] (decoded MP3 goes over)."""
    return np.clip(finite(np.asarray(samples, dtype=np.float32)), -1.0, 1.0)
