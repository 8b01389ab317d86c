"""Speaker embeddings as vectors, those of telephone speech moved to where they would be in full bandwidth.

A telephone moves the embedding of whoever speaks the same way: by a vector of 0.3 to 0.4, in which the telephones that
were tried are alike. Taken off, one person on the telephone and in the studio is nearer to one voice, and two people on
the telephone no nearer to each other than they were (docs/measures/voices.md).

Embeddings of clips are signed. Voices are told apart by all of it; persons by its positive part, on which the bounds of
`curate.steps.speakers` and `person_candidates` were measured.
"""

import functools
from pathlib import Path

import numpy as np
import polars as pl

from curate.measures import linkage
from curate.measures.linkage import Vectors

NARROW = 5000.0  # Hz: a clip whose bandwidth is below is telephone speech
DIMENSIONS = 192  # of CAM++: embeddings of another size stay as they are
SHIFT = "telephone.txt"  # what a telephone adds to an embedding of CAM++, to its positive part,
SIGNED_SHIFT = "telephone_signed.txt"  # and to all of it


def unit_embeddings(clips: pl.DataFrame) -> Vectors:
    """Positive parts (n, d) of embeddings, of length 1, from the columns `embedding` and `bandwidth`.

    Zeros where there is none.
    """
    return _moved(clips, shift(), rectify=True)


def signed_embeddings(clips: pl.DataFrame) -> Vectors:
    """Embeddings (n, d) with their negative part, of length 1; else as `unit_embeddings`."""
    return _moved(clips, signed_shift(), rectify=False)


def _moved(clips: pl.DataFrame, added: Vectors, *, rectify: bool) -> Vectors:
    there = clips["embedding"].is_not_null().to_numpy()
    if not there.any():
        return np.zeros((clips.height, 1), np.float32)
    values = np.array(clips["embedding"].drop_nulls().to_list(), dtype=np.float32)
    vectors = np.zeros((clips.height, values.shape[1]), np.float32)
    is_campplus = values.shape[1] == DIMENSIONS
    vectors[there] = linkage.unit(np.maximum(values, 0) if rectify and is_campplus else values)
    if is_campplus:
        narrow = there & (clips["bandwidth"] < NARROW).fill_null(False).to_numpy()
        vectors[narrow] = linkage.unit(vectors[narrow] - added)
    return vectors


@functools.cache
def shift() -> Vectors:
    """The vector (192,) that a telephone adds to the positive part of an embedding."""
    return np.loadtxt(Path(__file__).with_name(SHIFT), dtype=np.float32)


@functools.cache
def signed_shift() -> Vectors:
    """The vector (192,) that a telephone adds to an embedding."""
    return np.loadtxt(Path(__file__).with_name(SIGNED_SHIFT), dtype=np.float32)
