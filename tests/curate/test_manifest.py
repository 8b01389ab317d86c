"""The manifest: declared columns, equal bytes for equal frames, files that are whole or not there."""

import hashlib
import json
from pathlib import Path

import polars as pl
import pytest

from curate import manifest
from curate.errors import UserError
from curate.steps import rule_catalogue, rules
from tests.curate.frames import clips


def test_an_id_is_the_first_16_hex_digits_of_its_place() -> None:
    place = ["slr42", "wavs/a ភ.wav", 0, 16000]
    expected = hashlib.sha256(json.dumps(place, ensure_ascii=False).encode()).hexdigest()[:16]
    assert manifest.clip_id("slr42", "wavs/a ភ.wav", 0, 16000) == expected
    different = [("s", "a", 1, 23), ("s", "a", 12, 3), ("s", "a", None, None), ("s", "a", 0, None), ("sa", "", 1, 23)]
    assert len({manifest.clip_id(*each) for each in different}) == 5


def test_repeats_are_numbered_in_order() -> None:
    assert manifest.number_repeats(["a", "b", "a", "a", "b"]) == ["a", "b", "a-2", "a-3", "b-2"]


def test_what_is_written_reads_back_but_for_what_is_not_stored(tmp_path: Path) -> None:
    frame = clips([{"mine": "extra", "embedding": [0.5]}, {"drop": "noisy", "broke": ["noisy", "chopped"]}])
    manifest.write(frame, tmp_path / "m.parquet")
    back = manifest.read(tmp_path / "m.parquet")
    stored = [column.name for column in manifest.COLUMNS.values() if column.stored]
    assert back.columns == [*stored, "mine"]
    assert back.equals(frame.select([*stored, "mine"]))
    assert "embedding" not in back.columns
    assert [path.name for path in tmp_path.iterdir()] == ["m.parquet"]


def test_floats_are_rounded_as_declared_and_minus_zero_is_zero(tmp_path: Path) -> None:
    noisy = clips([{"snr": 20.0049, "seconds": 1.00004, "pitch": -0.0001, "clipped": 0.123456}])
    manifest.write(noisy, tmp_path / "m.parquet")
    row = manifest.read(tmp_path / "m.parquet").row(0, named=True)
    assert (row["snr"], row["seconds"], str(row["pitch"]), row["clipped"]) == (20.0, 1.0, "0.0", 0.12346)


def test_equal_frames_are_equal_bytes(tmp_path: Path) -> None:
    frame = clips([{"snr": 20.1 + i * 1e-9} for i in range(100)])
    manifest.write(frame, tmp_path / "one.parquet")
    manifest.write(pl.concat([frame[:50], frame[50:]], rechunk=False), tmp_path / "two.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_ids_that_repeat_are_a_fault_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ids repeat"):
        manifest.write(clips([{"id": "a"}, {"id": "a"}]), tmp_path / "m.parquet")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_manifest_is_said_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "m.parquet"
    with pytest.raises(UserError, match="no manifest at"):
        manifest.read(path)
    for content in (b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1"):
        path.write_bytes(content)
        with pytest.raises(UserError, match="is not a manifest of this version") as caught:
            manifest.read(path)
        assert "\n" not in str(caught.value)
    clips([{}]).drop("snr").write_parquet(path)
    with pytest.raises(UserError, match="column snr should be Float64, is None"):
        manifest.read(path)


def test_a_rule_is_broken_once_and_in_its_place() -> None:
    frame = clips([{"broke": ["chopped"], "drop": "chopped"}, {}])
    for _ in range(2):
        frame = rules.break_rule(frame, "noisy", pl.col("id") == "0" * 16, rule_catalogue.ORDER)
    assert frame["broke"].to_list() == [["noisy", "chopped"], []]
    assert frame["drop"].to_list() == ["noisy", None]
    unsure = rules.break_rule(frame, "music", pl.lit(None, dtype=pl.Boolean), rule_catalogue.ORDER)
    assert unsure["drop"].to_list() == ["noisy", None]


def test_a_manifest_of_an_earlier_version_is_opened(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["x"]}, schema={"id": pl.String})
    manifest.write(frame, tmp_path / "m.parquet")
    pl.read_parquet(tmp_path / "m.parquet").drop(manifest.ADDED).write_parquet(tmp_path / "old.parquet")
    old = manifest.read(tmp_path / "old.parquet")
    assert old.select(manifest.ADDED).row(0) == (None,) * len(manifest.ADDED)
    assert old["id"].to_list() == ["x"]
