"""`curate verify`: a sound corpus passes; whatever is spoilt in its files is found, named, and nothing else with it."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import soundfile

from curate import cli, commands, files, manifest, outputs
from curate.corpus import Corpus
from curate.errors import UserError
from curate.export import contents, formats
from curate.export import folder as export_folder
from curate.recipe import load
from curate.steps import held_out
from curate.verify import as_text, verify
from tests.curate import fakes
from tests.curate.conftest import MODELS, RATE, tone
from tests.curate.runs import watch

LETTERS = "가나다라마바사아자차카타파하"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of two sources, one clip too short, with everything that is written."""
    folder = tmp_path_factory.mktemp("verify")
    sources = ""
    for number, licence in enumerate(("CC-BY-SA-4.0", "own")):
        source = folder / f"s{number}"
        source.mkdir()
        lines = ["audio\ttext\tspeaker"]
        for i in range(8):
            at = number * 20 + i
            soundfile.write(
                source / f"{i}.wav", tone(0.3 if at == 3 else 2.0, 90 + 17 * at, seed=at), RATE, subtype="PCM_16"
            )
            lines.append(f"{i}.wav\t{LETTERS[i] * 3}{LETTERS[number + i]}\twho{i // 2}")
        (source / "index.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        sources += (
            f'[[source]]\nid = "s{number}"\nkind = "table"\npath = "s{number}/index.tsv"\nlanguage = "ko"\n'
            f'licence = "{licence}"\n'
        )
    (folder / "recipe.toml").write_text(sources + MODELS)
    corpus, wanted = Corpus(folder / "corpus"), load(folder / "recipe.toml")
    with corpus.locked():
        commands.ingest(corpus, wanted, watch)
        measures = fakes.measures(folder / "asked")
        clips = commands.advance(corpus, wanted, until="tag", workers=1, watch=watch, measures=measures)
        commands.finish(corpus, wanted, clips, watch)
    assert set(manifest.kept(clips)["split"]) == {"train", "validation", "test"}
    return folder


@pytest.fixture
def corpus(sound: Path, tmp_path: Path) -> Corpus:
    """A copy of it to spoil, its sources with it."""
    moved = Path(shutil.copytree(sound, tmp_path / "moved"))
    recipe = (moved / "corpus/recipe.toml").read_text()
    (moved / "corpus/recipe.toml").write_text(recipe.replace(str(sound), str(moved)))
    return Corpus(moved / "corpus")


def failures(corpus: Corpus) -> dict[str, list[tuple[str, str]]]:
    """What fails, by check; nothing is written."""
    before = {path: path.stat().st_mtime_ns for path in corpus.folder.rglob("*")}
    facts = verify(corpus, load(corpus.recipe), watch)
    assert {path: path.stat().st_mtime_ns for path in corpus.folder.rglob("*")} == before
    found = {each["check"]: [(one["what"], one["problem"]) for one in each["findings"]] for each in facts["checks"]}
    assert facts["ok"] == (not any(found.values()))
    assert {each["check"]: each["failed"] for each in facts["checks"]} == {k: len(v) for k, v in found.items()}
    return {check: listed for check, listed in found.items() if listed}


