"""What tests do with runs: train them half-way, copy them, edit their files."""

import shutil
from pathlib import Path

from train import finetune
from train.trainer import Step


def train_until(run: Path, step: int) -> None:
    """Train and vanish, as a killed process does: nothing is saved on the way out."""
    events = finetune.train(run)
    for event in events:
        if isinstance(event, Step) and event.step == step:
            break
    events.close()


def copied(run: Path, folder: Path) -> Path:
    """A copy of a run in a folder, to be changed: its own run, for a run is where its run file lies."""
    return shutil.copytree(run, folder / run.name)


def edit(run: Path, old: str, new: str) -> None:
    """Change a run's file as a person does."""
    file = run / "run.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def returned(generator):
    """What a generator returns in the end."""
    try:
        while True:
            next(generator)
    except StopIteration as end:
        return end.value
