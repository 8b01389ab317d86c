"""`train study demo` in a short form: the whole study, offline, and everything that it writes says what it is not."""

import json
import shutil
import xml.etree.ElementTree as xml
from fnmatch import fnmatch
from pathlib import Path

import pytest

from curate.errors import UserError
from train.listen import collect, design, ratings
from train.listen import plan as planned
from train.listen.scales import SCALES
from train.study import demo, report, simulated

SHORT = demo.Size(ranks=(2, 4), steps=2, sentences=4, listeners=6, draws=1, timesteps=1, replicates=100)


@pytest.fixture(scope="module")
def corpus(make_corpus_of_module) -> Path:
    return make_corpus_of_module(each=5)


@pytest.fixture(scope="module")
def rehearsed(corpus, tmp_path_factory) -> Path:
    into = tmp_path_factory.mktemp("rehearsed") / "study"
    told = [event for event in demo.run(into, corpus, SHORT) if isinstance(event, str)]
    assert demo.BANNER.upper() in told[0]
    return into


def fill(rehearsed: Path, corpus: Path, into: Path, **changes) -> dict:
    words = {
        "sweep": rehearsed / "tiny-sweep", "ratings": rehearsed / "simulated-ratings.csv", "into": into,
        "plan": rehearsed / "simulated-test", "corpus_folder": corpus, "study_file": rehearsed / "study.toml",
    }  # fmt: skip
    return report.run(**{**words, **changes})


# What a program reads and nobody takes for a result; each lies in a folder whose READ-ME-FIRST.txt says it.
FOR_MACHINES = (
    "latents/*", "tiny-sweep/runs/*", "tiny-sweep/evaluation/answers/*", "tiny-sweep/mos.json",
    "tiny-sweep/evaluation/audio/*", "tiny-sweep/evaluation/*.jsonl", "tiny-sweep/evaluation/begun.json",
    "tiny-sweep/begun.json", "tiny-sweep/evaluation/sentences.tsv",
)  # fmt: skip
# Parts of what says it: the page with the test's name, the plan; and the tiny model, which says so by its name.
PARTS = (
    "tiny-voxcpm2/*",
    "simulated-listeners/page/*",
    "simulated-listeners/audio/*",
    "*.sha256",
    "*links.tsv",
    "sentences.tsv",
    "*.lock",
)


def test_every_file_that_is_written_says_what_it_is_not(rehearsed):
    silent = []
    for path in sorted(path for path in rehearsed.rglob("*") if path.is_file()):
        name = path.relative_to(rehearsed).as_posix()
        if any(fnmatch(name, pattern) for pattern in (*FOR_MACHINES, *PARTS)):
            continue
        text = path.read_text(encoding="utf-8").lower().replace("\n", " ").replace("&#39;", "'")
        if demo.BANNER not in text:
            silent.append(name)
    assert silent == ["simulated-ratings.csv"]
    rated = (rehearsed / "simulated-ratings.csv").read_text(encoding="utf-8").splitlines()
    assert all(line.count("simulated") == 3 for line in rated[1:])
    for pattern in FOR_MACHINES:
        folder = rehearsed / pattern.partition("*")[0].rpartition("/")[0]
        places = [folder, *folder.parents]
        assert any((place / demo.README).is_file() for place in places[: places.index(rehearsed)]), pattern


def test_the_drawings_and_pages_show_it_and_do_not_only_hold_it(rehearsed):
    """In a text element of each SVG, in the body of each page, above each table of Markdown."""
    for path in rehearsed.rglob("*.svg"):
        shown = [
            each.text or ""
            for each in xml.fromstring(path.read_text(encoding="utf-8")).iter()
            if each.tag.endswith("text")
        ]
        assert demo.BANNER in " ".join(shown).lower(), path
    for path in rehearsed.rglob("*.html"):
        body = path.read_text(encoding="utf-8").partition("<body>")[2]
        assert demo.BANNER in body.lower(), path
    for path in rehearsed.rglob("*.md"):
        above = path.read_text(encoding="utf-8").lower().partition("| ---")[0]
        assert demo.BANNER in above, path
    for path in (*rehearsed.rglob("simulated-analysis/*.csv"), *rehearsed.rglob("report/*.csv")):
        header, *rows = path.read_text(encoding="utf-8").splitlines()
        assert all(demo.BANNER in row for row in rows or [header]), path


def test_nothing_of_it_is_called_reproduced(rehearsed):
    facts = json.loads((rehearsed / "report" / "report.json").read_text(encoding="utf-8"))
    assert {each["reproduced"] for each in facts["published"]} == {"cannot say"}
    assert len(facts["published"]) == 8
    assert all("by the rule it would be" in each["why"] for each in facts["published"])


