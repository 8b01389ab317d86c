import json
import sys
from pathlib import Path

import pytest

from train import cli, config, finetune, metrics, show
from train.data.latents import DIGITS
from train.estimate import cost, forecast
from train.model import base, voxcpm

SHORT = ["adapter.rank=4", "batch.tokens=300", "train.device=cpu", "train.epochs=3", "train.validate_every=2"]


def quiet(what, done, total):
    pass


def asked(source, model, into, *settings):
    return config.build({"corpus": str(source), "model": str(model), "into": str(into)}, [*SHORT, *settings])


def files(*folders):
    return {path: path.stat().st_mtime_ns for folder in folders for path in Path(folder).rglob("*")}


def test_it_says_what_the_run_then_does(corpus, tiny, tmp_path):
    run = asked(corpus, tiny, tmp_path / "run", "train.save_every=2", "batch.reference=0.5")
    told = forecast.forecast(run, tick=quiet)
    finetune.start(run)
    list(finetune.train(run.into))
    lines = metrics.read(run.into)
    steps = [line for line in lines if "loss" in line]
    assert told["steps"]["all"] == len(steps)
    assert sum(told["steps"]["of_each_epoch"]) == len(steps)
    assert told["steps"]["validations"] == len(lines) - len(steps)
    assert told["positions"]["text"] + told["positions"]["audio"] == sum(step["positions"] for step in steps)
    assert told["to_encode"] == {"clips": 0, "hours": 0, "seconds": 0}
    parameters = told["memory"][0]["adapter"] // cost.STATE_BYTES
    (one, *_) = sorted((run.into / "checkpoints").iterdir())
    size = sum(path.stat().st_size for path in one.iterdir())
    assert size == pytest.approx(
        parameters * forecast.CHECKPOINT_BYTES, abs=30_000
    )  # names and settings beside weights


def test_nothing_is_written_and_patches_are_estimated_where_nothing_is_encoded(make_corpus, tiny, corpus, tmp_path):
    fresh = make_corpus()
    before = files(tmp_path, tiny)
    told = forecast.forecast(asked(fresh, tiny, tmp_path / "run"), tick=quiet)
    assert files(tmp_path, tiny) == before
    assert told["to_encode"]["clips"] == 10
    assert told["to_encode"]["seconds"] > 0
    assert told["time"]["measured"] > 0
    encoded = forecast.forecast(asked(corpus, tiny, tmp_path / "run"), tick=quiet)
    assert told["positions"] == encoded["positions"]
    assert told["languages"] == encoded["languages"]
    # other tests have left there what other models and precisions make of the same clips
    (patches,) = (corpus / "latents").glob(f"*/{base.encoder_hash(tiny)[:DIGITS]}-float32")
    written = [*patches.glob("*.safetensors"), *patches.parent.glob("*.safetensors")]
    sizes = told["disk"]["latents"], sum(path.stat().st_size for path in written)
    assert sizes[0] == pytest.approx(sizes[1], rel=0.3)  # headers, which weigh in clips of a second


def test_a_run_of_very_many_steps_is_told_from_the_first_of_them(corpus, tiny, tmp_path, monkeypatch):
    settings = ("train.steps=1000000000", "train.validate_every=0")
    monkeypatch.setattr(forecast, "PLANNED", 3_000)
    told = forecast.forecast(asked(corpus, tiny, tmp_path / "run", *settings), tick=quiet)
    monkeypatch.setattr(forecast, "PLANNED", 1_000)
    less = forecast.forecast(asked(corpus, tiny, tmp_path / "run", *settings), tick=quiet)
    assert told["steps"]["all"] == less["steps"]["all"] == 10**9
    for name in ("text", "audio", "of_a_step"):
        assert told["positions"][name] == pytest.approx(less["positions"][name], rel=1e-3)
    assert told["time"]["flops"] > 1e6 * told["positions"]["audio"]


def test_the_model_is_loaded_only_to_measure_and_without_that_there_is_a_floor(corpus, tiny, tmp_path, monkeypatch):
    def load(*_, **__):
        raise AssertionError("the model is loaded")

    monkeypatch.setattr(voxcpm, "load", load)
    monkeypatch.setattr(forecast, "CPU_STEP", 0)
    told = forecast.forecast(asked(corpus, tiny, tmp_path / "run"), tick=quiet)
    assert told["time"]["measured"] is None
    assert told["time"]["floor_h200"] == told["time"]["flops"] / 790e12
    lines = "\n".join(show.forecast_lines(told)).splitlines()
    assert any("not measured" in line for line in lines)
    assert any("a floor, not an estimate" in line for line in lines)
    assert [line for line in lines if len(line) > 80] == []


def test_a_base_in_4_bits_is_counted_and_said(corpus, tiny, tmp_path):
    pytest.importorskip("bitsandbytes", reason="a base in 4 bits needs bitsandbytes")
    plain, small = (
        forecast.forecast(asked(corpus, tiny, tmp_path, f"train.quantization={name}"), tick=quiet)
        for name in ("none", "nf4")
    )
    for mine, others in zip(small["memory"], plain["memory"], strict=True):  # here, and on a GPU
        assert (mine["quantization"], others["quantization"]) == ("nf4", "none")
        assert mine["base"] < others["base"]
        assert others["total"] - mine["total"] == pytest.approx(others["base"] - mine["base"], rel=0.2)
    assert small["time"]["flops"] == plain["time"]["flops"]
    lines = "\n".join(show.forecast_lines(small))
    assert "memory in bfloat16, its base in 4 bits: " in lines
    assert "4 bits" not in "\n".join(show.forecast_lines(plain))


def test_a_validation_split_that_is_missing_is_said_before_anything_is_spent(make_corpus, tiny, tmp_path):
    with pytest.raises(Exception, match="no validation clips for km or ko"):
        forecast.forecast(asked(make_corpus(each=4), tiny, tmp_path / "run"), tick=quiet)


def test_the_command_prints_it_and_makes_no_folder(corpus, tiny, tmp_path, monkeypatch, capsys):
    words = ["lora", corpus, "--model", tiny, "--rank", 4, "--into", tmp_path / "run", "--dry-run", "--json"]
    monkeypatch.setattr(sys, "argv", ["train", *map(str, words), "--set=train.device=cpu"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert not left.value.code
    assert json.loads(capsys.readouterr().out)["rank"] == 4
    assert not (tmp_path / "run").exists()
