"""benchmarks/train_step.py in its smallest setting: equal work and ratios, not speed."""

import json

import pytest
import torch

from benchmarks import official_step, our_step, train_step, workload

SHORT = ["--size", "tiny", "--clips", "4", "--seconds", "0.3", "0.8", "--repeats", "1", "--device", "cpu"]


@pytest.fixture(scope="module")
def sides():
    config = workload.configuration("tiny")
    spoken = workload.clips(3, seconds=(0.3, 0.8), vocabulary=config["lm_config"]["vocab_size"], seed=1)
    model = official_step.build(config, rank=2, device="cpu", seed=1)
    ours = our_step.Ours(model, rank=2, device="cpu", keep=True)
    ours.encode(spoken)
    return official_step.Official(model, device="cpu"), ours, spoken


def test_both_sides_lose_the_same_and_a_ratio_is_printed(capsys, tmp_path):
    file = tmp_path / "found.json"
    assert train_step.main([*SHORT, "--threads", "1", "--no-memory", "--json", str(file)]) == 0
    found = json.loads(file.read_text())
    assert found["agreement"]["difference"] < 1e-5
    ours = [row for row in found["rows"] if row["side"] == "ours"]
    assert ours
    assert all(row["documented"][0] > 0 and row["best"][0] > 0 for row in ours)
    best = max(ours, key=lambda row: row["speed"])
    said = capsys.readouterr().out
    assert all(f"{best[name][0]:.2f} (" in said for name in ("documented", "best", "all_in_one"))


def test_losses_of_another_model_are_told_apart(sides):
    official, ours, spoken = sides
    assert our_step.compare(official, ours, spoken, seed=0).difference < 1e-5
    sound = ours.sounds[spoken[0].id]
    ours.sounds[spoken[0].id] = type(sound)(sound.latents * 1.01, sound.encoded)
    assert our_step.compare(official, ours, spoken, seed=0).difference > train_step.AGREE["cpu"]
    ours.sounds[spoken[0].id] = sound


def test_both_sides_step_from_the_same_weights(sides):
    official, ours, _ = sides
    own = dict(ours.model.named_parameters())
    theirs = {name: value for name, value in official.model.named_parameters() if not name.startswith("audio_vae.")}
    assert own.keys() == theirs.keys()
    assert all(torch.equal(own[name], value) for name, value in theirs.items())


def test_both_sides_move_the_adapter_and_nothing_else(sides):
    official, ours, spoken = sides
    before = {name: value.detach().clone() for name, value in official.model.named_parameters()}
    official.step([official.collate(spoken[:2]), official.collate(spoken[2:])])
    vector = ours.vector.parameter.detach().clone()
    assert ours.train(our_step.Setting(tokens=10_000), epoch=0) == pytest.approx(sum(each.seconds for each in spoken))
    moved = {name for name, value in official.model.named_parameters() if not torch.equal(value, before[name])}
    assert moved == {name for name in before if ".lora_" in name}
    assert not torch.equal(vector, ours.vector.parameter)


@pytest.mark.parametrize(("batch", "together", "clips"), [(2, 8, 16), (2, 8, 8), (2, 8, 3), (4, 1, 8), (4, 1, 6)])
def test_the_official_side_is_given_every_clip_and_full_steps(batch, together, clips):
    steps = official_step.passes(clips, range(clips), batch, together)
    given = [clip for step in steps for each in step for clip in each]
    assert {given.count(clip) for clip in range(clips)} == {len(given) // clips}
    assert all(len(step) == together for step in steps)


def test_what_this_machine_cannot_run_is_one_line(capsys):
    assert train_step.main(["--size", "full", "--device", "cpu"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
