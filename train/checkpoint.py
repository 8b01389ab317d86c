"""Checkpoints: written beside their place and renamed, so that a kill at any moment loses no earlier one."""

import hashlib
import io
import json
import shutil
from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate import files
from curate.errors import UserError

CHECKSUMS = "sha256.json"  # written last: the hash of every other file of the checkpoint
OPTIMIZER = "optimizer.pt"
STATE = "state.json"
SETTINGS = "settings.json"
RUN_FINGERPRINT = "begun.json"  # hashes and settings that a resumed run must have as when it began
FILES = (CHECKSUMS, OPTIMIZER, STATE, SETTINGS)  # beside the adapter's own
LOCK = ".lock"


@dataclass(frozen=True)
class State:
    """Where a run stands. All draws come from (seed, step), so no generator's state is needed."""

    step: int  # steps done
    epoch: int
    batch: int  # batches of the epoch done
    batches: int = 0  # batches of the epoch
    plan: str = ""  # digest of the epoch's batches; "": written before there was one


def locked(run: Path) -> AbstractContextManager[None]:
    """Hold a run for one process; the kernel lets go of it when the process ends, however it ends."""
    return files.locked(run / LOCK, f"{run} is being trained by another process: wait until it ends, or stop it")


def run_fingerprint(run: Path, now: dict[str, Any]) -> dict[str, Any]:
    """What must stay as it was when a run began: what was noted of it then, or else `now`, which is noted."""
    path = run / RUN_FINGERPRINT
    if not path.is_file():
        files.write_text(path, json.dumps(now, indent=2) + "\n")
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as problem:
        raise UserError(f"{path} is damaged ({problem}): remove it, and the run is taken as it is now") from problem


def path_of(run: Path, step: int) -> Path:
    """Where the checkpoint of a step lies."""
    return run / "checkpoints" / f"{step:07d}"


def newest(run: Path) -> Path | None:
    """The last checkpoint of a run, or None. Raises UserError where it is damaged."""
    folders = every(run)
    return verified(folders[-1]) if folders else None


def every(run: Path) -> list[Path]:
    """The checkpoints of a run, the oldest first; other folders beside them are a person's."""
    return sorted(path for path in (run / "checkpoints").glob("[0-9]*") if path.name.isdigit())


def verified(folder: Path) -> Path:
    """A checkpoint whose files have the checksums that were noted. Raises UserError where it is damaged."""
    remedy = f"remove that folder and `train resume {folder.parent.parent}` goes on from the one before"
    try:
        hashes = json.loads((folder / CHECKSUMS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        hashes = None
    if not (isinstance(hashes, dict) and {OPTIMIZER, STATE} <= hashes.keys()):
        raise UserError(f"the checkpoint {folder} is half written: {remedy}")
    for name, digest in hashes.items():
        if not (folder / name).is_file() or _sha256(folder / name) != digest:
            raise UserError(f"the checkpoint {folder} is damaged ({name}): {remedy}")
    return folder


def write_checksums(folder: Path) -> None:
    """Note the hash of every file, so that a damaged checkpoint is known."""
    hashes = {path.name: _sha256(path) for path in sorted(folder.iterdir())}
    (folder / CHECKSUMS).write_text(json.dumps(hashes, indent=2) + "\n", encoding="utf-8")


def write_state(folder: Path, state: State, optimizer: dict[str, Any], settings: dict[str, Any]) -> None:
    """Write what training needs beside the adapter itself, and the run's settings, that a change of them is known."""
    import torch

    made = io.BytesIO()
    torch.save({"optimizer": optimizer}, made)  # into a file, torch would not say why it cannot be written
    (folder / OPTIMIZER).write_bytes(made.getbuffer())
    (folder / STATE).write_text(json.dumps(state.__dict__) + "\n", encoding="utf-8")
    (folder / SETTINGS).write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_optimizer(folder: Path) -> dict[str, Any]:
    """What `write_state` wrote of the optimizer, also in earlier versions, which kept its vector beside it."""
    import torch

    values = torch.load(folder / OPTIMIZER, map_location="cpu", weights_only=True)
    return dict({name: values[name] for name in ("vector",) if name in values} | values["optimizer"])


def read_settings(folder: Path) -> dict[str, Any]:
    """The run's settings as they were at a checkpoint; empty for one of an earlier version, which did not note them."""
    path = folder / SETTINGS
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


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


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
