"""Do two checkouts make the same? Runs `curate demo` and `train demo` in each, then compares all they leave.

    python benchmarks/compare_checkouts.py BEFORE AFTER [--keep DIR]

Prints a line for each thing compared; exit 1 where anything differs. Compared: the frames column by column, clips as
bytes and as samples, VoxCPM's manifests, report.json, the losses of each step and validation, adapter tensors and the
spoken sentence. Not compared: what a clock or the memory says. `--keep` leaves both sides' outputs in DIR/before and
DIR/after; outputs of BEFORE that are there already are taken as they are, so that only AFTER runs again.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import soundfile
from safetensors.numpy import load_file

COMMANDS = ("curate", "train")
FRAMES = ("corpus/ingested.parquet", "corpus/manifest.parquet")
STAMPS = {"modified"}  # of a frame: when the recordings were made
CLOCKED = {"seconds", "memory"}  # of a line of metrics: they differ from run to run
RUN, ADAPTERS = "tiny-run", ("adapter-voxcpm", "adapter-peft")


class Line(NamedTuple):
    """One thing compared: empty `difference` where it is the same on both sides."""

    what: str
    difference: str = ""


def main() -> int:
    """Run what is not there yet, compare, print; 1 where something differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path, help="a checkout")
    parser.add_argument("after", type=Path, help="another checkout")
    parser.add_argument("--keep", type=Path, help="folder for the outputs; those of BEFORE are reused")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        into = options.keep or Path(temporary)
        before, after = into.absolute() / "before", into.absolute() / "after"
        if not (before / "spoken.wav").is_file():  # the last thing that the demonstrations write
            run_demos(options.before, before)
        run_demos(options.after, after)
        lines = list(compare(before, after))
    width = max(len(line.what) for line in lines)
    print("\n".join(f"{line.what:{width}}  {line.difference or 'equal'}" for line in lines))
    differing = sum(bool(line.difference) for line in lines)
    print(f"{differing} of {len(lines)} differ" if differing else f"all {len(lines)} are equal")
    return int(differing > 0)


def run_demos(checkout: Path, into: Path) -> None:
    """Both demonstrations of a checkout, with its own code and this interpreter, into a folder that must be new."""
    if into.exists() and any(into.iterdir()):
        sys.exit(f"{into} is not empty: remove it, or give another --keep")
    path = os.pathsep.join(filter(None, [str(checkout.absolute()), os.environ.get("PYTHONPATH")]))
    for command in COMMANDS:
        print(f"{checkout}: {command} demo", file=sys.stderr, flush=True)
        code = f"import sys; from {command}.cli import main; sys.exit(main())"
        subprocess.run(
            [sys.executable, "-c", code, "demo", "--into", str(into)],
            cwd=checkout,
            env=os.environ | {"PYTHONPATH": path, "HF_HUB_OFFLINE": "1"},
            stdout=sys.stderr,
            check=True,
        )


def compare(before: Path, after: Path) -> Iterator[Line]:
    """Everything that two runs of the demonstrations left."""
    for name in FRAMES:
        yield from _frames(name, pl.read_parquet(before / name), pl.read_parquet(after / name))
    yield from _files("corpus/clips", before, after, "")
    yield from _audio("corpus/clips", before, after)
    for name in ("train", "validation", "test"):
        file = f"corpus/export/voxcpm/{name}.jsonl"
        yield from _values(file, _json_lines(before, file), _json_lines(after, file))
    file = "corpus/report/report.json"
    sides = [json.loads((side / file).read_text(encoding="utf-8")) for side in (before, after)]
    for key in dict.fromkeys([*sides[0], *sides[1]]):
        yield from _values(f"{file} {key}", *(side.get(key) for side in sides))
    metrics = [_unclocked(_json_lines(side, f"{RUN}/metrics.jsonl")) for side in (before, after)]
    yield from _values(f"{RUN}/metrics.jsonl (losses, rates, norms)", *metrics)
    for folder in ("corpus/latents", f"{RUN}/checkpoints", *ADAPTERS):
        yield from _tensors(folder, before, after)
    yield from _audio("spoken.wav", before, after)


# ---- frames


def _frames(name: str, before: pl.DataFrame, after: pl.DataFrame) -> Iterator[Line]:
    """Rows, their order, columns, and the values of each column; rows are told by their position once ids agree."""
    yield Line(f"{name} rows", "" if before.height == after.height else f"{before.height} -> {after.height}")
    added = [column for column in after.columns if column not in before.columns]
    gone = [column for column in before.columns if column not in after.columns]
    changed = [f"{what} {', '.join(columns)}" for what, columns in (("added", added), ("gone", gone)) if columns]
    order = "" if gone or added or before.columns == after.columns else "in another order"
    yield Line(f"{name} columns", "; ".join(changed) or order)
    same = before["id"].to_list() == after["id"].to_list()
    yield Line(f"{name} row order", "" if same else "ids differ or stand in another order; matched by id below")
    if not same:
        ids = before.select("id").unique(maintain_order=True).join(after.select("id").unique(), on="id", how="semi")
        before, after = (ids.join(frame.unique("id"), on="id", maintain_order="left") for frame in (before, after))
    for column in sorted({*before.columns} - STAMPS, key=before.columns.index):
        if column in after.columns:
            yield Line(f"{name} {column}", _column(before[column], after[column]))


