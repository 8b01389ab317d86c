"""VoxCPM's training manifests: every kept clip of a split with a text, a path that works from anywhere, its length."""

import json
from pathlib import Path
from typing import Any

import pytest

from curate.export import voxcpm
from tests.curate.frames import clips


def written(folder: Path, rows: list[dict[str, Any]], audio: Path | None = None) -> dict[str, list[dict[str, Any]]]:
    paths = voxcpm.write(clips(rows), audio or folder / "clips", folder / "out")
    assert [path.name for path in paths] == ["train.jsonl", "validation.jsonl", "test.jsonl"]
    return {path.stem: [json.loads(line) for line in path.read_text("utf-8").splitlines()] for path in paths}


def test_each_split_has_its_kept_clips_and_nothing_else(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"id": "a", "split": "train", "training_text": "(Khmer)សួស្តី", "seconds": 1.23456},
        {"id": "b", "split": "test", "training_text": '(Korean)"말"\\'},
        {"id": "c", "split": None, "training_text": None, "drop": "noisy"},
        {"id": "d", "split": "train", "training_text": "x", "drop": "noisy"},
    ]
    found = written(tmp_path, rows)
    assert found == {
        "train": [{"audio": str(tmp_path / "clips" / "a.flac"), "text": "(Khmer)សួស្តី", "duration": 1.2346}],
        "validation": [],
        "test": [{"audio": str(tmp_path / "clips" / "b.flac"), "text": '(Korean)"말"\\', "duration": 5.0}],
    }


def test_paths_are_absolute_wherever_it_is_called_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = written(tmp_path, [{"id": "a", "split": "train", "training_text": "x"}], Path("corpus/clips"))
    assert found["train"][0]["audio"] == str(tmp_path / "corpus" / "clips" / "a.flac")


def test_a_clip_kept_without_text_is_nothing_to_learn_from(tmp_path: Path) -> None:
    found = written(tmp_path, [{"id": "a", "split": "train", "training_text": None}])
    assert found["train"] == []


def test_nothing_of_an_earlier_export_remains(tmp_path: Path) -> None:
    row = {"id": "a", "split": "validation", "training_text": "x"}
    assert len(written(tmp_path, [row])["validation"]) == 1
    assert written(tmp_path, [{**row, "split": "train"}])["validation"] == []
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "test.jsonl",
        "train.jsonl",
        "validation.jsonl",
    ]
