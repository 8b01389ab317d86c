"""Every format, opened by its own reader: each clip once, its own samples, its text, person, language and licence."""

import gzip
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from curate import audio, files
from curate.errors import UserError
from curate.export import formats
from tests.curate.export import small

Made = tuple[Any, Any]
COUNT = 12
SPLITS = {"train": 6, "validation": 4, "test": 2}
MIXED_RATES = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return small.corpus(tmp_path_factory.mktemp("corpus"), small.rows(COUNT))


def wanted(made: Made, split: str, rate: int | None) -> dict[str, tuple[audio.Samples, int]]:
    """Each clip of a split at the rate that it is exported at."""
    frame = made[1].filter(split=split)
    found = {}
    for id, own in frame.select("id", "rate").iter_rows():
        samples, _ = audio.read(made[0].clips / f"{id}.flac")
        found[id] = (audio.resample(samples, own, rate or own), rate or own)
    return found


def same_sounds(found: dict[str, tuple[Any, int]], expected: dict[str, tuple[audio.Samples, int]]) -> None:
    assert found.keys() == expected.keys()
    for id, (samples, rate) in expected.items():
        assert found[id][1] == rate
        assert len(found[id][0]) == len(samples)
        np.testing.assert_allclose(found[id][0], samples, atol=1.01 / 32768)


# ---- Hugging Face


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("rate", [None, 16000])
def test_datasets_opens_the_folder_with_its_splits_and_sounds(made: Made, tmp_path: Path, rate: int | None) -> None:
    import datasets

    folder = small.export(made, "huggingface", tmp_path / "out", rate=rate).folder
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert {name: part.num_rows for name, part in loaded.items()} == SPLITS
    for split, part in loaded.items():
        assert isinstance(part.features["audio"], datasets.Audio)
        assert part.features["audio"].sampling_rate == rate
        rows = list(part)
        found = {row["id"]: (row["audio"]["array"], row["audio"]["sampling_rate"]) for row in rows}
        same_sounds(found, wanted(made, split, rate))
        assert [row["id"] for row in rows] == made[1].filter(split=split)["id"].to_list()
        for row in rows:
            assert row["duration"] == pytest.approx(len(row["audio"]["array"]) / row["sample_rate"], abs=1e-6)
    first = loaded["train"][0]
    assert {name: first[name] for name in ("text", "original_text", "language", "speaker", "licence", "source")} == {
        "text": "말 0 번", "original_text": '0번 "글"\t\\', "language": "km", "speaker": "가 나",
        "licence": "CC-BY-4.0", "source": "studio",
    }  # fmt: skip


@pytest.mark.filterwarnings("ignore")
def test_one_parquet_file_alone_is_a_data_set_and_can_be_streamed(made: Made, tmp_path: Path) -> None:
    import datasets

    folder = small.export(made, "huggingface", tmp_path / "out").folder
    (file,) = (folder / "data").glob("test-*.parquet")
    assert file.name == "test-00000-of-00001.parquet"
    read = datasets.Dataset.from_parquet(str(file), cache_dir=str(tmp_path / "cache"))
    assert isinstance(read.features["audio"], datasets.Audio)
    stream = datasets.load_dataset(str(folder), split="train", streaming=True)
    assert len([row["audio"]["array"] for row in stream]) == SPLITS["train"]


@pytest.mark.parametrize("rate", [None, 16000])
def test_the_card_has_what_the_hub_reads_and_is_true_of_the_export(
    made: Made, tmp_path: Path, rate: int | None
) -> None:
    from huggingface_hub import DatasetCard

    folder = small.export(made, "huggingface", tmp_path / "out", rate=rate).folder
    card = DatasetCard.load(folder / "README.md")
    told = card.data.to_dict()
    assert told["license"] == ["cc-by-4.0", "other"]
    assert told["language"] == ["km", "ko"]
    assert told["pretty_name"] == 'A "corpus"'
    assert told["configs"][0]["data_files"] == [{"split": split, "path": f"data/{split}-*.parquet"} for split in SPLITS]
    sound = {"audio": {"sampling_rate": rate}} if rate else "audio"
    assert {"name": "audio", "dtype": sound} in told["dataset_info"]["features"]
    sizes = {split: sum(path.stat().st_size for path in (folder / "data").glob(f"{split}-*")) for split in SPLITS}
    assert told["dataset_info"]["splits"] == [
        {"name": split, "num_bytes": sizes[split], "num_examples": count} for split, count in SPLITS.items()
    ]
    assert f"{COUNT} clips, " in card.text
    assert ("12 clips at 16000 Hz" in card.text) == (rate == 16000)
    assert "| noisy | 1 |" in card.text
    assert r"그 사람 \| a b" in card.text


