import json
import signal

import polars as pl
import pytest
import torch

from curate.errors import UserError
from train import batches, checkpoint, config, finetune, lora, schedule, speaking, voxcpm


def losses(run):
    """Everything in metrics.jsonl but the clock."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def weights(run):
    return (checkpoint.newest(run) / "lora_weights.safetensors").read_bytes()


def train_until(run, step):
    """Train and vanish, as a killed process does: nothing is saved on the way out."""
    events = finetune.train(run)
    for event in events:
        if isinstance(event, finetune.Step) and event.step == step:
            break
    events.close()


@pytest.fixture
def whole(make_run):
    """A run that was never stopped."""
    run = make_run("whole")
    list(finetune.train(run))
    return run


def test_step_0_is_logged_and_the_held_out_loss_of_each_language_falls(make_run):
    run = make_run("falling", "train.steps=15", "train.validate_every=15")
    events = list(finetune.train(run))
    first, last = (event for event in events if isinstance(event, finetune.Validation))
    assert (first.step, last.step) == (0, 15)
    for language in ("km", "ko"):
        assert last.languages[language]["loss"] < 0.9 * first.languages[language]["loss"]
    assert isinstance(events[-1], finetune.Finished)


def test_gradients_pass_through_the_quantiser(make_run):
    """FSQ rounds without a gradient in eval mode: a step must have the gradient of training mode, and they differ."""
    run = make_run("one", "train.steps=1", "train.validate_every=0", "optimizer.clip=1e9")
    step = next(event for event in finetune.train(run) if isinstance(event, finetune.Step))
    assert step.gradient_norm == gradient_norm(run, training=True)
    assert step.gradient_norm != gradient_norm(run, training=False)


def gradient_norm(run, *, training):
    """Of the first step, done by hand."""
    settings = finetune.read(run)
    *_, data = returned(finetune.prepare(settings, "cpu"))
    model = voxcpm.load(voxcpm.find(settings.model), device="cpu")
    lora.attach(model, settings.adapter, seed=settings.train.seed)
    first = batches.plan(data.train, tokens=settings.batch.tokens, seed=0, epoch=0)[0]
    batch = data.batch([data.train[position] for position in first])
    voxcpm.losses(
        model.train(training), batch, seed=batches.seed_of(0, "step", 1), guidance_dropout=True
    ).total.backward()
    return float(torch.nn.utils.get_total_norm([each.grad for each in lora.parameters(model).values()]))


def returned(generator):
    """What a generator yields, and what it returns as the last."""
    yield (yield from generator)


@pytest.mark.parametrize("step", [2, 4, 5])
def test_a_killed_run_goes_on_to_the_same_losses_and_adapter(whole, make_run, step):
    killed = make_run("killed")
    train_until(killed, step)
    (killed / "checkpoints" / ".0000006.partial").mkdir(parents=True)  # killed while it wrote
    list(finetune.train(killed))
    assert losses(killed) == losses(whole)
    assert weights(killed) == weights(whole)


def test_dropout_resumes_too(make_run):
    settings = ("adapter.dropout=0.3", "train.steps=4", "train.save_every=2")
    one, two = make_run("one", *settings), make_run("two", *settings)
    list(finetune.train(one))
    train_until(two, 3)
    list(finetune.train(two))
    assert losses(one) == losses(two)


def test_ctrl_c_saves_the_step_and_says_so(whole, make_run):
    run = make_run("stopped", "train.save_every=100")
    events = []
    for event in finetune.train(run):
        events.append(event)
        if isinstance(event, finetune.Step) and event.step == 2:
            signal.raise_signal(signal.SIGINT)
    assert events[-1] == finetune.Stopped(step=2, steps=6)
    assert checkpoint.newest(run).name == "0000002"
    list(finetune.train(run))
    assert losses(run) == losses(whole)


def test_a_finished_run_is_left_as_it_is(whole):
    before = losses(whole)
    assert isinstance(list(finetune.train(whole))[-1], finetune.Finished)
    assert losses(whole) == before


def test_validation_is_the_same_twice_and_at_another_rank(make_run):
    """Step 0 is the base model whatever the rank: fixed order, fixed draws, no guidance dropout."""
    zero = []
    for rank in (2, 8, 8):
        run = make_run(f"rank{rank}-{len(zero)}", f"adapter.rank={rank}", f"train.seed={rank}")
        zero.append(next(event for event in finetune.train(run) if isinstance(event, finetune.Validation)))
    assert zero[0] == zero[1] == zero[2]


def test_the_rate_warms_up_then_falls_and_never_climbs():
    settings = config.Optimizer(warmup_steps=10)
    rates = [schedule.learning_rate(step, 200, settings) for step in range(1, 400)]
    assert rates[9] == max(rates) == pytest.approx(1e-4)
    assert rates[:10] == sorted(rates[:10])
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[-1] == pytest.approx(1e-5)


def test_a_short_run_warms_up_for_a_tenth_of_it():
    rates = [schedule.learning_rate(step, 20, config.Optimizer()) for step in range(1, 21)]
    assert max(rates) == rates[1]


def test_epochs_are_whole(make_run, corpus):
    run = make_run("epochs")
    file = run / "run.toml"
    file.write_text(file.read_text().replace("steps = 6", "epochs = 2").replace("epochs = 2\n", "", 1))
    steps = [event for event in finetune.train(run) if isinstance(event, finetune.Step)]
    clips = pl.read_parquet(corpus / "manifest.parquet").filter(pl.col("split") == "train")
    assert sum(step.audio_seconds for step in steps) == pytest.approx(2 * clips["seconds"].sum())


def test_a_clip_over_the_budget_is_named_in_a_warning(make_run, caplog):
    run = make_run("small", "batch.tokens=30", "train.steps=1", "train.validate_every=0")
    list(finetune.train(run))
    assert "is longer" in caplog.text
    assert "km0000" in caplog.text


def test_only_the_last_checkpoints_are_kept(make_run):
    run = make_run("kept", "train.save_every=1", "train.steps=4", "train.validate_every=0")
    list(finetune.train(run))
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == ["0000003", "0000004"]


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


def test_a_run_is_not_begun_twice_nor_resumed_where_there_is_none(make_run, tmp_path):
    make_run("a")
    with pytest.raises(UserError, match="already holds a run: `train resume"):
        make_run("a")
    with pytest.raises(UserError, match="holds no training run"):
        finetune.read(tmp_path)


@pytest.mark.parametrize(("name", "says"), [("sha256.json", "half written"), ("optimizer.pt", "damaged")])
def test_a_damaged_checkpoint_is_one_line_with_the_remedy(whole, name, says):
    file = checkpoint.newest(whole) / name
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(UserError, match=f"{says}.*remove that folder"):
        list(finetune.train(whole))


def test_a_run_whose_rank_was_changed_is_refused(whole):
    file = whole / "run.toml"
    file.write_text(file.read_text().replace("rank = 4", "rank = 8"))
    with pytest.raises(UserError, match="another rank or base model"):
        list(finetune.train(whole))


def test_a_loss_that_is_no_number_names_the_clips(make_run):
    run = make_run("wild", "optimizer.learning_rate=1e30", "train.validate_every=0")
    with pytest.raises(UserError, match=r"at step \d, on the clips k"):
        list(finetune.train(run))


def test_the_adapter_of_a_run_remembers_model_and_tags(whole, tiny):
    saved = speaking.adapter_of(whole)
    assert saved.base == str(tiny)
    assert speaking.tagged(saved, "ko", "네") == "(Korean)네"
    with pytest.raises(UserError, match="not trained on language 'th'; it knows km, ko"):
        speaking.tagged(saved, "th", "x")


def test_a_gpu_that_is_not_there_is_one_line(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert finetune.pick_device("auto") == "cpu"
    with pytest.raises(UserError, match="no GPU"):
        finetune.pick_device("cuda")


def change(run, old, new):
    """Edit a run's file as a person does."""
    file = run / "run.toml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


