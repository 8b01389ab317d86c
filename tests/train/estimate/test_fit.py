"""What fits on a GPU, without one: budgets by count, cards that are too small, and the rehearsal that comes first."""

import sys

import pytest
import torch

from curate.errors import UserError
from tests.train.runs import returned
from train import cli, config, finetune
from train.data import dataset
from train.estimate import cost, fit
from train.model import base
from train.trainer import Trainer


@pytest.fixture(scope="module")
def given(make_run_of_module, make_corpus_of_module, tiny):
    """A run whose batches hold some twenty clips, its data and its cost model."""
    source = make_corpus_of_module(each=20)
    run = config.read(make_run_of_module("run", "batch.tokens=1500", "train.steps=40", source=source))
    data = returned(dataset.prepare(dataset.survey(run), "cpu"))
    return run, data, cost.CostModel(base.read_config(tiny), run.adapter, torch.float32)


def test_the_heaviest_piece_is_heavier_than_all_others(given):
    run, data, _ = given
    piece = fit.heaviest(run, data.train, 300)
    assert sum(each.length for each in piece) <= 300
    alone = fit.heaviest(run, data.train, 1)
    assert [fit.weight(alone)] == [max(fit.weight([each]) for each in data.train)]
    assert fit.weight(alone) < fit.weight(piece) < fit.weight(fit.heaviest(run, data.train, 1500))


@pytest.mark.parametrize("share", [0.9, 0.5, 0.3])
def test_the_budget_is_the_largest_that_fits(given, share):
    run, data, model = given
    whole = model.of(fit.heaviest(run, data.train, run.batch.tokens)).peak
    room = model.fixed + share * whole
    tokens, taken = fit.micro_batch(run, data.train, model, room)
    assert taken <= room
    tried = fit.budgets(run.batch.tokens)
    larger = tried[tried.index(tokens) - 1]
    assert model.fixed + model.of(fit.heaviest(run, data.train, larger)).peak > room


def test_with_room_enough_a_step_is_one_piece(given):
    run, data, model = given
    assert fit.micro_batch(run, data.train, model, 1e15)[0] == run.batch.tokens


def test_a_card_that_is_too_small_is_told_what_would_fit(given):
    run, data, model = given
    plain, checkpointed = (model.fixed + peak for peak in model.peaks(fit.heaviest(run, data.train, 1)))
    with pytest.raises(
        UserError, match=r"rank 4 needs .* even with one clip at once .*: train.checkpointing = true fits"
    ):
        fit.micro_batch(run, data.train, model, (plain + checkpointed) / 2)
    with pytest.raises(UserError, match=r"is the least, with checkpointing; lower adapter.rank"):
        fit.micro_batch(run, data.train, model, model.fixed)


def test_a_card_that_only_a_base_in_4_bits_fits_is_told_so(given):
    """Counted without bitsandbytes, of which only shapes are needed."""
    run, data, model = given
    asked = []

    def in_4_bits():
        asked.append(cost.model_of(run, base.read_config(base.find(run.model)), torch.float32, quantization="nf4"))
        return asked[-1]

    small, piece = in_4_bits(), fit.heaviest(run, data.train, 1)
    fits = small.fixed + small.of(piece, checkpointing=True).peak
    assert fits < model.fixed + model.of(piece, checkpointing=True).peak
    says = r'train\.quantization = "nf4" with train\.checkpointing = true fits'
    with pytest.raises(UserError, match=says):
        fit.micro_batch(run, data.train, model, fits, in_4_bits=in_4_bits)
    with pytest.raises(UserError, match=r"is the least, with checkpointing and a base in 4 bits; lower adapter.rank"):
        fit.micro_batch(run, data.train, model, fits - 1, in_4_bits=in_4_bits)
    mine = run.model_copy(update={"train": run.train.model_copy(update={"quantization": "nf4"})})
    count = len(asked)
    with pytest.raises(UserError, match=r"is the least, with checkpointing and a base in 4 bits"):
        fit.micro_batch(mine, data.train, small, fits - 1, in_4_bits=in_4_bits)
    assert len(asked) == count  # it is so already
    assert fit.micro_batch(run, data.train, model, 1e15, in_4_bits=in_4_bits)[0] == run.batch.tokens
    assert len(asked) == count  # and is counted only where nothing else fits


def test_flash_attentions_workspace_is_that_of_its_source_and_an_eighth_when_folded():
    apart, shared = (
        torch.empty(800, 16, 11, 128, device="meta", dtype=torch.bfloat16),
        torch.empty(800, 2, 11, 128, device="meta", dtype=torch.bfloat16),
    )
    folded = torch.empty(800, 2, 88, 128, device="meta", dtype=torch.bfloat16)
    tiles = 800 * 16 * 128 * 129 * 4  # float32 gradients of the queries in tiles of 128, and a number for each
    assert cost.workspace(apart, shared) == tiles + 2 * 800 * 16 * 11 * 128 * 2
    assert cost.workspace(folded, shared) == tiles / 8


