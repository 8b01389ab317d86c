"""What the normaliser changed in a text: the same from an earlier report, which is not believed where it is stale."""

import json
from pathlib import Path

import pytest

from curate import text
from curate.report.changes import Changes


def test_they_are_what_the_normaliser_says_and_are_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "changes.json"
    first = Changes(cache=cache)
    made = [first.of("사과 3개", "ko"), first.of("តម្លៃ ១២,៥០០៛", "km")]
    assert made[0] == [(each.rule, each.before, each.after) for each in text.steps("사과 3개", "ko").changes]
    assert all(made)
    first.save()
    monkeypatch.setattr(text, "steps", None)  # nothing is read again
    again = Changes(cache=cache)
    assert [again.of("사과 3개", "ko"), again.of("តម្លៃ ១២,៥០០៛", "km")] == made


def test_other_rules_other_options_and_another_language_are_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "changes.json"
    first = Changes(cache=cache)
    afternoon = first.of("ម៉ោង 14:00", "km")
    first.save()
    assert Changes(text.Options(clock="12-hour"), cache).of("ម៉ោង 14:00", "km") != afternoon
    assert Changes(cache=cache).of("ម៉ោង 14:00", "ko") != afternoon
    stored = json.loads(cache.read_text())
    cache.write_text(json.dumps({key: [["stale", "a", "b"]] for key in stored}))
    assert Changes(cache=cache).of("ម៉ោង 14:00", "km") == [("stale", "a", "b")]
    monkeypatch.setattr(text, "RULES_VERSION", "another")
    assert Changes(cache=cache).of("ម៉ោង 14:00", "km") == afternoon


def test_only_what_was_asked_for_stays(tmp_path: Path) -> None:
    cache = tmp_path / "changes.json"
    first = Changes(cache=cache)
    first.of("사과 3개", "ko")
    first.of("배 4개", "ko")
    first.save()
    second = Changes(cache=cache)
    second.of("배 4개", "ko")
    second.save()
    assert len(json.loads(cache.read_text())) == 1


@pytest.mark.parametrize("broken", ["", "[]", '{"a": 1}', '{"a": [["one"]]}', "\x00"])
def test_a_cache_that_cannot_be_read_is_made_anew(tmp_path: Path, broken: str) -> None:
    cache = tmp_path / "changes.json"
    cache.write_text(broken)
    changes = Changes(cache=cache)
    assert changes.of("사과 3개", "ko")
    changes.save()
    assert len(json.loads(cache.read_text())) == 1