def edit(corpus: Corpus, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """The manifest written over as a person with Polars would."""
    change(pl.read_parquet(corpus.manifest)).write_parquet(corpus.manifest, compression="snappy")


def kept(corpus: Corpus) -> pl.DataFrame:
    return manifest.kept(manifest.read(corpus.manifest))


def set_where(where: str, **values: Any) -> Callable[[pl.DataFrame], pl.DataFrame]:
    def change(clips: pl.DataFrame) -> pl.DataFrame:
        new = [
            pl.when(pl.col("id") == where).then(pl.lit(value, dtype=clips.schema[name])).otherwise(name).alias(name)
            for name, value in values.items()
        ]
        return clips.with_columns(new)

    return change


def test_a_sound_corpus_passes_also_where_it_was_moved(corpus: Corpus) -> None:
    assert failures(corpus) == {}
    facts = verify(corpus, load(corpus.recipe), watch)
    assert all(each["looked_at"] and not each["skipped"] for each in facts["checks"]), facts
    assert "FAILED" not in as_text(facts)


def test_a_clip_cut_short(corpus: Corpus) -> None:
    id = kept(corpus)["id"][0]
    path = corpus.clips / f"{id}.flac"
    path.write_bytes(path.read_bytes()[:-2000])
    assert [what for what, _ in failures(corpus)["clips"]] == [id]


def test_a_clip_of_fewer_samples(corpus: Corpus) -> None:
    row = kept(corpus).row(0, named=True)
    path = corpus.clips / f"{row['id']}.flac"
    samples, rate = soundfile.read(path, dtype="int16")
    soundfile.write(path, samples[:-1], rate, subtype="PCM_16")
    ((what, problem),) = failures(corpus)["clips"]
    assert what == row["id"]
    assert f"has {len(samples) - 1} samples at {RATE} Hz, its span {len(samples)}" in problem


def test_two_clips_swapped(corpus: Corpus) -> None:
    lengths = kept(corpus).with_columns(samples=pl.col("cut_end") - pl.col("cut_start"))
    one, other = (corpus.clips / f"{id}.flac" for id in lengths["id"][:2])
    assert lengths["samples"][0] == lengths["samples"][1], "of one length, so that only their bytes tell"
    swapped = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(swapped)
    found = failures(corpus)
    assert set(found) == {"clips"}
    assert {what for what, _ in found["clips"]} == {one.stem, other.stem}
    assert {problem for _, problem in found["clips"]} == {"its file has other bytes than were written"}


def test_a_clip_that_is_gone_and_one_too_many(corpus: Corpus) -> None:
    ids = kept(corpus)["id"]
    (corpus.clips / f"{ids[0]}.flac").rename(corpus.clips / "0123456789abcdef.flac")
    assert failures(corpus)["clips"] == [
        ("0123456789abcdef", "has a file in clips/ and is not kept"), (ids[0], "has no file in clips/"),
    ]  # fmt: skip


def test_an_index_of_clips_that_is_gone(corpus: Corpus) -> None:
    (corpus.clips / "index.parquet").unlink()
    found = failures(corpus)
    assert "no index" in found["clips"][0][1]
    assert "clips/index.parquet" in found["card"][0][0]


def test_a_manifest_edited_with_polars(corpus: Corpus) -> None:
    id = kept(corpus)["id"][0]
    edit(corpus, set_where(id, snr=99.0, spoken="다른 말"))
    found = failures(corpus)["manifest"]
    assert found == [("snr", f"is not what is decided again: {id}"), ("spoken", f"is not what is decided again: {id}")]


def test_a_manifest_written_over_with_the_same_values(corpus: Corpus) -> None:
    edit(corpus, lambda clips: clips)
    assert failures(corpus)["manifest"][0][1].endswith("written by another program")


@pytest.mark.parametrize("change", ["row", "column", "order", "extra"])
def test_rows_and_columns_taken_out_or_moved(corpus: Corpus, change: str) -> None:
    id = manifest.read(corpus.manifest)["id"][0]
    changes: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
        "row": lambda clips: clips.filter(pl.col("id") != id),
        "column": lambda clips: clips.with_columns(mine=pl.lit(1)),
        "order": lambda clips: clips.sort("id"),
        "extra": lambda clips: pl.concat([clips, set_where(id, id="00" * 8)(clips.head(1))]),
    }
    edit(corpus, changes[change])
    found = failures(corpus)
    assert found["manifest"]
    assert ("spans" in found) == (change in ("row", "extra"))
    assert ("ids" in found) == (change == "extra")


def test_a_clip_put_back_that_was_dropped(corpus: Corpus) -> None:
    id = manifest.read(corpus.manifest).filter(pl.col("drop") == "too_short")["id"][0]
    edit(corpus, set_where(id, drop=None, split="train", training_text="(Korean)말"))
    found = failures(corpus)
    assert {"manifest", "clips", "exports"} <= set(found)


