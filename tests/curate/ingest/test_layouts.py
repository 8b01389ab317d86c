"""The public corpora in their true layouts: each file finds its text, its speaker and what else its index says."""

import gzip
import json
import os
import shutil
import unicodedata
from pathlib import Path
from typing import Any, get_args

import numpy as np
import polars as pl
import pytest
import soundfile

from curate import audio
from curate.ingest import READERS
from curate.ingest.ksponspeech import plain
from curate.recipe import Kind
from tests.curate.ingest.corpora import RATE, found, refused, rows, sound, write

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "audio"


def shared(*parts: str) -> Path:
    """A place in the shared audio beside this checkout."""
    if not SHARED.joinpath(*parts).exists():
        pytest.skip(f"needs the shared test audio ({'/'.join(parts)})")
    return SHARED.joinpath(*parts)


def columns(frame: pl.DataFrame, *names: str) -> list[tuple[Any, ...]]:
    return frame.select(*names).rows()


def test_every_kind_of_the_recipe_has_a_reader() -> None:
    assert set(READERS) == set(get_args(Kind))


# ---- KSS


SIX = "1/1_0000.wav|3시에 와.|세 시에 와.|세 시에 와.|3.5|Come at 3."
FIVE = "1/1_0001.wav|용돈을 아껴 써라.|용돈을 아껴 써라.|용돈을 아껴 써라.|1.8"
FOUR = "2/2_0000.wav|가|가|0.3"


@pytest.mark.parametrize("place", ["transcript.v.1.4.txt", "kss/transcript.v.1.4.txt"])
def test_kss_beside_or_above_its_folders(tmp_path: Path, place: str) -> None:
    for name in ("1/1_0000.wav", "1/1_0001.wav", "2/2_0000.wav", "2/2_0001.wav"):
        sound(tmp_path / "kss" / name)
    write(tmp_path / place, f"{SIX}\n{FIVE}\n{FOUR}")
    ingested = found(tmp_path, "kss")
    frame = ingested.rows
    assert columns(frame, "path", "text", "speaker", "error") == [
        ("kss/1/1_0000.wav", "세 시에 와.", "kss", None),
        ("kss/1/1_0001.wav", "용돈을 아껴 써라.", "kss", None),
        ("kss/2/2_0000.wav", "가", "kss", None),
    ]
    assert columns(frame, "original", "english")[0] == ("3시에 와.", "Come at 3.")
    assert ingested.unlisted == {"s": ["kss/2/2_0001.wav"]}
    assert rows(tmp_path, "kss", columns={"text": "original"})["text"][0] == "3시에 와."


def test_kss_newest_transcript_and_its_real_lines(tmp_path: Path) -> None:
    for name in ("transcript.v.1.3.txt", "transcript.v.1.4.txt"):
        shutil.copy(shared("layouts", "kss", name), tmp_path / name)
    sound(tmp_path / "1/1_0000.wav")
    frame = rows(tmp_path, "kss")
    assert columns(frame, "path", "text", "english") == [
        ("1/1_0000.wav", "그는 괜찮은 척하려고 애쓰는 것 같았다.", "He seemed to be pretending to be okay.")
    ]
    (tmp_path / "transcript.v.1.4.txt").unlink()
    older = rows(tmp_path, "kss")
    assert older["error"].to_list() == [None, "no such file", "no such file"]
    assert older["text"].to_list()[2] == "용돈을 아껴 써라."


def test_kss_names_the_line_that_is_not_like_the_others(tmp_path: Path) -> None:
    sound(tmp_path / "1/1_0000.wav")
    write(tmp_path / "transcript.v.1.4.txt", f"{SIX}\n1/1_0001.wav\n")
    frame = rows(tmp_path, "kss")
    assert frame["error"].to_list() == [None, "transcript.v.1.4.txt, line 2 has 1 fields, not 4 to 6"]
    assert frame["path"].to_list() == ["1/1_0000.wav", "1/1_0001.wav"]


# ---- OpenSLR


def test_openslr_with_real_lines(tmp_path: Path) -> None:
    index = shared("layouts", "openslr42_km_kh", "line_index.tsv")
    shutil.copy(index, tmp_path / "line_index.tsv")
    lines = index.read_text(encoding="utf-8").splitlines()
    for line in lines:
        sound(tmp_path / "wavs" / f"{line.split(chr(9))[0]}.wav", rate=48000)
    frame = rows(tmp_path, "openslr", language="km")
    assert frame.height == len(lines) == 5
    assert frame["error"].null_count() == 5
    texts = {line.split("\t")[0]: line.split("\t")[2] for line in lines}
    assert {Path(path).stem: text for path, text in columns(frame, "path", "text")} == texts
    assert frame["speaker"].to_list()[:2] == ["0995", "1443"]
    assert frame["rate"].unique().to_list() == [48000]


