"""What is held out stays, keeps its own from training, and a corpus's own splits can be kept."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curate import locks, pipeline
from curate.corpus import Corpus
from curate.errors import UserError
from curate.recipe import Recipe, load
from curate.steps import held_out, notes, relations
from curate.steps.before import Before
from tests.curate.frames import clips
from tests.curate.steps.decided import SOURCE

APART = ("speaker", "text", "recording", "audio")
Rows = list[dict[str, Any]]


def speakers(count: int, each: int = 6, *, first: int = 0, **more: Any) -> Rows:
    return [
        {"id": f"{first + i:016x}", "path": f"{first + i}.wav", "sha256": f"{first + i:064x}", "seconds": 10.0,
         "speaker": f"w{first + i % count}", "spoken": f"글 {first + i}", "pronounced": f"글 {first + i}", **more}
        for i in range(count * each)
    ]  # fmt: skip


def recipe(folder: Path, *overrides: str) -> Recipe:
    (folder / "recipe.toml").write_text(SOURCE)
    return load(folder / "recipe.toml", ["filter.text_mismatch=false", *overrides])


def held(frame: pl.DataFrame) -> dict[str, str]:
    kept = frame.filter(pl.col("drop").is_null(), pl.col("split") != "train")
    return dict(kept.select("id", "split").rows())


def no_leak(frame: pl.DataFrame) -> bool:
    kept = frame.filter(pl.col("drop").is_null())
    values = [kept.select(relations.shared(name).alias("it"), "split").drop_nulls() for name in APART]
    return all((each.group_by("it").agg(pl.col("split").n_unique())["split"] == 1).all() for each in values)


def decided(corpus: Corpus, wanted: Recipe, frame: pl.DataFrame) -> pl.DataFrame:
    """As `commands.advance` does it."""
    before = locks.read(corpus, wanted, frame)
    found = pipeline.decide(wanted, frame, before=before)
    locks.write(corpus, wanted, found, before)
    return found


def test_a_test_set_stays_and_what_would_leak_is_dropped_as_such(tmp_path: Path) -> None:
    corpus, wanted = Corpus(tmp_path), recipe(tmp_path)
    first = decided(corpus, wanted, clips(speakers(40)))
    drawn = held(first)
    assert set(drawn.values()) == {"validation", "test"}
    person, text = first.filter(id=min(drawn)).select("person", "spoken").row(0)
    new = speakers(20, first=1000)
    new[0] |= {"speaker": person.partition(" ")[2]}
    new[1] |= {"spoken": f"{text}!"}
    alike = next(id for id in sorted(drawn) if id != min(drawn))
    new[2] |= {"similar": [{"id": alike, "similarity": 0.35}]}
    second = decided(corpus, wanted, clips(new + speakers(40)))
    assert held(second) == drawn
    assert second.filter(pl.col("drop") == "leak")["id"].to_list() == [row["id"] for row in new[:3]]
    assert no_leak(second)
    third = decided(corpus, wanted, clips(new + speakers(40)))
    assert third.equals(second)


def test_the_same_again_is_the_same_to_the_last_row(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    wanted = recipe(tmp_path, "balance.hours.ko=0.4", "split.max_dropped=0.2")
    frame = clips(speakers(40))
    one = decided(corpus, wanted, frame)
    assert set(one["drop"]) >= {None, "surplus"}
    lock = corpus.split_lock.read_bytes(), corpus.balance_lock.read_bytes()
    assert decided(corpus, wanted, frame).equals(one)
    assert (corpus.split_lock.read_bytes(), corpus.balance_lock.read_bytes()) == lock


def test_hours_that_leak_after_a_looser_threshold_are_told_with_a_remedy_that_helps(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    rows = [{**row, "snr": 20.0 + i % 3 * 10} for i, row in enumerate(speakers(40, 5))]
    strict = decided(corpus, recipe(tmp_path, "filter.noisy=30"), clips(rows))
    loose = recipe(tmp_path, "filter.noisy=15")
    found = decided(corpus, loose, clips(rows))
    assert held(found) == held(strict)
    lost = found.filter(pl.col("drop") == "leak")
    assert set(lost["person"]) <= set(strict.filter(pl.col("split").is_in(["validation", "test"]))["person"])
    seconds = f"{lost['seconds'].sum():.2f} s"
    outgrown, line = notes.splits(found, loose)
    assert "stay (split.lock); set another split.seed to draw anew" in outgrown  # three times the hours of before
    assert line.startswith(f"Korean: {seconds} are dropped as `leak`: they share speaker ({seconds}) with held-out")
    assert line.endswith("another split.seed draws them anew and loses nothing")
    anew = decided(corpus, recipe(tmp_path, "filter.noisy=15", "split.seed=1"), clips(rows))
    assert "leak" not in set(anew["drop"])
    assert no_leak(anew)


def test_trying_other_hours_and_going_back_changes_nothing(tmp_path: Path) -> None:
    corpus, frame = Corpus(tmp_path), clips(speakers(40))
    one = decided(corpus, recipe(tmp_path, "balance.hours.ko=0.4"), frame)
    decided(corpus, recipe(tmp_path, "balance.hours.ko=0.1"), frame)
    assert decided(corpus, recipe(tmp_path, "balance.hours.ko=0.4"), frame).equals(one)


def test_choices_of_before_stay_when_a_source_is_added(tmp_path: Path) -> None:
    corpus, wanted = Corpus(tmp_path), recipe(tmp_path, "balance.hours.ko=1.0")
    first = decided(corpus, wanted, clips(speakers(60, 10)))
    second = decided(corpus, wanted, clips(speakers(60, 10) + speakers(6, 10, first=5000)))
    before, after = (set(each.filter(pl.col("drop").is_null())["id"]) for each in (first, second))
    assert len(before & after) >= 0.95 * len(before)


def test_another_seed_draws_anew_and_keeps_the_former_lock(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    corpus, frame = Corpus(tmp_path), clips(speakers(40))
    one = decided(corpus, recipe(tmp_path), frame)
    old = corpus.split_lock.read_text()
    two = decided(corpus, recipe(tmp_path, "split.seed=1"), frame)
    assert held(one) != held(two)
    assert "split.seed is 1 and was 0" in caplog.text
    assert (tmp_path / "split.lock.former").read_text() == old


def test_the_lock_is_a_table_of_ids_and_persons(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    found = decided(corpus, recipe(tmp_path), clips(speakers(40)))
    lines = corpus.split_lock.read_text().splitlines()
    assert lines[2].split("\t") == ["split", "language", "id", "person", "text", "recording"]
    assert {line.split("\t")[2]: line.split("\t")[0] for line in lines[3:]} == held(found)
    assert lines[3:] == sorted(lines[3:])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace("# drawn with", "# drawn"), "not as they were written"),
        (lambda text: text.replace("\ttext\t", "\twords\t"), "its columns should be"),
        (lambda text: text.replace("validation\tko", "house\tko"), "'house' is no held-out split"),
        (lambda text: text.replace('# drawn with {"', '# drawn with {{"'), "line 2 is not as it was written"),
        (lambda text: "", "first two lines are not as they were written"),
    ],
)
def test_a_lock_that_was_spoilt_is_one_line(tmp_path: Path, change: Any, told: str) -> None:
    corpus, wanted, frame = Corpus(tmp_path), recipe(tmp_path), clips(speakers(40))
    decided(corpus, wanted, frame)
    corpus.split_lock.write_text(change(corpus.split_lock.read_text()))
    with pytest.raises(UserError, match=told) as error:
        decided(corpus, wanted, frame)
    assert "\n" not in str(error.value)
    assert "delete it" in str(error.value)


def test_a_held_out_clip_that_is_gone_still_keeps_its_person_and_text_out(tmp_path: Path) -> None:
    corpus, wanted, rows = Corpus(tmp_path), recipe(tmp_path), speakers(40)
    first = decided(corpus, wanted, clips(rows))
    gone = [row for row in rows if row["id"] not in held(first)]
    person, text = first.filter(id=min(held(first))).select("person", "spoken").row(0)
    back = [{**speakers(1, 1, first=n)[0], **more} for n, more in
            ((9000, {"speaker": person.partition(" ")[2]}), (9001, {"spoken": text}))]  # fmt: skip
    second = decided(corpus, wanted, clips(gone + back))
    assert second.filter(pl.col("drop") == "leak")["id"].to_list() == [row["id"] for row in back]


def test_a_person_taken_down_is_held_out_no_more_and_keeps_nobody_from_training(tmp_path: Path) -> None:
    corpus, wanted, rows = Corpus(tmp_path), recipe(tmp_path), speakers(40)
    first = decided(corpus, wanted, clips(rows))
    person, text = first.filter(id=min(held(first))).select("person", "spoken").row(0)
    new = {**speakers(1, 1, first=9000)[0], "spoken": text}
    frame, before = clips([*rows, new]), locks.read(corpus, wanted, first)
    assert pipeline.decide(wanted, frame, before=before).filter(id=new["id"])["drop"].item() == "leak"
    theirs = first.filter(person=person)["id"]
    judged = pl.DataFrame({"clip": theirs}).with_columns(verdict=pl.lit("drop"), reason=pl.lit("takedown"), who=None)
    after = pipeline.decide(wanted, frame, before=before, judged=judged)
    assert after.filter(id=new["id"])["drop"].item() is None
    locks.write(corpus, wanted, after, before)
    assert person not in set(locks.held(corpus, wanted)["person"])
    assert pipeline.decide(wanted, frame, before=locks.read(corpus, wanted, frame), judged=judged).equals(after)


def test_a_set_that_takes_the_place_of_one_that_is_gone_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    corpus, wanted, rows = Corpus(tmp_path), recipe(tmp_path, "split.test=0"), speakers(40)
    drawn = held(decided(corpus, wanted, clips(rows)))
    worse = clips([{**row, "snr": 0.0} if row["id"] in drawn else row for row in rows])
    assert caplog.text == ""
    after = held(decided(corpus, wanted, worse))
    assert set(after) & set(drawn) == set()
    assert "Korean: nothing is left of the validation set, and another is drawn from clips that were" in caplog.text
    caplog.clear()
    assert held(decided(corpus, wanted, worse)) == after
    assert caplog.text == ""


def test_the_lock_notes_a_held_out_clip_as_it_is_now(tmp_path: Path) -> None:
    corpus, wanted = Corpus(tmp_path), recipe(tmp_path)
    rows = speakers(40)
    first = decided(corpus, wanted, clips(rows))
    id = min(held(first))
    row = next(row for row in rows if row["id"] == id)
    row |= {"spoken": "고친 글", "speaker": "renamed"}
    again = decided(corpus, wanted, clips(rows))
    assert held(again) == held(first)
    noted = locks.held(corpus, wanted).row(by_predicate=pl.col("id") == id, named=True)
    assert (noted["text"], noted["person"]) == ("고친글", "studio renamed")


def test_a_duplicate_of_a_held_out_clip_is_the_one_that_goes(tmp_path: Path) -> None:
    corpus, wanted = Corpus(tmp_path), recipe(tmp_path)
    drawn = held(decided(corpus, wanted, clips(speakers(40))))
    better = {**speakers(1, 1, first=9000)[0], "bandwidth": 24000.0, "similar": [{"id": min(drawn), "similarity": 0.9}]}
    rows = [
        {**row, "similar": [{"id": better["id"], "similarity": 0.9}]} if row["id"] == min(drawn) else row
        for row in speakers(40)
    ]
    second = decided(corpus, wanted, clips([better, *rows]))
    assert held(second) == drawn
    assert second.filter(id=better["id"])["drop"].item() == "duplicate"


def given(count: int = 30) -> Rows:
    """Ten clips a published split, each of a speaker of its own."""
    names = ("train", "train", "train", "dev", "Test")
    return [{**row, "given_split": names[i % 5]} for i, row in enumerate(speakers(count, 1))]


def test_a_published_corpus_keeps_its_split(tmp_path: Path) -> None:
    found = decided(Corpus(tmp_path), recipe(tmp_path, "split.given=true"), clips(given()))
    pairs = set(found.select("given_split", "split").unique().rows())
    assert pairs == {("train", "train"), ("dev", "validation"), ("Test", "test")}
    otherwise = pipeline.decide(recipe(tmp_path), clips(given()))
    assert set(otherwise.select("given_split", "split").unique().rows()) != pairs


def test_what_would_leak_from_a_published_test_set_is_dropped_and_what_it_lacks_is_drawn(tmp_path: Path) -> None:
    rows = given(200)
    rows[0] |= {"spoken": rows[4]["spoken"]}
    found = decided(Corpus(tmp_path), recipe(tmp_path, "split.given=true"), clips(rows))
    assert found["drop"][0] == "leak"
    assert no_leak(found)
    without = [{**row, "given_split": "test" if row["given_split"] == "Test" else "train"} for row in rows]
    (tmp_path / "other").mkdir()
    found = decided(Corpus(tmp_path / "other"), recipe(tmp_path, "split.given=true"), clips(without))
    assert set(found.filter(pl.col("split") == "validation")["given_split"]) == {"train"}
    assert set(found.filter(pl.col("given_split") == "test")["split"]) == {"test"}


def test_near_duplicates_that_are_kept_are_in_one_split() -> None:
    rows = speakers(60, 1)
    for i in range(0, 60, 2):
        rows[i] |= {"similar": [{"id": rows[i + 1]["id"], "similarity": 0.35}]}
    frame = relations.name_alike(clips(rows))
    assert frame["sounds_like"].n_unique() == 30
    dropped = clips([{**row, "drop": "noisy" if i % 2 else None} for i, row in enumerate(rows)])
    assert relations.name_alike(dropped)["sounds_like"].null_count() == 60


def test_nothing_before_bars_nothing() -> None:
    assert not held_out.leaks(clips(speakers(3)), Before().held, APART).any()
