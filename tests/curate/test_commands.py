"""The commands' work: the measured frame is stored once, believed while it is true, and decisions read nothing else."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from curate import commands, files, manifest, outputs
from curate.corpus import Corpus
from curate.errors import UserError
from curate.recipe import load
from tests.curate import fakes
from tests.curate.export import small
from tests.curate.runs import run, watch

MakeTable = Callable[..., Path]
WriteRecipe = Callable[..., Path]


def opened(monkeypatch: pytest.MonkeyPatch, of: Corpus) -> list[str]:
    """What is read of a corpus from here on: names of Parquet files, and `answers` for a measure's."""
    read, real = [], pl.read_parquet

    def note(path: Path, *more: object, **given: object) -> pl.DataFrame:
        read.append("answers" if of.answers in Path(path).parents else Path(path).name)
        return real(path, *more, **given)

    monkeypatch.setattr(pl, "read_parquet", note)
    return read


def test_a_decision_reads_the_measured_frame_and_no_answer(
    tmp_path: Path, make_table: MakeTable, write_recipe: WriteRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, log = make_table(), tmp_path / "asked"
    corpus = Corpus(tmp_path / "corpus")
    first = run(write_recipe(folder), corpus.folder, log)
    before, manifest_before = fakes.asked(log), corpus.manifest.read_bytes()
    (folder / "000.wav").unlink()  # nothing listens, hashes or looks at a clip
    read = opened(monkeypatch, corpus)
    for more, dropped in (("[filter]\nnoisy = 90.0\n", 6), ("", 0)):
        wanted = load(write_recipe(folder, more=more))
        clips = commands.advance(
            corpus, wanted, until="tag", workers=1, watch=watch, measures=fakes.measures(log, version="1")
        )
        assert clips["drop"].count() == dropped
    assert read == ["measured.parquet"] * 2
    assert fakes.asked(log) == before
    assert corpus.manifest.read_bytes() == manifest_before
    assert manifest.kept(first).height == 6


@pytest.mark.parametrize("change", ["none", "damaged", "segment", "model"])
def test_the_measured_frame_is_made_anew_where_what_it_came_from_has_changed(
    tmp_path: Path, make_table: MakeTable, write_recipe: WriteRecipe, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    folder, log = make_table(count=3), tmp_path / "asked"
    corpus = Corpus(tmp_path / "corpus")
    expected = run(write_recipe(folder), corpus.folder, log)
    corpus.measured.unlink() if change == "none" else None
    if change == "damaged":
        corpus.measured.write_bytes(b"PAR1 rubbish")
    wanted = load(write_recipe(folder, more="[segment]\nmargin = 0.1\n" if change == "segment" else ""))
    read = opened(monkeypatch, corpus)
    measures = fakes.measures(log, version="2" if change == "model" else "1")
    clips = commands.advance(corpus, wanted, until="tag", workers=1, watch=watch, measures=measures)
    assert "answers" in read
    assert (clips["cut_start"].to_list() == expected["cut_start"].to_list()) == (change != "segment")


def test_what_could_not_be_measured_is_tried_again_by_a_run_and_not_by_a_decision(
    tmp_path: Path, make_table: MakeTable, write_recipe: WriteRecipe
) -> None:
    folder, log = make_table(count=2), tmp_path / "asked"
    with (folder / "index.tsv").open("a", encoding="utf-8") as index:
        index.write("000.wav\tBREAK\twho0\n")
    corpus, wanted = Corpus(tmp_path / "corpus"), load(write_recipe(folder))
    run(write_recipe(folder), corpus.folder, log)
    asked = fakes.asked(log).count("spoken")
    for again, more in ((False, 0), (True, 1)):
        measures = fakes.measures(log)
        commands.advance(corpus, wanted, until="tag", workers=1, watch=watch, measures=measures, again=again)
        assert fakes.asked(log).count("spoken") == asked + more


def test_rows_without_text_that_were_cut_are_told(
    tmp_path: Path, make_table: MakeTable, write_recipe: WriteRecipe
) -> None:
    folder, corpus = make_table(count=3), Corpus(tmp_path / "corpus")
    index = (folder / "index.tsv").read_text(encoding="utf-8").splitlines()
    untold = ["\t".join(["" if i == 1 else cell for i, cell in enumerate(row.split("\t"))]) for row in index[2:]]
    rate = soundfile.info(folder / "001.wav").samplerate
    parts = [soundfile.read(folder / f"{i:03d}.wav", dtype="float32")[0] for i in (1, 2)]
    pause = np.zeros(rate, np.float32)
    soundfile.write(folder / "001.wav", np.concatenate([pause, parts[0], pause, parts[1]]), rate)
    recipe = write_recipe(folder)
    assert commands.notes(corpus, load(recipe), run(recipe, corpus.folder, tmp_path / "asked")) == []
    (folder / "index.tsv").write_text("\n".join([*index[:2], *untold]) + "\n", encoding="utf-8")
    (line,) = commands.notes(corpus, load(recipe), run(recipe, corpus.folder, tmp_path / "asked"))
    assert "clips: 1 rows without text were cut at pauses, as recordings are, into 2 clips with speech and 2" in line
    assert line.endswith("stays whole, and a longer segment.max_pause cuts the others less")


def test_an_export_of_no_known_format_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no export format 'mp3'; there are voxcpm"):
        outputs.export(Corpus(tmp_path), small.recipe(), pl.DataFrame(), format="mp3", into=None)


def test_what_was_ingested_from_other_sources_is_not_measured(
    tmp_path: Path, make_table: MakeTable, write_recipe: WriteRecipe
) -> None:
    corpus, log = Corpus(tmp_path / "corpus"), tmp_path / "asked"
    run(write_recipe(make_table(count=1)), corpus.folder, log)
    other = load(write_recipe(make_table("other", count=1)))
    with pytest.raises(UserError, match=r"is of other sources than .*recipe\.toml; run `curate ingest` again"):
        commands.advance(corpus, other, until="measure", workers=1, watch=watch, measures=fakes.measures(log))


def test_a_corpus_of_an_earlier_version_says_how_it_is_read_again(
    tmp_path: Path, make_table: MakeTable, write_recipe: WriteRecipe
) -> None:
    corpus, wanted = Corpus(tmp_path / "corpus"), load(write_recipe(make_table(count=2)))
    run(corpus.folder.parent / "recipe.toml", corpus.folder, tmp_path / "asked")
    files.write_parquet(pl.read_parquet(corpus.ingested).drop("channel", "channel_mix", "dc_offset"), corpus.ingested)
    measures = fakes.measures(tmp_path / "asked")
    with pytest.raises(UserError, match=r"has no channel.*`curate ingest .*recipe.toml --into .*corpus`"):
        commands.advance(corpus, wanted, until="filter", workers=1, watch=watch, measures=measures)


def test_an_ingest_that_was_killed_while_unpacking_goes_on(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path / "corpus")
    (corpus.unpacked / f".kss{files.PARTIAL}").mkdir(parents=True)
    with pytest.raises(UserError, match="is not empty and not a corpus"), corpus.locked():
        pass  # without a lock it is somebody's own folder
    (corpus.folder / ".lock").touch()
    with corpus.locked():
        assert corpus.unpacked.is_dir()
    (corpus.folder / "thesis.txt").touch()
    with pytest.raises(UserError, match="is not empty and not a corpus"), corpus.locked():
        pass
