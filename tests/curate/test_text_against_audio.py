"""Texts against audio through the whole pipeline: machine text, word times, and Korean texts that do not belong."""

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from curate import audio, commands, show
from curate.corpus import Corpus
from curate.measures import catalogue
from curate.measures.catalogue import Measures
from curate.measures.definition import Answer, Clip, ClipExtractor, Measure
from curate.recipe import Recipe, load
from curate.report import numbers
from curate.text.romanised import romanised
from tests.curate import fakes
from tests.curate.conftest import MODELS, RATE, tone
from tests.curate.models import tones
from tests.curate.runs import watch

AUDIO = Path(__file__).resolve().parents[2].parent / "shared" / "audio"
HEARD = {2.0: "가나 다라 마바 사아", 3.0: "가나 다라 마바 사아", 4.0: "가나 다라 마바 사아"}  # by the tone's seconds
AGAIN = {2.0: "가나 다라 마바 사아", 3.0: "가나 다라 모비 수이", 4.0: "가나 다라 마바 사아"}


def length(clip: Clip) -> float:
    """Which of the three tones it is."""
    return min(HEARD, key=lambda known: abs(known - len(clip.sound.samples) / clip.sound.rate))


def writes(texts: dict[float, str], column: str) -> ClipExtractor:
    def extract(clips: Sequence[Clip]) -> list[Answer]:
        sure = {"heard_confidence": 0.8} if column == "heard" else {}
        return [{column: texts[length(clip)], **sure} for clip in clips]

    return extract


def aligns(clips: Sequence[Clip]) -> list[Answer]:
    return [{"aligned": 0.8, "word_times": []} for _ in clips]


def with_fakes(wanted: Recipe, log: Path) -> Measures:
    """The recipe's own measures, but for the voice detector and the recogniser."""
    real = catalogue.of(wanted)
    faked = {
        "speech": functools.partial(fakes.speech, log),
        "heard-ko": functools.partial(writes, HEARD, "heard"),
        "heard_again-ko": functools.partial(writes, AGAIN, "heard_again"),
        "aligned-ko": lambda: aligns,
    }

    def swapped(measures: tuple[Measure, ...]) -> tuple[Measure, ...]:
        return tuple(dataclasses.replace(m, make=faked.get(m.name, m.make)) for m in measures)

    return dataclasses.replace(
        real, recordings=swapped(real.recordings), clips=swapped(real.clips), heard_clips=swapped(real.heard_clips)
    )


def taken_through(recipe: Path, folder: Path) -> pl.DataFrame:
    corpus, wanted = Corpus(folder / "corpus"), load(recipe)
    commands.ingest(corpus, wanted, watch)
    measures = with_fakes(wanted, folder / "log")
    return commands.advance(corpus, wanted, until="tag", workers=1, watch=watch, measures=measures)


def test_machine_text_must_be_heard_twice_alike_and_is_marked(tmp_path: Path) -> None:
    lines = ["audio\ttext"]
    for i, each in enumerate(HEARD):
        soundfile.write(tmp_path / f"{i}.wav", tone(each, 120, seed=i), RATE, subtype="PCM_16")
        lines.append(f"{i}.wav\t{'가나 다라 마바 사아 자차' if i == 2 else ''}")
    (tmp_path / "index.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        '[[source]]\nid="s"\nkind="table"\npath="index.tsv"\nlanguage="ko"\nlicence="own"\ntranscript="heard"\n'
        + MODELS.replace("asr = {}", 'asr = { ko = "bundled" }')
        + "[filter]\nclipped = false\nchopped = false\nduplicate = false\nnoisy = false\nnarrow_band = false\n"
        + "text_mismatch = { max_unheard = 0.25, min_pace = false }\n",
        encoding="utf-8",
    )
    clips = taken_through(recipe, tmp_path).sort("path")
    rows = clips.filter(pl.col("text_from").is_not_null())  # without the silence at an end
    assert rows["text_from"].to_list() == ["heard", "heard", "given"]
    assert rows["heard_agreement"].to_list() == [1.0, 0.5, None]
    assert rows["drop"].to_list() == [None, "text_mismatch", None]
    assert rows["aligned"].to_list() == [0.8, 0.8, 0.8]  # machine text is aligned, too
    assert rows["cer"].to_list() == [None, None, 0.2]
    assert rows["text_edits"].to_list() == [None, None, [{"place": "end", "given": "자차", "heard": ""}]]
    assert rows["unheard"].to_list() == [None, None, 0.2]
    told = numbers.status(clips, load(recipe))
    assert told["machine_text"]["kept"]["clips"] == 1
    assert told["kept"]["clips"] == 2
    (line,) = [line for line in show.status(told).splitlines() if "of it machine text" in line]
    assert line.split()[4] == "1"