def test_openslr_reads_two_columns_and_every_index(tmp_path: Path) -> None:
    for sex, name in (("male", "khm_0001_1"), ("female", "khf_0002_2")):
        sound(tmp_path / sex / "wavs" / f"{name}.WAV", format="WAV")
        write(tmp_path / sex / "line_index.tsv", f"{name}\tក ខ\r\n")
    frame = rows(tmp_path, "openslr", language="km")
    assert columns(frame, "path", "text", "speaker", "error") == [
        ("female/wavs/khf_0002_2.WAV", "ក ខ", "0002", None),
        ("male/wavs/khm_0001_1.WAV", "ក ខ", "0001", None),
    ]


# ---- FLEURS


def fleurs_line(number: int, name: str, gender: str) -> str:
    return f'{number}\t{name}\t"ភាសា" 3 GB.\tភាសា 3 gb\tភ ា ស ា |\t1600\t{gender}\n'


@pytest.mark.parametrize("folder", ["audio/train", "train", "audio", ""])
def test_fleurs_where_its_audio_may_lie(tmp_path: Path, folder: str) -> None:
    top = tmp_path / "data" / "km_kh"
    for name in ("1.wav", "2.wav"):
        sound(top / folder / name)
    write(top / "train.tsv", fleurs_line(7, "1.wav", "MALE") + fleurs_line(7, "2.wav", "FEMALE"))
    frame = rows(tmp_path, "fleurs", language="km")
    assert frame["error"].null_count() == 2
    assert columns(frame, "text", "sentence", "gender", "given_split", "normalised", "speaker")[0] == (
        '"ភាសា" 3 GB.',
        "7",
        "male",
        "train",
        "ភាសា 3 gb",
        None,
    )
    assert frame["id"].n_unique() == 2


def test_fleurs_splits_and_languages_by_folder(tmp_path: Path) -> None:
    for code in ("km_kh", "ko_kr"):
        for split in ("train", "dev", "test"):
            sound(tmp_path / code / "audio" / split / f"{split}.wav")
            write(tmp_path / code / f"{split}.tsv", fleurs_line(1, f"{split}.wav", "OTHER"))
    frame = rows(tmp_path, "fleurs", language=None, splits=["train", "test"])
    assert columns(frame, "path", "language") == [
        ("km_kh/audio/test/test.wav", "km"),
        ("km_kh/audio/train/train.wav", "km"),
        ("ko_kr/audio/test/test.wav", "ko"),
        ("ko_kr/audio/train/train.wav", "ko"),
    ]
    assert set(found(tmp_path, "fleurs", language=None, splits=["train"]).unlisted["s"]) >= {"km_kh/audio/dev/dev.wav"}


# ---- Common Voice


def test_commonvoice_by_the_header_of_its_year(tmp_path: Path) -> None:
    header = shared("layouts", "common_voice", "header_2024_onwards.tsv").read_text(encoding="utf-8").rstrip("\n")
    top = tmp_path / "cv-corpus-25.0" / "ko"
    for name in ("a.mp3", "b.mp3", "c.mp3"):
        sound(top / "clips" / name, 0.5, rate=32000)
    (top / "clips" / "zero.mp3").write_bytes(b"")
    new = dict.fromkeys(header.split("\t"), "")

    def line(**values: str) -> str:
        return "\t".join({**new, **values}.values())

    lines = [
        line(
            client_id="x1",
            path="a.mp3",
            sentence='그는 "안녕',
            up_votes="2",
            down_votes="0",
            age="twenties",
            gender="male_masculine",
        ),
        line(client_id="x2", path="zero.mp3", sentence="나", up_votes="3", accents="서울"),
    ]
    write(top / "validated.tsv", "\n".join([header, *lines]) + "\n")
    write(
        top / "train.tsv",
        "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccent\tlocale\tsegment\nx1\tb\t다\t2\t1\t\t\tseoul\tko\t\n",
    )
    write(top / "._validated.tsv", "junk")
    write(tmp_path / "__MACOSX" / "ko" / "validated.tsv", "junk")
    ingested = found(tmp_path, "commonvoice")
    frame = ingested.rows
    assert columns(frame, "path", "text", "speaker", "up_votes", "age", "accents", "error") == [
        ("cv-corpus-25.0/ko/clips/a.mp3", '그는 "안녕', "x1", "2", "twenties", None, None),
        ("cv-corpus-25.0/ko/clips/zero.mp3", "나", "x2", "3", None, "서울", "an empty file"),
    ]
    assert ingested.unlisted["s"] == ["cv-corpus-25.0/ko/clips/b.mp3", "cv-corpus-25.0/ko/clips/c.mp3"]
    old = rows(tmp_path, "commonvoice", splits=["train"])
    assert columns(old, "path", "accents", "given_split") == [("cv-corpus-25.0/ko/clips/b.mp3", "seoul", "train")]
    assert "looks for dev.tsv in" in refused(tmp_path, "commonvoice", splits=["dev"])


