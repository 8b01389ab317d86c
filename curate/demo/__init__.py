"""The demonstration: a small set in two languages with flaws put in on purpose, and whether curation found them."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

RECIPE = Path(__file__).parent / "recipe.toml"


@dataclass(frozen=True)
class Flaw:
    """One planted flaw: the file, what was done to it, the rules true of it, and the rules it broke."""

    file: str
    flaw: str
    rules: tuple[str, ...]
    broke: tuple[str, ...]

    @property
    def found(self) -> bool:
        """Whether one of the rules that are true of it was named."""
        return bool(set(self.rules) & set(self.broke))


def prepare(into: Path) -> Path:
    """Make the recordings and put the recipe beside them; returns the recipe."""
    from curate.demo.build import build

    build(into)
    recipe = into / "recipe.toml"
    shutil.copyfile(RECIPE, recipe)
    return recipe


def compare(into: Path, clips: pl.DataFrame) -> list[Flaw]:
    """Every planted flaw beside what curation says of that file; of copies, either one may be the duplicate."""
    told = {row["path"]: row for row in clips.filter(pl.col("source") == "clips").iter_rows(named=True)}
    truth = json.loads((into / "truth.json").read_text(encoding="utf-8"))["clips"]
    found = []
    for each in truth:
        if each["flaw"]:
            files = [each["file"], *([each["repeats"]] if each.get("repeats") else [])]
            broke = [rule for file in files for rule in _broke(told, file, each["rules"] if file != files[0] else None)]
            found.append(Flaw(each["file"], each["flaw"], tuple(each["rules"]), tuple(dict.fromkeys(broke))))
    return found


def _broke(told: dict[str, dict[str, object]], file: str, only: Sequence[str] | None) -> list[str]:
    row = next((row for path, row in told.items() if Path(path).name == Path(file).name), None)
    broke = row["broke"] if row else []
    assert isinstance(broke, list)
    return [rule for rule in broke if only is None or rule in only]
