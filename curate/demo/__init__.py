"""The demonstration: a small set in two languages with flaws put in on purpose, and whether curation found them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from curate import files

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
    files.write_bytes(recipe, RECIPE.read_bytes())
    return recipe


def compare(into: Path, clips: pl.DataFrame) -> list[Flaw]:
    """Every planted flaw beside what curation says of that file; of copies, either one may be the duplicate."""
    rows = {row["path"]: row for row in clips.filter(pl.col("source") == "clips").iter_rows(named=True)}
    truth = json.loads((into / "truth.json").read_text(encoding="utf-8"))["clips"]
    flaws = []
    for each in truth:
        if each["flaw"]:
            broke = _broke(rows, each["file"], None)
            if each.get("repeats"):
                broke += _broke(rows, each["repeats"], each["rules"])
            flaws.append(Flaw(each["file"], each["flaw"], tuple(each["rules"]), tuple(dict.fromkeys(broke))))
    return flaws


def _broke(rows: dict[str, dict[str, object]], file: str, only: Sequence[str] | None) -> list[str]:
    row = next((row for path, row in rows.items() if Path(path).name == Path(file).name), None)
    broke = row["broke"] if row else []
    assert isinstance(broke, list)
    return [rule for rule in broke if only is None or rule in only]