def test_the_aligners_word_times_count_in_the_files_own_samples(tmp_path: Path, tone_aligner: Path) -> None:
    words, rate = ["ប្អូន", "ប្រុស", "របស់", "ខ្ញុំ", "បាន", "ទៅ", "លេង"], 24000
    sound, places = tones.say(
        [romanised(word) for word in words], tones.frequencies(tones.LATIN), gaps=[1.5, *[0.2] * 6, 1.0]
    )
    import soxr

    soundfile.write(tmp_path / "a.wav", soxr.resample(sound, tones.RATE, rate), rate, subtype="PCM_16")
    (tmp_path / "index.tsv").write_text(f"audio\ttext\na.wav\t{' '.join(words)}\n", encoding="utf-8")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        '[[source]]\nid="s"\nkind="table"\npath="index.tsv"\nlanguage="km"\nlicence="own"\n'
        + MODELS
        + f'aligner = {{ km = "{tone_aligner}" }}\n',
        encoding="utf-8",
    )
    row = taken_through(recipe, tmp_path).row(0, named=True)
    assert row["cut_start"] > 0  # trimmed: places count from the file's start all the same
    assert [each["word"] for each in row["word_times"]] == words
    for each, (start, end) in zip(row["word_times"], places, strict=True):
        assert each["start"] == pytest.approx(start * 1.5, abs=0.06 * rate)
        assert each["end"] == pytest.approx(end * 1.5, abs=0.06 * rate)
    assert 0.5 < row["ctc_score"] <= 1
    assert row["aligned"] is None


@pytest.mark.slow
@pytest.mark.skipif(not AUDIO.exists(), reason="needs real test speech in ../shared/audio, which is not in the project")
def test_korean_texts_that_do_not_belong_are_told_from_those_that_do(tmp_path: Path) -> None:
    clips = {
        "ko/zeroth/104_003_0294.flac": "한 잔 의 커피 가 소비자 에게 전해지기 위해선 여러 차례 의 공정을 거쳐야 한다",
        "ko/picovoice/leopard_test_ko.wav": "그는 이리저리 피하면서 길 한 옆으로 걸어갔다",
    }
    files = list(clips)
    lines, truth = ["audio\ttext"], []
    for i, (file, text) in enumerate(clips.items()):
        words, other = text.split(), clips[files[1 - i]].split()
        more = other[: round(len(other) * len(text) / len(" ".join(other)) / 2) + 1]
        made = {
            text: False, " ".join([*words, *more]): True, " ".join([*more, *words]): True, " ".join(other): True,
            " ".join(words[: len(words) // 2]): True, " ".join(words[1:]): False, " ".join([*words, other[0]]): False,
        }  # fmt: skip
        lines += [f"{AUDIO / file}\t{each}" for each in made]
        truth += list(made.values())
    (tmp_path / "index.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    recipe = tmp_path / "recipe.toml"
    source = f'[[source]]\nid="s"\nkind="table"\npath="{tmp_path / "index.tsv"}"\nlanguage="ko"\nlicence="mixed"\n'
    recipe.write_text(source + MODELS.replace("asr = {}", 'asr = { ko = "bundled" }'), encoding="utf-8")
    corpus, wanted = Corpus(tmp_path / "corpus"), load(recipe)
    commands.ingest(corpus, wanted, watch)
    rows = commands.advance(corpus, wanted, until="tag", workers=1, watch=watch)
    assert rows["broke"].list.contains("text_mismatch").to_list() == truth
    found = {
        (Path(path).name, text): (edits, times)
        for path, text, edits, times in rows.select("path", "text", "text_edits", "word_times").rows()
    }
    (first, coffee), (second, walk) = ((Path(file).name, text) for file, text in clips.items())
    assert all(edit["place"] == "inside" for edit in found[first, coffee][0] + found[second, walk][0])
    assert found[first, coffee.removeprefix("한 ")][0][0] == {"place": "start", "given": "", "heard": "한"}
    assert found[second, walk.removeprefix("그는 ")][0][0] == {"place": "start", "given": "", "heard": "그는"}
    assert found[first, f"{coffee} 그는"][0][-1] == {"place": "end", "given": "그는", "heard": ""}
    times = found[second, walk][1]
    assert [each["word"] for each in times] == walk.split()
    assert all(each["start"] <= each["end"] for each in times)


@pytest.mark.slow
@pytest.mark.skipif(not AUDIO.exists(), reason="needs real test speech in ../shared/audio, which is not in the project")
@pytest.mark.parametrize("pause", [0.2, 1.0])
def test_the_text_of_two_people_in_turn_belongs_to_their_clip_and_that_of_one_does_not(
    tmp_path: Path, pause: float
) -> None:
    walk = "그는 이리저리 피하면서 길 한 옆으로 걸어갔다"
    coffee = "한 잔의 커피가 소비자에게 전해지기 위해선 여러 차례의 공정을 거쳐야 한다"
    files = ("ko/picovoice/leopard_test_ko.wav", "ko/zeroth/104_003_0294.flac")
    first, second = (audio.read(AUDIO / file)[0] for file in files)
    turns = [first / first.std(), np.zeros(round(pause * 16_000), np.float32), second / second.std()]
    soundfile.write(tmp_path / "a.wav", 0.05 * np.concatenate(turns), 16_000)
    texts = {f"{walk} {coffee}": False, walk: True, coffee: True, f"{walk} {coffee} {walk} {walk}": True}
    lines = ["audio\ttext", *(f"a.wav\t{text}" for text in texts)]
    (tmp_path / "index.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    recipe = tmp_path / "recipe.toml"
    source = '[[source]]\nid="s"\nkind="table"\npath="index.tsv"\nlanguage="ko"\nlicence="mixed"\n'
    recipe.write_text(source + MODELS.replace("asr = {}", 'asr = { ko = "bundled" }'), encoding="utf-8")
    corpus, wanted = Corpus(tmp_path / "corpus"), load(recipe)
    commands.ingest(corpus, wanted, watch)
    rows = commands.advance(corpus, wanted, until="tag", workers=1, watch=watch)
    assert dict(rows.select("text", pl.col("broke").list.contains("text_mismatch")).iter_rows()) == texts
