"""What a worker does with one job: what goes wrong with one clip stops nothing else."""

from collections.abc import Callable
from pathlib import Path

import soundfile

from tests.curate.conftest import RATE, tone
from tests.curate.runs import run

MakeTable = Callable[..., Path]
WriteRecipe = Callable[..., Path]


def test_what_breaks_one_clip_stops_no_other_and_is_said(
    tmp_path: Path, make_table: MakeTable, write_recipe: WriteRecipe
) -> None:
    folder = make_table(count=3)
    soundfile.write(folder / "001.wav", tone(2.0, 200, level=0.05, seed=9), RATE)
    (folder / "002.wav").write_bytes(b"RIFF rubbish")
    recipe = write_recipe(folder)
    text = recipe.read_text().replace("quality = []", 'quality = ["dnsmos"]')
    recipe.write_text(f"{text}\n[filter.low_quality]\ndnsmos = 2.0\n")
    rows = {
        row["path"]: row for row in run(recipe, tmp_path / "corpus", tmp_path / "asked", quality=True).rows(named=True)
    }
    assert rows["000.wav"]["drop"] is None
    assert "low_quality" in rows["001.wav"]["broke"]  # not measured is not good
    assert "too quiet for me" in rows["001.wav"]["error"]
    assert rows["002.wav"]["drop"] == "unreadable"
    assert rows["002.wav"]["error"]