def test_a_licence_taken_away_or_changed(corpus: Corpus) -> None:
    id = kept(corpus)["id"][0]
    edit(corpus, set_where(id, licence=None))
    assert failures(corpus)["licences"] == [(id, "has no licence")]
    edit(corpus, set_where(id, licence="CC0-1.0"))
    ((what, problem),) = failures(corpus)["licences"]
    assert (what, "'CC0-1.0'" in problem) == (id, True)


def test_a_clip_moved_across_splits(corpus: Corpus) -> None:
    by_person = kept(corpus).group_by("person", maintain_order=True).agg("id", "split")
    person, ids, splits = by_person.filter(pl.col("id").list.len() > 1).row(0)
    other = "test" if splits[0] != "test" else "train"
    edit(corpus, set_where(ids[0], split=other))
    assert any(f"its speaker '{person}' is in" in problem for _, problem in failures(corpus)["splits"])


def test_texts_and_recordings_in_two_splits(corpus: Corpus) -> None:
    clips = kept(corpus)
    train = clips.filter(pl.col("split") == "train").row(0, named=True)
    test = clips.filter(pl.col("split") == "test").row(0, named=True)
    edit(corpus, set_where(test["id"], spoken=f" {train['spoken']}! ", sha256=train["sha256"]))
    problems = [problem.split(" '")[0] for _, problem in failures(corpus)["splits"]]
    assert sorted(problems) == ["its recording", "its text"]


def test_the_same_sound_in_two_splits(corpus: Corpus) -> None:
    clips = kept(corpus)
    one = clips.filter(pl.col("split") == "train")["id"][0]
    other = clips.filter(pl.col("split") == "test")["id"][0]
    measured = pl.read_parquet(corpus.measured)
    pair = {one: other, other: one}  # a pair is listed with both
    alike = [[{"id": pair[id], "similarity": 0.9}] if id in pair else [] for id in measured["id"]]
    alike_column = pl.Series("similar", alike, dtype=measured.schema["similar"])
    files.write_parquet(measured.with_columns(alike_column), corpus.measured)
    assert any("sounds like" in problem and "(0.90)" in problem for _, problem in failures(corpus)["splits"])


def test_a_clip_in_no_split_and_one_without_a_text(corpus: Corpus) -> None:
    ids = kept(corpus)["id"]
    edit(corpus, set_where(ids[0], split=None))
    edit(corpus, set_where(ids[1], training_text=" ", spoken="!?"))
    found = failures(corpus)
    assert (ids[0], "is kept and in no split (None)") in found["splits"]
    assert found["texts"] == [(ids[1], "training_text is empty")]


def test_a_span_that_was_changed(corpus: Corpus) -> None:
    row = kept(corpus).row(0, named=True)
    edit(corpus, set_where(row["id"], start=100, end=row["frames"]))
    found = failures(corpus)
    assert f"rows account for {row['frames'] - 100} samples, ingested were {row['frames']}" in found["spans"][0][1]
    assert found["ids"] == [(row["id"], "is not the id of its source, path and span")]


def test_what_is_cut_outside_of_its_span_or_of_another_length(corpus: Corpus) -> None:
    row = kept(corpus).row(0, named=True)
    edit(corpus, set_where(row["id"], cut_end=row["frames"] + 1))
    assert failures(corpus)["spans"] == [(row["id"], "what is cut does not lie inside the clip's span")]
    edit(corpus, set_where(row["id"], cut_end=row["cut_end"], seconds=row["seconds"] + 0.01))
    assert failures(corpus)["spans"] == [(row["id"], "its seconds are not those of what is cut")]


