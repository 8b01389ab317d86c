"""Checkpoints: a damaged one is named with its remedy, the earlier ones stay, and a run is held by one process."""

import shutil

import pytest
import torch

from curate.errors import UserError
from tests.train.runs import copied
from train import checkpoint, finetune


@pytest.fixture(scope="module")
def two_checkpoints(make_run_of_module):
    """A finished run with a checkpoint of each of its two steps; do not write into it."""
    run = make_run_of_module("damaged", "train.validate_every=0", "train.steps=2", "train.save_every=1")
    list(finetune.train(run))
    return run


@pytest.mark.parametrize(("name", "says"), [("sha256.json", "half written"), ("optimizer.pt", "damaged")])
def test_a_damaged_checkpoint_is_one_line_with_the_remedy(two_checkpoints, tmp_path, name, says):
    run = copied(two_checkpoints, tmp_path)
    file = checkpoint.newest(run) / name
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(UserError, match=rf"0000002.*{says}.*remove that folder"):
        list(finetune.train(run))
    shutil.rmtree(file.parent)
    assert isinstance(list(finetune.train(run))[-1], finetune.Finished)


def test_a_run_is_trained_by_one_process_at_a_time(make_run):
    run = make_run("a", "train.validate_every=0")
    first = finetune.train(run)
    next(first)
    with pytest.raises(UserError, match="is being trained by another process"):
        next(finetune.train(run))
    first.close()
    assert isinstance(list(finetune.train(run))[-1], finetune.Finished)


def test_the_oldest_are_removed_but_for_those_that_are_spared_and_a_persons_folders(tmp_path):
    for name in ("0000001", "0000002", "0000003", "0000004", "mine", "1-mine"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
    checkpoint.prune(tmp_path, keep=2, spare={1})
    assert [path.name for path in checkpoint.every(tmp_path)] == ["0000001", "0000003", "0000004"]
    assert {path.name for path in (tmp_path / "checkpoints").iterdir()} >= {"mine", "1-mine"}


def test_a_run_without_checkpoints_has_no_newest(tmp_path):
    assert checkpoint.newest(tmp_path) is None


def test_state_optimizer_and_settings_come_back_to_the_bit(tmp_path):
    state = checkpoint.State(step=3, epoch=1, batch=2, batches=4, plan="abc")
    optimizer = {"state": {0: {"exp_avg": torch.tensor([1 / 3])}}, "vector": torch.tensor([1 / 3]).double()}
    checkpoint.write_state(tmp_path, state, optimizer, {"train": {"seed": 1}})
    checkpoint.write_checksums(tmp_path)
    assert checkpoint.read_state(checkpoint.verified(tmp_path)) == state
    assert checkpoint.read_settings(tmp_path) == {"train": {"seed": 1}}
    again = checkpoint.read_optimizer(tmp_path)
    assert torch.equal(again["state"][0]["exp_avg"], optimizer["state"][0]["exp_avg"])
    assert torch.equal(again["vector"], optimizer["vector"])


def test_a_checkpoint_of_an_earlier_version_says_no_settings_and_keeps_its_vector_beside_the_optimizer(tmp_path):
    assert checkpoint.read_settings(tmp_path) == {}
    torch.save({"optimizer": {"state": {}, "param_groups": []}, "vector": torch.ones(2)}, tmp_path / "optimizer.pt")
    assert torch.equal(checkpoint.read_optimizer(tmp_path)["vector"], torch.ones(2))


@pytest.mark.parametrize("text", ['{"step": 1}', "[]", '{"steps": 1}', "{"])
def test_a_state_that_cannot_be_read_is_one_line_with_the_remedy(tmp_path, text):
    (tmp_path / checkpoint.STATE).write_text(text)
    with pytest.raises(UserError, match=r"state\.json is not what this version writes .*: remove "):
        checkpoint.read_state(tmp_path)


def test_what_was_noted_when_a_run_began_stands_and_a_damaged_note_is_named(tmp_path):
    assert checkpoint.run_fingerprint(tmp_path, {"model": "a"}) == {"model": "a"}
    assert checkpoint.run_fingerprint(tmp_path, {"model": "b"}) == {"model": "a"}
    (tmp_path / checkpoint.RUN_FINGERPRINT).write_text("{")
    with pytest.raises(UserError, match=r"begun\.json is damaged .*: remove it"):
        checkpoint.run_fingerprint(tmp_path, {"model": "b"})
