"""Real Korean and Khmer speech, foreign speech, music and noise, through the real models that come inside packages.

The audio is not part of the project; see the skip reason. Nothing here is tuned to these few clips: what must hold is
what is true of them.
"""

import os
from pathlib import Path

import polars as pl
import pytest
import soundfile

from curate import commands, outputs
from curate.corpus import Corpus
from curate.recipe import load

ALL = "SAMSORI_LONG" in os.environ  # `make test-long`: every file, whole; else:
FEWER = (
    "ko/zeroth/104_003_0294.flac", "ko/picovoice/leopard_test_ko.wav", "ko/picovoice/rhino_test_out_of_context_ko.wav",
    "km/slr42/khm_1161_1980987674.wav", "km/learn_khmer/002-hello.mp3", "km/letters/ko.mp3",
    "neg/th_gcompris/tangram.ogg", "neg/ja_picovoice/leopard_test_ja.wav",
    "neg/noise/leopard_empty.wav", "neg/music/hungarian_dance_5_US_Army_Strings.ogg",
    "derived/0294_clipped_plus18dB.wav", "derived/0294_8k_upsampled_24k.wav",
)  # fmt: skip
SECONDS = 14  # of a file at most, where not all is listened to: longer than any but the music
AUDIO = Path(__file__).resolve().parents[2].parent / "shared" / "audio"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not AUDIO.exists(), reason="needs real test speech in ../shared/audio, which is not in the project"
    ),
]

FOREIGN = {"th": "km", "en": "ko", "ja": "ko", "zh": "km"}  # entered as the language they might be taken for
RECIPE = """
[[source]]
id = "clips"
kind = "table"
path = "index.tsv"
licence = "mixed"
"""


@pytest.fixture(scope="module")
def known() -> pl.DataFrame:
    """What is known about each file."""
    table = pl.read_csv(AUDIO / "manifest.tsv", separator="\t", quote_char=None, infer_schema=False)
    short = table.filter(~pl.col("file").str.starts_with("long/"))
    return short if ALL else short.filter(pl.col("file").is_in(FEWER))


def place(file: str, folder: Path) -> Path:
    """Where a file is, or its beginning where it is long and only a part is listened to."""
    if ALL or soundfile.info(AUDIO / file).duration <= SECONDS:
        return AUDIO / file
    rate = soundfile.info(AUDIO / file).samplerate
    beginning = (folder / "shared/audio" / file).with_suffix(".flac")
    beginning.parent.mkdir(parents=True)
    soundfile.write(beginning, soundfile.read(AUDIO / file, frames=SECONDS * rate)[0], rate)
    return beginning