@pytest.mark.parametrize(("old", "new"), [("tokens = 120", "tokens = 300"), ("seed = 0", "seed = 1")])
def test_an_epoch_whose_batches_were_changed_begins_again_and_says_so(make_run, corpus, old, new):
    run = make_run("a", "batch.tokens=120", "train.save_every=1", "train.validate_every=0")
    change(run, "steps = 6\n", "")
    change(run, "epochs = 2", "epochs = 1")
    train_until(run, 2)  # saved after step 1 of the epoch
    change(run, old, new)
    events = list(finetune.train(run))
    note = next(event for event in events if isinstance(event, str))
    assert note.startswith("epoch 1 begins again after step 1: ")
    steps = [event for event in events if isinstance(event, finetune.Step)]
    clips = pl.read_parquet(corpus / "manifest.parquet").filter(pl.col("split") == "train")
    assert sum(step.audio_seconds for step in steps) == pytest.approx(clips["seconds"].sum())
    assert steps[-1].step == steps[-1].steps == 1 + len(steps)


def test_a_complete_epoch_is_not_done_again_when_batches_change(make_run):
    run = make_run("a", "train.validate_every=0")
    change(run, "steps = 6\n", "")
    list(finetune.train(run))
    change(run, "tokens = 300", "tokens = 120")
    events = list(finetune.train(run))
    assert not [event for event in events if isinstance(event, finetune.Step)]
    assert "begins again" not in str(events)


