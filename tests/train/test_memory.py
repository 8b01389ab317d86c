"""What is said where GPU memory ends would help: in a step, in a validation, with one clip at once, and elsewhere."""

import re

import pytest
import torch

from curate.errors import UserError
from train import finetune, memory, validation
from train.config import build
from train.data.sampler import Example
from train.model import losses, voxcpm

SMALLER = r"set batch\.micro_batch_tokens = (\d+) \(now (\d+)\)"
ALONE = (
    r"out of GPU memory with one clip at once \(\w+, \d+ positions\), which no batch\.micro_batch_tokens makes smaller"
)
LONG = "use a GPU with more memory, or curate with a lower segment.max_seconds"


def full(*_, **__):
    raise torch.cuda.OutOfMemoryError


def refusal(run, monkeypatch, where=losses, name="losses"):
    monkeypatch.setattr(where, name, full)
    with pytest.raises(UserError) as problem:
        list(finetune.train(run))
    return str(problem.value)


def test_the_key_that_mends_it_and_its_file_are_named(make_run, monkeypatch):
    run = make_run("a", "train.validate_every=0")
    says = refusal(run, monkeypatch)
    assert re.search(rf"{SMALLER} .*, or train\.checkpointing = true .*/a/run\.toml, then `train resume .*/a`", says)


@pytest.mark.parametrize("settings", [("batch.micro_batch_tokens=1",), ("batch.tokens=1",)])
def test_with_one_clip_at_once_no_smaller_budget_is_advised(make_run, monkeypatch, settings):
    says = refusal(make_run("a", "train.validate_every=0", *settings), monkeypatch)
    assert re.match(rf"{ALONE}: set train\.checkpointing = true under \[train\] in .*/a/run\.toml", says)
    assert LONG not in says
    says = refusal(make_run("b", "train.validate_every=0", "train.checkpointing=true", *settings), monkeypatch)
    assert re.match(ALONE, says)
    assert LONG in says
    assert "set train" not in says
    assert says.endswith('begin another run with a lower adapter.rank, or with train.quantization = "nf4"')


def test_a_validation_keeps_nothing_for_a_gradient_so_checkpointing_is_not_advised(make_run, monkeypatch):
    says = refusal(make_run("a"), monkeypatch, validation, "_losses")
    assert re.search(SMALLER, says)
    assert "checkpointing" not in says
    says = refusal(make_run("b", "batch.micro_batch_tokens=1"), monkeypatch, validation, "_losses")
    assert re.match(ALONE, says)
    assert "checkpointing" not in says
    assert LONG in says


def test_while_the_model_is_loaded_no_budget_is_advised(make_run, monkeypatch):
    says = refusal(make_run("a"), monkeypatch, voxcpm, "load")
    assert "no batch was computed: end what else uses this GPU" in says
    assert "micro_batch_tokens" not in says


@pytest.mark.parametrize(("tokens", "lengths"), [(4096, (90, 60)), (300, (150, 140)), (2, (1, 1)), (40, (30, 3, 3))])
def test_the_budget_that_is_advised_parts_the_clips_that_did_not_fit(tmp_path, tokens, lengths):
    run = build({"corpus": "c", "model": "m", "into": str(tmp_path)}, [f"batch.tokens={tokens}"])
    clips = [Example(f"c{number}", "km", (1,), length) for number, length in enumerate(lengths)]
    advised, now = map(int, re.search(SMALLER, memory.out_of_memory(run, clips)).groups())
    assert now == tokens
    assert 1 <= advised < sum(each.length for each in clips)