def test_a_card_counts_what_is_exported_where_a_kept_clip_has_no_text(tmp_path: Path) -> None:
    silent = small.corpus(tmp_path / "c", [{**row, "training_text": None} if not at else row
                                           for at, row in enumerate(small.rows(COUNT))])  # fmt: skip
    folder = small.export(silent, "huggingface", tmp_path / "out").folder
    assert "11 clips, " in (folder / "README.md").read_text("utf-8")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_mlcroissant_opens_every_clip_with_its_sound(made: Made, tmp_path: Path) -> None:
    import mlcroissant

    folder = small.export(made, "huggingface", tmp_path / "out", rate=16000).folder
    dataset = mlcroissant.Dataset(str(folder / "croissant.json"))
    assert dataset.metadata.ctx.issues.errors == set()
    hashes = {each["name"]: each["sha256"] for each in _objects(folder)}
    assert hashes == {f"data/{path.name}": files.sha256(path) for path in (folder / "data").iterdir()}
    found: dict[str, tuple[Any, int]] = {}
    for record in dataset.records("clips"):
        row = {name.partition("/")[2]: value for name, value in record.items()}
        found[row["id"].decode()] = soundfile.read(io.BytesIO(row["audio"]), dtype="float32")
    expected = {id: sound for split in SPLITS for id, sound in wanted(made, split, 16000).items()}
    same_sounds(found, expected)


def _objects(folder: Path) -> list[dict[str, Any]]:
    listed = json.loads((folder / "croissant.json").read_text("utf-8"))["distribution"]
    return [each for each in listed if each["@type"] == "cr:FileObject"]


def test_pages_that_tell_hashes_are_made_anew_with_their_files_and_left_otherwise(made: Made, tmp_path: Path) -> None:
    folder = small.export(made, "huggingface", tmp_path / "out").folder
    pages = [folder / "README.md", folder / "croissant.json"]
    before = [(path.stat().st_mtime_ns, path.read_bytes()) for path in pages]
    small.export(made, "huggingface", folder)
    assert [(path.stat().st_mtime_ns, path.read_bytes()) for path in pages] == before
    small.export(made, "huggingface", folder, rate=16000)
    assert {each["name"]: each["sha256"] for each in _objects(folder)} == {
        f"data/{path.name}": files.sha256(path) for path in (folder / "data").iterdir()
    }
    fresh = small.export(made, "huggingface", tmp_path / "fresh", rate=16000).folder
    assert small.contents(folder) == small.contents(fresh)


def test_an_export_without_clips_is_a_card_and_no_metadata(tmp_path: Path) -> None:
    nothing = small.corpus(tmp_path / "c", [row for row in small.rows() if row.get("drop")])
    folder = small.export(nothing, "huggingface", tmp_path / "out").folder
    assert set(small.contents(folder)) == {".samsori-export", "README.md", "sources.tsv"}


def test_the_metadata_of_the_schema_is_what_datasets_itself_writes(made: Made, tmp_path: Path) -> None:
    import datasets
    import pyarrow.parquet as pq

    folder = small.export(made, "huggingface", tmp_path / "out", rate=16000).folder
    schema = pq.read_schema(next((folder / "data").glob("train-*.parquet")))
    ours = datasets.Features.from_dict(json.loads(schema.metadata[b"huggingface"])["info"]["features"])
    assert ours.arrow_schema.remove_metadata().equals(schema.remove_metadata())