def test_rows_that_overlap(corpus: Corpus) -> None:
    """Two rows that add up to the file and both begin at its beginning."""
    row = kept(corpus).row(0, named=True)
    half = row["frames"] // 2

    def overlap(clips: pl.DataFrame) -> pl.DataFrame:
        first = set_where(row["id"], start=0, end=half)(clips)
        twin = set_where(row["id"], id="00" * 8)(first.filter(pl.col("id") == row["id"]))
        return pl.concat([first, twin])

    edit(corpus, overlap)
    assert any(
        f"rows overlap: they cover {half} different samples" in problem for _, problem in failures(corpus)["spans"]
    )


def test_a_source_file_that_was_changed_and_one_that_is_not_here(corpus: Corpus) -> None:
    source = corpus.folder.parent / "s0/0.wav"
    content = bytearray(source.read_bytes())
    content[-1] ^= 1
    source.write_bytes(content)
    assert [what for what, _ in failures(corpus)["sources"]] == ["s0 0.wav"]
    source.unlink()
    assert failures(corpus) == {}
    facts = verify(corpus, load(corpus.recipe), watch)
    assert facts["checks"][0]["skipped"] == "1 of 16 files are not here"
    shutil.rmtree(corpus.folder.parent / "s1")
    assert failures(corpus) == {}


def test_exports_that_were_changed_that_lack_or_hold_other_clips(corpus: Corpus) -> None:
    train = corpus.export("voxcpm") / "train.jsonl"
    lines = train.read_text().splitlines(keepends=True)
    gone = json.loads(lines[0])["audio"].rpartition("/")[2].removesuffix(".flac")
    train.write_text("".join(lines[1:]) + lines[1].replace(json.loads(lines[1])["audio"], "x/0123456789abcdef.flac"))
    assert failures(corpus)["exports"] == [
        ("export/voxcpm", "holds 1 clips that are not kept: 0123456789abcdef"),
        ("export/voxcpm/*.jsonl", f"lacks 1 kept clips: {gone}"),  # its sound is still there
        ("export/voxcpm/train.jsonl", "has other bytes than were written"),
    ]
    (corpus.export("voxcpm") / "test.jsonl").unlink()
    assert ("export/voxcpm/test.jsonl", "is missing") in failures(corpus)["exports"]


def test_a_text_changed_in_an_export(corpus: Corpus) -> None:
    train = corpus.export("voxcpm") / "train.jsonl"
    train.write_text(train.read_text().replace("(Korean)", "(Khmer)", 1))
    assert failures(corpus) == {"exports": [("export/voxcpm/train.jsonl", "has other bytes than were written")]}


@pytest.mark.parametrize("format", formats.FORMATS)
def test_an_export_of_any_format_that_lacks_or_holds_a_clip_is_found(corpus: Corpus, format: str) -> None:
    """Made of other clips than are kept, so that its own index is right about its bytes."""
    clips = manifest.read(corpus.manifest)
    ids = manifest.kept(clips).filter(pl.col("split") == "train")["id"]
    outputs.export(corpus, load(corpus.recipe), clips, format=format, into=None)
    assert failures(corpus) == {}
    fewer = set_where(ids[0], drop="noisy", split=None)(clips)
    outputs.export(corpus, load(corpus.recipe), fewer, format=format, into=None)
    assert failures(corpus)["exports"] == [(f"export/{format}", f"lacks 1 kept clips: {ids[0]}")]
    shutil.copy(corpus.clips / f"{ids[0]}.flac", corpus.clips / "0123456789abcdef.flac")
    other = clips.with_columns(pl.col("id").replace(ids[0], "0123456789abcdef"))
    outputs.export(corpus, load(corpus.recipe), other, format=format, into=None)
    (corpus.clips / "0123456789abcdef.flac").unlink()
    assert failures(corpus)["exports"] == [
        (f"export/{format}", "holds 1 clips that are not kept: 0123456789abcdef"),
        (f"export/{format}", f"lacks 1 kept clips: {ids[0]}"),
    ]


