"""What a person should know before a run is one line each."""

from pathlib import Path

import pytest

from curate import cli
from curate.check import as_text, check
from curate.errors import UserError
from curate.recipe import Recipe
from tests.curate.check.studio import kss, sound, studio, table, warned


def test_missing_and_unreadable_files_are_named(tmp_path: Path) -> None:
    recipe = studio(tmp_path)
    (tmp_path / "b.wav").unlink()
    (tmp_path / "c.wav").write_bytes(b"no sound at all")
    assert warned(recipe, "1 of 3 files are missing", "b.wav")
    assert warned(recipe, "cannot be read", "c.wav")


def test_rows_that_cannot_be_used_and_files_without_a_row_are_named(tmp_path: Path) -> None:
    recipe = Recipe.model_validate({"source": [kss(tmp_path)]})
    assert warned(recipe, "1 rows cannot be used", "line 2 has 1 fields")
    assert warned(recipe, "1 files have no row", "1/1_0001.wav")


def test_khmer_recordings_without_text_are_said_to_be_lost(tmp_path: Path) -> None:
    sound(tmp_path / "radio" / "a.wav")
    source = {"id": "radio", "kind": "folder", "path": str(tmp_path / "radio"), "licence": "own", "language": "km"}
    recipe = Recipe.model_validate({"source": [source | {"transcript": "heard"}]})
    assert warned(recipe, "Khmer", "1 of 1 rows have no text", "nobody can hear", "no_text")
    korean = Recipe.model_validate({"source": [source | {"transcript": "heard", "language": "ko"}]})
    assert not warned(korean, "no text")
    assert warned(Recipe.model_validate({"source": [source | {"language": "ko"}]}), "Korean", 'transcript = "heard"')


def test_rows_of_a_table_without_text_are_said_to_be_cut(tmp_path: Path) -> None:
    recipe = studio(tmp_path)
    assert not warned(recipe, "cut at pauses")
    table(tmp_path, ["a.wav\t\tko\tx", "b.wav\t나\tko\ty", "c.wav\t \tkm\tz"])
    assert warned(recipe, "studio: 2 rows have no text and are cut at pauses")
    folder = {"id": "radio", "kind": "folder", "path": str(tmp_path), "licence": "own", "language": "ko"}
    assert not warned(Recipe.model_validate({"source": [folder]}), "cut at pauses")  # what is expected there


def test_a_table_whose_text_column_is_not_named_has_its_columns_named(tmp_path: Path) -> None:
    recipe = studio(tmp_path)
    table(tmp_path, ["a.wav\t가\tko\tx", "b.wav\t나\tko\ty"], header="audio\ttranscript\tlanguage\twho")
    assert warned(recipe, "no column is its text", "columns = { text = ... }", "transcript, who")
    assert not warned(studio(tmp_path), "no column is its text")


def test_texts_in_another_script_than_the_languages_are_told(tmp_path: Path) -> None:
    recipe = studio(tmp_path)
    assert not warned(recipe, "letter")
    table(tmp_path, ["a.wav\t가\tkm\tx", "b.wav\tpka chhuk\tkm\ty", "c.wav\tក DNA 3\tkm\tz", "c.wav\t3\tkm\tz"])
    assert warned(recipe, "studio: 2 of 4 Khmer texts have no Khmer letter, such as 가; are the language and the text")
    assert not warned(recipe, "Korean letter")


def test_an_unknown_language_is_counted(tmp_path: Path) -> None:
    recipe = studio(tmp_path)
    table(tmp_path, ["a.wav\t가\tko\tx", "b.wav\tx\ten\ty"])
    assert warned(recipe, "1 rows name no known language", "unreadable")


def test_hours_wanted_beyond_hours_found(tmp_path: Path) -> None:
    assert warned(studio(tmp_path, balance={"hours": {"ko": 12.8}}), "12.8 h of Korean are wanted", "about")
    assert not warned(studio(tmp_path, balance={"hours": {"ko": 0.0001}}), "wanted")
    only = {"hours": {"km": 1}}
    recipe = studio(tmp_path, balance=only)
    table(tmp_path, ["a.wav\t가\tko\tx"])
    assert warned(recipe, "1 h of Khmer are wanted", "no source has any")


def test_one_speaker_leaves_splits_empty(tmp_path: Path) -> None:
    recipe = studio(tmp_path)
    assert warned(recipe, "Khmer has one speaker", "split.apart")
    assert not warned(recipe, "Korean has one speaker")
    assert not warned(studio(tmp_path, split={"apart": ["text"]}), "one speaker")


@pytest.mark.parametrize(
    ("licence", "word"),
    [
        ("CC-BY-NC-4.0", "commercial"),
        ("CC-BY-ND-4.0", "derivatives"),
        ("CC-BY-SA-4.0", "same licence"),
        ("mixed", "not a licence we know"),
        ("CC-BY-4.0", "source.studio.attribution"),
    ],
)
def test_licences_that_bind_are_named(tmp_path: Path, licence: str, word: str) -> None:
    assert warned(studio(tmp_path, source={"licence": licence}), "source studio", licence, word)
    assert not warned(studio(tmp_path), word)


def test_what_referees_ask_is_asked_for_and_shown(tmp_path: Path) -> None:
    bare = studio(tmp_path)
    assert warned(bare, "does not tell collected, people, domain, conditions, consent")
    told = studio(
        tmp_path,
        source={
            "collected": "read",
            "people": "two women",
            "domain": "news",
            "conditions": "studio",
            "consent": "signed",
        },
    )
    assert not warned(told, "does not tell")
    assert "people: two women" in as_text(check(told))
    assert warned(studio(tmp_path, source={"licence": "CC BY 4.0"}), "the SPDX id of CC BY 4.0 is CC-BY-4.0")


def test_pronounced_training_text_is_warned_of_in_one_line(tmp_path: Path) -> None:
    assert warned(studio(tmp_path, tag={"text": "pronounced"}), 'tag.text = "pronounced"', 'train on "spoken"')
    assert not warned(studio(tmp_path), "tag.text")


def test_a_run_says_the_same_before_it_begins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        '[[source]]\nid = "a"\nkind = "folder"\npath = "none"\nlicence = "own"\nlanguage = "ko"\n', encoding="utf-8"
    )
    for chosen, lines in (("pronounced", 1), ("spoken", 0)):
        with pytest.raises(UserError):  # there is no such folder
            cli.run(recipe, tmp_path / chosen, settings=[f"tag.text={chosen}"])
        assert capsys.readouterr().err.count('curate: tag.text = "pronounced": ') == lines
