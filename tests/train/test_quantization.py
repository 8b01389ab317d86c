"""A run on a base in 4 bits: refused where it cannot be, the same after a kill, said in its card."""

import json
import sys

import pytest

from curate.errors import UserError
from tests.train.runs import copied, edit, train_until
from train import checkpoint, cli, config, finetune, metrics
from train.adapter import lora
from train.export import adapter as exporting
from train.model import nf4, voxcpm

NF4 = 'quantization = "nf4"'
USUAL = ("train.save_every=2", "train.steps=4", "train.validate_every=2")


def lines(run):
    return [{**line, "seconds": 0, "memory": 0} for line in metrics.read(run)]


def without_bitsandbytes(monkeypatch):
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)


@pytest.mark.parametrize("dry", [False, True])
def test_without_the_library_it_is_one_line_before_anything_is_made(corpus, tiny, tmp_path, monkeypatch, capfd, dry):
    without_bitsandbytes(monkeypatch)
    words = [str(corpus), "--model", str(tiny), "--into", str(tmp_path / "run"), "--set", "train.quantization=nf4"]
    monkeypatch.setattr(sys, "argv", ["train", "lora", *words, *(["--dry-run"] if dry else [])])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert line.endswith(
        'train.quantization = "nf4" needs bitsandbytes, which is not installed: `pip install bitsandbytes`'
    )
    assert not (tmp_path / "run").exists()


def test_where_it_was_never_asked_for_the_library_is_not_needed(make_run, monkeypatch):
    without_bitsandbytes(monkeypatch)
    folder = make_run("plain", "train.validate_every=0", "train.steps=1")
    list(finetune.train(folder))
    assert (folder / "checkpoints" / "0000001" / "adapter_model.safetensors").is_file()


def test_a_device_that_cannot_is_one_line(monkeypatch):
    pytest.importorskip("bitsandbytes", reason="a base in 4 bits needs bitsandbytes")

    def none(*_):
        raise RuntimeError("no kernel image is available\nfor execution on the device")

    monkeypatch.setattr(nf4, "quantized", none)
    says = (
        r"cannot keep weights in 4 bits on this cpu \(no kernel image is available\): install the version for its CUDA"
    )
    with pytest.raises(UserError, match=says):
        nf4.check("cpu")


def test_what_is_no_kind_of_it_is_one_line():
    with pytest.raises(UserError, match=r"train\.quantization.*'none' or 'nf4'"):
        config.build({"corpus": "c", "model": "m", "into": "i"}, ["train.quantization=int4"])


@pytest.fixture(scope="module")
def whole(make_run_of_module):
    """A run on a base in 4 bits that speaks, done."""
    pytest.importorskip("bitsandbytes", reason="a base in 4 bits needs bitsandbytes")
    run = make_run_of_module("whole", *USUAL, "train.quantization=nf4", 'samples.km=["ក"]')
    list(finetune.train(run))
    return run


@pytest.fixture(scope="module")
def half(whole, make_run_of_module):
    run = make_run_of_module("half", *USUAL, "train.quantization=nf4", 'samples.km=["ក"]')
    train_until(run, 3)
    return run


def test_it_goes_on_after_a_kill_to_the_same_bits(whole, half, tmp_path):
    killed = copied(half, tmp_path)
    list(finetune.train(killed))
    first, second = (checkpoint.newest(run) / "adapter_model.safetensors" for run in (whole, killed))
    assert first.read_bytes() == second.read_bytes()
    assert lines(whole) == lines(killed)
    assert (whole / "samples" / "0000004" / "km-1.wav").is_file()


def test_its_losses_are_others_than_those_of_the_base_as_it_is(whole, make_run):
    plain = make_run("plain", *USUAL)
    list(finetune.train(plain))
    mine, others = ([line["loss"] for line in lines(run) if "loss" in line] for run in (whole, plain))
    assert len(mine) == len(others) == 4
    assert mine != others
    assert mine == pytest.approx(others, rel=0.2)


@pytest.mark.parametrize(("old", "new"), [(NF4, 'quantization = "none"'), ('quantization = "none"', NF4)])
def test_a_run_never_goes_on_with_its_base_kept_otherwise(half, make_run, tmp_path, old, new):
    if old == NF4:
        run = copied(half, tmp_path)
    else:
        train_until(run := make_run("plain", *USUAL), 3)
    edit(run, old, new)
    with pytest.raises(UserError, match=r"was begun with another train\.quantization: put that back, or begin another"):
        list(finetune.train(run))


def test_a_run_that_was_begun_before_there_was_this_to_note_goes_on(make_run):
    run = make_run("old", *USUAL)
    train_until(run, 3)
    place = run / checkpoint.RUN_FINGERPRINT
    noted = json.loads(place.read_text())
    assert noted.pop("train.quantization") == "none"
    place.write_text(json.dumps(noted))
    text = (run / "run.toml").read_text()
    (run / "run.toml").write_text(text.replace('quantization = "none"\n', ""))
    list(finetune.train(run))


def test_its_adapter_is_the_usual_file_and_says_what_it_was_trained_on(whole, tiny, tmp_path):
    noted = json.loads((checkpoint.newest(whole) / lora.NOTES).read_text())
    assert noted["facts"] == {"quantization": "nf4"}
    place = exporting.export(whole, "voxcpm", tmp_path / "out")
    assert json.loads((place / lora.NOTES).read_text())["facts"]["quantization"] == "nf4"
    assert "trained on the base model in 4 bits (nf4)" in (place / "README.md").read_text()
    model = voxcpm.load(tiny, device="cpu")
    lora.load_onto(model, lora.load(place))  # on the base as it is


def test_an_adapter_of_the_base_as_it_is_says_nothing_of_it(make_run, tmp_path):
    run = make_run("plain", "train.validate_every=0", "train.steps=1")
    list(finetune.train(run))
    place = exporting.export(run, "voxcpm", tmp_path / "out")
    assert "quantization" not in json.loads((place / lora.NOTES).read_text())["facts"]
    assert "4 bits" not in (place / "README.md").read_text()
