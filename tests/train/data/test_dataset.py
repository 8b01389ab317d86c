"""What a run is given: its splits, languages, lengths and device are looked at before anything is spent."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from curate.errors import UserError
from train import config, finetune
from train.data import dataset
from train.model import base


def test_a_language_without_held_out_clips_is_refused_or_trained_without(make_run, make_corpus):
    folder = make_corpus()
    path = folder / "manifest.parquet"
    gone = (pl.col("language") == "ko") & (pl.col("split") == "validation")
    pl.read_parquet(path).filter(~gone.fill_null(False)).write_parquet(path)
    with pytest.raises(UserError, match="no validation clips for ko"):
        make_run("a", source=folder)
    list(finetune.train(make_run("b", "train.validate_every=0", "train.steps=1", source=folder)))


def test_a_corpus_without_training_clips_is_refused(make_run, make_corpus):
    folder = make_corpus()
    path = folder / "manifest.parquet"
    pl.read_parquet(path).with_columns(split=pl.lit("test")).write_parquet(path)
    with pytest.raises(UserError, match="no clips in the training split"):
        make_run("a", source=folder)


def test_no_model_is_fetched_for_a_corpus_that_is_not_there(make_run, tmp_path, monkeypatch):
    run = config.read(make_run("a")).model_copy(update={"corpus": tmp_path / "gone", "model": "openbmb/VoxCPM2"})
    monkeypatch.setattr(base, "asked", lambda *_: pytest.fail("it was looked for"))
    with pytest.raises(UserError, match="no manifest at"):
        dataset.survey(run)


def test_a_gpu_that_is_not_there_is_one_line(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert dataset.pick_device("auto") == "cpu"
    with pytest.raises(UserError, match="no GPU"):
        dataset.pick_device("cuda")


def test_a_clip_longer_than_the_models_positions_is_named_before_anything_is_loaded(make_run, tiny, tmp_path):
    model = shutil.copytree(tiny, tmp_path / "model")
    settings = json.loads((model / "config.json").read_text())
    settings["lm_config"]["max_position_embeddings"] = 8
    (model / "config.json").write_text(json.dumps(settings))
    with pytest.raises(UserError, match=r"10 clips longer than the model's 8 positions, such as k\w+: cut them"):
        list(finetune.train(make_run("long", model=model)))


def test_the_references_of_the_corpus_are_heard_in_training_and_validation(make_run, make_corpus):
    folder = make_corpus()
    path = folder / "manifest.parquet"
    rows = pl.read_parquet(path)
    first = {split: rows.filter(pl.col("split") == split)["id"][0] for split in ("train", "validation")}
    other = {"validation": first["train"]}  # of another split: never heard
    named = pl.when(pl.col("id") != pl.col("split").replace_strict(first, default=None)).then(
        pl.col("split").replace_strict(first, default=None)
    )
    rows.with_columns(reference=named).write_parquet(path)
    clips, data = _prepared(make_run("a", source=folder))
    assert {each.id: each.reference for each in data.train if each.reference} == {
        clip: first["train"] for clip in clips["train"] if clip != first["train"]
    }
    assert [each.reference for each in data.validation if each.reference] == [first["validation"]]
    assert all(each.reference_patches > 0 for each in data.train if each.reference)
    rows.with_columns(reference=pl.col("split").replace_strict(other, default=None)).write_parquet(path)
    assert not any(each.reference for each in _prepared(make_run("b", source=folder))[1].validation)


def _prepared(run):
    survey = dataset.survey(config.read(run) if isinstance(run, Path) else run)
    clips = {split: [clip.id for clip in survey.clips if clip.split == split] for split in ("train", "validation")}
    return clips, survey.data(lambda clip: 5)
