"""Who speaks, across files: embeddings grouped into voices, for sources that do not say."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

VERSION = 1  # raise it when an answer changes: it enters the fingerprint
# Same speaker 0.65-0.96, different at most 0.54 with CAM++ on two seconds of speech and more (measured on real clips).
SAME_VOICE = 0.6
SURE_SECONDS = 2.0  # speech below which an embedding may join a voice but not found one

Vectors = NDArray[np.float32]


def find(clips: pl.DataFrame) -> pl.DataFrame:
    """Group clips by voice: columns id, voice (`voice-001`... in order of appearance; null where nobody is alike)."""
    heard = clips.filter(pl.col("embedding").is_not_null())
    if heard.is_empty():
        return pl.DataFrame(schema={"id": pl.String, "voice": pl.String})
    vectors = np.array(heard["embedding"].to_list(), dtype=np.float32)
    sure = (heard["speech_seconds"] >= SURE_SECONDS).to_numpy()
    centres = _merged(_founded(vectors[sure]))
    numbers = _nearest(vectors, centres)
    order = {int(n): i for i, n in enumerate(dict.fromkeys(n for n in numbers.tolist() if n >= 0), 1)}
    names = [f"voice-{order[n]:03d}" if n >= 0 else None for n in numbers.tolist()]
    return pl.DataFrame({"id": heard["id"], "voice": pl.Series(names, dtype=pl.String)})


def _founded(vectors: Vectors) -> list[Vectors]:
    """Sums of embeddings per voice: each clip joins the nearest voice that is near enough, else founds one."""
    sums = np.zeros((0, vectors.shape[1] if vectors.size else 0), dtype=np.float32)
    for vector in vectors:
        alike = _unit(sums) @ vector if len(sums) else np.zeros(0, dtype=np.float32)
        best = int(alike.argmax()) if len(alike) else -1
        if best >= 0 and alike[best] >= SAME_VOICE:
            sums[best] += vector
        else:
            sums = np.vstack([sums, vector[None]])
    return list(sums)


def _merged(sums: list[Vectors]) -> Vectors:
    """Voices whose centres have come to lie together are one."""
    while len(sums) > 1:
        centres = _unit(np.array(sums))
        alike = centres @ centres.T - 2 * np.eye(len(sums), dtype=np.float32)
        first, second = sorted(divmod(int(alike.argmax()), len(sums)))
        if alike[first, second] < SAME_VOICE:
            break
        sums[first] = sums[first] + sums.pop(second)
    return _unit(np.array(sums, dtype=np.float32)) if sums else np.zeros((0, 0), dtype=np.float32)


def _nearest(vectors: Vectors, centres: Vectors) -> NDArray[np.int64]:
    if not len(centres):
        return np.full(len(vectors), -1)
    alike = vectors @ centres.T
    return np.where(alike.max(axis=1) >= SAME_VOICE, alike.argmax(axis=1), -1)


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