@pytest.mark.parametrize("format", formats.FORMATS)
def test_one_changed_byte_in_any_file_of_an_export_is_found(corpus: Corpus, format: str) -> None:
    outputs.export(corpus, load(corpus.recipe), manifest.read(corpus.manifest), format=format, into=None)
    folder = corpus.export(format)
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))[::5]:
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        name = f"export/{format}/{path.relative_to(folder).as_posix()}"
        assert (name, "has other bytes than were written") in failures(corpus)["exports"]
        path.write_bytes(content)
    assert failures(corpus) == {}


@pytest.mark.parametrize("format", formats.FORMATS)
@pytest.mark.parametrize("change", ["split.test=0.4", "tag.template=[{language}] "])
def test_an_export_of_an_earlier_decision_is_found(corpus: Corpus, format: str, change: str) -> None:
    outputs.export(corpus, load(corpus.recipe), manifest.read(corpus.manifest), format=format, into=None)
    assert failures(corpus) == {}
    wanted = load(corpus.recipe, [change])
    measures = fakes.measures(corpus.folder.parent / "asked")
    clips = commands.advance(corpus, wanted, until="tag", workers=1, watch=watch, measures=measures)
    facts = verify(corpus, wanted, watch)
    told = [one for each in facts["checks"] if each["check"] == "exports" for one in each["findings"]]
    shows_tag = format in ("voxcpm", "huggingface", "webdataset", "lhotse")
    assert (f"export/{format}" in {one["what"] for one in told}) == (shows_tag or "split" in change), told
    outputs.export(corpus, wanted, clips, format=format, into=None)
    facts = verify(corpus, wanted, watch)
    told = [one for each in facts["checks"] if each["check"] == "exports" for one in each["findings"]]
    assert f"export/{format}" not in {one["what"] for one in told}


def test_an_export_that_was_stopped_is_half_made(corpus: Corpus) -> None:
    index = corpus.export("voxcpm") / ".samsori-export"
    index.write_text(index.read_text().replace('"complete": true', '"complete": false', 1))
    ((what, problem),) = failures(corpus)["exports"]
    assert (what, problem.partition(":")[0]) == ("export/voxcpm", "is half made")


def test_an_export_is_held_against_its_own_index(corpus: Corpus) -> None:
    outputs.export(corpus, load(corpus.recipe), manifest.read(corpus.manifest), format="kaldi", into=None)
    folder = corpus.export("kaldi")
    assert failures(corpus) == {}
    (folder / "train/text").write_text((folder / "train/text").read_text().replace("가", "말"))
    assert failures(corpus)["exports"] == [("export/kaldi/train/text", "has other bytes than were written")]
    shutil.copy(corpus.export("voxcpm") / ".samsori-export", folder)
    ((what, problem),) = failures(corpus)["exports"]
    assert (what, problem.partition(":")[0]) == ("export/kaldi", "has the index of an export for voxcpm")


@pytest.mark.parametrize("format", formats.FORMATS)
@pytest.mark.parametrize("lines", [None, 0, 1])  # the index is gone, empty, or lists nothing
def test_an_export_whose_index_tells_nothing_fails_with_how_to_make_it_anew(
    corpus: Corpus, format: str, lines: int | None
) -> None:
    folder, clips = corpus.export(format), manifest.read(corpus.manifest)
    outputs.export(corpus, load(corpus.recipe), clips, format=format, into=None)
    index = folder / ".samsori-export"
    written = index.read_text().splitlines(keepends=True)
    index.unlink() if lines is None else index.write_text("".join(written[:lines]))
    ((what, problem),) = failures(corpus)["exports"]
    assert what == f"export/{format}"
    assert problem.startswith(
        "has an index (.samsori-export) that lists" if lines else "has no index (.samsori-export)"
    )
    assert problem.endswith(f"remove {folder}, and `curate export {corpus.folder} --to {format}` makes it anew")
    if not (lines is None and format == "voxcpm"):  # of which an earlier version wrote the lists alone
        with pytest.raises(UserError, match=f"move it away, or remove {folder} to have it made anew"):
            outputs.export(corpus, load(corpus.recipe), clips, format=format, into=None)
    shutil.rmtree(folder)
    outputs.export(corpus, load(corpus.recipe), clips, format=format, into=None)
    assert failures(corpus) == {}