def test_out_of_memory_names_the_file_and_the_key(make_run, monkeypatch):
    def full(*_, **__):
        raise torch.cuda.OutOfMemoryError

    run = make_run("a", "train.validate_every=0")
    monkeypatch.setattr(voxcpm, "losses", full)
    with pytest.raises(UserError, match=r"lower batch\.tokens \(now 300\) under \[batch\] in .*/a/run\.toml, then"):
        list(finetune.train(run))


def test_a_run_is_trained_by_one_process_at_a_time(make_run):
    run = make_run("a", "train.validate_every=0")
    first = finetune.train(run)
    next(first)
    with pytest.raises(UserError, match="is being trained by another process"):
        next(finetune.train(run))
    first.close()
    assert isinstance(list(finetune.train(run))[-1], finetune.Finished)


def test_a_hub_id_is_pinned_to_the_commit_that_was_loaded(make_run, tiny, tmp_path, monkeypatch, caplog):
    import huggingface_hub

    cached = tmp_path / "snapshots" / "c0ffee"
    cached.parent.mkdir()
    cached.symlink_to(tiny)
    asked = []
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda _, revision: asked.append(revision) or str(cached))
    run = make_run("a", "model=openbmb/VoxCPM2", "train.steps=1", "train.validate_every=0")
    list(finetune.train(run))
    said = [line for line in caplog.messages if "`main` is not pinned" in line]
    assert len(said) == 1
    assert "commit c0ffee" in said[0]
    assert finetune.read(run).revision == "c0ffee"
    adapter = speaking.export(run, "peft", tmp_path / "p")
    assert json.loads((adapter / "samsori.json").read_text())["revision"] == "c0ffee"
    asked.clear()
    speaking.say(adapter, "ko", "네", device="cpu")
    assert asked == ["c0ffee"]


def test_an_adapter_is_never_written_over_a_run(whole):
    before = sorted((path, path.stat().st_size) for path in whole.rglob("*"))
    with pytest.raises(UserError, match="holds what would be lost"):
        speaking.export(whole, "peft", whole)
    assert sorted((path, path.stat().st_size) for path in whole.rglob("*")) == before
