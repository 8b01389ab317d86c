"""How far up a clip's speech reaches; mirror images, as bad resampling leaves them, are no content.

A change here changes answers: raise `signal.VERSION`.
"""

from __future__ import annotations

import math

import numpy as np

from curate.measures.spectra import ENOUGH_FRAMES, Floats, Frames

BAND = 125.0  # Hz: step of the bandwidth
DEPTH = 65.0  # dB under the strongest band: what is weaker is not heard beside it
HIDING = 52.0  # dB under the strongest band: steady noise louder than this may hide speech, at an SNR up to 20 dB
# Where nothing above a fold is louder than this (dB under the strongest band) and levels fall by so much at it, what
# is above is a coder's: AAC spills at 53-63 dB under speech that ends at 4 kHz, which falls by 30 dB there.
SPILLED, CLIFF, CLIFF_NEAR, CLIFF_FAR = -50.0, 25.0, 250.0, 750.0  # dB; dB; Hz beside the fold
# Images of what lies below a fold, where speech was brought up to a higher rate without a good filter (see `_images`).
FOLDS = (4000.0, 5512.5, 6000.0, 8000.0, 11_025.0, 12_000.0)  # Hz: half of the rates that speech is stored at
MIRRORED = 1.6  # dB: images differ by 0.0-1.1 (MP3 of images 0.2-1.1), speech above and below a fold by 2.1 and more
OWN, NEIGHBOUR = 0.7, 2  # of the deviation against the band that many further on, which images stay under
IMAGE_WIDTH, IMAGE_GAP = 1500.0, 125.0  # Hz beside the fold that is compared, and next to it that is not
IMAGE_LOUD, IMAGE_DEPTH = 25.0, 60.0  # dB under a band's loud moments, and under the loudest of all
IMAGE_FRAMES = 8  # fewer loud frames of a band say nothing
# Images that were coded since (see `_same_shape`): images have a likeness of 0.67 and more and a deviation of 0.54 and
# less, coded at 48 kb/s included; speech in full band, coded or in noise, 0.42 and less and 0.74 and more.
CODED_BAND, CODED_WIDTH, CODED_STEPS = 250.0, 3000.0, 6  # Hz, wide enough for a coder's bands; fewer bands say nothing
LIKENESS, CODED_OWN, CODED_LOUD = 0.6, 0.65, 30.0  # correlation; share; dB under the loudest frame
MODULATION = 10.0  # dB between loud and quiet moments: speech moves by 15-50, steady noise by 3-6 (32 ms, 125 Hz)


