"""All of a person: under every name, with copies and what only sounds like them; and the lines that take it out."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from curate import cli, commands, takedown, verdicts
from curate.corpus import Corpus
from curate.errors import UserError
from curate.recipe import load
from tests.curate.frames import clips
from tests.curate.runs import run, watch

ROWS: list[dict[str, Any]] = [
    {"path": "a.wav", "speaker": "anna"},
    {"path": "a.wav", "speaker": "anna", "drop": "noisy", "broke": ["noisy"]},
    {"path": "a.wav"},  # nobody known, where only she is known to speak
    {"path": "b.wav", "speaker": "bora"},
    {"path": "b.wav"},  # nobody known, beside another
    {"path": "c.wav", "speaker": "chan", "speaker_conflict": "studio anna"},
    {"path": "d.wav", "speaker": "dara", "drop": "duplicate", "duplicate_of": f"{0:016x}"},
    {"path": "e.wav", "source": "street", "speaker": "A-7", "person": "studio anna"},
    {"path": "f.wav", "source": "street", "speaker": "anna"},  # another of the same name
    {"path": "g.wav", "source": "street", "voice": "voice 3", "speaker": "voice 3"},
]


def found(name: str) -> dict[str, str]:
    """Place of each clip and why it is listed."""
    facts = json.loads(json.dumps(takedown.find(clips(ROWS), name)))
    assert facts["all"]["clips"] == len(facts["clips"])
    assert sum(each["clips"] for each in facts["recordings"]) == len(facts["clips"])
    return {str(int(each["id"], 16)): each["why"] for each in facts["clips"]}


def test_a_person_is_found_under_every_name_and_with_all_that_may_be_theirs() -> None:
    assert found("studio anna") == {
        "0": "theirs", "1": "theirs", "2": "recording", "5": "sounds_like", "6": "copy", "7": "theirs",
    }  # fmt: skip
    assert found("A-7") == found("street A-7") == found("studio anna")
    assert found("voice 3") == {"9": "theirs"}
    assert found("bora") == {"3": "theirs", "4": "recording"}


def test_the_original_of_a_copy_is_theirs_too() -> None:
    assert found("dara") == {"0": "copy", "6": "theirs"}


def test_a_name_that_two_persons_have_lists_both_and_takes_out_neither() -> None:
    facts = takedown.find(clips(ROWS), "anna")
    assert facts["persons"] == ["studio anna", "street anna"]
    with pytest.raises(UserError, match="'anna' may be 2 persons: studio anna, street anna; give one of these names"):
        takedown.verdict_lines(facts)


def test_nobody_of_that_name() -> None:
    with pytest.raises(UserError, match=r"nobody here is called 'eve'; persons are studio anna, studio bora, .*"):
        takedown.find(clips(ROWS), "eve")
    with pytest.raises(UserError, match="nobody here"):
        takedown.find(clips(ROWS), "")
    assert not takedown.knows(clips(ROWS), "eve")


def test_the_lines_are_a_verdicts_file_that_tells_no_name(tmp_path: Path) -> None:
    lines = takedown.verdict_lines(takedown.find(clips(ROWS), "studio anna"))
    assert "anna" not in lines
    file = tmp_path / "verdicts.tsv"
    file.write_text("clip\tverdict\treason\twho\n" + f"{0:016x}\tkeep\tnice\tme")  # no line end: as editors leave it
    with file.open("a") as appended:
        appended.write(lines)
    rows = verdicts.read(file).rows
    assert rows.height == 6
    assert set(rows["verdict"]) == {"drop"}
    assert set(rows["reason"]) == {"takedown"}


def test_text_tells_recordings_fates_and_doubts_and_is_safe() -> None:
    rows = [*ROWS, {"path": "x\x1b[2J.wav", "speaker": "anna"}]
    text = takedown.as_text(takedown.find(clips(rows), "studio anna"))
    assert "\x1b" not in text
    assert "studio a.wav: 3 clips, 2 kept" in text
    assert "dropped as noisy" in text
    assert "a copy of a clip of theirs" in text
    assert "under another's name, sounds like them" in text
    assert "by nobody known, in a recording where only they are known to speak" in text


def test_the_command_lists_prints_verdicts_and_takes_a_name_for_a_clip(
    tmp_path: Path,
    make_table: Any,
    write_recipe: Any,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def said(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["curate", "explain", str(corpus.folder), *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        shown = capsys.readouterr()
        return int(ended.value.code or 0), shown.out, shown.err

    corpus, recipe = Corpus(tmp_path / "corpus"), write_recipe(make_table(count=6))
    made = run(recipe, corpus.folder, tmp_path / "asked")
    commands.finish(corpus, load(recipe), made, watch)
    capsys.readouterr()
    status, listed, _ = said("--speaker", "who1")
    assert status == 0
    assert listed.startswith("who1: clips who1\n")
    assert said("who1") == (0, listed, "")
    status, facts, _ = said("--speaker", "who1", "--json")
    assert len(json.loads(facts)["clips"]) == 2
    status, lines, _ = said("--speaker", "clips who1", "--takedown")
    assert lines == takedown.verdict_lines(takedown.find(made, "who1"))
    assert said("who1", "--takedown") == (0, lines, "")
    assert said()[0] == said(made["id"][0], "--speaker", "who1")[0] == 1
    assert said("nobody")[2].startswith("curate: no clip 'nobody'")
    assert said("--speaker", "nobody")[2].startswith("curate: nobody here is called 'nobody'")
    status, one, _ = said(made["id"][0])
    assert one.startswith(f"{made['id'][0]}: kept")
