"""A verdicts file in a corpus: read as people write it, refused in one line, decided in a moment, gone from all that
goes out."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from curate import commands, manifest, takedown, verdicts
from curate.check import check
from curate.corpus import Corpus
from curate.errors import UserError
from curate.leftovers import left_behind
from curate.recipe import Recipe, load
from tests.curate import fakes
from tests.curate.runs import run, watch

MakeTable = Callable[..., Path]
WriteRecipe = Callable[..., Path]
HEADER = "clip\tverdict\treason\twho\n"


def read(folder: Path, content: str | bytes) -> verdicts.Verdicts:
    file = folder / "verdicts.tsv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return verdicts.read(file)


@pytest.mark.parametrize(
    "content",
    [
        HEADER + "a1\tkeep\tfine\tme\nb2\tdrop\t잡음\tsok\n",
        "\ufeff" + HEADER + "a1\tkeep\tfine\tme\nb2\tdrop\t잡음\tsok\n",
        (HEADER + "a1\tkeep\tfine\tme\nb2\tdrop\t잡음\tsok").replace("\n", "\r\n"),
        (HEADER + "a1\tkeep\tfine\tme\nb2\tdrop\t잡음\tsok\n").encode("utf-16"),  # Excel's "Unicode text"
        HEADER + "\na1\tKeep \t fine\tme\n\n b2\tDROP\t잡음\tsok\n\n",
        "who\treason\tverdict\tclip\tmine\nme\tfine\tkeep\ta1\t7\nsok\t잡음\tdrop\tb2\t\n",
        HEADER + 'a1\tkeep\tfine\tme\nb2\tdrop\t"잡음"\tsok\n',  # Excel puts quotes
        HEADER + "a1\tdrop\twrong\tme\nb2\tdrop\t잡음\tsok\n" + HEADER + "a1\tkeep\tfine\tme\n",  # two files, appended
    ],
)
def test_files_as_people_and_their_programs_write_them(tmp_path: Path, content: str | bytes) -> None:
    rows = read(tmp_path, content).rows.sort("clip")
    assert rows.rows() == [("a1", "keep", "fine", "me"), ("b2", "drop", "잡음", "sok")]


def test_reason_and_who_may_be_missing_and_the_last_word_counts(tmp_path: Path) -> None:
    assert read(tmp_path, "clip\tverdict\na1\tdrop\n").rows.rows() == [("a1", "drop", None, None)]
    again = read(tmp_path, HEADER + "a1\tkeep\n" + "a1\tdrop\tno\tyou\nb2\tdrop\nb2\tdrop\tstill\n")
    assert again.rows.rows() == [("a1", "drop", "no", "you"), ("b2", "drop", "still", None)]
    assert len(again.notes) == 1
    assert "both keep and drop are said of 1 clips, such as a1; the last line counts" in again.notes[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (HEADER + "a1\tkeep\nb2\tmaybe\n", r"verdicts\.tsv, line 3: the verdict on b2 is 'maybe'; say keep or drop"),
        (HEADER + "a1\t\n", r"line 2: the verdict on a1 is ''; say keep or drop"),
        (HEADER + "a1\n", r"line 2: the verdict on a1 is ''"),
        (HEADER + "\tdrop\n", r"line 2: no clip is named"),
        ("clip,verdict\na1,keep\n", r"its first line should be clip, verdict, reason, who with tabs between"),
        ("a1\tkeep\n", r"its first line should be"),
        ("", r"its first line should be"),
        (HEADER.encode() + b"a1\tdrop\t\xff\xfe\xfd\n", r"line 2 is not UTF-8"),
        (HEADER + "a\x1b[2J1\tnope\n", r"line 2: the verdict on a\\u001b\[2J1 is 'nope'"),
    ],
)
def test_a_file_that_is_wrong_is_refused_in_one_line(tmp_path: Path, content: str | bytes, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        read(tmp_path, content)
    assert "\n" not in str(caught.value)


def test_no_rows_are_no_verdicts(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER).rows.is_empty()


@pytest.fixture
def made(tmp_path: Path, make_table: MakeTable, write_recipe: WriteRecipe) -> tuple[Corpus, Recipe, pl.DataFrame]:
    corpus, recipe = Corpus(tmp_path / "corpus"), write_recipe(make_table(count=9))
    clips = run(recipe, corpus.folder, tmp_path / "asked")
    wanted = load(recipe)
    commands.finish(corpus, wanted, clips, watch)
    return corpus, wanted, clips


def decide(corpus: Corpus, wanted: Recipe, *, until: str = "tag") -> pl.DataFrame:
    measures = fakes.measures(corpus.folder.parent / "asked")
    clips = commands.advance(corpus, wanted, until=until, workers=1, watch=watch, measures=measures)
    if until == "tag":
        commands.finish(corpus, wanted, clips, watch)
    return clips


def test_verdicts_in_the_corpus_or_named_by_the_recipe_decide_and_ask_no_model(
    made: tuple[Corpus, Recipe, pl.DataFrame], tmp_path: Path
) -> None:
    corpus, wanted, before = made
    asked, id = fakes.asked(tmp_path / "asked"), manifest.kept(before)["id"][0]
    corpus.verdicts.write_text(f"{HEADER}{id}\tdrop\tmumbled\tme\n")
    found = decide(corpus, wanted).filter(pl.col("id") == id)
    assert found.select("drop", "verdict", "verdict_reason", "verdict_who").row(0) == (
        "rejected", "drop", "mumbled", "me",
    )  # fmt: skip
    mine = tmp_path / "mine.tsv"
    mine.write_text(HEADER)
    with_mine = wanted.model_copy(update={"corpus": wanted.corpus.model_copy(update={"verdicts": str(mine)})})
    assert decide(corpus, with_mine)["verdict"].null_count() == before.height
    assert commands.notes(corpus, with_mine, before) == [
        f"{corpus.verdicts} is not read: the recipe names {mine}",
    ]
    corpus.verdicts.unlink()
    assert decide(corpus, wanted).equals(before)
    assert fakes.asked(tmp_path / "asked") == asked


def test_the_recipe_names_the_file_relative_to_itself(
    tmp_path: Path, make_table: MakeTable, write_recipe: WriteRecipe
) -> None:
    recipe = write_recipe(make_table(count=1), more='[corpus]\nverdicts = "said/mine.tsv"\n')
    wanted = load(recipe)
    assert wanted.corpus.verdicts == str(tmp_path / "said/mine.tsv")
    corpus = Corpus(tmp_path / "corpus")
    for early in (
        lambda: check(wanted),
        lambda: commands.ingest(corpus, wanted, watch),
        lambda: decide(corpus, wanted),
    ):
        with pytest.raises(UserError, match=r"there is no .*said/mine\.tsv: mend corpus\.verdicts"):
            early()
    assert not corpus.ingested.exists()


def test_a_file_of_another_corpus_is_refused_and_a_few_strangers_are_told(
    made: tuple[Corpus, Recipe, pl.DataFrame],
) -> None:
    corpus, wanted, clips = made
    before = corpus.manifest.read_bytes()
    corpus.verdicts.write_text(HEADER + "0123456789abcdef\tdrop\n" + "fedcba9876543210\tkeep\n")
    with pytest.raises(UserError, match=r"of another corpus, .*none of its 2 clips is here, such as 0123456789abcdef"):
        decide(corpus, wanted)
    assert corpus.manifest.read_bytes() == before
    corpus.verdicts.write_text(f"{HEADER}0123456789abcdef\tdrop\n{clips['id'][0]}\tdrop\n")
    after = decide(corpus, wanted)
    assert after["verdict"].count() == 1
    (note,) = commands.notes(corpus, wanted, after)
    assert "1 of its 2 clips are not in this corpus, such as 0123456789abcdef" in note


def test_whoever_asks_to_be_taken_out_is_gone_from_all_that_goes_out(
    made: tuple[Corpus, Recipe, pl.DataFrame],
) -> None:
    corpus, wanted, clips = made
    theirs = clips.filter(pl.col("speaker") == "who1")
    texts, ids = theirs["spoken"].to_list(), theirs["id"].to_list()
    assert len(ids) == 3
    index = pl.read_parquet(corpus.clips / "index.parquet")
    latents = corpus.folder / "latents" / "vae"
    latents.mkdir(parents=True)
    for sha256 in index["flac_sha256"]:
        (latents / f"{sha256[:32]}.safetensors").touch()
    other = corpus.export("kaldi")
    other.mkdir()
    (other / "text").write_text("".join(f"{id} {text}\n" for id, text in clips.select("id", "spoken").iter_rows()))

    facts = takedown.find(clips, "who1")
    assert [each["id"] for each in facts["clips"]] == ids
    assert facts["persons"] == ["clips who1"]
    assert all(each["kept"] == 1 for each in facts["recordings"])
    corpus.verdicts.write_text(takedown.verdict_lines(facts))
    after = decide(corpus, wanted)

    assert set(after.filter(pl.col("drop") == "rejected")["id"]) == set(ids)
    gone = [*ids, *texts, "who1"]
    for place in (corpus.clips, corpus.export("voxcpm"), corpus.report, corpus.card, corpus.croissant):
        for path in [place] if place.is_file() else filter(Path.is_file, place.rglob("*")):
            content = path.read_bytes()
            held = [each for each in gone if each in path.name or each.encode() in content]
            assert not held, (path, held)
    kept = set(pl.read_parquet(corpus.clips / "index.parquet")["flac_sha256"])
    assert {path.stem for path in latents.iterdir()} == {sha256[:32] for sha256 in kept}
    (note,) = left_behind(corpus, after)
    assert re.search(r"export/kaldi still holds 3 clips that people dropped .*`curate export .* --to kaldi`", note)
    again = takedown.find(after, "who1")  # and who looks again sees that nothing is kept
    assert again["kept"]["clips"] == 0


def test_verdicts_that_no_decision_follows_yet_are_told(made: tuple[Corpus, Recipe, pl.DataFrame]) -> None:
    corpus, wanted, clips = made
    assert commands.notes(corpus, wanted, clips) == []
    corpus.verdicts.write_text(takedown.verdict_lines(takedown.find(clips, "clips who1")))
    (told,) = commands.notes(corpus, wanted, clips)
    assert told.startswith("verdicts on 3 clips are not those of the manifest, 3 of which people drop and it still")
    after = decide(corpus, wanted)
    assert commands.notes(corpus, wanted, after) == []
    corpus.verdicts.unlink()
    (told,) = commands.notes(corpus, wanted, after)[:1]
    assert told == f"verdicts on 3 clips are not those of the manifest: run `curate tag {corpus.folder}`"


def test_filter_alone_says_that_the_clips_are_still_there(made: tuple[Corpus, Recipe, pl.DataFrame]) -> None:
    corpus, wanted, clips = made
    corpus.verdicts.write_text(takedown.verdict_lines(takedown.find(clips, "clips who1")))
    lines = left_behind(corpus, decide(corpus, wanted, until="filter"))
    assert len(lines) == 2
    assert "clips still holds 3 clips that people dropped: `curate tag" in lines[0]
    assert "export/voxcpm still holds 3" in lines[1]


def test_numbers_of_the_report_and_the_status_are_the_same(made: tuple[Corpus, Recipe, pl.DataFrame]) -> None:
    corpus, wanted, clips = made
    corpus.verdicts.write_text(f"{HEADER}{clips['id'][0]}\tdrop\tnoise\tme\n{clips['id'][1]}\tkeep\t\tme\n")
    after = decide(corpus, wanted)
    told = json.loads((corpus.report / "report.json").read_text())
    from curate.report import numbers

    status = json.loads(json.dumps(numbers.status(after, wanted)))
    assert told["verdicts"] == status["verdicts"]
    assert told["verdicts"]["drop"]["clips"] == 1
    assert told["dropped"]["rejected"]["clips"] == 1
    assert {each["rule"]: each["dropped"]["clips"] for each in told["funnel"]}["rejected"] == 1
