"""The dataset card and its Croissant metadata: read by their own readers, honest where nothing is stated, and safe."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from curate import files, manifest, outputs
from curate.corpus import Corpus
from curate.export import card, croissant
from curate.export.clips import INDEX
from curate.export.description import NOT_STATED, DataFile, describe, licence_url, size_category
from curate.recipe import Recipe
from curate.report import terms
from tests.curate.frames import clips

HOSTILE = 'a|b\n# <script>alert("1")</script> `x` [y](z) _it_ \x1b[2J \u202eback'
SOURCES: list[dict[str, Any]] = [
    {"id": "studio", "kind": "table", "path": "x", "licence": "CC-BY-SA-4.0", "language": "ko", "attribution": "Kim",
     "url": "https://example.org/a", "collected": "read aloud in 2024", "people": "two women, 30 and 40",
     "domain": "news", "conditions": "studio", "consent": "written, for research and products"},
    {"id": "street", "kind": "table", "path": "y", "licence": "CC-BY-NC-4.0", "language": "km"},
]  # fmt: skip
STATED = {
    "name": "my corpus", "description": "What it is.", "creator": "A lab", "contact": "voices@example.org",
    "url": "https://example.org/corpus", "version": "1.0.0", "published": "2026-11-29",
    "citation": "@misc{mine, title={Mine}}",
}  # fmt: skip


def recipe(**corpus: Any) -> Recipe:
    return Recipe.model_validate({"corpus": corpus, "source": SOURCES})


def rows(**more: Any) -> pl.DataFrame:
    made: list[dict[str, Any]] = [
        {
            "speaker": "a",
            "split": "train",
            "licence": "CC-BY-SA-4.0",
            "attribution": "Kim",
            "training_text": "(Korean)말",
        },
        {"speaker": "b", "split": "test", "licence": "CC-BY-SA-4.0", "attribution": "Kim", "pitch": 220.0},
        {"source": "street", "language": "km", "split": "train", "licence": "CC-BY-NC-4.0", "text_from": "heard"},
        {"drop": "noisy", "broke": ["noisy"], "licence": "CC-BY-SA-4.0"},
    ]
    return clips([{**row, **more} for row in made])


def front(text: str) -> dict[str, Any]:
    """The front matter, as the hub's own parser reads it."""
    begin, end = text.split("---\n", 2)[:2], text.split("---\n", 2)[2]
    assert begin[0] == ""
    assert end.startswith("\n# ")
    values: dict[str, Any] = yaml.safe_load(begin[1])
    return values


def test_the_front_matter_has_what_the_hub_asks_for() -> None:
    text = card.render(
        rows(), recipe(name="my corpus"), data_files={"train": "data/train-*.parquet", "test": ["a", "b"]},
        features=[{"name": "audio", "dtype": "audio"}, {"name": "id", "dtype": "string"}],
        bytes_per_split={"train": 10, "test": 5},
    )  # fmt: skip
    values = front(text)
    assert values["language"] == ["km", "ko"]
    assert values["license"] == ["cc-by-sa-4.0", "cc-by-nc-4.0"]
    assert values["size_categories"] == ["n<1K"]
    assert values["task_categories"] == ["text-to-speech", "automatic-speech-recognition"]
    assert values["multilinguality"] == ["multilingual"]
    assert values["annotations_creators"] == ["machine-generated"]
    assert values["configs"] == [
        {
            "config_name": "default",
            "data_files": [{"split": "train", "path": "data/train-*.parquet"}, {"split": "test", "path": ["a", "b"]}],
        }
    ]
    assert values["dataset_info"]["features"] == [
        {"name": "audio", "dtype": "audio"},
        {"name": "id", "dtype": "string"},
    ]
    assert values["dataset_info"]["splits"] == [
        {"name": "train", "num_bytes": 10, "num_examples": 2}, {"name": "test", "num_bytes": 5, "num_examples": 1},
    ]  # fmt: skip


