"""What a corpus forgets when recordings were removed from a source: as much as if it had never had them."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from curate import commands, locks, outputs, purge, takedown
from curate.corpus import Corpus
from curate.engine.store import Store
from curate.errors import UserError
from curate.recipe import load
from curate.text.coverage import known
from tests.curate import fakes
from tests.curate.runs import run, watch

GONE = "who1"  # speaks every third clip of `make_table`


def answers(corpus: Corpus) -> dict[str, set[str]]:
    """Per measure the keys it has answers for, and the names of its tables about all clips."""
    keys: dict[str, set[str]] = {}
    for shard in corpus.answers.glob("*/*.parquet"):
        frame = pl.read_parquet(shard)
        keys.setdefault(shard.parent.name, set()).update(frame["key"] if "key" in frame.columns else [shard.stem])
    return keys


def remove(table: Path) -> None:
    """Their recordings and their lines."""
    lines = (table / "index.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
    (table / "index.tsv").write_text("".join(line for line in lines if GONE not in line), encoding="utf-8")
    for line in lines:
        if GONE in line:
            (table / line.split("\t")[0]).unlink()


def holding(folder: Path, words: list[str]) -> set[str]:
    """Files below a folder that name one of the words, in their name, bytes, or rows; the log of commands aside."""
    found = set()
    for path in filter(Path.is_file, folder.rglob("*")):
        content = path.name + "\n" + path.read_bytes().decode("utf-8", "ignore")
        content += str(pl.read_parquet(path).to_dicts()) if path.suffix == ".parquet" else ""
        if path.name != "log.jsonl" and any(word in content for word in words):
            found.add(path.relative_to(folder).as_posix())
    return found


def test_after_a_purge_the_corpus_is_as_if_they_had_never_been_in_it(
    tmp_path: Path,
    make_table: Callable[..., Path],
    write_recipe: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(known, "SMALL", 1)  # so that units are kept of nine clips
    table = make_table(count=9)
    recipe, corpus, log = write_recipe(table), Corpus(tmp_path / "corpus"), tmp_path / "asked"
    before, wanted = run(recipe, corpus.folder, log), load(recipe)
    commands.finish(corpus, wanted, before, watch)
    outputs.export(corpus, wanted, before, format="nemo", into=None)
    theirs = before.filter(speaker=GONE)
    words = [*theirs["id"], *theirs["spoken"].drop_nulls(), GONE]
    row = f"test\tko\t{theirs['id'][0]}\tclips {GONE}\t{theirs['spoken'][0]}\t\n"
    lock = corpus.split_lock.read_text(encoding="utf-8")
    corpus.split_lock.write_text(lock + row, encoding="utf-8")
    (corpus.folder / "split.lock.former").write_text(lock + row, encoding="utf-8")
    latents = corpus.folder / "latents" / "vae"
    latents.mkdir(parents=True)
    for sha256 in pl.read_parquet(corpus.clips / "index.parquet")["flac_sha256"]:
        (latents / f"{sha256[:32]}.safetensors").touch()

    remove(table)
    run(recipe, corpus.folder, log)
    assert {"split.lock", "split.lock.former", "export/nemo/train_manifest.json"} <= holding(corpus.folder, words)
    asked = fakes.asked(log)
    with corpus.locked():
        after, done = purge.purge(corpus, wanted, workers=1, watch=watch, measures=fakes.measures(log))
    assert fakes.asked(log) == asked  # nobody listened again
    assert holding(corpus.folder, words) == set()

    fresh = Corpus(tmp_path / "fresh")
    assert run(recipe, fresh.folder, tmp_path / "other").equals(after)
    assert answers(corpus) == answers(fresh)
    assert corpus.split_lock.read_bytes() == fresh.split_lock.read_bytes()
    assert corpus.units.read_bytes() == fresh.units.read_bytes()
    kept = {each[:32] for each in pl.read_parquet(corpus.clips / "index.parquet")["flac_sha256"]}
    assert {path.stem for path in latents.iterdir()} == kept
    assert (done.answers > 0, done.locked, done.latents, done.exports) == (True, 2, theirs.height, ["nemo"])
    assert done.remains == [purge.ELSEWHERE]
    with corpus.locked():
        again = purge.purge(corpus, wanted, workers=1, watch=watch, measures=fakes.measures(log))[1]
    assert (again.answers, again.locked, again.latents, again.exports) == (0, 0, 0, [])


def test_who_is_taken_down_is_in_no_lock_and_recordings_that_are_still_there_are_told(
    tmp_path: Path, make_table: Callable[..., Path], write_recipe: Callable[..., Path]
) -> None:
    recipe, corpus, log = write_recipe(make_table(count=6)), Corpus(tmp_path / "corpus"), tmp_path / "asked"
    before, wanted = run(recipe, corpus.folder, log), load(recipe)
    theirs = before.filter(speaker=GONE)
    text = theirs["spoken"][0].replace(" ", "")
    row = f"test\tko\t{theirs['id'][0]}\tclips {GONE}\t{text}\t{theirs['sha256'][0]}\n"
    lock = corpus.split_lock.read_text(encoding="utf-8")
    corpus.split_lock.write_text(lock + row, encoding="utf-8")
    (corpus.folder / "split.lock.former").write_text(lock + row, encoding="utf-8")
    corpus.verdicts.write_text(takedown.verdict_lines(takedown.find(before, GONE)), encoding="utf-8")
    with corpus.locked():
        done = purge.purge(corpus, wanted, workers=1, watch=watch, measures=fakes.measures(log))[1]
    for place in (corpus.split_lock, corpus.folder / "split.lock.former"):
        assert not any(word in place.read_text(encoding="utf-8") for word in (*theirs["id"], GONE, text))
    assert done.remains[0].startswith("2 recordings of people who were taken out are still in the sources, such as ")
    assert "remains  2 recordings" in purge.as_text(done)


def test_a_store_that_remembered_nothing_forgets_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="did not remember"):
        Store(tmp_path).forget()


@pytest.mark.parametrize("content", ["", "# only a head\n", "split\tlanguage\n1\t2\n", "no lock\n"])
def test_what_is_no_lock_of_ours_is_left_as_it_is(tmp_path: Path, content: str) -> None:
    corpus = Corpus(tmp_path)
    (tmp_path / "split.lock.former").write_text(content, encoding="utf-8")
    assert locks.forget(corpus, set()) == 0
    assert (tmp_path / "split.lock.former").read_text(encoding="utf-8") == content


def test_verdicts_of_recordings_that_were_all_removed_are_one_line_that_says_so(
    tmp_path: Path, make_table: Callable[..., Path], write_recipe: Callable[..., Path]
) -> None:
    recipe, corpus = write_recipe(make_table(count=2)), Corpus(tmp_path / "corpus")
    corpus.folder.mkdir()
    (corpus.folder / ".lock").touch()
    (corpus.folder / "recipe.toml").write_text("", encoding="utf-8")
    corpus.verdicts.write_text("clip\tverdict\treason\n0123456789abcdef\tdrop\ttakedown\n", encoding="utf-8")
    with pytest.raises(UserError, match="cut anew or removed since: none of its 1 clips is here"):
        run(recipe, corpus.folder, tmp_path / "asked")