@pytest.fixture(scope="module")
def rows(known: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """The manifest of what is listened to, entered as Korean or Khmer."""
    folder = tmp_path_factory.mktemp("real")
    romanised = pl.col("transcript").str.contains("[romanised]", literal=True)
    table = known.select(
        pl.Series("audio", [str(place(file, folder)) for file in known["file"]]),
        pl.when(~romanised).then("transcript").fill_null("").alias("text"),
        pl.col("language").replace_strict({"km": "km", **FOREIGN}, default="ko").alias("language"),
    )
    table.write_csv(folder / "index.tsv", separator="\t", quote_style="never")
    (folder / "recipe.toml").write_text(RECIPE)
    corpus, wanted = Corpus(folder / "corpus"), load(folder / "recipe.toml")
    with corpus.locked():
        commands.ingest(corpus, wanted, lambda what, done, total: None)
        # one process loads all models once; the other core has another file of tests
        workers = 2 if ALL else 1
        clips = commands.advance(corpus, wanted, until="tag", workers=workers, watch=lambda what, done, total: None)
        outputs.cut_clips(corpus, wanted, clips, lambda what, done, total: None)
    file = pl.col("path").str.replace(r"^(.*/)?shared/audio/", "").alias("file")
    return clips.with_columns(file)


def of(rows: pl.DataFrame, prefix: str) -> pl.DataFrame:
    found = rows.filter(pl.col("file").str.starts_with(prefix))
    assert found.height, prefix
    return found


def test_korean_clips_with_text_are_kept(rows: pl.DataFrame) -> None:
    texts = of(rows, "ko/").filter(pl.col("text").is_not_null() & (pl.col("seconds") <= 30))
    assert texts.height >= (6 if ALL else 2)
    assert texts.filter(pl.col("drop").is_not_null()).select("file", "broke").rows() == []
    assert texts["cer"].max() < 0.3
    assert texts["aligned"].min() > 0.4


def test_the_khmer_sentence_is_kept_with_its_tag(rows: pl.DataFrame) -> None:
    clip = of(rows, "km/slr42/").row(0, named=True)
    assert clip["broke"] == []
    assert clip["training_text"] == "(Khmer)" + clip["spoken"]
    assert clip["language_probability"] > 0.5
    assert clip["words"].replace("|", "") == clip["spoken"].replace(" ", "")


def test_no_korean_or_khmer_clip_is_in_the_wrong_language(rows: pl.DataFrame) -> None:
    ours = rows.filter(pl.col("file").str.contains("^(ko|km)/"))
    assert ours.filter(pl.col("broke").list.contains("wrong_language")).height == 0


@pytest.mark.parametrize(
    "folder", ["neg/th_gcompris", "neg/ja_picovoice", *(["neg/en_librispeech", "neg/zh_ibm"] if ALL else [])]
)
def test_foreign_speech_is(rows: pl.DataFrame, folder: str) -> None:
    for file, clips in of(rows, folder).group_by("file"):
        assert clips["broke"].list.contains("wrong_language").any(), file
        assert clips["drop"].null_count() == 0, file


def test_music_and_noise_are_dropped_as_such(rows: pl.DataFrame) -> None:
    for folder, rule in (("neg/music", "music"), ("neg/noise", "noise")):
        for file, clips in of(rows, folder).group_by("file"):
            share = clips.filter(pl.col("drop") == rule)["seconds"].sum() / clips["seconds"].sum()
            assert share > 0.9, (file, clips.select("drop", "seconds").rows())
            assert clips["drop"].null_count() == 0, file


def test_damage_is_measured(rows: pl.DataFrame) -> None:
    def broke(name: str) -> list[str]:
        found: list[str] = of(rows, f"derived/{name}")["broke"].item().to_list()
        return found

    assert "clipped" in broke("0294_clipped")
    assert "narrow_band" in broke("0294_8k")
    for name in ("0294_8k", *(["0294_left_only", "0294_mp3"] if ALL else [])):
        assert "duplicate" in broke(name)  # all are the same take as the original, which is kept


def test_what_khmer_words_are_dropped_for_is_true_of_them(rows: pl.DataFrame) -> None:
    """Words by four speakers in turn, and letters of a second: too short, without text, noise between the words."""
    words = rows.filter(pl.col("file").str.contains("^km/(learn_khmer|letters)/") & pl.col("text").is_null())
    true_of_words = {
        "too_short", "no_text", "several_speakers", "noisy", "narrow_band", "low_quality", "chopped",
    }  # fmt: skip
    assert words["drop"].null_count() == 0
    assert set(words["drop"]) <= true_of_words | {"no_speech", "noise"}
    talking = words.filter(pl.col("speech_seconds") > 0.8 * pl.col("seconds"))
    assert set(talking["drop"]) <= true_of_words


def test_every_sample_is_accounted_for(rows: pl.DataFrame) -> None:
    spans = (pl.coalesce("end", "frames") - pl.coalesce("start", pl.lit(0))).sum().alias("covered")
    for file, covered, frames in rows.group_by("file").agg(spans, pl.col("frames").first()).iter_rows():
        assert covered == frames, file
