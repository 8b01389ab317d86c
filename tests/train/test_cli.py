import json
import logging
import re
import signal
import subprocess
import sys

import pytest
import soundfile

from train import cli, finetune
from train.data import latents
from train.model import voxcpm

COMMANDS = [command.callback.__name__ for command in cli.app.registered_commands]
HELP = """
import sys
sys.argv = ["train", *{words!r}]
from train.cli import main
try:
    main()
finally:
    heavy = ("torch", "peft", "transformers", "voxcpm", "polars", "numpy")
    print([name for name in heavy if name in sys.modules], file=sys.stderr)
"""


def help_of(*words):
    return subprocess.run([sys.executable, "-c", HELP.format(words=words)], capture_output=True, text=True, check=True)


@pytest.mark.parametrize("words", [[], ["lora"], ["params"]])
def test_help_imports_no_model_library(words):
    done = help_of(*words, "--help")
    assert "Usage: train" in done.stdout
    assert done.stderr.strip() == "[]"


def run(monkeypatch, capsys, *words):
    """The command's exit code and what it printed."""
    monkeypatch.setattr(sys, "argv", ["train", *map(str, words)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    printed = capsys.readouterr()
    return left.value.code or 0, printed.out, printed.err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_commands_help_ends_with_an_example(monkeypatch, capsys, command):
    code, out, _ = run(monkeypatch, capsys, command, "--help")
    text = out.split("Arguments:")[0].split("Options:")[0].strip()
    assert code == 0
    assert text.split("\n\n")[-1].strip().startswith(f"Example: train {command} ")


def test_a_library_that_is_not_asked_for_does_not_advise_to_install_more(monkeypatch, capsys):
    assert run(monkeypatch, capsys, "params")[2] == ""
    assert not logging.getLogger("bitsandbytes.backends.cpu.ops").isEnabledFor(logging.WARNING)


def test_the_way_from_a_corpus_to_a_spoken_sentence(monkeypatch, capsys, make_corpus, tiny, tmp_path):
    folder = make_corpus()
    code, out, _ = run(monkeypatch, capsys, "encode", folder, "--model", tiny, "--device", "cpu", "--json")
    assert code == 0
    assert json.loads(out) == {"clips": 10, "encoded": 10, "latents": str(folder / "latents")}
    settings = [f"--set={each}" for each in ("train.steps=2", "train.device=cpu", "optimizer.learning_rate=0.01")]
    words = ["lora", folder, "--model", tiny, "--rank", 4, "--into", tmp_path / "r4", "--json", *settings]
    code, out, err = run(monkeypatch, capsys, *words)
    assert code == 0
    assert json.loads(out)["step"] == 2
    assert json.loads(out)["validation"].keys() == {"km", "ko"}
    assert "held-out loss, zero-shot: km " in err
    code, out, _ = run(monkeypatch, capsys, "export", tmp_path / "r4", "--to", "voxcpm", "--json")
    adapter = json.loads(out)["adapter"]
    words = ["say", adapter, "--language", "ko", "--text", "네", "--out", tmp_path / "a.wav", "--json"]
    code, out, _ = run(monkeypatch, capsys, *words)
    assert soundfile.info(tmp_path / "a.wav").samplerate == json.loads(out)["rate"] == 48000
    code, _, err = run(monkeypatch, capsys, *words[:-1], "--device", "cpu", "--text", " ")
    assert code == 1
    assert "there is no text to say" in err


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (["--set=train.save_every=9"], r"stopped at step 1 of 6, saved; go on with: train resume .*/a$"),
        (
            ["--latents={tmp}/latents"],
            r"train: stopped before the first step; nothing was lost, go on with: train resume .*/a$",
        ),
    ],
)
def test_ctrl_c_is_one_line_that_says_how_to_go_on(monkeypatch, capsys, corpus, tiny, tmp_path, settings, says):
    train = finetune.train

    def interrupted(*given):
        for event in train(*given):
            if isinstance(event, finetune.Step | latents.Progress):
                signal.raise_signal(signal.SIGINT)
            yield event

    monkeypatch.setattr(finetune, "train", interrupted)
    filled = [word.format(tmp=tmp_path) for word in settings]
    words = ["--model", tiny, "--rank", 4, "--into", tmp_path / "a", "--set=train.steps=6", "--set=train.device=cpu"]
    code, _, err = run(monkeypatch, capsys, "lora", corpus, *words, *filled)
    assert code == 130
    assert re.search(says, err.strip().splitlines()[-1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_an_end_before_the_first_step_is_one_line_too(monkeypatch, capsys, corpus, tiny, tmp_path, number):
    def end(*_, **__):
        signal.raise_signal(number)

    monkeypatch.setattr(voxcpm, "load", end)
    words = ["--model", tiny, "--rank", 4, "--into", tmp_path / "a", "--set=train.device=cpu"]
    code, _, err = run(monkeypatch, capsys, "lora", corpus, *words)
    assert code == 130
    says = f"train: stopped before the first step; nothing was lost, go on with: train resume {tmp_path / 'a'}"
    assert err.strip().splitlines()[-1] == says
    assert signal.getsignal(number) is signal.SIG_DFL


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["lora", "absent", "--model", "{tiny}", "--into", "{tmp}/r"], "no manifest at"),
        (["lora", "{corpus}", "--model", "{tmp}", "--into", "{tmp}/r"], "is not a VoxCPM2 checkpoint"),
        (["lora", "{corpus}", "--model", "{tmp}/absent", "--into", "{tmp}/r"], "no folder"),
        (["lora", "{corpus}", "--model", "{tiny}"], "into is missing: give --into"),
        (
            ["lora", "{corpus}", "--model", "{tiny}", "--into", "{tmp}/r", "--set", "adapter.scope=x"],
            "'lm', 'dit' or 'both'",
        ),
        (["encode", "{corpus}/absent", "--model", "{tiny}"], "no manifest at"),
        (["resume", "{tmp}"], "holds no training run"),
        (["export", "{tmp}", "--to", "voxcpm"], "no adapter in"),
        (["export", "{tmp}", "--to", "gguf"], "unknown format 'gguf'; there are voxcpm, peft"),
        (["say", "{tmp}", "--language", "km", "--text", "x", "--out", "{tmp}/a.wav"], "no adapter in"),
        (["demo", "--into", "{tmp}"], "run `curate demo --into"),
        (["params", "--ranks", "many"], "positive whole numbers"),
    ],
)
def test_a_mistake_is_one_line_and_exit_1(monkeypatch, capsys, corpus, tiny, tmp_path, words, says):
    filled = [word.format(tmp=tmp_path, tiny=tiny, corpus=corpus) for word in words]
    code, out, err = run(monkeypatch, capsys, *filled)
    assert code == 1
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert says in err
