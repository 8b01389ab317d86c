"""What a resumed run was given otherwise than before takes effect and is said; so is what was cut of its metrics."""

import json

import polars as pl
import pytest
import torch

from curate.errors import UserError
from tests.train.runs import copied, edit, train_until
from train import checkpoint, config, finetune, metrics
from train.trainer import Step

USUAL = ("train.validate_every=0", "train.save_every=2", "train.steps=4")


def notes_of(run):
    return [event for event in finetune.train(run) if isinstance(event, str)]


def weights(run):
    from train.adapter import lora

    return lora.load(checkpoint.newest(run)).weights


@pytest.fixture(scope="module")
def half_way_once(make_run_of_module):
    """A run killed in its third step, of four; its last checkpoint is of step 2."""
    run = make_run_of_module("half", *USUAL)
    train_until(run, 3)
    return run


@pytest.fixture
def half_way(half_way_once, tmp_path):
    return copied(half_way_once, tmp_path)


def test_a_changed_weight_decay_takes_effect_and_is_said(half_way, half_way_once, tmp_path):
    edit(half_way, "weight_decay = 0.01", "weight_decay = 50.0")
    said = notes_of(half_way)
    assert "changed: optimizer.weight_decay was 0.01 until step 2, and is 50.0 from here on" in said
    plain = copied(half_way_once, tmp_path / "plain")
    assert not [note for note in notes_of(plain) if note.startswith("changed")]
    (strong, weak) = (sum(float(value.norm()) for value in weights(run).values()) for run in (half_way, plain))
    assert strong < 0.9 * weak  # two steps at the end of the cosine take a quarter of every weight


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("learning_rate = 0.01", "learning_rate = 0.02", "optimizer.learning_rate was 0.01 until step 2, and is 0.02"),
        ("keep = 2", "keep = 1", "train.keep was 2 until step 2, and is 1"),
        ("steps = 4", "steps = 5", "train.steps was 4 until step 2, and is 5"),
        ("dropout = 0.0", "dropout = 0.5", "adapter.dropout was 0.0 until step 2, and is 0.5"),
        ("[adapter]", '[samples]\nkm = ["ក"]\n\n[adapter]', 'samples was {} until step 2, and is {"km": ["ក"]}'),
        ("ema_decay = 0.0", "ema_decay = 0.5", "optimizer.ema_decay was 0.0 until step 2, and is 0.5"),
        ("[batch]", "[batch]\nmicro_batch_tokens = 90", "batch.micro_batch_tokens was unset until step 2, and is 90"),
    ],
)
def test_every_change_is_said(half_way, old, new, says):
    text = (half_way / "run.toml").read_text()
    (half_way / "run.toml").write_text(text.replace("[samples]\n", "") if "samples" in new else text)
    edit(half_way, old, new)
    changes = [note for note in notes_of(half_way) if note.startswith("changed: ")]
    assert changes == [f"changed: {says} from here on"]


def test_texts_that_were_changed_are_said_though_their_batches_are_the_same(make_run, make_corpus):
    corpus = make_corpus()
    run = make_run("texts", *USUAL, source=corpus)
    train_until(run, 3)
    manifest = pl.read_parquet(corpus / "manifest.parquet")
    first = manifest.filter(pl.col("split") == "train")["id"][0]
    other = pl.when(pl.col("id") == first).then(pl.lit("(Khmer)ន")).otherwise(pl.col("training_text"))
    manifest.with_columns(other.alias("training_text")).write_parquet(corpus / "manifest.parquet")
    says = "the clips trained on, their text or their lengths are others than until step 2"
    assert says in notes_of(run)


def test_lines_of_metrics_that_are_cut_are_said_and_done_again(half_way):
    with (half_way / metrics.FILE).open("a") as file:
        file.write('{"step": 4, "lo')
    said = notes_of(half_way)
    assert "metrics.jsonl: 1 line cut, of step 3, after the last checkpoint, of step 2: done again" in said
    assert "metrics.jsonl: 1 line cut that a kill or a damaged disk had left half" in said
    assert [line["step"] for line in metrics.read(half_way)] == [1, 2, 3, 4]


