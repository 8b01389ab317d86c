"""Ingest beside `sha256sum`, start-up aside: large files, many short ones, an unchanged re-run, memory.

    python benchmarks/ingest.py [--files 10000] [--megabytes 512] [--many 100000]

Prints a line per question with the ratio and what is asked. Files lie in a folder made for the run, in the page cache
for both, so that what is compared is work and not the disk. `sha256sum` is given all files at once (through xargs
where there are many). Each figure is the best of three, ours and theirs in turn.
"""

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that the project need not be installed

from curate import manifest
from curate.corpus import Corpus
from curate.ingest import read
from curate.recipe import Recipe

RATE = 16_000
TIMES = 3


def main() -> None:
    """Make the files, time both, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000, help="short files of 0.3 s")
    parser.add_argument("--megabytes", type=int, default=512, help="of large files, four in all")
    parser.add_argument("--many", type=int, default=100_000, help="files in one folder, for memory; 0 leaves it out")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="samsori-ingest-"))
    try:
        large(folder / "large", asked.megabytes)
        short(folder / "short", asked.files)
        if asked.many:
            memory(folder / "many", asked.many)
    finally:
        shutil.rmtree(folder)


def large(folder: Path, megabytes: int) -> None:
    """Four long WAV files: our speed over theirs."""
    random = np.random.default_rng(0)
    folder.mkdir()
    for number in range(4):
        samples = random.integers(-9000, 9000, megabytes * 1_000_000 // 8, dtype=np.int16)
        soundfile.write(folder / f"{number}.wav", samples, RATE, subtype="PCM_16")
    theirs, ours = in_turn(lambda: sha256sum(folder), lambda: ingested(folder))
    print(
        f"large files, {megabytes} MB: sha256sum {theirs:.2f} s, ours {ours:.2f} s: "
        f"{theirs / ours:.2f} of its speed (asked: 0.8)"
    )


def short(folder: Path, count: int) -> None:
    """Many files of 0.3 s: our time over theirs; then again, unchanged, with what was stored."""
    make_short(folder, count)
    theirs, ours = in_turn(lambda: sha256sum(folder), lambda: ingested(folder))
    print(
        f"{count} files of 0.3 s: sha256sum {theirs:.2f} s, ours {ours:.2f} s: "
        f"{ours / theirs:.1f} times its time (asked: 5)"
    )
    stored = folder.with_name("ingested.parquet")
    read(recipe(folder)).rows.write_parquet(stored)

    def again() -> tuple[float, float]:
        begun, used = time.perf_counter(), time.process_time()
        rows = read(recipe(folder), before=pl.read_parquet(stored)).rows
        rows.write_parquet(folder.with_name("again.parquet"))
        assert rows.height == count
        return time.perf_counter() - begun, time.process_time() - used

    clock, cpu = min(again() for _ in range(TIMES))
    print(
        f"unchanged re-run: {clock / count * 1e6:.1f} microseconds a file, {cpu / count * 1e6:.1f} of CPU (asked: 25)"
    )


def memory(folder: Path, count: int) -> None:
    """The memory that a folder of many files takes beyond that of a tenth of them, beside the frame that they make."""
    make_short(folder, count // 10)
    small = peak(folder)
    make_short(folder, count)
    whole = peak(folder)
    print(f"{count} files in one folder: {whole:.0f} MB at most, {small:.0f} MB with a tenth of them")


def peak(folder: Path) -> float:
    """Of a process that ingests the folder, in MB."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); import ingest; ingest.ingested_once(sys.argv[2])"
    subprocess.run([sys.executable, "-c", code, str(Path(__file__).parent), str(folder)], check=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def ingested_once(folder: str) -> None:
    """What `curate ingest` does, in a process of its own."""
    into = Corpus(Path(folder).with_name("corpus"))
    rows = read(recipe(Path(folder))).rows
    into.folder.mkdir(exist_ok=True)
    manifest.write(rows, into.manifest)


def make_short(folder: Path, count: int) -> None:
    random = np.random.default_rng(1)
    folder.mkdir(exist_ok=True)
    for number in range(count):
        path = folder / f"{number:06d}.wav"
        if not path.exists():
            soundfile.write(path, random.integers(-9000, 9000, RATE * 3 // 10, dtype=np.int16), RATE, subtype="PCM_16")


def in_turn(theirs: Callable[[], float], ours: Callable[[], float]) -> tuple[float, float]:
    """The best of several, one after the other, so that a busy machine hurts both."""
    pairs = [(theirs(), ours()) for _ in range(TIMES)]
    return min(a for a, _ in pairs), min(b for _, b in pairs)


def sha256sum(folder: Path) -> float:
    begun = time.perf_counter()
    subprocess.run(f"find {folder} -type f -print0 | xargs -0 -n 100000 sha256sum > /dev/null", shell=True, check=True)
    return time.perf_counter() - begun


def ingested(folder: Path) -> float:
    begun = time.perf_counter()
    rows = read(recipe(folder)).rows
    assert rows["error"].null_count() == rows.height
    return time.perf_counter() - begun


def recipe(folder: Path) -> Recipe:
    source = {"id": "s", "kind": "folder", "path": str(folder), "licence": "own", "language": "ko"}
    return Recipe.model_validate({"source": [source]})


if __name__ == "__main__":
    main()
