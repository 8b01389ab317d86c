"""VoxCPM's lists: its own `validate` passes on every row, and its trainer's loader opens them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.curate.export import small


def lines(folder: Path, split: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{split}.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("encoding", ["flac", "wav"])
def test_voxcpms_own_check_passes_on_every_row(tmp_path: Path, encoding: str) -> None:
    from voxcpm.training.validate import validate_manifest

    made = small.corpus(tmp_path / "corpus", small.rows(12))
    folder = small.export(made, "voxcpm", encoding=encoding).folder
    assert folder == tmp_path / "corpus" / "export" / "voxcpm"
    for split, count in (("train", 6), ("validation", 4), ("test", 2)):
        result = validate_manifest(str(folder / f"{split}.jsonl"))
        assert (result.is_valid, result.valid_samples, result.errors, result.warnings) == (True, count, [], [])
        assert result.audio_durations == pytest.approx([line["duration"] for line in lines(folder, split)], abs=1e-4)


def test_a_line_has_what_training_takes_and_whose_it_is(tmp_path: Path) -> None:
    folder = small.export(small.corpus(tmp_path), "voxcpm").folder
    assert lines(folder, "train")[0] == {
        "audio": "audio/000000000000000f.flac", "text": "(Korean)말 0 번", "duration": 1.0, "id": "000000000000000f",
        "language": "km", "licence": "CC-BY-4.0",
    }  # fmt: skip
    assert sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) == [
        "audio", "sources.tsv", "test.jsonl", "train.jsonl", "validation.jsonl",
    ]  # fmt: skip
    named = [line["audio"] for split in ("train", "validation", "test") for line in lines(folder, split)]
    assert sorted(named) == sorted(f"audio/{path.name}" for path in (folder / "audio").iterdir())
    assert (folder / "sources.tsv").read_text("utf-8").splitlines() == [
        "source\tlicence\tattribution\turl\tclips\thours",
        "studio\tCC-BY-4.0\t그 사람 | a b\thttps://a.example/?x=1\t4\t0.0012",
        "radio\town\t그 사람 | a b\thttps://a.example/?x=1\t2\t0.0006",
    ]


def test_a_split_without_clips_has_an_empty_list_and_clips_without_text_are_told(tmp_path: Path) -> None:
    made = small.rows(3)
    made[1] |= {"training_text": None, "spoken": None}
    done = small.export(small.corpus(tmp_path, made), "voxcpm")
    assert done.lines == ["1 kept clips have no text or split and are not exported"]
    assert [len(lines(done.folder, split)) for split in ("train", "validation", "test")] == [2, 0, 0]


@pytest.mark.filterwarnings("ignore")  # argbind, torch and datasets each warn of something
def test_voxcpms_loader_opens_the_lists_with_reference_clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from voxcpm.training.data import HFVoxCPMDataset, compute_sample_lengths, load_audio_text_datasets

    made = small.rows()
    made[0] |= {"reference": made[1]["id"]}
    made[2] |= {"reference": "dropped"}  # written by hand: not exported
    folder = small.export(small.corpus(tmp_path / "corpus", made), "voxcpm").folder
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    train, held_out = load_audio_text_datasets(train_manifest="train.jsonl", val_manifest="validation.jsonl")
    assert (len(train), len(held_out)) == (3, 2)
    assert [bool(each["ref_audio"]) for each in train] == [True, False, False]
    assert [each["ref_audio"] for each in held_out] == [None, None]
    sound = train[0]["ref_audio"]
    other = np.asarray(train[1]["audio"]["array"])
    assert sound["sampling_rate"] == 16000
    np.testing.assert_array_equal(np.asarray(sound["array"]), other)
    tokens = train.add_column("text_ids", [[1, 2]] * 3)
    assert compute_sample_lengths(tokens)[0] > compute_sample_lengths(tokens)[2] + 20
    assert len(HFVoxCPMDataset(tokens)[2]["ref_audio_array"]) == 1  # their sign for none


def test_every_line_of_every_list_has_the_key_where_one_has(tmp_path: Path) -> None:
    made = small.rows()
    made[3] |= {"reference": made[4]["id"]}
    folder = small.export(small.corpus(tmp_path, made), "voxcpm").folder
    found = [line for split in ("train", "validation", "test") for line in lines(folder, split)]
    assert [line["ref_audio"] for line in found if line["ref_audio"]] == [f"audio/{made[4]['id']}.flac"]
    assert [line["ref_duration"] for line in found if line["ref_audio"]] == [found[4]["duration"]]
    assert len({tuple(line) for line in found}) == 1
