"""Checkpoints: written beside their place and renamed, so that a kill at any moment loses no earlier one."""

import fcntl
import hashlib
import io
import json
import math
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate.errors import UserError

SEAL = "sha256.json"  # written last: the hash of every other file of the checkpoint
OPTIMIZER = "optimizer.pt"
STATE = "state.json"
METRICS = "metrics.jsonl"
BEGUN = "begun.json"  # what a resumed run must have as it began
FILES = (SEAL, OPTIMIZER, STATE)  # beside the adapter's own
LOCK = ".lock"
ASIDE = ".{}.samsori-old"  # what a new folder is about to replace


@dataclass(frozen=True)
class State:
    """Where a run stands. All draws come from (seed, step), so no generator's state is needed."""

    step: int  # steps done
    epoch: int
    batch: int  # batches of the epoch done
    batches: int = 0  # batches of the epoch
    plan: str = ""  # digest of the epoch's batches; "": written before there was one


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Hold a run for one process; the kernel lets go of it when the process ends, however it ends."""
    with (run / LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"{run} is being trained by another process: wait until it ends, or stop it") from None
        yield


@contextmanager
def folder_in_place(folder: Path, ours: Collection[str]) -> Iterator[Path]:
    """A folder to fill; when all went well its files are flushed and it takes the place of `folder`.

    `ours` are the names of files that may be replaced. Raises UserError where anything else is in `folder`. A kill
    between the two renames leaves the old one aside, and `recover` brings it back.
    """
    folder = folder.resolve()  # through links, and "." has a name
    _check_ours(folder, ours)
    recover(folder)
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
    except BaseException:  # a full disk, say: what was there before stays
        shutil.rmtree(partial, ignore_errors=True)
        raise
    for path in [*partial.iterdir(), partial]:
        flush(path)
    aside = _aside(folder)
    if aside.is_dir():  # of a write that was killed when the new folder was in its place
        _check_ours(aside, ours)
        shutil.rmtree(aside)
    if folder.exists():
        folder.rename(aside)
    partial.rename(folder)
    flush(folder.parent)
    shutil.rmtree(aside, ignore_errors=True)


def recover(folder: Path) -> None:
    """Bring back the folder that a killed write left aside, where there is nothing in its place."""
    folder = folder.resolve()
    if not folder.exists() and _aside(folder).is_dir():
        _aside(folder).rename(folder)


def begun(run: Path, found: dict[str, Any]) -> dict[str, Any]:
    """What a run was begun with: what was noted of it before, or else `found`, which is noted now."""
    path = run / BEGUN
    if not path.is_file():
        write_whole(path, json.dumps(found, indent=2) + "\n")
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as problem:
        raise UserError(f"{path} is damaged ({problem}): remove it, and the run is taken as it is now") from problem


def path_of(run: Path, step: int) -> Path:
    """Where the checkpoint of a step lies."""
    return run / "checkpoints" / f"{step:07d}"


def newest(run: Path) -> Path | None:
    """The last checkpoint of a run, or None. Raises UserError where it is damaged."""
    found = every(run)
    return whole(found[-1]) if found else None


def every(run: Path) -> list[Path]:
    """The checkpoints of a run, the oldest first; other folders beside them are a person's."""
    return sorted(path for path in (run / "checkpoints").glob("[0-9]*") if path.name.isdigit())


def whole(folder: Path) -> Path:
    """A checkpoint as it was sealed. Raises UserError where it is damaged."""
    remedy = f"remove that folder and `train resume {folder.parent.parent}` goes on from the one before"
    try:
        hashes = json.loads((folder / SEAL).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        hashes = None
    if not (isinstance(hashes, dict) and {OPTIMIZER, STATE} <= hashes.keys()):
        raise UserError(f"the checkpoint {folder} is half written: {remedy}")
    for name, digest in hashes.items():
        if not (folder / name).is_file() or _sha256(folder / name) != digest:
            raise UserError(f"the checkpoint {folder} is damaged ({name}): {remedy}")
    return folder


def seal(folder: Path) -> None:
    """Note the hash of every file, so that a damaged checkpoint is known."""
    hashes = {path.name: _sha256(path) for path in sorted(folder.iterdir())}
    (folder / SEAL).write_text(json.dumps(hashes, indent=2) + "\n", encoding="utf-8")


def write_state(folder: Path, state: State, optimizer: Any, vector: Any) -> None:
    """Write what training needs beside the adapter itself; weights in double precision, too, which no format holds."""
    import torch

    values = {"optimizer": optimizer.state_dict()}
    if vector.dtype is torch.float64:
        values["vector"] = vector.detach().cpu()
    made = io.BytesIO()
    torch.save(values, made)  # into a file, torch would not say why it cannot be written
    (folder / OPTIMIZER).write_bytes(made.getbuffer())
    (folder / STATE).write_text(json.dumps(state.__dict__) + "\n", encoding="utf-8")


def read_optimizer(folder: Path, optimizer: Any, vector: Any) -> None:
    """Give an optimizer, and weights in double precision, what `write_state` wrote of them."""
    import torch

    values = torch.load(folder / OPTIMIZER, map_location="cpu", weights_only=True)
    optimizer.load_state_dict(values["optimizer"])
    if "vector" in values and vector.dtype is torch.float64:
        vector.data.copy_(values["vector"])


def read_state(folder: Path) -> State:
    """Where the run stood at a checkpoint."""
    try:
        return State(**json.loads((folder / STATE).read_text(encoding="utf-8")))
    except (ValueError, TypeError) as problem:
        raise UserError(f"{folder / STATE} is not what this version writes ({problem}): remove {folder}") from problem


def prune(run: Path, keep: int, spare: Collection[int]) -> None:
    """Remove all checkpoints but the last `keep` and those of the steps in `spare`."""
    for folder in every(run)[:-keep]:
        if int(folder.name) not in spare:
            shutil.rmtree(folder)


def metrics(run: Path) -> list[dict[str, Any]]:
    """The lines of a run's metrics: steps and validations, in order; one that a kill cut is passed over."""
    path = run / METRICS
    if not path.is_file():
        return []
    return [json.loads(line) for line in _lines(path) if _step(line) < math.inf]


def append(run: Path, record: dict[str, Any]) -> None:
    """Add a line to the run's metrics."""
    with (run / METRICS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there whole or as it was before."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    flush(partial)
    partial.replace(path)


def cut_metrics(run: Path, step: int) -> None:
    """Drop the lines after a step, and a half-written last one: those steps will be done again."""
    path = run / METRICS
    if not path.is_file():
        return
    lines = [line for line in _lines(path) if _step(line) <= step]
    write_whole(path, "".join(f"{line}\n" for line in lines))


def _aside(folder: Path) -> Path:
    return folder.with_name(ASIDE.format(folder.name))


def _check_ours(folder: Path, ours: Collection[str]) -> None:
    if folder.is_file():
        raise UserError(f"{folder} is a file: choose a new or empty folder")
    if not folder.is_dir():
        return
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in ours or not path.is_file())
    if foreign:
        raise UserError(f"{folder} holds what would be lost, such as {foreign[0]}: choose a new or empty folder")


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines()


def _step(line: str) -> float:
    """The step that a line of metrics is of; infinite where it is none."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return math.inf


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def flush(path: Path) -> None:
    """Wait until a file or the names in a folder are on the disk itself."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
