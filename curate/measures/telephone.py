"""Speaker embeddings as vectors, those of telephone speech moved to where they would be in full bandwidth.

A telephone moves the embedding of whoever speaks the same way: by a vector of 0.3 to 0.4, in which the telephones that
were tried are alike. Taken off, one person on the telephone and in the studio is nearer to one voice, and two people on
the telephone no nearer to each other than they were (docs/measures/voices.md).
"""

import functools
from pathlib import Path

import numpy as np
import polars as pl

from curate.measures import linkage
from curate.measures.linkage import Vectors

NARROW = 5000.0  # Hz: a clip whose bandwidth is below is telephone speech
SHIFT = "telephone.txt"  # what a telephone adds to an embedding of CAM++


def unit_embeddings(clips: pl.DataFrame) -> Vectors:
    """Embeddings (n, d) of length 1, from the columns `embedding` and `bandwidth`; zeros where there is none."""
    there = clips["embedding"].is_not_null().to_numpy()
    if not there.any():
        return np.zeros((clips.height, 1), np.float32)
    values = np.array(clips["embedding"].drop_nulls().to_list(), dtype=np.float32)
    vectors = np.zeros((clips.height, values.shape[1]), np.float32)
    vectors[there] = linkage.unit(values)
    if values.shape[1] == len(shift()):
        narrow = there & (clips["bandwidth"] < NARROW).fill_null(False).to_numpy()
        vectors[narrow] = linkage.unit(vectors[narrow] - shift())
    return vectors


@functools.cache
def shift() -> Vectors:
    """The vector (192,) that a telephone adds."""
    return np.loadtxt(Path(__file__).with_name(SHIFT), dtype=np.float32)