def test_the_methods_are_of_the_plan_and_the_corpus(rehearsed, corpus):
    text = (rehearsed / "report" / "methods.md").read_text(encoding="utf-8")
    plan = planned.read(rehearsed / "simulated-test")
    assert planned.digest(plan) in text
    assert "Latin square" in text
    assert "Stimuli at -23 LUFS" in text
    for language in ("km", "ko", "en"):
        assert plan.question[language] in text
    assert "5 clips, 1 known person" not in text  # by split: four to train on, one held out
    assert "train 5 s (4 clips, 1 known person); validation 1 s (1 clip, 1 known person)" in text
    assert "there is no" in text  # the recipe of this corpus
    assert "region simulated 6" in text


def test_simulated_ratings_are_those_of_the_plan(rehearsed, tmp_path):
    plan = planned.read(rehearsed / "simulated-test")
    text = simulated.ratings(plan, demo.TRUE_MOS)
    assert text == (rehearsed / "simulated-ratings.csv").read_text(encoding="utf-8")
    assert text.splitlines()[0].split(",") == list(collect.COLUMNS)
    read = ratings.read(rehearsed / "simulated-ratings.csv", SCALES["mos"])
    for number in range(1, SHORT.listeners + 1):
        mine = [row for row in read.rows if row.listener == design.listener_name("km", number)]
        wanted = design.schedule(plan, "km", number)
        assert [(row.sentence, row.condition, row.kind) for row in mine] == [
            (trial.sentence, trial.condition, trial.kind) for trial in wanted
        ]


def test_the_same_command_again_changes_no_byte(rehearsed, corpus):
    before = {path: path.read_bytes() for path in sorted(rehearsed.rglob("*")) if path.is_file()}
    list(demo.run(rehearsed, corpus, SHORT))
    changed = [str(path) for path, content in before.items() if path.read_bytes() != content]
    assert [name for name in changed if "/tiny-voxcpm2/" not in name] == []


def test_ratings_of_another_plan_are_refused(rehearsed, corpus, tmp_path):
    plan = planned.read(rehearsed / "simulated-test")
    other = tmp_path / "other.csv"
    other.write_text(simulated.ratings(plan.model_copy(update={"seed": 7}), demo.TRUE_MOS), encoding="utf-8")
    with pytest.raises(UserError, match=r"line 2: a rating of the plan .*take the plan that was rated"):
        fill(rehearsed, corpus, tmp_path / "x", ratings=other)
    assert not (tmp_path / "x").exists()


def test_another_corpus_is_refused(rehearsed, make_corpus_of_module, tmp_path):
    with pytest.raises(UserError, match="is not the corpus of this sweep"):
        fill(rehearsed, make_corpus_of_module(each=6), tmp_path / "x")


def test_other_stimuli_than_the_listeners_heard_are_refused(rehearsed, corpus, tmp_path):
    sweep = shutil.copytree(rehearsed / "tiny-sweep", tmp_path / "sweep")
    plan = planned.read(rehearsed / "simulated-test")
    name = next(name for name in sorted(plan.stimuli) if name.startswith("r4/"))
    (sweep / "evaluation" / "audio" / f"{name}.wav").write_bytes(b"another take")
    with pytest.raises(UserError, match="is not what the plan's listeners heard"):
        fill(rehearsed, corpus, tmp_path / "x", sweep=sweep)


def test_a_recipe_that_says_little_is_told_source_by_source(rehearsed, corpus, tmp_path):
    told = corpus / "recipe.toml"
    told.write_text(
        '[corpus]\nname = "mine"\n[[source]]\nid = "a"\nkind = "folder"\npath = "a"\nlicence = "own"\n'
        'collected = "In <our> studio"\npeople = "Two"\n',
        encoding="utf-8",
    )
    try:
        facts = fill(rehearsed, corpus, tmp_path / "report")
    finally:
        told.unlink()
    notes = [note for note in facts["notes"] if note.startswith("source a of")]
    assert notes == ["source a of recipe.toml does not say domain, conditions, consent: not stated"]
    text = (tmp_path / "report" / "methods.md").read_text(encoding="utf-8")
    assert "Collected: In \\<our\\> studio. People: Two. Domain: not stated." in text


def test_a_folder_without_a_corpus_says_what_to_run(tmp_path):
    with pytest.raises(UserError, match="curate demo"):
        list(demo.run(tmp_path / "study", tmp_path / "nothing"))
