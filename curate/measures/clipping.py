"""The share of a clip's samples that were clipped, found also where clipped speech was turned down or coded since.

A change here changes answers: raise `signal.VERSION`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.audio import LISTENING_RATE
from curate.measures import straight_tops
from curate.measures.decimation import LISTENING, decimated
from curate.measures.half_waves import LOBE, LOUDEST_LOBES, half_waves, high_peak
from curate.measures.runs import index_runs
from curate.measures.spectra import Floats, Samples, quantiles

CEILING, PILED = 0.01, 3  # see `_flat_runs`: a sine has 2.4 times as much in its top 1 % as in the next
# Where every half-wave is as long as the others, a wave may have flat tops by nature, or its samples the same places in
# each period: only what was cut off leaves so little beside the top.
BUZZ_PILED, ONE_LENGTH, ENOUGH_LOBES = 10, 1.4, 4
FLAT_RUN = 3  # samples: two equal neighbours happen at any peak
# A fast limiter (0.5 to 5 ms, 6 to 18 dB driven) clips the little that it was too late for: up to 2.3 % of the samples,
# nine in ten of its runs in under 0.5 ms, and a wave that goes on as it did beside them would rise by less than 0.4 of
# the ceiling. Of speech clipped by 6 dB and more a tenth of the waves would rise by 0.4 to 1.
LIMITED_SHARE, LIMITED_RUN, LIMITED_RISE = 0.025, 0.00052, 0.4  # share; seconds; of the ceiling
# One without any attack holds waves at the ceiling while they rise and lets them fall as they would, only softer.
# However much it holds, they would rise by less than HELD_RISE; or by less than LIMITED_RISE, and fall by less than
# HELD_FALL of how they rose.
HELD_RISE, HELD_FALL = 0.31, 0.66
HELD_STRAIGHT = 1.25  # times as much as is flat: more than that is straight for another reason


def share(unit: Samples, rate: int, step: float, narrow: Samples | None = None) -> float:
    """The share of clipped samples, 0..1, of a clip whose peak is 1; `step` is that of 16 bits at this scale.

    `narrow`: a clip of more than 16 kHz at that rate, where somebody has made it already.
    """
    if rate > LISTENING_RATE and narrow is None:
        narrow = decimated(unit, rate, LISTENING)
    sound = unit if rate <= LISTENING_RATE or narrow is None else narrow
    flat = _flat_runs(unit, step)
    straight = straight_tops.share(sound, min(rate, LISTENING_RATE))
    if flat.held() and straight < HELD_STRAIGHT * flat.share:
        return 0.0
    found = max(0.0 if flat.limited(rate) else flat.share, straight)
    if found > 0 and _one_shape(sound):
        flat = _flat_runs(unit, step, BUZZ_PILED)
        return 0.0 if flat.limited(rate) else flat.share
    return found


def _one_shape(sound: Samples) -> bool:
    """Whether the loudest half-waves are all as long, as those of a tone, a buzz or a synthesised vowel are.

    Such a sound may have straight tops by nature; a wave whose samples lie at the same places of each period piles up.
    In clipped speech one in ten of the loudest half-waves of a side is 1.5 times as long as nine in ten, and more.
    """
    sound = sound - sound.mean()
    _, lengths, tops = half_waves(sound, np.abs(sound))
    if not tops.max() > 0:
        return False
    loudest = (tops >= LOUDEST_LOBES * high_peak(tops)) & (lengths >= LOBE)
    sides = [lengths[side::2][loudest[side::2]] for side in (0, 1)]  # above and below by turns
    spread = [np.divide(*quantiles(side, (0.9, 0.1))) for side in sides if len(side) >= ENOUGH_LOBES]
    return max(spread, default=ONE_LENGTH) < ONE_LENGTH


class _FlatRuns(NamedTuple):
    """Flat runs at a clip's highest or lowest value.

    Their share of all samples, their lengths in samples, and how steeply waves rise to them and fall from them, in
    ceilings a sample.
    """

    share: float
    lengths: NDArray[np.int64]
    ups: Floats
    downs: Floats

    def rise(self) -> float:
        """By how much of the ceiling nine in ten waves would have risen over it at most.

        A parabola through a run's ends with the slopes beside it rises by a quarter of slope times length. The slope is
        the geometric mean of both sides': behind a limiter that lets go slowly the wave falls away at once or hardly at
        all.
        """
        return float(quantiles(np.sqrt(self.ups * self.downs) * (self.lengths + 1) / 4, (0.9,))[0])

    def limited(self, rate: int) -> bool:
        """Whether these are few and short runs of waves that would not have risen much further."""
        few = self.share < LIMITED_SHARE and len(self.lengths) > 0
        return few and quantiles(self.lengths, (0.9,))[0] < LIMITED_RUN * rate and self.rise() < LIMITED_RISE

    def held(self) -> bool:
        """Whether waves were held while they rose, and fell as they would have."""
        if not len(self.lengths):
            return False
        rise = self.rise()
        return rise < HELD_RISE or (rise < LIMITED_RISE and self.downs.sum() < HELD_FALL * self.ups.sum())


def _flat_runs(unit: Samples, step: float, piled: float = PILED) -> _FlatRuns:
    """Flat runs at the clip's own highest or lowest value, wherever that lies.

    Flat: at least three neighbours within 1 % of the ceiling (room for dither), or one 16-bit `step`. Counted where
    that 1 % holds over `piled` times as many samples as the next: clipping piles up, speech and tones thin out.
    """
    near = max(CEILING, 1.01 * step)
    sides = []
    if len(unit) and (highest := float(unit.max())) > 0:
        sides.append(_flat(unit, highest, np.flatnonzero(unit >= (1 - 2 * near) * highest), near, piled))
    if len(unit) and (lowest := float(unit.min())) < 0:
        sides.append(_flat(unit, lowest, np.flatnonzero(unit <= (1 - 2 * near) * lowest), near, piled))
    lengths = np.concatenate([np.zeros(0, np.int64), *(side[0] for side in sides)])
    ups, downs = (np.concatenate([np.zeros(0), *(side[number] for side in sides)]) for number in (1, 2))
    return _FlatRuns(float(lengths.sum() / len(unit)) if len(unit) else 0.0, lengths, ups, downs)


def _flat(
    unit: Samples, ceiling: float, high: NDArray[np.int64], near: float, piled: float
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """The lengths of flat runs at a ceiling, and how steeply the wave rises to each and falls from it.

    `high`: where samples lie within twice `near`, a share, of it. None where too little lies within `near` beside what
    does not.
    """
    top = high[np.abs(unit[high]) >= abs((1 - near) * ceiling)]
    if len(top) < FLAT_RUN or len(top) <= piled * (len(high) - len(top)):
        return np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
    starts, lengths = index_runs(top)
    starts, lengths = starts[lengths >= FLAT_RUN], lengths[lengths >= FLAT_RUN]
    first, last = np.maximum(starts - 1, 1), np.minimum(starts + lengths, len(unit) - 2)
    up, down = unit[first] - unit[first - 1], unit[last] - unit[last + 1]
    return lengths, *(np.maximum(slope / ceiling, 0).astype(np.float64) for slope in (up, down))