# ---- lhotse


@MIXED_RATES
def test_lhotse_opens_recordings_supervisions_and_cuts(made: Made, tmp_path: Path) -> None:
    import lhotse
    from lhotse.qa import validate_recordings_and_supervisions

    folder = small.export(made, "lhotse", tmp_path / "out").folder
    for split, count in SPLITS.items():
        recordings = lhotse.RecordingSet.from_jsonl(folder / f"recordings_{split}.jsonl.gz").with_path_prefix(folder)
        supervisions = lhotse.SupervisionSet.from_jsonl(folder / f"supervisions_{split}.jsonl.gz")
        validate_recordings_and_supervisions(recordings, supervisions, read_data=True)
        cuts = lhotse.CutSet.from_jsonl(folder / f"cuts_{split}.jsonl.gz").with_recording_path_prefix(folder).to_eager()
        lhotse.validate(cuts, read_data=True)
        again = lhotse.CutSet.from_manifests(recordings=recordings, supervisions=supervisions)
        assert [each.duration for each in again] == [each.duration for each in cuts]
        assert len(cuts) == count
        same_sounds({each.id: (each.load_audio()[0], each.sampling_rate) for each in cuts}, wanted(made, split, None))
    told = supervisions[0]
    assert (told.text, told.language, told.custom["licence"]) == ("말 5 번", "Korean", "own")
    assert told.speaker == told.id  # nobody knows who speaks


@MIXED_RATES
@pytest.mark.parametrize("encoding", ["flac", "wav"])
def test_lhotse_opens_the_shar_archives(made: Made, tmp_path: Path, encoding: str) -> None:
    import lhotse

    folder = small.export(made, "lhotse", tmp_path / "out", rate=16000, encoding=encoding).folder
    for split in SPLITS:
        cuts = list(lhotse.CutSet.from_shar(in_dir=folder / "shar" / split))
        same_sounds({each.id: (each.load_audio()[0], each.sampling_rate) for each in cuts}, wanted(made, split, 16000))
        assert {each.supervisions[0].text for each in cuts} == {
            " ".join(text.split()) for text in made[1].filter(split=split)["spoken"]
        }


@MIXED_RATES
def test_what_lhotse_writes_of_our_manifests_is_what_we_wrote(made: Made, tmp_path: Path) -> None:
    import lhotse

    folder = small.export(made, "lhotse", tmp_path / "out").folder
    for kind, read in (
        ("recordings", lhotse.RecordingSet), ("supervisions", lhotse.SupervisionSet), ("cuts", lhotse.CutSet),
    ):  # fmt: skip
        path = folder / f"{kind}_train.jsonl.gz"
        ours = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
        assert [each.to_dict() for each in read.from_jsonl(path)] == ours


# ---- NeMo


def test_nemos_manifest_is_read_as_its_collections_do(made: Made, tmp_path: Path) -> None:
    """NeMo itself is too large to install: these are the rules of nemo.collections.common.parts.preprocessing.manifest.

    audio_filepath is taken as relative to the manifest; duration is a number; text is what is said.
    """
    folder = small.export(made, "nemo", tmp_path / "out").folder
    for split, count in SPLITS.items():
        manifest = folder / f"{split}_manifest.json"
        entries = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
        assert len(entries) == count
        found = {}
        for entry in entries:
            assert not os.path.isabs(entry["audio_filepath"])
            assert isinstance(entry["duration"], float)
            samples, rate = soundfile.read(manifest.parent / entry["audio_filepath"])
            assert entry["duration"] == pytest.approx(len(samples) / rate, abs=1e-6)
            assert all(entry[name] is not None for name in entry)  # NeMo's batches take no null
            found[entry["id"]] = (samples, rate)
        same_sounds(found, wanted(made, split, 16000))
    assert {name: entries[0][name] for name in ("text", "lang", "speaker", "licence", "attribution")} == {
        "text": "말 5 번", "lang": "ko", "speaker": "", "licence": "own", "attribution": "그 사람 | a\tb",
    }  # fmt: skip


