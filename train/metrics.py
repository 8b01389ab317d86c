"""RUN/metrics.jsonl: a line of JSON for each step and each validation, in the order in which they were done."""

import json
import math
from pathlib import Path
from typing import Any

from curate import files
from train.messages import counted

FILE = "metrics.jsonl"


def append(run: Path, record: dict[str, Any]) -> None:
    """Add a line to a run's metrics. A kill may leave half of it: `read` passes over it, `roll_back` drops it.

    No step waits until its line is on the disk (fsync). What a power cut takes of the lines after the last checkpoint,
    a resumed run writes again; those before it are on the disk when the checkpoint is: `flush`.
    """
    with (run / FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def read(run: Path) -> list[dict[str, Any]]:
    """Every line of a run's metrics that is one, in order; none where there is no file."""
    return [json.loads(line) for line in _lines(run / FILE) if _step(line) < math.inf]


def flush(run: Path) -> None:
    """Wait until every line is on the disk, as before a checkpoint, after which none of them is written again."""
    if (run / FILE).is_file():
        files.flush(run / FILE)


def roll_back(run: Path, step: int) -> list[str]:
    """Drop what was written after a step, and lines that are none: a resumed run does those steps again.

    Returns what is to be said of it: how much was cut, and which steps before it have no line, for somebody or a
    damaged disk has taken them.
    """
    if not (run / FILE).is_file():
        return [f"{run / FILE} is missing: what was measured until step {step} is lost"] if step > 0 else []
    lines = [(line, _step(line)) for line in _lines(run / FILE)]
    kept = [line for line, of in lines if of <= step]
    whole = "".join(f"{line}\n" for line in kept).encode()
    if whole != (run / FILE).read_bytes():  # also where a last line lacks only its end
        files.write_bytes(run / FILE, whole)
    return [*_cut(run, [of for _, of in lines if of > step], step), *_lacking(run, step)]


def _cut(run: Path, dropped: list[float], step: int) -> list[str]:
    """What is said of the lines that were dropped; infinite are the steps of those that are none."""
    steps = sorted({int(of) for of in dropped if of < math.inf})
    notes = []
    if steps:
        why = f"after the last checkpoint, of step {step}" if step > 0 else "as there is no checkpoint"
        count = counted(sum(of < math.inf for of in dropped), "line")
        notes += [f"{FILE}: {count} cut, of {_ranges(steps)}, {why}: done again"]
    if broken := sum(of == math.inf for of in dropped):
        notes += [f"{FILE}: {counted(broken, 'line')} cut that a kill or a damaged disk had left half"]
    return notes


def _lacking(run: Path, step: int) -> list[str]:
    """What is said where steps up to the checkpoint have no line."""
    there = {line["step"] for line in read(run) if "loss" in line}
    lacking = [number for number in range(1, step + 1) if number not in there]
    return [f"{FILE} has no line of {_ranges(lacking)}: lost, but what was learned is not"] if lacking else []


def _ranges(numbers: list[int]) -> str:
    """Ascending steps in few words: steps 1 to 3, 7."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    shown = [f"{part[0]} to {part[-1]}" if len(part) > 1 else str(part[0]) for part in parts[:3]]
    more = f" and {len(parts) - 3} more stretches" if len(parts) > 3 else ""
    return f"step{'s' * (len(numbers) > 1)} {', '.join(shown)}{more}"


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []


def _step(line: str) -> float:
    """The step that a line is of; infinite where it is no line of metrics."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return math.inf
