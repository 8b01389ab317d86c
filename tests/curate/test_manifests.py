"""The shipped recipes: each is read, its sources are pinned and accounted for, and the table of sources names them."""

import tomllib
from pathlib import Path

import pytest

from curate import fetch
from curate.recipe import load
from curate.report import licences

MANIFESTS = Path(__file__).resolve().parents[2] / "manifests"
RECIPES = sorted(set(MANIFESTS.glob("*.toml")) - {MANIFESTS / "study.toml"})  # which is a study, not a recipe
PUBLIC = [path for path in RECIPES if path.name != "own-recordings.toml"]


def test_the_recipes_are_there() -> None:
    assert {path.stem for path in RECIPES} == {
        "khmer-korean-26h", "khmer", "korean", "own-recordings", "khmer-korean-26h-non-commercial",
    }  # fmt: skip
    page = (MANIFESTS / "README.md").read_text(encoding="utf-8")
    assert all(f"({path.name})" in page for path in RECIPES)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_read(path: Path) -> None:
    recipe = load(path)
    assert recipe.corpus.name == path.stem
    assert len(recipe.source) == len(tomllib.loads(path.read_text(encoding="utf-8"))["source"])


@pytest.mark.parametrize("path", PUBLIC, ids=lambda path: path.stem)
def test_every_source_says_where_it_is_from_and_how_it_was_collected(path: Path) -> None:
    page = (MANIFESTS / "README.md").read_text(encoding="utf-8")
    for source in load(path).source:
        assert source.hub or source.download or source.by_hand, source.id
        assert source.url in page, source.id
        assert all((source.attribution, source.collected, source.people, source.domain, source.conditions)), source.id
        assert licences.is_known(source.licence)
        assert licences.spdx(source.licence) is None  # it is one already
        assert fetch.folder_of(source) == Path(source.path)


@pytest.mark.parametrize("path", PUBLIC, ids=lambda path: path.stem)
def test_licences_of_a_recipe_do_not_forbid_each_other(path: Path) -> None:
    conflicts = licences.conflicts(source.licence for source in load(path).source)
    assert all("separate corpora" not in line for line in conflicts)
    assert bool(conflicts) == ("non-commercial" in path.stem)


def test_both_languages_are_asked_for_in_full() -> None:
    assert load(MANIFESTS / "khmer-korean-26h.toml").balance.hours == {"km": 13.2, "ko": 12.8}
