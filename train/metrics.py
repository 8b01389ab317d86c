"""RUN/metrics.jsonl: a line of JSON for each step and each validation, in the order in which they were done."""

import json
import math
from pathlib import Path
from typing import Any

from curate import files

FILE = "metrics.jsonl"


def append(run: Path, record: dict[str, Any]) -> None:
    """Add a line to a run's metrics. A kill may leave half of it: `read` passes over it, `roll_back` drops it.

    No step waits until its line is on the disk (fsync). What a power cut takes of the lines after the last checkpoint,
    a resumed run writes again. A few of those before it may stay lost: what is learnt does not depend on them, only
    which checkpoint counts as the best.
    """
    with (run / FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def read(run: Path) -> list[dict[str, Any]]:
    """Every line of a run's metrics that is one, in order; none where there is no file."""
    return [json.loads(line) for line in _lines(run / FILE) if _step(line) < math.inf]


def roll_back(run: Path, step: int) -> None:
    """Drop what was written after a step, and a half-written last line: a resumed run does those steps again."""
    if (run / FILE).is_file():
        kept = [line for line in _lines(run / FILE) if _step(line) <= step]
        files.write_text(run / FILE, "".join(f"{line}\n" for line in kept))


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []


def _step(line: str) -> float:
    """The step that a line is of; infinite where it is no line of metrics."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return math.inf
