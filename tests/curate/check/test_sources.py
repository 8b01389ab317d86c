"""What sources hold is told, a few files opened; one that is not there stops, with how to get it."""

from pathlib import Path

import pytest

from curate.check import as_text, check, sources
from curate.errors import UserError
from curate.recipe import Recipe
from tests.curate.check.studio import REVISION, kss, sound, studio, warned


def test_hours_of_many_files_are_estimated_from_a_few(tmp_path: Path) -> None:
    for number in range(50):
        sound(tmp_path / "long" / f"{number:02}.wav", seconds=1 + number % 5)
    source = {"id": "long", "kind": "folder", "path": str(tmp_path / "long"), "licence": "own", "language": "ko"}
    hours = check(Recipe.model_validate({"source": [source]}))["sources"][0]["hours"]
    assert (hours["exact"], hours["opened"]) == (False, sources.PROBED)
    assert hours["hours"] == pytest.approx(150 / 3600, rel=0.02)


def test_large_compressed_files_are_not_all_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        sound(tmp_path / "long" / f"{number}.flac", seconds=1 + number)
    monkeypatch.setattr(sources, "COMPRESSED_BYTES", 1)
    source = {"id": "long", "kind": "folder", "path": str(tmp_path / "long"), "licence": "own", "language": "ko"}
    hours = check(Recipe.model_validate({"source": [source]}))["sources"][0]["hours"]
    assert (hours["exact"], hours["opened"]) == (False, 1)


def test_no_file_at_all_stops(tmp_path: Path) -> None:
    recipe = studio(tmp_path)
    for path in tmp_path.glob("*.wav"):
        path.unlink()
    with pytest.raises(UserError, match=r"source studio: none of its 3 files .*source\.studio\.path"):
        check(recipe)


def test_a_source_that_cannot_be_listed_stops(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no table at"):
        check(studio(tmp_path, source={"path": str(tmp_path / "none.tsv")}))


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
    assert "CC-BY-NC-SA-4.0 (NC, SA): about 1 s" in as_text(facts)