def test_on_a_cpu_nothing_is_changed_and_nothing_compiled(given):
    run, data, _ = given
    assert fit.fitted(run, dataset.survey(run), data.train) == (run, "")
    assert not fit.compiles(run, "cpu", 10**6)


def test_layers_are_compiled_on_a_gpu_in_long_runs_where_there_is_a_compiler(given, monkeypatch):
    run, _, _ = given
    monkeypatch.setattr(fit.shutil, "which", lambda name: "/usr/bin/gcc" if name == "gcc" else None)
    monkeypatch.setattr(fit.importlib.util, "find_spec", lambda name: object())
    assert fit.compiles(run, "cuda", 1500)
    assert not fit.compiles(run, "cuda", 20)
    for asked in (True, False):
        train = run.train.model_copy(update={"compile": asked})
        assert fit.compiles(run.model_copy(update={"train": train}), "cuda", 1500) is asked
    monkeypatch.setattr(fit.shutil, "which", lambda name: None)
    assert not fit.compiles(run, "cuda", 1500)


@pytest.fixture
def trainer(given):
    run, data, _ = given
    return Trainer.fresh(run, base.find(run.model), data, "cpu", finetune.ALONE)


def test_a_rehearsal_changes_nothing_that_a_step_then_sees(given, trainer):
    before = trainer.vector.parameter.detach().clone(), torch.get_rng_state()
    assert list(finetune._rehearse(trainer, given[0])) == []
    assert torch.equal(before[0], trainer.vector.parameter)
    assert torch.equal(before[1], torch.get_rng_state())
    assert trainer.vector.parameter.grad is None


def out_of_memory_over(monkeypatch, tokens):
    """A GPU on which only pieces of so many positions go."""
    seen = []

    def rehearse(trainer, piece):
        seen.append(sum(each.length for each in piece))
        if seen[-1] > tokens:
            raise torch.cuda.OutOfMemoryError

    monkeypatch.setattr(Trainer, "rehearse", rehearse)
    return seen


def test_what_is_out_of_memory_is_so_before_the_first_step_and_halved(given, trainer, monkeypatch):
    seen = out_of_memory_over(monkeypatch, 400)
    notes = list(finetune._rehearse(trainer, given[0]))
    assert trainer.run.batch.micro_batch_tokens == 375
    assert notes[-1] == "out of memory with 750 positions at once: going on with 375"
    assert seen == sorted(seen, reverse=True)


def test_a_budget_that_a_person_has_set_is_not_changed(given, trainer, monkeypatch):
    out_of_memory_over(monkeypatch, 400)
    trainer.run = asked = fit.with_budget(given[0], 1500)
    with pytest.raises(UserError, match=r"set batch\.micro_batch_tokens = \d+ \(now 1500\)"):
        list(finetune._rehearse(trainer, asked))
    assert trainer.run is asked


def test_a_budget_is_halved_down_to_one_clip_which_no_budget_would_help(given, trainer, monkeypatch):
    out_of_memory_over(monkeypatch, 1)
    with pytest.raises(
        UserError, match=r"with one clip at once \(\w+, \d+ positions\).*: set train\.checkpointing = true"
    ):
        list(finetune._rehearse(trainer, given[0]))


class Refused(RuntimeError):
    __module__ = "torch._dynamo.exc"


def test_layers_that_cannot_be_compiled_are_not_and_it_is_said(given, trainer, monkeypatch):
    def rehearse(trainer, piece):
        if trainer.options.compiled:
            raise Refused("no compiler\nsuch")

    monkeypatch.setattr(Trainer, "rehearse", rehearse)
    run = given[0]
    trainer.options = finetune.replace(trainer.options, compiled=True)
    asked = run.model_copy(update={"train": run.train.model_copy(update={"compile": True})})
    with pytest.raises(UserError, match=r"\(no compiler\): set train.compile = false"):
        list(finetune._rehearse(trainer, asked))
    assert list(finetune._rehearse(trainer, run)) == ["layers cannot be compiled here (no compiler): going on without"]
    assert not trainer.options.compiled


@pytest.mark.parametrize("own", [None, "max_split_size_mb:64"])
def test_memory_grows_in_segments_unless_a_person_says_otherwise(monkeypatch, own):
    for name in ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"):
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    if own:
        monkeypatch.setenv("PYTORCH_CUDA_ALLOC_CONF", own)
    monkeypatch.setattr(sys, "argv", ["train", "params", "--ranks", "1", "--help"])
    with pytest.raises(SystemExit):
        cli.main()
    assert cli.os.environ.get("PYTORCH_ALLOC_CONF") == (None if own else "expandable_segments:True")