def _column(before: pl.Series, after: pl.Series) -> str:
    kind = "" if before.dtype == after.dtype else f"type {before.dtype} -> {after.dtype}"
    pairs = list(zip(before.to_list(), after.to_list(), strict=True))
    differing = [(one, other) for one, other in pairs if not _same(one, other)]
    if not differing:
        return kind
    largest = max((_largest(one, other) for one, other in differing), default=0.0)
    number = f", largest difference {largest:.3g}" if largest else ""
    example = f"{_short(differing[0][0])} -> {_short(differing[0][1])}"
    return "; ".join(filter(None, [kind, f"{len(differing)} of {len(pairs)} rows{number}, such as {example}"]))


def _same(one: Any, other: Any) -> bool:
    return bool(one == other or (one != one and other != other))  # a NaN is a NaN


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _largest(one: Any, other: Any) -> float:
    """The largest difference between numbers at the same place of two values, however nested; 0 where there is none."""
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return max((_largest(*pair) for pair in zip(one, other, strict=False)), default=0.0)
    if isinstance(one, dict) and isinstance(other, dict):
        return max((_largest(one[key], other[key]) for key in one.keys() & other.keys()), default=0.0)
    numbers = isinstance(one, (int, float)) and isinstance(other, (int, float))
    return abs(float(one) - float(other)) if numbers else 0.0


# ---- JSON


def _json_lines(side: Path, file: str) -> list[dict[str, Any]]:
    """The objects of a file of lines; paths lose the folder that this side's outputs lie in."""
    text = (side / file).read_text(encoding="utf-8").replace(str(side), "")
    return [json.loads(line) for line in text.splitlines()]


def _unclocked(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in line.items() if key not in CLOCKED} for line in lines]


def _values(what: str, before: Any, after: Any) -> Iterator[Line]:
    """Two values out of JSON; the first few places where they differ."""
    places = list(_places("", before, after))
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    yield Line(what, "; ".join(places[:3]) + more)


def _places(at: str, one: Any, other: Any) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys([*one, *other]):
            if key in one and key in other:
                yield from _places(f"{at}.{key}", one[key], other[key])
            else:
                yield f"{at}.{key} {'gone' if key in one else 'added'}"
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, pair in enumerate(zip(one, other, strict=True)):
            yield from _places(f"{at}[{place}]", *pair)
    elif not _same(one, other):
        yield f"{at.lstrip('.')}: {_short(one)} -> {_short(other)}"


# ---- files


def _names(folder: str, side: Path, suffix: str) -> dict[str, Path]:
    place = side / folder
    if place.is_file():
        return {place.name: place}
    return {path.relative_to(place).as_posix(): path for path in sorted(place.rglob(f"*{suffix}"))}


def _both(folder: str, before: Path, after: Path, suffix: str) -> tuple[list[tuple[Path, Path]], str]:
    """The files that both sides have, in pairs, and what only one side has."""
    ours, theirs = _names(folder, before, suffix), _names(folder, after, suffix)
    shared = [(ours[name], theirs[name]) for name in ours if name in theirs]
    gone, added = len(ours) - len(shared), len(theirs) - len(shared)
    return shared, "; ".join([f"{gone} files gone"] * bool(gone) + [f"{added} files added"] * bool(added))


def _files(folder: str, before: Path, after: Path, suffix: str) -> Iterator[Line]:
    pairs, missing = _both(folder, before, after, suffix)
    differing = sum(one.read_bytes() != other.read_bytes() for one, other in pairs)
    yield Line(f"{folder} bytes ({len(pairs)} files)", _joined(missing, differing, len(pairs), ""))


def _audio(folder: str, before: Path, after: Path) -> Iterator[Line]:
    pairs, missing = _both(folder, before, after, ".flac")
    sounds = [[soundfile.read(path, dtype="float64") for path in pair] for pair in pairs]
    differing = [pair for pair in sounds if pair[0][1] != pair[1][1] or not np.array_equal(pair[0][0], pair[1][0])]
    largest = max((_apart(pair[0][0], pair[1][0]) for pair in differing), default=0.0)
    yield Line(f"{folder} samples ({len(pairs)} files)", _joined(missing, len(differing), len(pairs), f"{largest:.3g}"))


def _tensors(folder: str, before: Path, after: Path) -> Iterator[Line]:
    pairs, missing = _both(folder, before, after, ".safetensors")
    differing, largest, count = 0, 0.0, 0
    for one, other in ((load_file(one), load_file(other)) for one, other in pairs):
        names = one.keys() | other.keys()
        count += len(names)
        apart = [name for name in names if name not in one or name not in other or _moved(one[name], other[name])]
        differing += len(apart)
        shared = [_apart(one[name], other[name]) for name in apart if name in one and name in other]
        largest = max([largest, *shared])
    yield Line(
        f"{folder} tensors ({count} in {len(pairs)} files)", _joined(missing, differing, count, f"{largest:.3g}")
    )


def _moved(one: Any, other: Any) -> bool:
    return one.dtype != other.dtype or not np.array_equal(one, other)


def _apart(one: Any, other: Any) -> float:
    """The largest difference of two arrays; infinite where their shapes differ."""
    if one.shape != other.shape:
        return float("inf")
    return float(np.abs(one.astype(np.float64) - other.astype(np.float64)).max(initial=0.0))


def _joined(missing: str, differing: int, count: int, largest: str) -> str:
    number = f", largest difference {largest}" if largest else ""
    return "; ".join(filter(None, [missing, f"{differing} of {count}{number}" if differing else ""]))


if __name__ == "__main__":
    sys.exit(main())
