"""The share of a clip's samples that were clipped, found also where clipped speech was turned down or coded since.

A change here changes answers: raise `signal.VERSION`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from curate.audio import LISTENING_RATE
from curate.measures import straight_tops
from curate.measures.decimation import LISTENING, decimated
from curate.measures.half_waves import LOBE, LOUDEST_LOBES, half_waves, high_peak
from curate.measures.runs import index_runs
from curate.measures.spectra import Floats, Samples, quantiles

CEILING, PILED = 0.01, 3  # see `_flat_share`: a sine has 2.4 times as much in its top 1 % as in the next
# Where every half-wave is as long as the others, a wave may have flat tops by nature, or its samples the same places in
# each period: only what was cut off leaves so little beside the top.
BUZZ_PILED, ONE_LENGTH, ENOUGH_LOBES = 10, 1.4, 4
FLAT_RUN = 3  # samples: two equal neighbours happen at any peak
# A fast limiter (0.5 to 5 ms, 6 to 18 dB driven) clips the little that it was too late for: up to 2.3 % of the samples,
# nine in ten of its runs in under 0.5 ms, and a wave that goes on as it did beside them would rise by less than 0.4 of
# the ceiling. Of speech clipped by 6 dB and more a tenth of the waves would rise by 0.4 to 1.
LIMITED_SHARE, LIMITED_RUN, LIMITED_RISE = 0.025, 0.00052, 0.4  # share; seconds; of the ceiling


def share(unit: Samples, rate: int, step: float, narrow: Samples | None = None) -> float:
    """The share of clipped samples, 0..1, of a clip whose peak is 1; `step` is that of 16 bits at this scale.

    `narrow`: a clip of more than 16 kHz at that rate, where somebody has made it already.
    """
    if rate > LISTENING_RATE and narrow is None:
        narrow = decimated(unit, rate, LISTENING)
    sound = unit if rate <= LISTENING_RATE or narrow is None else narrow
    found = max(_flat_share(unit, rate, step), straight_tops.share(sound, min(rate, LISTENING_RATE)))
    return _flat_share(unit, rate, step, BUZZ_PILED) if found > 0 and _one_shape(sound) else found


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


def _flat_share(unit: Samples, rate: int, step: float, piled: float = PILED) -> float:
    """The share of samples in flat runs at the clip's own highest or lowest value, wherever that lies.

    Flat: at least three neighbours within 1 % of the ceiling (room for dither), or one 16-bit `step`. Counted where
    that 1 % holds over `piled` times as many samples as the next: clipping piles up, speech and tones thin out. Few and
    short runs, of waves that would not have risen much further, are those of a limiter.
    """
    near = max(CEILING, 1.01 * step)
    sides = []
    if len(unit) and (highest := float(unit.max())) > 0:
        sides.append(_flat(unit, highest, np.flatnonzero(unit >= (1 - 2 * near) * highest), near, piled))
    if len(unit) and (lowest := float(unit.min())) < 0:
        sides.append(_flat(unit, lowest, np.flatnonzero(unit <= (1 - 2 * near) * lowest), near, piled))
    runs = np.concatenate([np.zeros(0, np.int64), *(lengths for lengths, _ in sides)])
    rises = np.concatenate([np.zeros(0), *(rises for _, rises in sides)])
    flat = float(runs.sum() / len(unit)) if len(unit) else 0.0
    limited = flat < LIMITED_SHARE and len(runs) and quantiles(runs, (0.9,))[0] < LIMITED_RUN * rate
    return 0.0 if limited and quantiles(rises, (0.9,))[0] < LIMITED_RISE else flat


def _flat(
    unit: Samples, ceiling: float, high: NDArray[np.int64], near: float, piled: float
) -> tuple[NDArray[np.int64], Floats]:
    """The lengths of flat runs at a ceiling, and by how much of it each wave would have risen over it.

    `high`: where samples lie within twice `near`, a share, of it. None where too little lies within `near` beside what
    does not. A parabola through a run's ends with the slopes beside it rises by a quarter of slope times length. The
    slope is the geometric mean of both sides': behind a limiter that lets go slowly the wave falls away at once or
    hardly at all.
    """
    top = high[np.abs(unit[high]) >= abs((1 - near) * ceiling)]
    if len(top) < FLAT_RUN or len(top) <= piled * (len(high) - len(top)):
        return np.zeros(0, np.int64), np.zeros(0)
    starts, lengths = index_runs(top)
    starts, lengths = starts[lengths >= FLAT_RUN], lengths[lengths >= FLAT_RUN]
    first, last = np.maximum(starts - 1, 1), np.minimum(starts + lengths, len(unit) - 2)
    up, down = unit[first] - unit[first - 1], unit[last] - unit[last + 1]
    rise = np.sqrt(np.maximum(up / ceiling, 0) * np.maximum(down / ceiling, 0)) * (lengths + 1) / 4
    return lengths, np.asarray(rise, dtype=np.float64)
