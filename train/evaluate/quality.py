"""Predicted quality: what two networks think that listeners would say. Out of domain here, and never a reason to ship.

DNSMOS learned from English in noise, DistillMOS from European and other languages without Khmer or Korean; no rank is
to be selected by either. They find crackle and noise, not a foreign accent or a wrong word.
"""

from collections.abc import Callable

import numpy as np

from curate.measures.agreement import levelled
from curate.models.distillmos import DistillMos
from curate.models.dnsmos import Dnsmos
from curate.models.silero import Samples

OUT_OF_DOMAIN = ("km", "ko")
LEVEL = -26.0  # dBFS of active speech that DNSMOS is given: a gain of 12 dB alone moves it by 0.3
WINDOW = 20 * 16_000  # samples that DistillMOS is given at once: its memory grows with the length (7 GB at 110 s)


def extractor() -> tuple[Callable[[Samples], dict[str, float | None]], str]:
    """What rates a 16 kHz sound, {"dnsmos", "distillmos"}, each None under 1 s and for silence; and its fingerprint."""
    dnsmos, distillmos = Dnsmos(), DistillMos()

    def rate(sound: Samples) -> dict[str, float | None]:
        pieces = [sound[at : at + WINDOW] for at in range(0, max(len(sound), 1), WINDOW)]
        rated = [(mos, len(piece)) for piece in pieces if (mos := distillmos.rate([piece])[0]) is not None]
        quality = dnsmos.rate([levelled(sound, LEVEL)])[0]
        return {
            "dnsmos": None if quality is None else round(quality.overall, 4),
            "distillmos": round(_weighted(rated), 4) if rated else None,
        }

    return rate, f"{dnsmos.fingerprint} {distillmos.fingerprint} {LEVEL} {WINDOW}"


def _weighted(rated: list[tuple[float, int]]) -> float:
    return float(np.average([value for value, _ in rated], weights=[length for _, length in rated]))