def test_the_hubs_library_takes_the_card(tmp_path: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    (tmp_path / "README.md").write_text(card.render(rows(), recipe(**STATED)), encoding="utf-8")
    loaded = hub.DatasetCard.load(tmp_path / "README.md")
    assert loaded.data.pretty_name == "my corpus"
    assert loaded.data.license == ["cc-by-sa-4.0", "cc-by-nc-4.0"]


@pytest.mark.parametrize(
    ("licence", "hub"),
    [
        ("CC BY-SA 4.0", ["cc-by-sa-4.0"]), ("CC0", ["cc0-1.0"]), ("own", ["other"]), ("MIT", ["mit"]),
        ("KOGL Type 1", ["other"]), ("CC-BY-3.0", ["cc-by-3.0"]),
    ],
)  # fmt: skip
def test_licences_have_the_hubs_names(licence: str, hub: list[str]) -> None:
    values = front(card.render(rows(licence=licence), recipe()))
    assert values["license"] == hub
    assert ("license_name" in values) == (hub == ["other"])


@pytest.mark.parametrize(
    ("count", "name"), [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (15000, "10K<n<100K"), (2 * 10**6, "1M<n<10M")]
)
def test_sizes_have_the_hubs_names(count: int, name: str) -> None:
    assert size_category(count) == name


def test_what_is_not_stated_is_said_so_and_what_is_stated_stands_there() -> None:
    bare, told = card.render(rows(), recipe()), card.render(rows(), recipe(**STATED))
    for key in ("creator", "contact", "url", "version", "published"):
        assert f"- {key}: {NOT_STATED}" in bare
        assert f"- {key}: {STATED[key]}" in told
    assert bare.endswith(f"## Citation\n\n{NOT_STATED}\n")
    assert "```bibtex\n@misc{mine, title={Mine}}\n```" in told
    assert f"taken out writes to: {NOT_STATED}" in bare
    for words in ("read aloud in 2024", "two women, 30 and 40", "news", "written, for research and products"):
        assert words in bare
    street = bare.partition("### street")[2].partition("##")[0]
    assert all(
        f"- {name}: {NOT_STATED}" in street for name in ("collected", "people", "domain", "conditions", "consent")
    )
    assert all(street.count(f"- {name}:") == 1 for name in ("collected", "consent"))
    assert "Machine text" in bare
    assert "the text of 1 clips" in bare


def test_numbers_are_those_of_the_kept_clips() -> None:
    facts = describe(rows(), recipe())
    assert facts["clips"] == 3
    assert facts["hours"] == pytest.approx(15 / 3600, abs=1e-6)
    assert facts["persons"] == 2
    assert facts["by_voice"] == 0
    assert facts["unnamed"] == 1
    assert {each["licence"]: each["clips"] for each in facts["licences"]} == {"CC-BY-SA-4.0": 2, "CC-BY-NC-4.0": 1}
    assert facts["splits"]["train"]["clips"] == 2
    assert facts["dropped"] == {"noisy": {"clips": 1, "hours": pytest.approx(5 / 3600, abs=1e-6)}}
    assert facts["voices"]["lower"]["clips"] == 2
    assert facts["voices"]["higher"]["clips"] == 1
    (named,) = facts["attributions"]
    assert (named["attribution"], named["licence"], named["url"], named["clips"]) == ("Kim", "CC-BY-SA-4.0", "", 2)


def test_data_means_nothing_but_itself_in_the_card() -> None:
    text = card.render(rows(attribution=HOSTILE), recipe(**{**STATED, "name": HOSTILE, "contact": HOSTILE}))
    assert front(text)["pretty_name"] == HOSTILE
    body = text.split("---\n", 2)[2]
    assert "<script>" not in body
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert body.count("\n# ") == 1  # its own title and no other
    assert r"a\|b \# &lt;script&gt;" in body


def test_equal_corpora_give_equal_cards_and_empty_ones_a_card_all_the_same() -> None:
    assert card.render(rows(), recipe()) == card.render(rows(), recipe())
    empty = card.render(rows().clear(), recipe())
    assert front(empty)["language"] == []
    assert front(empty)["license"] == ["unknown"]


TERMS: list[tuple[list[str], bool, str, str]] = [
    (["CC0-1.0"], True, "", "nothing in the names"),
    (["CC-BY-4.0"], True, "name those who made", "nothing in the names"),
    (["CC-BY-SA-4.0", "CC-BY-4.0"], True, "carries the same licence (CC-BY-SA-4.0)", "same licence"),
    (["CC-BY-NC-4.0", "CC0-1.0"], True, "the part under CC0-1.0 alone may be", "no commercial use"),
    (["CC-BY-SA-4.0", "CC-BY-NC-4.0"], False, "not as one work", "train on one of them"),
    (["CC-BY-SA-4.0", "CC-BY-NC-SA-4.0"], False, "each ask for themselves", "train on one of them"),
    (["CC-BY-SA-3.0", "CC-BY-SA-4.0"], True, "carries the same licence", "same licence"),
    (["CC-BY-ND-4.0"], False, "forbidden derivatives", "not to be handed on"),
    (["KOGL Type 4"], False, "forbidden derivatives", "no commercial use"),
    (["Special licence of the ministry"], False, "not a licence known here", "ask whoever holds the rights"),
    (["own"], True, "own: recordings of whoever made", "nothing in the names"),
]


@pytest.mark.parametrize(("names", "compatible", "corpus", "adapter"), TERMS)
def test_what_licences_mean_together(names: list[str], compatible: bool, corpus: str, adapter: str) -> None:
    found = terms.of(names)
    assert found.compatible == compatible
    assert corpus in " | ".join(found.corpus)
    assert adapter in " | ".join(found.adapter)
    assert found == terms.of(reversed(names))


@pytest.mark.parametrize(
    ("licence", "url"),
    [
        ("CC-BY-SA-4.0", "https://creativecommons.org/licenses/by-sa/4.0/"),
        ("cc by-nc 3.0", "https://creativecommons.org/licenses/by-nc/3.0/"),
        ("CC0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        ("Apache-2.0", "https://spdx.org/licenses/Apache-2.0.html"),
        ("own", None),
        ("KOGL Type 1", None),
    ],
)
def test_addresses_of_licences(licence: str, url: str | None) -> None:
    assert licence_url(licence) == url


def written(folder: Path, wanted: Recipe) -> Corpus:
    """A corpus folder with a manifest, an index of clips, the card and its metadata."""
    corpus, frame = Corpus(folder), rows()
    kept = manifest.kept(frame)
    manifest.write(frame, corpus.manifest)
    index = kept.select("id", (pl.col("id") + ".flac").alias("file"), pl.lit("0" * 64).alias("flac_sha256"))
    files.write_parquet(index, corpus.clips / INDEX)
    outputs.write_metadata(corpus, wanted, frame)
    return corpus


@pytest.mark.parametrize("stated", [{}, STATED], ids=["nothing stated", "all stated"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_mlcroissant_validates_without_an_error_and_loads_every_kept_clip(
    tmp_path: Path, stated: dict[str, str]
) -> None:
    mlc = pytest.importorskip("mlcroissant")
    corpus = written(tmp_path / "corpus", recipe(**stated))
    dataset = mlc.Dataset(str(corpus.croissant))
    issues = dataset.metadata.ctx.issues
    assert issues.errors == set()
    if stated:
        assert issues.warnings == set()
    loaded = [
        {name.partition("/")[2]: value.decode() if isinstance(value, bytes) else value for name, value in row.items()}
        for row in dataset.records("clips")
    ]
    kept = manifest.kept(rows())
    assert [row["id"] for row in loaded] == kept["id"].to_list()
    assert [row["file"] for row in loaded] == [f"{id}.flac" for id in kept["id"]]
    for name in ("split", "language", "licence", "seconds", "spoken", "rate"):
        assert [row[name] for row in loaded] == kept[name].to_list()
    metadata = dataset.metadata
    assert metadata.data_biases
    assert "read aloud in 2024" in metadata.data_collection
    assert any("consent: written" in each for each in metadata.personal_sensitive_information)
    assert metadata.data_limitations


def test_the_metadata_tells_hashes_of_the_files_beside_it_and_no_more_than_is_stated(tmp_path: Path) -> None:
    corpus = written(tmp_path / "corpus", recipe())
    found = json.loads(corpus.croissant.read_text())
    hashes = {each["contentUrl"]: each["sha256"] for each in found["distribution"] if "sha256" in each}
    assert hashes == {path: files.sha256(corpus.folder / path) for path in ("clips/index.parquet", "manifest.parquet")}
    assert not {"creator", "url", "version", "datePublished", "citeAs"} & set(found)
    assert found["license"] == [
        "https://creativecommons.org/licenses/by-sa/4.0/", "https://creativecommons.org/licenses/by-nc/4.0/",
    ]  # fmt: skip
    assert corpus.croissant.read_bytes() == written(tmp_path / "again", recipe()).croissant.read_bytes()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_parts_of_a_table_are_found_by_a_glob(tmp_path: Path) -> None:
    """As a Hugging Face export has them: several Parquet files, each with its hash, read as one table."""
    mlc = pytest.importorskip("mlcroissant")
    (tmp_path / "data").mkdir()
    parts = []
    for number, part in enumerate(("train", "test")):
        path = tmp_path / "data" / f"{part}-0.parquet"
        sounds = [{"bytes": f"sound {each}".encode(), "path": f"{each}.flac"} for each in "ab"]
        ids = [f"{number}a", f"{number}b"]
        pl.DataFrame({"id": ids, "seconds": [1.5, 2.0], "audio": sounds}).write_parquet(path)
        parts.append(DataFile(f"data/{path.name}", files.sha256(path), path.stat().st_size))
    table = croissant.Table(
        parts, {"id": "sc:Text", "seconds": "sc:Float", "audio": croissant.SOUND}, glob="data/*.parquet"
    )
    (tmp_path / "croissant.json").write_text(croissant.render(rows(), recipe(), table))
    dataset = mlc.Dataset(str(tmp_path / "croissant.json"))
    assert dataset.metadata.ctx.issues.errors == set()
    loaded = sorted((row["clips/id"].decode(), row["clips/audio"]) for row in dataset.records("clips"))
    assert loaded == [(f"{part}{each}", f"sound {each}".encode()) for part in "01" for each in "ab"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_datasets_opens_the_corpus_as_its_card_says(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    corpus = written(tmp_path / "corpus", recipe())
    opened = datasets.load_dataset(str(corpus.folder), cache_dir=str(tmp_path / "cache"))
    assert opened["rows"]["id"] == rows()["id"].to_list()