def test_a_line_before_the_checkpoint_that_is_lost_is_said(half_way):
    lines = (half_way / metrics.FILE).read_text().splitlines()
    (half_way / metrics.FILE).write_text("".join(f"{line}\n" for line in lines[1:2]))
    assert "metrics.jsonl has no line of step 1: lost, but what was learned is not" in notes_of(half_way)


def test_metrics_that_are_gone_are_said(half_way):
    (half_way / metrics.FILE).unlink()
    assert f"{half_way / metrics.FILE} is missing: what was measured until step 2 is lost" in notes_of(half_way)


def test_a_checkpoint_is_written_after_the_metrics_of_its_steps_are_on_the_disk(make_run, monkeypatch):
    happened = []
    flush, replacing = metrics.flush, checkpoint.write_state

    def flushed(run):
        flush(run)
        happened.append(("metrics", len(metrics.read(run))))

    def written(folder, state, *rest):
        replacing(folder, state, *rest)
        happened.append(("checkpoint", state.step))

    monkeypatch.setattr(metrics, "flush", flushed)
    monkeypatch.setattr(checkpoint, "write_state", written)
    list(finetune.train(make_run("flushed", *USUAL)))
    assert happened == [("metrics", 2), ("checkpoint", 2), ("metrics", 4), ("checkpoint", 4)]


@pytest.mark.parametrize(
    "settings",
    [
        ("optimizer.loraplus_ratio=16",),
        ("optimizer.ema_decay=0.9",),
        ("optimizer.ema_decay=0.9", "optimizer.loraplus_ratio=4", "train.precision=float64"),
    ],
)
def test_two_rates_and_an_average_go_on_after_a_kill_to_the_same_bits(make_run, tmp_path, settings):
    mine = (*USUAL, *settings, "train.validate_every=2", f"latents={tmp_path / 'latents'}")
    whole, killed = make_run("whole", *mine), make_run("killed", *mine)
    list(finetune.train(whole))
    train_until(killed, 3)
    list(finetune.train(killed))
    first, second = (checkpoint.newest(run) for run in (whole, killed))
    assert first.name == second.name == "0000004"
    for name in ("adapter_model.safetensors",):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    lines = [metrics.read(run) for run in (whole, killed)]
    for mine, theirs in zip(*lines, strict=True):
        assert {**mine, "seconds": 0, "memory": 0} == {**theirs, "seconds": 0, "memory": 0}


@pytest.mark.parametrize("before", [(1, 0.0), (16, 0.5)])
@pytest.mark.parametrize("after", [(1, 0.0), (16, 0.5)])
def test_rates_and_average_may_change_on_resume(half_way, before, after):
    """A checkpoint says the same whatever they are, so any may follow any."""
    edit(half_way, "loraplus_ratio = 1.0", f"loraplus_ratio = {before[0]}")
    edit(half_way, "ema_decay = 0.0", f"ema_decay = {before[1]}")
    list(finetune.train(half_way))
    edit(half_way, f"loraplus_ratio = {before[0]}", f"loraplus_ratio = {after[0]}")
    edit(half_way, f"ema_decay = {before[1]}", f"ema_decay = {after[1]}")
    edit(half_way, "steps = 4", "steps = 5")
    events = list(finetune.train(half_way))
    steps = [event for event in events if isinstance(event, Step)]
    assert [step.step for step in steps] == [5]
    assert torch.isfinite(torch.tensor([steps[0].loss, steps[0].gradient_norm])).all()


def test_a_gpu_that_is_not_there_is_refused_before_anything_else(make_run, monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="cuda was asked for, but no GPU is to be seen: ask for cpu or auto"):
        make_run("gpu", "train.device=cuda", "model=nobody/has-this")
    assert not (tmp_path / "gpu").exists()


def test_settings_of_a_checkpoint_are_those_of_the_run_without_its_place(half_way):
    noted = checkpoint.read_settings(checkpoint.newest(half_way))
    run = json.loads(config.read(half_way).model_dump_json(exclude={"into"}))
    assert {key: noted[key] for key in run} == run
    assert noted["machine"]["processes"] == 1