# ---- Zeroth


def test_zeroth_with_audio_info(tmp_path: Path) -> None:
    for split, who in (("train", "104"), ("test", "203")):
        folder = tmp_path / f"{split}_data_01" / "003" / who
        for number in (1, 2):
            sound(folder / f"{who}_003_{number:04d}.flac")
        write(folder / f"{who}_003.trans.txt", f"{who}_003_0001 지난해 삼 월\n")
    write(
        tmp_path / "AUDIO_INFO",
        "SPEAKERID|NAME|SEX|SCRIPTID|DATASET\n104|Kim|m|003|train_data_01\n203|Lee| F |003|test_data_01\n",
    )
    ingested = found(tmp_path, "zeroth")
    assert columns(ingested.rows, "path", "text", "speaker", "gender", "given_split") == [
        ("test_data_01/003/203/203_003_0001.flac", "지난해 삼 월", "203", "female", "test"),
        ("train_data_01/003/104/104_003_0001.flac", "지난해 삼 월", "104", "male", "train"),
    ]
    assert "Kim" not in str(ingested.rows.rows())
    assert len(ingested.unlisted["s"]) == 2
    assert rows(tmp_path, "zeroth", splits=["train"]).height == 1


def test_zeroth_of_the_shared_audio() -> None:
    ingested = found(shared("ko", "zeroth"), "zeroth")
    assert ingested.rows["error"].null_count() == ingested.rows.height == 5
    assert set(ingested.rows["speaker"]) == {"104"}
    assert len(ingested.unlisted["s"]) == 3


# ---- KsponSpeech


