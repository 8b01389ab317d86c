"""`--from ADAPTER`: the run begins as that adapter, whoever trained it, and knows its languages on."""

import json

import pytest
import torch

from curate.errors import UserError
from tests.train.adapter.conftest import made
from tests.train.runs import train_until
from train import config, finetune, metrics, warm_start
from train.adapter import lora
from train.estimate import forecast
from train.export import adapter as exporting
from train.export import say
from train.model import tiny as making
from train.trainer import Step
from train.validation import Validation

SHORT = (
    "train.steps=2",
    "train.validate_every=2",
    "train.validation_draws=1",
    "optimizer.learning_rate=1e-12",
    "optimizer.weight_decay=0",
)


@pytest.fixture(scope="module")
def earlier(tiny, tmp_path_factory):
    """An adapter of rank 8 in VoxCPM's format, that another trainer might have written."""
    folder = tmp_path_factory.mktemp("earlier") / "adapter"
    saved = made(tiny, config.Adapter(rank=8, alpha=2, scope="lm", modules=("q_proj", "v_proj")))
    lora.save(lora.Saved(saved.weights, saved.adapter, str(tiny), {"km": "(Khmer)", "lo": "(Lao)"}), folder, "voxcpm")
    return folder


@pytest.fixture(scope="module")
def config_table(corpus, tiny, tmp_path_factory):
    return {"corpus": str(corpus), "model": str(tiny), "into": str(tmp_path_factory.mktemp("begun") / "run")}


@pytest.fixture(scope="module")
def begun(config_table, earlier):
    run = config.build(dict(config_table), [*SHORT, "batch.tokens=300", "train.device=cpu"], {"start_from": earlier})
    finetune.start(run)
    return config.read(run.into), list(finetune.train(run.into))


def test_the_run_takes_the_adapters_shape_and_begins_as_it(begun, earlier):
    run, events = begun
    assert (run.adapter.rank, run.adapter.alpha, run.adapter.scope) == (8, 2, "lm")
    assert run.adapter.modules == ("q_proj", "v_proj")
    trained, before = exporting.adapter_of(run.into), lora.load(earlier)
    assert trained.weights.keys() == before.weights.keys()
    for name, value in trained.weights.items():  # two steps at no rate to speak of
        torch.testing.assert_close(value, before.weights[name], rtol=0, atol=1e-6)
    assert isinstance(events[-1], finetune.Finished)


def test_its_languages_are_known_on_and_a_new_one_is_too(begun):
    run, _ = begun
    saved = exporting.adapter_of(run.into)
    assert saved.tags == {"km": "(Khmer)", "ko": "(Korean)", "lo": "(Lao)"}
    assert say.tagged(saved, "ko", "네") == "(Korean)네"


def test_step_0_stays_zero_shot_and_what_it_begins_with_is_said_and_kept(begun, make_run):
    run, events = begun
    zero = next(event for event in events if isinstance(event, Validation))
    plain = make_run("plain", *SHORT, "train.steps=1")
    theirs = next(event for event in finetune.train(plain) if isinstance(event, Validation))
    assert zero.languages["km"]["loss"] == theirs.languages["km"]["loss"]
    first, last = (
        line for line in metrics.read(run.into) if "start_from" in line or (line["step"] == 2 and "loss" not in line)
    )
    assert first["start_from"]["km"] == pytest.approx(last["languages"]["km"]["loss"], rel=1e-5)
    assert first["start_from"]["km"] != pytest.approx(zero.languages["km"]["loss"], rel=1e-5)
    told = next(event for event in events if isinstance(event, str) and "begins from" in event)
    assert told.startswith(
        f"held-out loss of the adapter that this run begins from: km {first['start_from']['km']:.4f}"
    )


def test_it_is_resumed_without_the_adapter_it_began_from(config_table, earlier, tiny, tmp_path):
    import shutil

    copy = shutil.copytree(earlier, tmp_path / "copy")
    table = config_table | {"into": str(tmp_path / "run")}
    settings = ["train.steps=3", "train.save_every=1", "train.validate_every=0", "train.device=cpu", "batch.tokens=300"]
    finetune.start(config.build(table, settings, {"start_from": copy}))
    train_until(tmp_path / "run", 2)
    shutil.rmtree(copy)
    steps = [event.step for event in finetune.train(tmp_path / "run") if isinstance(event, Step)]
    assert steps[-1] == 3
    assert exporting.adapter_of(tmp_path / "run").tags["lo"] == "(Lao)"


