import json
import shutil
from collections import Counter

import polars as pl
import pytest
from safetensors.torch import load_file, save_file

from curate.errors import UserError
from tests.train.runs import copied, edit, train_until
from train import checkpoint, config, finetune
from train.data import dataset, latents, sampler
from train.estimate import forecast
from train.export import adapter as exporting
from train.export import say
from train.model import base, voxcpm
from train.trainer import Step


@pytest.fixture(scope="module")
def finished_once(make_run_of_module):
    """A run that was never stopped; do not write into it."""
    run = make_run_of_module("finished", "train.steps=2", "train.validate_every=0")
    list(finetune.train(run))
    return run


@pytest.fixture
def finished(finished_once, tmp_path):
    """The same, to be changed."""
    return copied(finished_once, tmp_path)


def test_step_0_is_logged_and_the_held_out_loss_of_each_language_falls(make_run):
    run = make_run("falling", "train.steps=15", "train.validate_every=15")
    events = list(finetune.train(run))
    first, last = (event for event in events if isinstance(event, finetune.Validation))
    assert (first.step, last.step) == (0, 15)
    for language in ("km", "ko"):
        assert last.languages[language]["loss"] < 0.9 * first.languages[language]["loss"]
    assert isinstance(events[-1], finetune.Finished)


def test_a_run_in_pieces_and_checkpointed_takes_the_same_steps(make_run, tmp_path):
    usual = ("train.steps=3", "train.validate_every=0", "train.precision=float64", f"latents={tmp_path / 'latents'}")
    runs = [
        make_run(name, *usual, *more)
        for name, more in (("plain", []), ("pieces", ["batch.micro_batch_tokens=50", "train.checkpointing=true"]))
    ]
    plain, pieces = ([event for event in finetune.train(run) if isinstance(event, Step)] for run in runs)
    assert [step.loss for step in pieces] == pytest.approx([step.loss for step in plain], rel=1e-12)
    assert [step.gradient_norm for step in pieces] == pytest.approx([step.gradient_norm for step in plain], rel=1e-10)


def test_reference_voices_are_heard_and_languages_balanced_in_a_run(make_run):
    def first(name, *settings):
        run = make_run(name, "batch.tokens=5000", "train.steps=1", "train.validate_every=0", *settings)
        return next(event for event in finetune.train(run) if isinstance(event, Step))

    plain, voices = first("plain"), first("voices", "batch.reference=1")  # all eight clips in one batch
    assert voices.positions > plain.positions + 8 * 2
    assert voices.audio_seconds == plain.audio_seconds
    assert voices.loss != plain.loss


def test_a_finished_run_is_left_as_it_is(finished):
    before = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()}
    assert isinstance(list(finetune.train(finished))[-1], finetune.Finished)
    assert {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()} == before


def test_epochs_are_whole(make_run, corpus):
    run = make_run("epochs", "train.validate_every=0")
    edit(run, "steps = 6\n", "")
    steps = [event for event in finetune.train(run) if isinstance(event, Step)]
    clips = pl.read_parquet(corpus / "manifest.parquet").filter(pl.col("split") == "train")
    assert sum(step.audio_seconds for step in steps) == pytest.approx(2 * clips["seconds"].sum())


def test_a_clip_over_the_budget_is_named_and_trained_on(make_run, caplog):
    run = make_run("small", "batch.tokens=30", "train.steps=1", "train.validate_every=0")
    assert any(isinstance(event, Step) and event.positions > 30 for event in finetune.train(run))
    assert "longer than batch.tokens = 30" in caplog.text
    assert "km0000" in caplog.text


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("rank = 4", "rank = 8", "another rank or base model"),
        ('scope = "both"', 'scope = "lm"', "differ in 16 tensors"),
        ("rank = 4", "rank = 4\nalpha = 9", "scale 2.25, but the checkpoint .* was trained with 1: put adapter.alpha"),
    ],
)
def test_a_run_whose_adapter_was_changed_is_refused(finished, old, new, says):
    edit(finished, old, new)
    edit(finished, "steps = 2", "steps = 3")
    with pytest.raises(UserError, match=says):
        list(finetune.train(finished))


