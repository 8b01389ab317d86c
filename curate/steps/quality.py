"""One number for how good a clip is, of what was measured of it: it decides between clips that no rule dropped."""

import polars as pl

# Each measure on a scale of its own, from what the rules ask to what good recordings reach; missing ones do not count.
SCALES = {
    "snr": (15.0, 45.0),  # dB: the rule's default; a studio
    "bandwidth": (4000.0, 12000.0),  # Hz: a telephone; where a wider band is hardly heard
    "dnsmos": (1.0, 4.0),
    "distillmos": (1.0, 5.0),
    "cer": (0.5, 0.0),
    "aligned": (0.25, 1.0),
    "heard_agreement": (0.8, 1.0),
    "overlap": (0.1, 0.0),
}


def quality() -> pl.Expr:
    """From 0 to 1: the mean of the measures that there are; 0.5 where there is none."""
    scaled = [((pl.col(name) - low) / (high - low)).clip(0.0, 1.0) for name, (low, high) in SCALES.items()]
    return pl.mean_horizontal(*scaled).fill_null(0.5).fill_nan(0.5)
