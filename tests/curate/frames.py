"""Frames for the tests of steps: good clips, each different, with what a test wants changed."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from curate import manifest

GOOD: dict[str, Any] = {
    "source": "studio", "rate": 16000, "channels": 1, "frames": 80000, "cut_start": 0, "cut_end": 80000,
    "seconds": 5.0, "language": "ko", "text": "말", "text_from": "given", "licence": "own", "spoken": "말",
    "speech": [{"start": 0, "end": 64000}], "speech_seconds": 4.0, "music": 0.0, "noise": 0.0, "voices": 1,
    "second_voice": 0.0, "other_voice": 0.0, "overlap": 0.0, "voice_similarity": 0.8, "loudness": -20.0, "peak": 0.5,
    "clipped": 0.0, "noise_floor": -60.0, "snr": 40.0, "bandwidth": 8000.0, "pitch": 120.0, "head_edge": -40.0,
    "tail_edge": -40.0, "dropout": 0.0, "dnsmos": 3.5, "distillmos": 4.0,
    "language_probability": 0.99, "other_language": "ja", "other_probability": 0.01, "heard": "말",
    "heard_confidence": 0.9, "heard_spoken": "말", "cer": 0.0, "aligned": 0.9, "pace": 6.0,
    "unheard": 0.0, "extra": 0.0, "wrong_words": 0, "heard_agreement": 1.0, "words": "말", "pronounced": "말",
}  # fmt: skip


def clips(rows: Sequence[Mapping[str, Any]] = ({},)) -> pl.DataFrame:
    """One good Korean clip per row, each with an id, a file and a content of its own, changed as the row says."""
    made = [
        {**GOOD, "id": f"{i:016x}", "path": f"{i}.wav", "sha256": f"{i:064x}", **_person(row), **row}
        for i, row in enumerate(rows)
    ]
    schema = {c.name: c.dtype for c in manifest.COLUMNS.values()}
    own = {name: pl.String for row in made for name in row if name not in schema}
    return pl.DataFrame(made, schema={**schema, **own}, orient="row").with_columns(
        pl.col("broke").fill_null(pl.lit([], dtype=pl.List(pl.String)))
    )


def _person(row: Mapping[str, Any]) -> dict[str, Any]:
    """Who speaks, as it is with nothing heard: the name in its source, or the voice."""
    speaker, voice = row.get("speaker"), row.get("voice")
    return {"person": voice if speaker in (None, voice) else f"{row.get('source', GOOD['source'])} {speaker}"}