def test_a_run_is_not_begun_twice_nor_resumed_where_there_is_none(make_run, tmp_path):
    run = make_run("a")
    assert make_run("a", "train.steps=1") == run  # nothing was trained yet: mended, and begun again
    assert config.read(run).train.steps == 1
    list(finetune.train(run))
    with pytest.raises(UserError, match="already holds a run: `train resume"):
        make_run("a")
    (run / "run.toml").unlink()
    with pytest.raises(UserError, match=r"a is not empty \(begun.json is there\): choose a new folder"):
        make_run("a")
    with pytest.raises(UserError, match="holds no training run"):
        config.read(tmp_path)


def test_the_adapter_of_a_run_remembers_model_and_tags(finished, tiny):
    saved = exporting.adapter_of(finished)
    assert saved.base == str(tiny)
    assert say.tagged(saved, "ko", "네") == "(Korean)네"
    with pytest.raises(UserError, match="not trained on language 'th'; it knows km, ko"):
        say.tagged(saved, "th", "x")


@pytest.mark.parametrize(("old", "new"), [("tokens = 120", "tokens = 300"), ("seed = 0", "seed = 3")])
def test_an_epoch_whose_batches_were_changed_begins_again_and_says_so(make_run, corpus, old, new):
    run = make_run("a", "batch.tokens=120", "train.save_every=1", "train.validate_every=0")
    edit(run, "steps = 6\n", "")
    edit(run, "epochs = 2", "epochs = 1")
    train_until(run, 2)  # saved after step 1 of the epoch
    edit(run, old, new)
    events = list(finetune.train(run))
    note = next(event for event in events if isinstance(event, str))
    assert note.startswith("epoch 1 begins again after step 1: ")
    steps = [event for event in events if isinstance(event, Step)]
    clips = pl.read_parquet(corpus / "manifest.parquet").filter(pl.col("split") == "train")
    assert sum(step.audio_seconds for step in steps) == pytest.approx(clips["seconds"].sum())
    assert steps[-1].step == steps[-1].steps == 1 + len(steps)


def test_a_complete_epoch_is_not_done_again_when_batches_change(make_run):
    run = make_run("a", "train.validate_every=0")
    edit(run, "steps = 6\n", "")
    list(finetune.train(run))
    edit(run, "tokens = 300", "tokens = 120")
    events = list(finetune.train(run))
    assert not [event for event in events if isinstance(event, Step)]
    assert "begins again" not in str(events)


def test_a_hub_id_is_pinned_to_the_commit_that_was_loaded(make_run, tiny, tmp_path, monkeypatch, caplog):
    import huggingface_hub

    cached = tmp_path / "snapshots" / "c0ffee"
    cached.parent.mkdir()
    cached.symlink_to(tiny)
    asked = []
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda _, revision: asked.append(revision) or str(cached))
    run = make_run("a", "model=openbmb/VoxCPM2", "train.steps=1", "train.validate_every=0")
    list(finetune.train(run))
    warned = [line for line in caplog.messages if "`main` is not pinned" in line]
    assert len(warned) == 1
    assert "commit c0ffee" in warned[0]
    assert config.read(run).revision == "c0ffee"
    adapter = exporting.export(run, "peft", tmp_path / "p")
    assert json.loads((adapter / "samsori.json").read_text())["revision"] == "c0ffee"
    asked.clear()
    say.say(adapter, "ko", "네", device="cpu")
    assert asked == ["c0ffee"]


def test_an_adapter_is_never_written_over_a_run(finished):
    before = sorted((path, path.stat().st_size) for path in finished.rglob("*"))
    with pytest.raises(UserError, match="holds what would be lost"):
        exporting.export(finished, "peft", finished)
    assert sorted((path, path.stat().st_size) for path in finished.rglob("*")) == before


