"""Whoever asked to be taken out is counted in the report, and is nowhere in it to be read or heard."""

import base64
import gzip
import json
import re
from pathlib import Path

import polars as pl
import pytest

from curate import pipeline, report
from curate.recipe import Recipe
from curate.report import excerpts
from curate.steps.verdicts import SCHEMA
from tests.curate.report import corpora

COUNT, FIRST = 70, 30  # clips, and the first of those that are to be taken out
SECRETS = ("speaker", "person", "voice", "text", "spoken", "heard", "pronounced", "path", "licence", "unreadable")
COPIES = {3: 33, 33: 3, 7: 37, 37: 7, 8: 38, 38: 8}  # clips that stay, and clips that are taken out


def measured_with_secrets() -> pl.DataFrame:
    """Clips near every limit; all texts and names of those that are to be taken out say that they are secret."""
    clips = corpora.measured(COUNT, seed=4)
    gone = pl.int_range(pl.len()) >= FIRST
    secrets = [
        pl.when(gone & (pl.col(name).is_not_null() | pl.lit(name == "person")))
        .then(pl.format("secret{}{}.wav", pl.lit(name), "id"))
        .otherwise(name)
        .alias(name)
        for name in SECRETS
    ]
    ids = clips["id"].to_list()
    similar = [[{"id": ids[COPIES[i]], "similarity": 0.9}] if i in COPIES else [] for i in range(COUNT)]
    return clips.with_columns(*secrets, pl.Series("similar", similar, dtype=clips.schema["similar"]))


def takedown(clips: pl.DataFrame) -> pl.DataFrame:
    rows = [(id, "drop", "Takedown: by mail", "secretsigned") for id in clips["id"][FIRST:]]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def everything(page: Path) -> str:
    """All that the page and its numbers say, the packed rows among it."""
    html = page.read_text(encoding="utf-8")
    packed = re.search(r'id="packed">([^<]*)<', html)
    assert packed is not None
    rows = gzip.decompress(base64.b64decode(packed[1])).decode("utf-8", "surrogatepass")
    return html + rows + (page.parent / "report.json").read_text(encoding="utf-8")


def keys(clips: pl.DataFrame) -> set[str]:
    return {excerpts._key(row) for row in clips.iter_rows(named=True)}


@pytest.mark.parametrize("beside", [False, True])
def test_what_was_taken_down_is_counted_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, beside: bool
) -> None:
    if beside:
        monkeypatch.setattr(excerpts, "EMBEDDED", 1000)
    wanted, measured = corpora.recipe(tmp_path), measured_with_secrets()
    page = corpora.write(tmp_path, measured, wanted, sounds=True)
    ids = measured["id"][FIRST:].to_list()
    assert "secrettext" in everything(page)  # nobody asked yet
    cache = page.parent / report.EXCERPTS
    gone = keys(measured[FIRST:])
    assert gone & set(pl.read_parquet(cache)["key"])

    clips = pipeline.decide(wanted, measured, judged=takedown(measured))
    other = report.Other(pipeline.decide(wanted, measured), wanted)
    roots = {"studio": tmp_path / "source"}
    page = report.write(
        clips, wanted, tmp_path / "report", tmp_path / "clips", roots=roots, folder=tmp_path, other=other
    )
    said = everything(page)
    assert "secret" not in said
    assert [id for id in ids if id in said] == []
    assert measured["id"][3] in said
    kept_keys = set(pl.read_parquet(cache)["key"])
    assert kept_keys
    assert not gone & kept_keys
    sounds = {path.stem for path in (page.parent / report.SIDE).glob("*.mp3")}
    assert bool(sounds) == beside
    assert not sounds & set(ids)

    facts = json.loads((page.parent / "report.json").read_text(encoding="utf-8"))
    assert facts["corpus"]["clips"] == COUNT
    assert facts["verdicts"]["taken_down"]["clips"] == COUNT - FIRST
    rejected = next(row for row in facts["funnel"] if row["rule"] == "rejected")
    assert rejected["dropped"]["clips"] == COUNT - FIRST
    assert facts["against"]["clips"]["lost"]["clips"] > 0


def test_a_copy_of_what_was_taken_down_does_not_name_it(tmp_path: Path) -> None:
    wanted, measured = corpora.recipe(tmp_path), measured_with_secrets()
    clips = pipeline.decide(wanted, measured, judged=takedown(measured))
    repeats = clips.filter(pl.col("duplicate_of").is_not_null())
    assert set(repeats["duplicate_of"]) <= set(measured["id"][FIRST:])  # it is dropped with them
    assert repeats.height
    assert said_fates(clips, wanted, tmp_path).count("duplicate") >= 1


def said_fates(clips: pl.DataFrame, wanted: Recipe, folder: Path) -> list[str]:
    html = report.write(clips, wanted, folder / "report", folder / "clips").read_text(encoding="utf-8")
    packed = re.search(r'id="packed">([^<]*)<', html)
    assert packed is not None
    rows = json.loads(gzip.decompress(base64.b64decode(packed[1])))
    assert rows["count"] == FIRST
    assert max(rows["alike"]["clips"]) >= FIRST  # those taken out still decide, as numbers
    return [rows["few"]["drop"]["values"][at] for at in rows["few"]["drop"]["at"] if at >= 0]