def highest(frames: Frames) -> float | None:
    """The highest frequency that moves with speech, or that speech may reach under noise, in Hz.

    A band counts if its loud moments (95 %) are within 65 dB of the strongest band and 10 dB over its quiet ones
    (10 %): steady noise and dither do not move. It also counts where its quiet moments are loud enough to hide speech:
    nothing shows then that it ends below. Three of the four bands up to it must count. Images do not.
    """
    used = frames.power[frames.speech] if frames.speech.sum() >= ENOUGH_FRAMES else frames.power
    wide = max(1, round(BAND / frames.step))
    count = used.shape[1] // wide
    if not count:
        return None
    bands = used[:, : count * wide].reshape(len(used), count, wide).sum(axis=2)
    low, high = 10 * np.log10(np.quantile(bands, [0.1, 0.95], axis=0) + 1e-20)
    strongest = high.max()
    good = (high - low >= MODULATION) & (high >= strongest - DEPTH) | (low >= strongest - HIDING)
    filled = np.flatnonzero(good & (np.convolve(good, np.ones(4))[:count] >= 3))
    if not len(filled):
        return None
    top = float(min((filled[-1] + 1) * wide, used.shape[1] - 1) * frames.step)
    folds = [fold for fold in FOLDS if fold + 2 * IMAGE_GAP < top]
    if not folds:
        return top
    total = np.pad(np.cumsum(used, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    loudness, step = high - strongest, wide * frames.step
    return next((fold for fold in folds if _ends(loudness, step, fold) or _images(total, frames.step, fold)), top)


def _ends(loudness: Floats, step: float, fold: float) -> bool:
    """Whether speech falls off a cliff at a fold, and only what a coder spilled is above.

    `loudness` is that of the loud moments of bands as wide as `step` Hz, in dB under the strongest.
    """
    place, near, far = (round(hertz / step) for hertz in (fold, CLIFF_NEAR, CLIFF_FAR))
    below, above = loudness[place - far : place - near], loudness[place + near :]
    if len(above) < far - near or above.max() > SPILLED:
        return False
    return bool(np.median(below) - np.median(above[: far - near]) >= CLIFF)


def _images(total: Floats, step: float, fold: float) -> bool:
    """Whether what lies above a fold is the mirror image of what lies below, as after bad resampling.

    Linear interpolation, repeated samples and stuffed zeros leave |X(fold + d)| = g(d) |X(fold - d)| in every frame,
    with a gain g that does not change: the level of a band above moves exactly as that of its mirror band. Speech does
    not. Compared is the median over bands of 125 Hz of the median deviation over the loud frames of each, in dB, with
    that against a band two further on: where all bands move together, as in a synthetic tone, nothing is an image.

    `total` is the power (frames, bins + 1) added up over the bins before each.
    """
    bands = _beside(total, step, fold, BAND, IMAGE_WIDTH, 3)
    if bands is None:
        return False
    mirrored = _moved(*bands)
    if mirrored < MIRRORED and mirrored < OWN * _moved(bands[0][:, :-NEIGHBOUR], bands[1][:, NEIGHBOUR:]):
        return True
    wider = _beside(total, step, fold, CODED_BAND, CODED_WIDTH, CODED_STEPS)
    return wider is not None and _same_shape(*wider)


def _beside(
    total: Floats, step: float, fold: float, band: float, width: float, least: int
) -> tuple[Floats, Floats] | None:
    """Levels (frames, bands) in dB above a fold, upwards, and below it, downwards; None with too few bands."""
    top = step * (total.shape[1] - 2)
    count = int((min(top - fold, fold - 300, width) - IMAGE_GAP) // band)
    if count < least:
        return None
    edges = IMAGE_GAP + band * np.arange(count + 1, dtype=np.float64)
    above, below = _between(total, step, fold + edges), _between(total, step, (fold - edges)[::-1])[:, ::-1]
    return 10 * np.log10(above + 1e-20), 10 * np.log10(below + 1e-20)


def _same_shape(high: Floats, low: Floats) -> bool:
    """Whether the spectrum above a fold changes as the mirrored one below it, in shape and not only in level.

    A coder replaces what is above by noise of the same power, band by band and frame by frame, so that levels of two
    narrow bands no longer move alike. What remains is the shape: each band's level over its own median, less the mean
    over all bands, is much the same on both sides. Speech has loud consonants above while vowels are loud below.
    """
    loud = (peaks := low.max(axis=1)) >= peaks.max() - CODED_LOUD
    shapes = [level - _medians(level) for level in (high, low)]
    above, below = ((shape - shape.mean(axis=1, keepdims=True))[loud] for shape in shapes)
    size = math.sqrt(float((above**2).sum() * (below**2).sum()))
    if float((above * below).sum()) <= LIKENESS * size:
        return False
    others = (_moved(high[:, :-NEIGHBOUR], low[:, NEIGHBOUR:]), _moved(high[:, NEIGHBOUR:], low[:, :-NEIGHBOUR]))
    return _moved(high, low) < CODED_OWN * min(others)


def _moved(high: Floats, low: Floats) -> float:
    """How much the level of a band moves against that of its partner: dB, infinite where no band is loud enough."""
    loud = (low >= np.quantile(low, 0.95, axis=0) - IMAGE_LOUD) & (low >= low.max() - IMAGE_DEPTH)
    apart = np.where(loud, high - low, np.nan)[:, loud.sum(axis=0) >= IMAGE_FRAMES]
    if not apart.shape[1]:
        return math.inf
    return float(np.median(_medians(np.abs(apart - _medians(apart)))))


def _medians(values: Floats) -> Floats:
    """The median of each column, NaN left out; every column has a number. As np.nanmedian, in a fifth of its time."""
    ordered = np.sort(values, axis=0)  # NaN comes last
    count = np.count_nonzero(~np.isnan(values), axis=0)
    columns = np.arange(values.shape[1])
    medians: Floats = (ordered[(count - 1) // 2, columns] + ordered[count // 2, columns]) / 2
    return medians


def _between(total: Floats, step: float, edges: Floats) -> Floats:
    """Power (frames, len(edges) - 1) between frequencies in Hz that need not be those of bins."""
    bins = total.shape[1] - 1
    place = np.clip(edges / step + 0.5, 0, bins)  # bin k reaches from k - 0.5 to k + 0.5 steps
    whole = np.minimum(place.astype(np.int64), bins - 1)
    share = place - whole
    parts = np.diff(total[:, whole] * (1 - share) + total[:, whole + 1] * share, axis=1)
    return np.asarray(np.maximum(parts, 0.0))