def test_losses_of_two_models_or_measures_are_never_paired(make_run, tiny, tmp_path):
    model = shutil.copytree(tiny, tmp_path / "model")
    run = make_run("paired", model=model)
    train_until(run, 4)
    edit(run, "validation_draws = 1", "validation_draws = 3")
    with pytest.raises(UserError, match=r"paired was begun with another train.validation_draws: put that back"):
        list(finetune.train(run))
    edit(run, "validation_draws = 3", "validation_draws = 1")
    weights = load_file(model / "model.safetensors")
    name = next(name for name in weights if name.startswith("residual_lm"))
    save_file(weights | {name: weights[name] + 0.01}, model / "model.safetensors")
    with pytest.raises(UserError, match=r"paired was begun with another weights of the base model"):
        list(finetune.train(run))
    save_file(weights, model / "model.safetensors")
    assert isinstance(list(finetune.train(run))[-1], finetune.Finished)


def test_a_changed_held_out_set_is_said(make_run, make_corpus):
    corpus = make_corpus(each=8)
    run = make_run("grown", source=corpus)
    train_until(run, 4)
    manifest = pl.read_parquet(corpus / "manifest.parquet")
    held = manifest.filter(pl.col("split") == "validation")["id"][0]
    manifest.with_columns(
        pl.when(pl.col("id") == held).then(pl.lit("ន")).otherwise(pl.col("training_text")).alias("training_text")
    ).write_parquet(corpus / "manifest.parquet")
    assert "the held-out clips are others than when the run began: only those of both times are compared" in list(
        finetune.train(run)
    )


def test_a_finished_run_is_not_trained_again_nor_its_model_loaded(finished, monkeypatch):
    monkeypatch.setattr(voxcpm, "load", lambda *_, **__: pytest.fail("loaded"))
    assert list(finetune.train(finished)) == [finetune.Finished(2, finished / "checkpoints" / "0000002")]


def test_a_bad_configuration_is_refused_before_a_run_has_a_folder(make_run, tiny, tmp_path):
    model = shutil.copytree(tiny, tmp_path / "model")
    settings = json.loads((model / "config.json").read_text())
    settings["lm_config"]["hidden_size"] = 0
    (model / "config.json").write_text(json.dumps(settings))
    with pytest.raises(UserError, match="hidden_size is 0, and must be 1 at least"):
        make_run("refused", model=model)
    assert not (tmp_path / "refused").exists()


@pytest.fixture
def counted(monkeypatch):
    """How often each of these was called from here on."""
    calls = Counter()
    watched = (
        (base, "find"),
        (pl, "read_parquet"),
        (voxcpm, "check_files"),
        (sampler, "plan"),
        (checkpoint, "verified"),
    )
    for module, name in watched:
        real = getattr(module, name)

        def count(*args, name=name, real=real, **options):
            calls[name] += 1
            return real(*args, **options)

        monkeypatch.setattr(module, name, count)
    return calls


def test_a_run_finds_its_model_reads_its_manifest_and_plans_an_epoch_once(corpus, tiny, tmp_path, counted):
    table = {"corpus": str(corpus), "model": str(tiny), "into": str(tmp_path / "run")}
    settings = ["adapter.rank=4", "batch.tokens=300", "train.epochs=2", "train.validate_every=0", "train.device=cpu"]
    run = config.build(table, settings)
    survey = finetune.start(run)
    *_, last = finetune.train(run.into, survey=survey)
    assert isinstance(last, finetune.Finished)
    assert counted == {"find": 1, "read_parquet": 1, "check_files": 1, "plan": 2}
    counted.clear()
    list(finetune.train(run.into))  # finished: a resumed process looks for itself, and at one checkpoint
    assert (counted["find"], counted["read_parquet"], counted["verified"]) == (1, 1, 1)


def test_a_dry_run_and_a_run_share_one_survey(corpus, tiny, tmp_path, counted):
    table = {"corpus": str(corpus), "model": str(tiny), "into": str(tmp_path / "run")}
    run = config.build(table, ["adapter.rank=4", "batch.tokens=300", "train.epochs=2", "train.device=cpu"])
    facts = forecast.forecast(run, tick=lambda *_: None)
    assert counted == {"find": 1, "read_parquet": 1, "check_files": 1, "plan": 2}
    store = latents.Latents(run.latents_folder, tiny)
    assert facts["steps"]["all"] == sampler.EpochPlans(run, dataset.survey(run).data(store.patches).train).total_steps()