def test_a_run_may_begin_from_a_run_and_the_card_says_so(begun, config_table, tmp_path):
    first, _ = begun
    table = config_table | {"into": str(tmp_path / "second")}
    finetune.start(config.build(table, [*SHORT, "train.device=cpu"], {"start_from": first.into}))
    list(finetune.train(tmp_path / "second"))
    text = (exporting.export(tmp_path / "second", "voxcpm") / "README.md").read_text()
    assert "- it began as another adapter, `run`: what that one was trained on is not in the table below" in text
    assert str(tmp_path) not in text


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (["adapter.rank=4"], r"adapter\.rank = 4, but .*adapter has 8: leave adapter\.rank out"),
        (["adapter.alpha=8"], r"adapter\.alpha = 8\.0, but .* has scale 0\.25: leave adapter\.alpha out"),
        (["adapter.scope=both"], r"adapter\.scope = both, but .* has lm: leave"),
        (["adapter.modules=['q_proj']"], r"adapter\.modules = q_proj, but .* has q_proj, v_proj: leave"),
    ],
)
def test_another_shape_than_the_adapters_is_one_line(config_table, earlier, tmp_path, settings, says):
    table = config_table | {"into": str(tmp_path / "run")}
    with pytest.raises(UserError, match=says) as problem:
        finetune.start(config.build(table, settings, {"start_from": earlier}))
    assert "\n" not in str(problem.value)
    assert not (tmp_path / "run").exists()


def test_the_same_shape_may_be_said_again_and_dropout_is_the_runs(config_table, earlier):
    settings = ["adapter.rank=8", "adapter.alpha=2", "adapter.rslora=false", "adapter.dropout=0.1"]
    run = warm_start.adopted(config.build(dict(config_table), settings, {"start_from": earlier}))
    assert run.adapter == config.Adapter(rank=8, alpha=2, scope="lm", modules=("q_proj", "v_proj"), dropout=0.1)


@pytest.mark.parametrize("dry", [True, False])
def test_an_adapter_of_another_base_is_one_line_before_anything_is_encoded(
    make_corpus, tiny, earlier, tmp_path, monkeypatch, dry
):
    smaller = making.configuration()
    smaller["lm_config"]["hidden_size"] = 32
    monkeypatch.setattr(making, "configuration", lambda: smaller)
    other = making.make(tmp_path / "other")
    source = make_corpus()
    run = config.build(
        {"corpus": str(source), "model": str(other), "into": str(tmp_path / "run")}, [], {"start_from": earlier}
    )
    with pytest.raises(
        UserError, match=r"adapter does not fit .*other, so it is of another base: .* is \(8, 64\)"
    ) as told:
        forecast.forecast(finetune.checked(run), tick=lambda *_: None) if dry else finetune.start(run)
    assert "\n" not in str(told.value)
    assert not (tmp_path / "run").exists()
    assert not (source / "latents").exists()


def test_another_base_of_the_same_shape_is_said_and_so_is_another_tag(config_table, tiny, tmp_path, caplog):
    saved = made(tiny, config.Adapter(rank=4))
    named = lora.Saved(saved.weights, saved.adapter, "openbmb/VoxCPM2", {"km": "<km>"}, "abc")
    lora.save(named, tmp_path / "a", "peft")
    table = config_table | {"into": str(tmp_path / "run")}
    finetune.start(config.build(table, [*SHORT, "train.device=cpu"], {"start_from": tmp_path / "a"}))
    assert "was trained on openbmb/VoxCPM2 at revision abc: on other weights than those" in caplog.text
    notes = [event for event in finetune.train(tmp_path / "run") if isinstance(event, str)]
    assert any(note.startswith("km was written as '<km>' + spoken text when the adapter learned it") for note in notes)


def test_what_is_no_adapter_is_one_line(config_table, tmp_path):
    with pytest.raises(UserError, match="no adapter in"):
        warm_start.adopted(config.build(dict(config_table), [], {"start_from": tmp_path}))
    assert json.dumps(config.build(dict(config_table)).model_dump(mode="json")["start_from"]) == "null"