# ---- Kaldi


@pytest.mark.filterwarnings("ignore")
def test_lhotses_kaldi_reader_opens_the_data_folders(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lhotse.kaldi import load_kaldi_data_dir

    folder = small.export(made, "kaldi", tmp_path / "out").folder
    monkeypatch.chdir(folder)
    for split in SPLITS:
        for measured in (True, False):  # from reco2dur, and from the files
            recordings, supervisions, _ = load_kaldi_data_dir(split, sampling_rate=16000, use_reco2dur=measured)
            assert supervisions is not None
            assert len(recordings) == len(supervisions) == SPLITS[split]
        recordings, supervisions, _ = load_kaldi_data_dir(split, sampling_rate=16000)
        found = {each.id.partition("-")[2]: (each.load_audio()[0], each.sampling_rate) for each in recordings}
        same_sounds(found, wanted(made, split, 16000))
        assert {each.text for each in supervisions} == {
            " ".join(text.split()) for text in made[1].filter(split=split)["spoken"]
        }


def test_the_data_folders_keep_the_rules_of_validate_data_dir(tmp_path: Path) -> None:
    people = ["a", "a-b", "ab", "가", "x" * 300, " sp ace ", "", None]
    made = small.rows(40)
    for i, row in enumerate(made):
        row |= {"person": people[i % len(people)], "split": row["split"] and "train"}
    folder = small.export(small.corpus(tmp_path, made), "kaldi").folder / "train"
    tables = {path.name: path.read_bytes().split(b"\n") for path in folder.iterdir()}
    keys: dict[str, list[bytes]] = {}
    for name, lines in tables.items():
        assert lines.pop() == b""  # every line ends
        assert lines == sorted(lines)  # LC_ALL=C
        keys[name] = [line.split(b" ")[0] for line in lines]
        assert len(set(keys[name])) == len(keys[name]), name
        assert all(len(line.split(b" ", 1)) == 2 and not line.endswith(b" ") for line in lines), name
        assert not any(b"  " in line or b"\t" in line for line in lines)
    for name in ("text", "utt2spk", "segments", "wav.scp", "utt2dur", "reco2dur", "utt2lang"):
        assert keys[name] == keys["utt2spk"]
    pairs = [line.decode().split() for line in tables["utt2spk"]]
    assert all(utterance.startswith(speaker + "-") for utterance, speaker in pairs)
    assert pairs == sorted(pairs, key=lambda pair: (pair[1], pair[0]))  # "not in sorted order when sorted on speaker"
    inverted: dict[str, list[str]] = {}
    for utterance, speaker in pairs:
        inverted.setdefault(speaker, []).append(utterance)
    assert {line.decode().split()[0]: line.decode().split()[1:] for line in tables["spk2utt"]} == inverted
    assert len(inverted) == len(people) - 2 + 10  # clips of nobody are speakers of their own
    words = b" ".join(tables["text"]).decode()
    assert not any(bad in words for bad in ("<s>", "</s>", "#0", "\u00a0"))


# ---- WebDataset


@pytest.mark.filterwarnings("ignore")
def test_webdataset_opens_the_shards(made: Made, tmp_path: Path) -> None:
    import webdataset

    folder = small.export(made, "webdataset", tmp_path / "out", rate=16000).folder
    for split in SPLITS:
        urls = sorted(str(path) for path in folder.glob(f"{split}-*.tar"))
        samples = list(webdataset.WebDataset(urls, shardshuffle=False, empty_check=False).decode())
        found = {}
        for each in samples:
            assert each["txt"] == each["json"]["text"]
            assert each["json"]["id"] == each["__key__"]
            found[each["__key__"]] = soundfile.read(io.BytesIO(each["flac"]), dtype="float32")
        same_sounds(found, wanted(made, split, 16000))
    assert {name: each["json"][name] for name in ("licence", "language", "speaker", "training_text")}.keys()


def test_archives_hold_no_time_owner_or_path(made: Made, tmp_path: Path) -> None:
    for format in ("webdataset", "lhotse"):
        folder = small.export(made, format, tmp_path / format).folder
        for path in folder.rglob("*.tar"):
            with tarfile.open(path) as tar:
                for member in tar:
                    assert (member.mtime, member.uid, member.gid, member.uname, member.gname) == (0, 0, 0, "", "")
                    assert member.isfile()
                    assert "/" not in member.name


# ---- all of them


@pytest.mark.parametrize("format", formats.FORMATS)
def test_two_exports_are_the_same_bytes_and_say_nothing_of_this_machine(
    made: Made, tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = small.export(made, format, tmp_path / "one").folder
    monkeypatch.chdir(tmp_path)
    two = small.export(made, format, Path("deep/er/two")).folder
    assert small.contents(one) == small.contents(two)
    assert len(small.contents(one)) >= 5
    for path in one.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            content = gzip.decompress(content) if path.suffix == ".gz" else content
            assert str(tmp_path).encode() not in content
            assert str(made[0].folder).encode() not in content


@pytest.mark.parametrize("format", ["nemo", "lhotse", "kaldi", "huggingface"])
def test_our_own_reader_takes_the_export_back(made: Made, tmp_path: Path, format: str) -> None:
    from curate import ingest
    from tests.curate.recipes import SOURCE, read

    folder = small.export(made, format, tmp_path / "out", rate=16000).folder
    kind, path = (format, folder) if format != "nemo" else ("table", folder / "train_manifest.json")
    source = SOURCE.replace('"in/x.tsv"', f'"{path}"').replace('"table"', f'"{kind}"').replace('language = "ko"\n', "")
    if format == "nemo":
        (folder / "train_manifest.jsonl").write_bytes(path.read_bytes())
        source = source.replace(".json", ".jsonl") + 'columns = { audio = "audio_filepath", language = "lang" }\n'
    elif format == "huggingface":
        source += 'columns = { language = "language" }\n'
    elif format == "kaldi":
        source += 'language = "ko"\n'
    found = ingest.read(read(tmp_path, source), unpacked=tmp_path / "unpacked").rows
    assert found["error"].null_count() == found.height
    count = SPLITS["train"] if format == "nemo" else COUNT
    assert found.height == count
    assert set(found["text"]) <= {f"말 {i} 번" for i in range(COUNT)}
    assert found["text"].n_unique() == count


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"rate": 100}, "--rate 100: give a sample rate from 8000 to 192000 Hz, such as 16000"),
        ({"rate": 10**9}, "--rate"),
        ({"loudness": 3.0}, "--loudness 3: give LUFS between -70 and 0, such as -23"),
        ({"loudness": float("nan")}, "--loudness nan"),
        ({"encoding": "mp3"}, "--format mp3: for kaldi there is wav"),
        ({"encoding": "flac"}, "--format flac: for kaldi there is wav"),
    ],
)
def test_sound_that_cannot_be_is_one_line(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError) as caught:
        formats.sound("kaldi", **asked)
    assert str(caught.value).startswith(told)


def test_a_large_split_is_cut_into_shards_of_like_size(
    made: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from curate.export import packed

    monkeypatch.setattr(packed.shards, "__defaults__", (100_000,))
    names = {
        format: [path.name for path in sorted(small.export(made, format, tmp_path / format).folder.rglob(pattern))]
        for format, pattern in (("webdataset", "train-*"), ("huggingface", "train-*"), ("lhotse", "recording.*.tar"))
    }
    assert names["webdataset"][:2] == ["train-000000.tar", "train-000001.tar"]
    assert names["huggingface"][0] == f"train-00000-of-{len(names['huggingface']):05d}.parquet"
    assert 2 <= len(names["huggingface"]) <= SPLITS["train"]
    ids = []
    for path in sorted((tmp_path / "webdataset").glob("train-*")):
        with tarfile.open(path) as tar:
            ids += [name for name in tar.getnames() if name.endswith(".flac")]
    assert len(ids) == len(set(ids)) == SPLITS["train"]
