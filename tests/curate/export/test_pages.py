"""What the pages on exports and tags show is run, and their table is that of the code."""

import re
from pathlib import Path
from typing import Any

import pytest

from curate.export import formats
from curate.steps.controls import CONTROLS
from tests.curate.export import small

DOCS = Path(__file__).resolve().parents[3] / "docs"
BLOCKS = re.findall(r"^```python\n(.*?)^```", (DOCS / "exports.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = small.corpus(tmp_path_factory.mktemp("corpus"), small.rows(12))
    for format in formats.FORMATS:
        small.export(made, format)
    return made[0].folder


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: re.findall(r"(?:import|from) (\w+)", block)[-1])
def test_the_blocks_of_the_page_run(block: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.chdir(folder)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    names: dict[str, Any] = {}
    exec(block, names)
    assert names


def test_there_is_a_block_for_every_reader_and_a_row_for_every_format() -> None:
    page = (DOCS / "exports.md").read_text("utf-8")
    assert len(BLOCKS) == 5
    for name, format in formats.FORMATS.items():
        (row,) = re.findall(rf"^\| `{name}` \|.*$", page, re.MULTILINE)
        assert format.encodings[0].upper() in row
        assert ("16 kHz" in row) == (format.rate == 16000)


def test_the_table_of_control_words_is_that_of_the_code() -> None:
    page = (DOCS / "tags.md").read_text("utf-8")
    for each in CONTROLS:
        (row,) = re.findall(rf"^\| {each.name} \|.*$", page, re.MULTILINE)
        cells = [cell.strip() for cell in row.split("|")]
        assert re.fullmatch(rf"{each.low:g}\b.*: {each.low_words}", cells[3])
        assert re.fullmatch(rf"{each.high:g}\b.*: {each.high_words}", cells[4])