def pcm(path: Path, samples: np.ndarray[Any, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(samples.astype("<i2").tobytes())
    return path


@pytest.mark.parametrize("encoding", ["cp949", "utf-8", "utf-8-sig", "utf-16"])
def test_ksponspeech_lists_and_headerless_samples(tmp_path: Path, encoding: str) -> None:
    wave = np.arange(-800, 800) * 20
    pcm(tmp_path / "KsponSpeech_01" / "KsponSpeech_0001" / "KsponSpeech_000001.pcm", wave)
    said = "b/ 아/ 모+ 몬 소리야 (70%)/(칠십 퍼센트) 확률이라니* n/"
    path = "KsponSpeech_01/KsponSpeech_0001/KsponSpeech_000001.pcm"
    write(tmp_path / "scripts" / "train.trn", f"{path} :: {said}\n", encoding)
    frame = rows(tmp_path, "ksponspeech")
    assert columns(frame, "path", "text", "error") == [(path, "아 모 몬 소리야 70% 확률이라니", None)]
    assert columns(frame, "transcript", "marks", "given_split") == [(said, "b/ n/", "train")]
    assert columns(frame, "rate", "channels", "frames", "codec") == [(16000, 1, 1600, "RAW/PCM_16")]
    heard, rate = audio.read(tmp_path / path, 100, 110)
    assert rate == 16000
    assert heard.tolist() == pytest.approx((wave[100:110] / 32768).tolist())
    spoken = rows(tmp_path, "ksponspeech", columns={"text": "pronunciation"})["text"].item()
    assert spoken == "아 모 몬 소리야 칠십 퍼센트 확률이라니"


def test_ksponspeech_with_a_text_beside_each_file(tmp_path: Path) -> None:
    pcm(tmp_path / "a" / "KsponSpeech_000001.pcm", np.ones(100))
    write(tmp_path / "a" / "KsponSpeech_000001.txt", "o/ 근데 (1월)/(일월)에.b/\n", "cp949")
    pcm(tmp_path / "a" / "KsponSpeech_000002.pcm", np.ones(100))
    frame = rows(tmp_path / "a", "ksponspeech")
    assert columns(frame, "path", "text", "marks") == [
        ("KsponSpeech_000001.pcm", "근데 1월에.", "o/ b/"),
        ("KsponSpeech_000002.pcm", None, None),
    ]


@pytest.mark.parametrize(
    ("transcript", "spelling", "pronunciation"),
    [
        ("(b/ 1대1)/(일 대 일) n/", "1대1", "일 대 일"),
        ("그/ 뭐/ 1l/분", "그 뭐 1l분", "그 뭐 1l분"),
        ("AB/CD u/", "ABCD", "ABCD"),
        ("(3시) 에", "(3시) 에", "(3시) 에"),
        ("", "", ""),
    ],
)
def test_ksponspeech_marks(transcript: str, spelling: str, pronunciation: str) -> None:
    assert (plain(transcript, 1), plain(transcript, 2)) == (spelling, pronunciation)


# ---- Azure, LJSpeech


def test_azure_of_the_shared_audio() -> None:
    frame = rows(shared("ko", "azure_customspeech"), "azure")
    assert frame["error"].null_count() == frame.height == 1
    assert frame["path"].item() == "testing/audio.wav"
    assert frame["text"].item().startswith("이 세부 정보 페이지는")


def test_azure_with_its_mark_and_line_ends(tmp_path: Path) -> None:
    sound(tmp_path / "1.wav")
    write(tmp_path / "trans.txt", "1.wav\t가 나\r\n2.wav\t다\r\n3.wav\r\n", "utf-8-sig")
    assert columns(rows(tmp_path, "azure"), "path", "text", "error") == [
        ("1.wav", "가 나", None),
        ("2.wav", "다", "no such file"),
        ("3.wav", None, "trans.txt, line 3 has 1 fields, not 2"),
    ]


def test_ljspeech_with_real_lines_and_two_fields(tmp_path: Path) -> None:
    shutil.copy(shared("layouts", "ljspeech", "metadata.csv"), tmp_path / "metadata.csv")
    with (tmp_path / "metadata.csv").open("a", encoding="utf-8") as file:
        file.write('LJ.3|He said "3.|He said "three.\nLJ4|only "one\n')
    for name in ("LJ001-0001", "LJ001-0002", "LJ.3", "LJ4"):
        sound(tmp_path / "wavs" / f"{name}.wav")
    frame = rows(tmp_path, "ljspeech")
    assert frame["error"].null_count() == 4
    texts = dict(columns(frame, "path", "text"))
    assert texts["wavs/LJ001-0002.wav"] == "in being comparatively modern."
    assert (texts["wavs/LJ.3.wav"], texts["wavs/LJ4.wav"]) == ('He said "three.', 'only "one')
    assert 'He said "3.' in rows(tmp_path, "ljspeech", columns={"text": "original"})["text"].to_list()


# ---- Kaldi


def test_kaldi_segments_pipes_and_what_is_missing(tmp_path: Path) -> None:
    long, flac = sound(tmp_path / "db" / "long.wav", 10.0), sound(tmp_path / "db" / "x y.flac")
    data = tmp_path / "data" / "train"
    write(
        data / "wav.scp",
        f"rec1 db/long.wav\nrec2 flac -c -d -s '{flac}' |\nrec3 sox {long} -t wav - speed 1.1 |\n"
        f"rec4 rm -rf {long} |\nrec5 {long}\nrec6\n",
    )
    write(
        data / "segments",
        "u1 rec1 1.5 3.25\nu2 rec1 3.25 -1\nu3 rec2 0 0.1\nu4 rec3 0 1\nu5 rec4 0 1\nu6 rec1 x\nu8 rec1 9 11\n"
        "u9 rec6 0 1\nu10 rec7 0 1\n",
    )
    write(data / "text", "u1 가 나\nu2 다\nu3 라\nu7 마\n")
    write(data / "utt2spk", "u1 kim\nu2 kim\nu3 lee\n")
    write(data / "spk2gender", "kim m\nlee f\n")
    frame = rows(data, "kaldi")
    said = {row["utterance"]: row for row in frame.rows(named=True)}
    assert (said["u1"]["start"], said["u1"]["end"], said["u1"]["seconds"]) == (12000, 26000, 1.75)
    assert (said["u2"]["start"], said["u2"]["end"], said["u2"]["text"]) == (26000, 80000, "다")
    assert (said["u3"]["start"], said["u3"]["frames"], said["u3"]["speaker"], said["u3"]["gender"]) == (
        None,
        800,
        "lee",
        "female",
    )
    assert "which is not run: sox" in said["u4"]["error"]
    assert "which is not run: rm" in said["u5"]["error"]
    assert "the line of u6 is not: recording start end" in said["u6"]["error"]
    assert said["u7"]["error"] == "u7 has a text and no recording"
    assert said["u9"]["error"] == "wav.scp names no file for rec6"
    assert said["u10"]["error"] == "wav.scp has no recording rec7"
    assert "the span 9.0 to 11.0 s is not within the file, which has 10.0 s" in said["u8"]["error"]
    assert long.exists()
    assert frame.filter(pl.col("error").is_null()).height == 3


def test_kaldi_without_segments(tmp_path: Path) -> None:
    sound(tmp_path / "wav" / "a.wav")
    write(tmp_path / "wav.scp", "utt-a wav/a.wav\n")
    write(tmp_path / "text", "utt-a 가 나 다\n")
    assert columns(rows(tmp_path, "kaldi"), "path", "text", "start", "error") == [("wav/a.wav", "가 나 다", None, None)]


# ---- lhotse


def recording(name: str, path: str, seconds: float, channels: int = 1) -> dict[str, Any]:
    sources = [{"type": "file", "channels": list(range(channels)), "source": path}]
    return {
        "id": name,
        "sources": sources,
        "sampling_rate": RATE,
        "num_samples": int(seconds * RATE),
        "duration": seconds,
        "channel_ids": list(range(channels)),
    }


def jsonl(path: Path, items: list[Any]) -> Path:
    text = "".join(f"{json.dumps(item, ensure_ascii=False)}\n" for item in items)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz"])
def test_lhotse_recordings_and_supervisions(tmp_path: Path, suffix: str) -> None:
    sound(tmp_path / "audio" / "a.wav", 2.0)
    sound(tmp_path / "audio" / "b.wav", 1.0)
    sound(tmp_path / "audio" / "c.wav", 1.0)
    jsonl(
        tmp_path / f"recordings.{suffix}",
        [
            recording("a", "/elsewhere/audio/a.wav", 2.0),
            recording("b", "audio/b.wav", 1.0),
            recording("c", "audio/c.wav", 1.0),
        ],
    )
    jsonl(
        tmp_path / f"supervisions.{suffix}",
        [
            {
                "id": "a-1",
                "recording_id": "a",
                "start": 0.5,
                "duration": 0.25,
                "channel": 0,
                "text": "가",
                "speaker": "kim",
                "language": "Korean",
            },
            {"id": "b-1", "recording_id": "b", "start": 0.0, "duration": 1.0, "channel": 0, "text": "나"},
            {"id": "z-1", "recording_id": "z", "start": 0.0, "duration": 1.0, "channel": 0, "text": "다"},
        ],
    )
    frame = rows(tmp_path, "lhotse")
    assert columns(frame, "path", "text", "speaker", "start", "end", "seconds") == [
        ("", None, None, None, None, None),
        ("audio/a.wav", "가", "kim", 4000, 6000, 0.25),
        ("audio/b.wav", "나", None, None, None, 1.0),
        ("audio/c.wav", None, None, None, None, 1.0),
    ]
    assert "names no known recording (z)" in frame["error"][0]


def test_lhotse_cuts(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav", 4.0)
    sound(tmp_path / "two.wav", 1.0)
    inner = {"id": "s", "recording_id": "a", "start": 0.5, "duration": 1.0, "channel": 0, "text": "가"}
    cuts = [
        {
            "id": "1",
            "start": 1.0,
            "duration": 2.0,
            "channel": 0,
            "recording": recording("a", "a.wav", 4.0),
            "supervisions": [inner],
            "type": "MonoCut",
        },
        {
            "id": "2",
            "start": 3.0,
            "duration": 1.0,
            "channel": 0,
            "recording": recording("a", "a.wav", 4.0),
            "supervisions": [],
            "type": "MonoCut",
        },
        {"id": "3", "tracks": [], "type": "MixedCut"},
        {
            "id": "4",
            "start": 0.0,
            "duration": 1.0,
            "channel": 1,
            "recording": recording("t", "two.wav", 1.0, 2),
            "supervisions": [inner | {"channel": 1}],
        },
    ]
    file = jsonl(tmp_path / "cuts_train.jsonl.gz", cuts)
    for path in (tmp_path, file):
        frame = rows(path, "lhotse")
        assert columns(frame, "path", "start", "end", "text") == [
            ("", None, None, None),
            ("a.wav", 12000, 20000, "가"),
            ("a.wav", 24000, 32000, None),
            ("two.wav", None, None, "가"),
        ]
        assert "line 3 is no cut of one recording" in frame["error"][0]
        assert frame["error"][3] == "is channel 1 of 2: channels are not parted here"
    file.write_bytes(file.read_bytes()[:60])
    assert "is cut short or damaged" in refused(tmp_path, "lhotse")


# ---- Hugging Face


def parquet(path: Path, table: dict[str, Any], features: dict[str, Any] | None = None) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    made = pa.table(table)
    if features:
        made = made.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(made, path)
    return path


def test_huggingface_bytes_become_files_once(tmp_path: Path) -> None:
    wav, flac = sound(tmp_path / "a.wav").read_bytes(), sound(tmp_path / "b.flac").read_bytes()
    sounds = [{"bytes": wav, "path": "x/a.wav"}, {"bytes": flac, "path": None}, {"bytes": None, "path": None}]
    table = {"audio": sounds, "transcription": ["가", "나", "다"], "speaker_id": [7, 8, 8], "gender": [0, 1, 1]}
    file = parquet(
        tmp_path / "hf" / "data" / "train-00000-of-00001.parquet", table, {"gender": {"names": ["male", "female"]}}
    )
    frame = rows(tmp_path / "hf", "huggingface", unpacked=tmp_path / "unpacked")
    assert columns(frame, "path", "text", "speaker", "gender", "given_split", "codec") == [
        ("data/train-00000-of-00001/0000000.wav", "가", "7", "male", "train", "WAV/PCM_16"),
        ("data/train-00000-of-00001/0000001.flac", "나", "8", "female", "train", "FLAC/PCM_16"),
        ("data/train-00000-of-00001/0000002.wav", "다", "8", "female", "train", None),
    ]
    assert frame["error"].to_list() == [None, None, "no such file"]
    written = tmp_path / "unpacked" / "s" / "data" / "train-00000-of-00001" / "0000000.wav"
    assert written.read_bytes() == wav
    inode = written.stat().st_ino
    rows(tmp_path / "hf", "huggingface", unpacked=tmp_path / "unpacked")
    assert written.stat().st_ino == inode
    one = rows(file, "huggingface", unpacked=tmp_path / "other")
    assert one.height == 3


def test_huggingface_paths_and_what_is_no_parquet(tmp_path: Path) -> None:
    sound(tmp_path / "clips" / "a.wav")
    parquet(tmp_path / "train.parquet", {"audio": ["clips/a.wav"], "sentence": ["가"]})
    assert columns(rows(tmp_path, "huggingface"), "path", "text", "error") == [("clips/a.wav", "가", None)]
    (tmp_path / "test.parquet").write_bytes(b"PAR1 and no more")
    assert "is no Parquet file" in refused(tmp_path, "huggingface")
    said = refused(tmp_path, "huggingface", unpacked=tmp_path / "unpacked")
    assert said.startswith("source s: ")
    assert "is no Parquet file" in said
    (tmp_path / "test.parquet").unlink()
    parquet(tmp_path / "train.parquet", {"sentence": ["가"]})
    assert "has no column of sounds (sentence); say columns" in refused(tmp_path, "huggingface")


@pytest.mark.parametrize("kind", ["bytes alone", "binary", "an image before it", "another name"])
def test_huggingface_sounds_however_they_are_kept(tmp_path: Path, kind: str) -> None:
    wav = sound(tmp_path / "a.wav").read_bytes()
    kept = {"bytes": wav, "path": "a.wav"}
    tables: dict[str, dict[str, Any]] = {
        "bytes alone": {"audio": [{"bytes": wav}], "text": ["가"]},
        "binary": {"audio": [wav], "text": ["가"]},
        "an image before it": {"image": [{"bytes": b"PNG", "path": "a.png"}], "audio": [kept], "text": ["가"]},
        "another name": {"image": [{"bytes": b"PNG", "path": "a.png"}], "speech": [kept], "text": ["가"]},
    }
    parquet(tmp_path / "hf" / "train.parquet", tables[kind])
    more = {"columns": {"audio": "speech"}} if kind == "another name" else {}
    frame = rows(tmp_path / "hf", "huggingface", unpacked=tmp_path / "unpacked", **more)
    assert columns(frame, "path", "text", "codec", "error") == [("train/0000000.wav", "가", "WAV/PCM_16", None)]


@pytest.mark.parametrize("sounds", [[[0.1, 0.2]], [{"array": [0.1, 0.2], "sampling_rate": 16000}], [1]])
def test_huggingface_samples_are_no_files(tmp_path: Path, sounds: list[Any]) -> None:
    parquet(tmp_path / "train.parquet", {"audio": sounds, "text": ["가"]})
    assert "sounds are read as the bytes of files or as paths" in refused(tmp_path, "huggingface")
    said = refused(tmp_path, "huggingface", columns={"audio": "speech"})
    assert "has no column 'speech' (audio, text); say columns" in said


# ---- what is not there, or something else


LAYOUTS = [
    "kss",
    "openslr",
    "fleurs",
    "commonvoice",
    "zeroth",
    "ksponspeech",
    "azure",
    "ljspeech",
    "kaldi",
    "huggingface",
    "lhotse",
]


@pytest.mark.parametrize("kind", LAYOUTS)
def test_another_layout_is_told_with_what_was_looked_for_and_what_is_there(tmp_path: Path, kind: str) -> None:
    sound(tmp_path / "in" / "some.wav")
    said = refused(tmp_path / "in", kind)
    assert f'kind = "{kind}" looks for ' in said
    assert "there are some.wav" in said
    assert "no folder at" in refused(tmp_path / "absent", kind)
    assert "which is a file" in refused(tmp_path / "in" / "some.wav", kind)


def test_a_choice_that_a_layout_does_not_have_names_those_it_has(tmp_path: Path) -> None:
    sound(tmp_path / "1/1_0000.wav")
    write(tmp_path / "transcript.v.1.4.txt", SIX)
    said = refused(tmp_path, "kss", columns={"text": "script"})
    assert said == "source s: kss has no 'script'; it has original, expanded, english"


def test_names_that_differ_in_composition_case_and_invisible_characters_are_found(tmp_path: Path) -> None:
    composed = "한국어"
    sound(tmp_path / "wavs" / f"{unicodedata.normalize('NFD', composed)}.WAV", format="WAV")
    sound(tmp_path / "wavs" / "b.wav")
    write(tmp_path / "metadata.csv", f"{composed}|가\nb\u200b|나\u200b\u1112\u1161\u11ab\n")
    frame = rows(tmp_path, "ljspeech")
    assert frame["error"].null_count() == 2
    assert "나\u200b\u1112\u1161\u11ab" in frame["text"].to_list()  # code point for code point
    assert os.path.exists(tmp_path / frame["path"][1])


def test_a_real_sound_is_read_through_every_step_of_a_reader(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(RATE), RATE)
    write(tmp_path / "trans.txt", "a.wav\t가\n")
    row = rows(tmp_path, "azure", attribution="Lab", url="https://example.org").row(0, named=True)
    assert (row["licence"], row["attribution"], row["url"], row["codec"]) == (
        "own",
        "Lab",
        "https://example.org",
        "WAV/PCM_16",
    )
    assert (row["rate"], row["channels"], row["frames"], row["text_from"], len(row["sha256"])) == (
        RATE,
        1,
        RATE,
        "given",
        64,
    )


@pytest.mark.parametrize(
    ("kind", "name", "content", "said"),
    [
        ("kss", "transcript.v.1.4.txt", b"", "holds no rows, and there are transcript.v.1.4.txt"),
        ("kaldi", "wav.scp", b"\n", "holds no rows"),
        ("commonvoice", "validated.tsv", b"", "has no columns path and sentence"),
        ("lhotse", "recordings.jsonl", b"", "holds no rows"),
    ],
)
def test_an_empty_index_is_one_line(tmp_path: Path, kind: str, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert said in refused(tmp_path, kind)


def test_an_index_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "transcript.v.1.4.txt")
    assert "is no file that can be read" in refused(tmp_path, "kss")


@pytest.mark.parametrize(
    "line",
    [
        '{"id": 2, "sources": 5}', '{"recording": {"sources": [{"type": "file", "source": "a.wav"}]}, "start": "x"}',
        '{"recording": {"sources": [{"type": "file", "source": "a.wav"}]}, "supervisions": ["x"]}', "[]", "{", "1",
        '{"sources": [{"type": "url", "source": "http://example.org/a.wav"}]}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["recordings.jsonl", "cuts.jsonl"])
def test_lhotse_objects_of_another_shape_are_told(tmp_path: Path, name: str, line: str) -> None:
    sound(tmp_path / "a.wav")
    good = {
        "recordings.jsonl": recording("b", "a.wav", 0.1),
        "cuts.jsonl": {"recording": recording("b", "a.wav", 0.1), "duration": 0.1},
    }
    (tmp_path / name).write_text(f"{json.dumps(good[name])}\n{line}\n")
    errors = rows(tmp_path, "lhotse")["error"].to_list()
    assert len(errors) == 2
    assert errors.count(None) == 1


def test_ids_that_repeat_are_told(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    sound(tmp_path / "b.wav")
    write(tmp_path / "wav.scp", "a a.wav\nb b.wav\nb a.wav\n")
    (tmp_path / "text").write_bytes("a 가  나\na 다\n".encode() + b"b \xb0\xa1\n")
    said = {row["utterance"]: row for row in rows(tmp_path, "kaldi").rows(named=True)}
    assert said["a"]["error"] == "text, line 2 names a a second time"
    assert said["b"]["error"] == "wav.scp, line 3 names b a second time"
    assert (said["b"]["path"], said["b"]["text"]) == ("b.wav", None)
    write(tmp_path / "text", "a 가  나\u00a0\n")
    assert {row["utterance"]: row["text"] for row in rows(tmp_path, "kaldi").rows(named=True)}["a"] == "가  나\u00a0"
    twice = [recording("x", "a.wav", 0.1), recording("x", "b.wav", 0.1)]
    jsonl(tmp_path / "l" / "recordings.jsonl", twice)
    assert "has the id of another recording (x)" in str(rows(tmp_path / "l", "lhotse")["error"].to_list())


@pytest.mark.parametrize(
    "command",
    [
        "sph2pipe -f wav -p -c 2 a.wav |",
        "ffmpeg -ss 2 -t 1 -i a.wav -f wav - |",
        "ffmpeg -i a.wav -map_channel 0.0.1 -f wav - |",
        "flac -c -d -s --skip=0:01 a.flac |",
    ],
)
def test_kaldi_commands_that_take_a_part_of_a_file_are_told(tmp_path: Path, command: str) -> None:
    sound(tmp_path / "a.wav", 3.0)
    sound(tmp_path / "a.flac", 3.0)
    whole = "u2 sox a.wav -t wav -r 16000 - |\nu3 ffmpeg -i a.wav -ac 1 -f wav - |\n"
    write(tmp_path / "wav.scp", f"u1 {command}\n{whole}")
    errors = rows(tmp_path, "kaldi").sort("utterance")["error"].to_list()
    assert "is a command, which is not run" in errors[0]
    assert errors[1:] == [None, None]


def test_lhotse_recordings_that_are_changed_while_read_are_told(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav", 1.0)
    faster = recording("a_sp1.1", "a.wav", 0.909) | {"transforms": [{"name": "Speed", "kwargs": {"factor": 1.1}}]}
    other_rate = recording("a_rs", "a.wav", 1.0) | {"transforms": [{"name": "Resample", "kwargs": {}}]}
    jsonl(tmp_path / "recordings.jsonl", [recording("a", "a.wav", 1.0), faster, other_rate])
    said = dict(rows(tmp_path, "lhotse").select("utterance", "error").iter_rows())
    assert said == {None: "recording a_sp1.1 is changed while it is read (Speed)", "a": None, "a_rs": None}


def test_huggingface_splits_that_are_folders(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    for split in ("train", "test"):
        parquet(tmp_path / "default" / split / "0000.parquet", {"audio": ["../../a.wav"], "sentence": [split]})
    assert rows(tmp_path, "huggingface", splits=["test"])["text"].to_list() == ["test"]


def test_paths_that_were_written_on_windows(tmp_path: Path) -> None:
    sound(tmp_path / "wavs" / "a.wav")
    table = write(tmp_path / "x.csv", "audio,text\r\nD:\\corpus\\wavs\\a.wav,가\r\n.\\wavs\\a.wav,나\r\n")
    assert rows(table, "table")["path"].to_list() == ["wavs/a.wav"] * 2