def test_a_corpus_without_exports_says_so(corpus: Corpus) -> None:
    shutil.rmtree(corpus.export(""))
    facts = verify(corpus, load(corpus.recipe), watch)
    assert facts["ok"]
    assert [each["skipped"] for each in facts["checks"] if each["check"] == "exports"] == ["none is here"]


def test_a_report_and_a_card_of_other_numbers(corpus: Corpus) -> None:
    told = json.loads((corpus.report / "report.json").read_text())
    told["kept"]["clips"] += 1
    (corpus.report / "report.json").write_text(json.dumps(told))
    corpus.card.unlink()
    corpus.croissant.write_text("{}")
    found = failures(corpus)
    assert found["report"] == [("report.json", "tells other kept than manifest and recipe: run `curate tag`")]
    assert [what for what, _ in found["card"]] == ["README.md", "croissant.json"]


@pytest.mark.parametrize(
    ("file", "was", "now", "check"),
    [
        ("README.md", "cc-by-sa-4.0", "cc0-1.0", "card"),
        ("croissant.json", "licenses/by-sa/4.0", "publicdomain/zero/1.0", "card"),
        ("croissant.json", '"sha256"', '"sha"', "card"),
        ("recipe.toml", "CC-BY-SA-4.0", "CC0-1.0", "card"),
        ("recipe.toml", "CC-BY-SA-4.0", "CC0-1.0", "report"),
        ("report/report.json", "CC-BY-SA-4.0", "CC0-1.0", "report"),
        ("report/index.html", "CC-BY-SA-4.0", "CC0-1.0", "report"),
    ],
)
def test_words_changed_in_what_people_read(corpus: Corpus, file: str, was: str, now: str, check: str) -> None:
    path = corpus.folder / file
    assert was in path.read_text(encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8").replace(was, now), encoding="utf-8")
    assert check in failures(corpus)


def test_a_report_without_its_page(corpus: Corpus) -> None:
    (corpus.report / "index.html").unlink()
    assert [what for what, _ in failures(corpus)["report"]] == ["index.html"]


@pytest.mark.parametrize("place", ["clips/more.wav", "clips/sub/0.flac", "export/voxcpm/more.jsonl"])
def test_a_file_that_is_none_of_ours(corpus: Corpus, place: str) -> None:
    path = corpus.folder / place
    path.parent.mkdir(exist_ok=True)
    path.write_text("of another")
    assert failures(corpus) == {place.partition("/")[0].replace("export", "exports"): [(place, ANOTHERS[place[:6]])]}


ANOTHERS = {"clips/": "is no clip of this corpus", "export": "is no part of the export"}


@pytest.mark.parametrize("column", ["person", "text", "recording"])
def test_a_row_of_split_lock_that_was_edited(corpus: Corpus, column: str) -> None:
    *above, last = corpus.split_lock.read_text(encoding="utf-8").splitlines()
    values = dict(zip(held_out.SCHEMA, last.split("\t"), strict=True)) | {column: "other"}
    corpus.split_lock.write_text("\n".join([*above, "\t".join(values.values())]) + "\n", encoding="utf-8")
    told = f"has another {column} in split.lock than in the manifest: run `curate tag`"
    assert failures(corpus)["locks"] == [(values["id"], told)]


def test_locks_that_are_gone(corpus: Corpus) -> None:
    corpus.split_lock.unlink()
    told = "lists none of the clips that are held out: run `curate tag`"
    assert failures(corpus)["locks"] == [("split.lock", told)]
    facts = verify(corpus, load(corpus.recipe, ["balance.max_text_clips=9"]), watch)
    (told,) = (each["findings"] for each in facts["checks"] if each["check"] == "locks")
    assert "does not list the clips that are kept" in told[1]["problem"]


def test_without_what_was_ingested_two_checks_say_so(corpus: Corpus) -> None:
    corpus.ingested.unlink()
    checks = verify(corpus, load(corpus.recipe), watch)["checks"]
    assert [each["check"] for each in checks if each["skipped"]] == ["spans", "licences"]


@pytest.mark.parametrize("absent", ["start", "licence", "channel"])
def test_what_an_earlier_version_ingested_is_no_traceback(corpus: Corpus, absent: str) -> None:
    pl.read_parquet(corpus.ingested).drop(absent).write_parquet(corpus.ingested)
    checks = verify(corpus, load(corpus.recipe), watch)["checks"]
    assert {"spans", "licences"} <= {each["check"] for each in checks if each["skipped"]}


def test_a_corpus_that_was_only_filtered_since_says_so(corpus: Corpus) -> None:
    measures = fakes.measures(corpus.folder.parent / "asked")
    wanted = load(corpus.recipe, ["filter.noisy=29"])
    commands.advance(corpus, wanted, until="filter", workers=1, watch=watch, measures=measures)
    from curate.recipe import dump

    corpus.save_recipe(dump(wanted))
    found = failures(corpus)
    assert "is only decided up to `filter`: run `curate tag`" in found["manifest"][0][1]


def test_verdicts_that_changed_since_are_found(corpus: Corpus) -> None:
    id = kept(corpus)["id"][0]
    corpus.verdicts.write_text(f"clip\tverdict\n{id}\tdrop\n")
    assert {what for what, _ in failures(corpus)["manifest"]} >= {"drop", "broke", "verdict"}
    corpus.verdicts.write_text("clip\tverdict\n0123456789abcdef\tdrop\n")
    assert "is of another corpus" in failures(corpus)["manifest"][0][1]


def test_only_what_moves_to_a_gpu_machine_is_checked_as_far_as_it_goes(corpus: Corpus) -> None:
    corpus.measured.unlink()
    facts = verify(corpus, load(corpus.recipe), watch)
    told = {each["check"]: each["skipped"] for each in facts["checks"] if each["skipped"]}
    assert set(told) == {"manifest", "splits"}
    assert facts["ok"]


def test_what_cannot_be_checked_is_one_line(corpus: Corpus) -> None:
    edit(corpus, lambda clips: clips.with_columns(broke=pl.lit(None, dtype=clips.schema["broke"])))
    with pytest.raises(UserError, match=r"nothing is decided in .* yet: run `curate tag .*` first"):
        verify(corpus, load(corpus.recipe), watch)
    corpus.manifest.write_bytes(corpus.manifest.read_bytes()[:-100])
    with pytest.raises(UserError, match="is not a manifest of this version"):
        verify(corpus, load(corpus.recipe), watch)


@pytest.mark.parametrize("json_", [False, True])
def test_the_command_fails_loudly(
    corpus: Corpus, json_: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ran() -> int:
        monkeypatch.setattr(sys, "argv", ["curate", "verify", str(corpus.folder), *(["--json"] if json_ else [])])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0)

    assert ran() == 0
    sound = capsys.readouterr().out
    id = kept(corpus)["id"][0]
    path = corpus.clips / f"{id}.flac"
    samples = np.zeros(RATE, np.int16)
    soundfile.write(path, samples, RATE, subtype="PCM_16")
    assert ran() == 1
    spoilt = capsys.readouterr().out
    if json_:
        assert json.loads(sound)["ok"] is True
        facts = json.loads(spoilt)
        assert facts["ok"] is False
        assert [each["check"] for each in facts["checks"] if each["failed"]] == ["clips"]
    else:
        assert "FAILED" not in sound
        assert f"clips: 1 failed\n  {id}  its file has {RATE} samples" in spoilt


def test_what_split_lock_holds_out_must_stay_there_with_or_without_the_measured_frame(corpus: Corpus) -> None:
    lock = corpus.split_lock.read_text()
    id = manifest.kept(manifest.read(corpus.manifest)).filter(split="test")["id"][0]
    edit(corpus, set_where(id, split="train"))
    told = (id, "is in train and held out as test in split.lock: run `curate tag`")
    assert told in failures(corpus)["splits"]
    corpus.measured.unlink()
    assert told in failures(corpus)["splits"]
    corpus.split_lock.write_text("spoilt")
    assert told not in failures(corpus).get("splits", [])
    corpus.split_lock.write_text(lock)


def test_a_lock_that_cannot_be_read_is_told(corpus: Corpus) -> None:
    corpus.split_lock.write_text("spoilt")
    ((what, problem),) = failures(corpus)["manifest"]
    assert what == "recipe, verdicts or locks"
    assert "split.lock cannot be read" in problem


@pytest.mark.parametrize("similarity", [0.9, 0.2])
def test_sounds_alike_in_two_splits_are_found_however_alike_unless_the_recipe_lets_go(
    corpus: Corpus, similarity: float
) -> None:
    clips = manifest.kept(manifest.read(corpus.manifest))
    one, two = (clips.filter(split=split)["id"][0] for split in ("train", "test"))
    measured = pl.read_parquet(corpus.measured)
    pair = [{"id": two, "similarity": similarity}]
    similar = [pair if id == one else [] for id in measured["id"]]
    measured = measured.with_columns(pl.Series("similar", similar, dtype=measured.schema["similar"]))
    files.write_parquet(measured, corpus.measured, metadata=pl.read_parquet_metadata(corpus.measured))
    assert any("sounds like" in problem for _, problem in failures(corpus)["splits"])
    recipe = load(corpus.recipe, ['split.apart=["speaker", "text", "recording"]'])
    facts = verify(corpus, recipe, watch)
    assert not next(each for each in facts["checks"] if each["check"] == "splits")["findings"]


@pytest.mark.parametrize("format", [each for each in formats.FORMATS if each != "voxcpm"])
def test_a_clip_that_a_person_drops_leaves_every_export_in_the_corpus(corpus: Corpus, format: str) -> None:
    wanted = load(corpus.recipe)
    before = manifest.read(corpus.manifest)
    sound_wanted = formats.sound(format, rate=24000)
    outputs.export(corpus, wanted, before, format=format, into=None, sound=sound_wanted)
    gone = manifest.kept(before).filter(split="train")["id"][0]
    corpus.verdicts.write_text(f"clip\tverdict\treason\n{gone}\tdrop\ttakedown\n")
    measures = fakes.measures(corpus.folder.parent / "asked")
    clips = commands.advance(corpus, wanted, until="tag", workers=1, watch=watch, measures=measures)
    assert any(f"export/{format} still holds 1 clips" in line for line in commands.notes(corpus, wanted, clips))
    commands.finish(corpus, wanted, clips, watch)
    assert commands.notes(corpus, wanted, clips) == []
    assert gone not in contents.ids(corpus.export(format))
    assert export_folder.settings_of(corpus.export(format)) == {
        "format": format, **sound_wanted.settings(), "clips": manifest.kept(clips).height, "complete": True,
    }  # fmt: skip
    assert failures(corpus) == {}


def test_status_tells_what_still_holds_dropped_clips_and_of_verdicts_of_another_corpus(
    corpus: Corpus, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = kept(corpus)["id"][0]
    edit(corpus, set_where(gone, drop="rejected", split=None))
    corpus.verdicts.write_text("clip\tverdict\n0123456789abcdef\tdrop\n")
    monkeypatch.setattr(sys, "argv", ["curate", "status", str(corpus.folder)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    assert "is of another corpus" in capsys.readouterr().err
    corpus.verdicts.write_text(f"clip\tverdict\n{gone}\tdrop\n")
    with pytest.raises(SystemExit):
        cli.main()
    assert f"export/voxcpm still holds 1 clips that people dropped ({gone})" in capsys.readouterr().err
