"""What curation costs per second of audio, measure by measure, and what of the clock is not spent in models.

    python benchmarks/curation.py FOLDER [--table TABLE.tsv --language ko] [--json FILE]
    python benchmarks/curation.py FOLDER --voxkitchen WHERE_IT_IS

FOLDER holds recordings without text; a table names clips with their text (columns path, text). Everything runs in this
process, one thread per model, so that CPU seconds are comparable between machines with other things to do; models are
loaded and asked once before the clock starts. Memory is the peak of this process.

With `--voxkitchen` only the light measures run (no model but the voice detector), beside the light stages of VoxKitchen
0.3.1, whose package and dependencies lie in a folder of their own (`pip install --target`; `voxkitchen_stages.py`).
"""

import argparse
import functools
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from curate.engine import one_thread

one_thread()

from curate import commands, recipe  # noqa: E402
from curate.corpus import Corpus  # noqa: E402
from curate.measures import catalogue, extractors  # noqa: E402
from curate.measures.catalogue import Measures  # noqa: E402
from curate.measures.definition import Measure  # noqa: E402

OURS = ("signal", "fingerprint", "spoken", "words", "pronounced", "heard_spoken", "voices", "duplicates")


@dataclass
class Clock:
    """Seconds of wall and CPU by measure."""

    wall: dict[str, float]
    cpu: dict[str, float]

    def timed(self, name: str, function: Callable[..., Any], *given: Any) -> Any:
        """Call it, and add what it took."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            return function(*given)
        finally:
            self.wall[name] += time.perf_counter() - wall
            self.cpu[name] += time.process_time() - cpu


CLOCK = Clock(defaultdict(float), defaultdict(float))


class TimedListener:
    """A listener whose time is noted."""

    def __init__(self, name: str, listener: Any) -> None:
        self._name, self._listener = name, listener

    def feed(self, samples: Any) -> None:
        """As the listener."""
        CLOCK.timed(self._name, self._listener.feed, samples)

    def finish(self) -> Any:
        """As the listener."""
        return CLOCK.timed(self._name, self._listener.finish)


def _make(name: str, scope: str, make: Callable[[], Any]) -> Any:
    extractor = make()
    if scope == "recording":
        return lambda: TimedListener(name, extractor())
    return lambda given: CLOCK.timed(name, extractor, given)


def timed(asked: Measures) -> Measures:
    """The same measures, each noting its time."""

    def each(measures: Sequence[Measure]) -> tuple[Measure, ...]:
        return tuple(replace(m, make=functools.partial(_make, m.name, m.scope, m.make)) for m in measures)

    return Measures(*(each(getattr(asked, part)) for part in asked.__dataclass_fields__))


def _recipe(folder: Path, table: Path | None, language: str, into: Path) -> Path:
    kind = (
        f'kind = "table"\npath = "{table.resolve()}"\ncolumns = {{ audio = "path", text = "text" }}'
        if table
        else f'kind = "folder"\npath = "{folder.resolve()}"'
    )
    path = into / "recipe.toml"
    path.write_text(f'[[source]]\nid = "bench"\nlicence = "own"\nlanguage = "{language}"\n{kind}\n', encoding="utf-8")
    return path


def run(folder: Path, table: Path | None, language: str, settings: Sequence[str]) -> dict[str, Any]:
    """Measure a folder twice in new corpora, the second time by the clock; seconds per second of audio."""
    facts: dict[str, Any] = {}
    for turn in range(2):
        if turn:  # what it remembers of the first turn's sounds must not serve the second's
            extractors.whisper_named.cache_clear()
        with tempfile.TemporaryDirectory() as made:
            wanted = recipe.load(_recipe(folder, table, language, Path(made)), settings)
            corpus = Corpus(Path(made) / "corpus")
            clock = time.process_time()
            ingested = commands.ingest(corpus, wanted, _silent)
            read = time.process_time() - clock
            asked = timed(catalogue.of(wanted))
            CLOCK.wall.clear(), CLOCK.cpu.clear()
            wall, cpu = time.perf_counter(), time.process_time()
            frame = commands.measure(corpus, wanted, asked, workers=1, watch=_silent)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            seconds = float((ingested["frames"] / ingested["rate"]).sum())
        if turn:
            facts = {
                "seconds": seconds,
                "clips": frame.height,
                "ingest": read / seconds,
                "cpu": cpu / seconds,
                "wall": wall / seconds,
                "measures": {name: spent / seconds for name, spent in CLOCK.cpu.items()},
                "outside_models": 1 - sum(v for k, v in CLOCK.wall.items() if not k.startswith(OURS)) / wall,
                "outside_measures": 1 - sum(CLOCK.wall.values()) / wall,
                "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
            }
    return facts


LIGHT = ("events=false", "turns=false", "speaker=false", "language=false", "asr={}")


def beyond_first(facts: dict[str, Any], folder: Path, language: str, settings: Sequence[str]) -> float:
    """CPU seconds per second of audio for all files but the first: what a run costs once, however long, is left out."""
    first = next(path for path in sorted(folder.rglob("*")) if path.is_file())
    with tempfile.TemporaryDirectory() as made:
        shutil.copy(first, made)
        alone = run(Path(made), None, language, settings)
    cost, alone_cost = ((each["ingest"] + each["cpu"]) * each["seconds"] for each in (facts, alone))
    return float((cost - alone_cost) / (facts["seconds"] - alone["seconds"]))


def beside(facts: dict[str, Any], ours: float, folder: Path, voxkitchen: str) -> None:
    """Print our light measures beside VoxKitchen's light stages, CPU seconds per second of audio.

    Neither side's start is in it: of VoxKitchen no operator's set-up, of ours not what a run over one file costs.
    """
    script = Path(__file__).with_name("voxkitchen_stages.py")
    path = os.pathsep.join([*voxkitchen.split(os.pathsep), *sys.path])
    ran = subprocess.run(
        [sys.executable, str(script), str(folder)],
        env=os.environ | {"PYTHONPATH": path},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    theirs = json.loads(ran.stdout.strip().splitlines()[-1])
    stages = {name: spent / theirs["seconds"] for name, spent in theirs["cpu"].items()}
    print("\nVoxKitchen: " + ", ".join(f"{name} {spent:.4f}" for name, spent in stages.items()))
    vad = facts["measures"]["speech"], stages["silero_vad"]
    with_vad = sum(stages.values()), ours, facts["ingest"] + facts["cpu"]
    without = with_vad[0] - vad[1], with_vad[1] - vad[0], with_vad[2] - vad[0]
    for what, (theirs_cost, later, all_) in {"with voice detection": with_vad, "without it": without}.items():
        print(
            f"{what}: theirs {theirs_cost:.4f}, ours {later:.4f} ({all_:.4f} with the start of a run): "
            f"{theirs_cost / later:.1f} times ours ({theirs_cost / all_:.1f})"
        )


def _silent(what: str, done: float, total: float) -> None:
    """Nobody watches."""


def main() -> None:
    """Print a table, and JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--language", default="ko")
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--voxkitchen", help="folders in which VoxKitchen 0.3.1 and what it needs lie, joined by ':'")
    given = parser.parse_args()
    light = [f"models.{each}" for each in LIGHT] if given.voxkitchen else []
    facts = run(given.folder, given.table, given.language, [*light, *given.settings])
    print(f"{facts['clips']} clips of {facts['seconds']:.0f} s; CPU seconds per second of audio")
    for name, spent in sorted(facts["measures"].items(), key=lambda item: -item[1]):
        print(f"  {name:16} {spent:.4f}  {spent / facts['cpu']:5.1%}")
    print(f"  {'all':16} {facts['cpu']:.4f}  (clock {facts['wall']:.4f})")
    print(
        f"outside models {facts['outside_models']:.1%}, outside measures {facts['outside_measures']:.1%} of the clock"
    )
    print(f"peak memory {facts['peak_gb']:.2f} GB")
    if given.voxkitchen:
        ours = beyond_first(facts, given.folder, given.language, [*light, *given.settings])
        beside(facts, ours, given.folder, given.voxkitchen)
    if given.json:
        given.json.write_text(json.dumps(facts, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
