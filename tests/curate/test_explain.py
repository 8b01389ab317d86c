"""One clip explained: found by any of its names, every rule told as it was decided."""

import json
import re
import unicodedata
from typing import Any

import polars as pl
import pytest

from curate import manifest
from curate.errors import UserError
from curate.explain import as_text, explain
from curate.recipe import Recipe
from curate.steps import balance, rule_catalogue, rules

RATE = 16000
SPAN = [{"start": 0, "end": 4 * RATE}]


def clip(id: str, **changed: Any) -> dict[str, Any]:
    """A good Khmer clip of 5 s; `changed` spoils it."""
    good = {
        "id": id, "source": "studio", "path": f"a/{id[:4]}.wav", "rate": RATE, "frames": 5 * RATE, "seconds": 5.0,
        "language": "km", "speaker": "s", "text": "ភាសា", "text_from": "given", "speech": SPAN, "speech_seconds": 4.0,
        "music": 0.0, "noise": 0.0, "voices": 1, "second_voice": 0.0, "other_voice": 0.0, "overlap": 0.0,
        "dropout": 0.0, "clipped": 0.0, "snr": 40.0, "bandwidth": 8000.0,
        "head_edge": -30.0, "tail_edge": -30.0, "dnsmos": 3.0, "distillmos": 4.0, "language_probability": 0.99,
        "other_language": "th", "other_probability": 0.01, "spoken": "ភាសា", "pace": 3.0, "split": "train",
    }  # fmt: skip
    return {**good, **changed}


def recipe(**changed: Any) -> Recipe:
    rated = {"low_quality": {"dnsmos": 2.0}}
    changed = {**changed, "filter": {**rated, **changed.get("filter", {})}}
    return Recipe.model_validate(
        {"source": [{"id": "studio", "kind": "table", "path": "x.tsv", "licence": "own"}], **changed}
    )


def decided(rows: list[dict[str, Any]], wanted: Recipe) -> pl.DataFrame:
    names = [*clip("x"), "duplicate_of", "error", "heard", "verdict", "verdict_reason", "verdict_who"]
    frame = pl.DataFrame(rows, schema={name: manifest.COLUMNS[name].dtype for name in names}, orient="row")
    clips = rules.decide(manifest.conform(frame), rule_catalogue.checks(wanted), rule_catalogue.ORDER)
    last = rule_catalogue.duplicate(wanted)
    clips = rules.break_rule(clips, last.rule.name, last.broken(), rule_catalogue.ORDER)
    return balance.balance(clips, **wanted.balance.model_dump())


SPOILED: list[dict[str, Any]] = [
    {"snr": 3.0}, {"snr": None}, {"speech": None, "seconds": None, "error": "not audio"}, {"seconds": 0.2},
    {"speech_seconds": 0.1}, {"text": None, "text_from": None, "spoken": None}, {"music": 0.9}, {"dnsmos": 1.0},
    {"duplicate_of": "aa"}, {"pace": 50.0, "bandwidth": 3000.0},
    {"language_probability": 0.0, "other_probability": 0.9}, {"voices": 0, "second_voice": None}, {"head_edge": 0.0},
    {"spoken": ""}, {},
]  # fmt: skip


@pytest.mark.parametrize(
    "wanted", [{}, {"filter": {"noisy": False, "low_quality": False}}, {"balance": {"hours": {"km": 0.001}}}]
)
def test_rules_that_do_not_hold_are_just_those_broken(wanted: dict[str, Any]) -> None:
    asked = recipe(**wanted)
    clips = decided([clip(f"{n:04x}", **spoiled) for n, spoiled in enumerate(SPOILED)], asked)
    for id, broke in clips.select("id", "broke").iter_rows():
        explained = explain(clips, id, asked)["rules"]
        assert [name for name, rule in explained.items() if rule["holds"] is False] == broke
        assert list(explained) == list(rule_catalogue.ORDER)
        assert all((rule["holds"] is None) == (rule["why"] is not None) for rule in explained.values())


def test_the_one_that_stays_names_its_copies() -> None:
    copies = [clip(f"b{n}", duplicate_of="aa") for n in range(7)]
    clips = decided([clip("aa"), clip("cc"), *copies], recipe())
    explained = explain(clips, "aa", recipe())
    assert explained["repeated_by"] == [f"b{n}" for n in range(7)]
    assert "; it stays for its copies b0, b1, b2, b3, b4 and 2 more" in as_text(explained, recipe()).splitlines()[0]
    assert explain(clips, "cc", recipe())["repeated_by"] == []
    assert "copies" not in as_text(explain(clips, "cc", recipe()), recipe()).splitlines()[0]


def test_value_and_threshold_are_told_and_a_missing_value_does_not_hold() -> None:
    clips = decided([clip("aa", snr=3.0), clip("bb", snr=None)], recipe())
    assert explain(clips, "aa", recipe())["rules"]["noisy"] == {
        "value": 3.0,
        "threshold": 15.0,
        "holds": False,
        "why": None,
    }
    assert explain(clips, "bb", recipe())["rules"]["noisy"]["holds"] is False
    off = recipe(filter={"noisy": False})
    switched = explain(decided([clip("aa", snr=3.0)], off), "aa", off)["rules"]["noisy"]
    assert switched == {"value": 3.0, "threshold": False, "holds": None, "why": "switched off in the recipe"}


def test_balance_is_told_from_what_it_decided() -> None:
    asked = recipe(balance={"hours": {"km": 5 / 3600}, "max_speaker_hours": 1})
    clips = decided([clip("aa"), clip("bb"), clip("cc", snr=1.0)], asked)
    over = clips.filter(pl.col("drop") == "surplus")["id"].item()
    rules = explain(clips, over, asked)["rules"]
    assert rules["surplus"]["holds"] is False
    assert rules["surplus"]["threshold"] == 5 / 3600
    assert rules["capped"] == {"value": None, "threshold": {"max_speaker_hours": 1.0}, "holds": True, "why": None}
    assert explain(clips, "cc", asked)["rules"]["surplus"]["why"] == "dropped before, as noisy"
    assert explain(clips, "aa", recipe())["rules"]["capped"]["why"] == "not asked for in [balance]"


def test_the_whole_row_comes_as_json() -> None:
    clips = decided([clip("aa", snr=float("inf"))], recipe())
    facts = json.loads(json.dumps(explain(clips, "aa", recipe()), allow_nan=False))
    assert {column.name for column in manifest.COLUMNS.values() if column.stored} < set(facts)
    assert facts["speech"] == SPAN
    assert facts["snr"] is None  # JSON knows no infinity


@pytest.mark.parametrize("name", ["00aa11", "00a", "a/00aa.wav", "00aa.wav", "/in/a/00aa.wav", "c/clips/00aa11.flac"])
def test_a_clip_is_found_by_id_its_beginning_path_or_file_name(name: str) -> None:
    clips = decided([clip("00aa11"), clip("00bb22")], recipe())
    assert explain(clips, name, recipe())["id"] == "00aa11"


def test_an_id_wins_over_longer_ones_that_begin_with_it() -> None:
    clips = decided([clip("00aa"), clip("00aa-2")], recipe())
    assert explain(clips, "00aa", recipe())["id"] == "00aa"


def test_a_file_name_in_decomposed_hangul_is_found_as_typed() -> None:
    clips = decided([clip("00aa", path=unicodedata.normalize("NFD", "a/한글.wav"))], recipe())
    assert explain(clips, unicodedata.normalize("NFC", "한글.wav"), recipe())["id"] == "00aa"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("00", "00aa (a/one.wav), 00bb"),
        ("one.wav", "00aa (a/one.wav), 00bb"),
        ("zz", "no clip 'zz'"),
        ("", "no clip ''"),
    ],
)
def test_none_or_several_is_a_user_error_that_lists_some(name: str, said: str) -> None:
    clips = decided([clip("00aa", path="a/one.wav"), clip("00bb", path="b/one.wav")], recipe())
    with pytest.raises(UserError) as error:
        explain(clips, name, recipe())
    assert said in str(error.value)
    assert "00aa" in str(error.value)


def test_parts_of_one_recording_are_told_apart_by_their_place() -> None:
    frame = decided([clip("00aa", path="a/long.wav"), clip("00bb", path="a/long.wav")], recipe())
    frame = frame.with_columns(start=pl.Series([0, 2 * RATE]), end=pl.Series([2 * RATE, 5 * RATE]))
    with pytest.raises(UserError, match=r"00aa \(a/long.wav, 0.0-2.0 s\), 00bb \(a/long.wav, 2.0-5.0 s\); give more"):
        explain(frame, "long.wav", recipe())


def test_a_corpus_only_ingested_says_that_nothing_is_decided() -> None:
    frame = manifest.conform(pl.DataFrame({"id": ["aa"], "source": ["studio"], "path": ["a.wav"]}))
    facts = explain(frame, "aa", recipe())
    assert all(rule["holds"] is None and "curate filter" in rule["why"] for rule in facts["rules"].values())
    assert "not decided yet" in as_text(facts, recipe())


def test_text_leads_with_the_verdict_and_gives_units() -> None:
    clips = decided([clip("aa", snr=3.0, dnsmos=1.0), clip("bb")], recipe())
    text = as_text(explain(clips, "aa", recipe()), recipe())
    assert text.splitlines()[0] == "aa: dropped as noisy; it also broke low_quality"
    line = next(line for line in text.splitlines() if line.startswith("  noisy "))
    assert "BROKEN" in line
    assert "3 dB" in line
    assert "at least 15 dB" in line
    assert as_text(explain(clips, "bb", recipe()), recipe()).startswith("bb: kept, in train")


def test_a_transcript_cannot_command_the_terminal() -> None:
    clips = decided([clip("aa", text="\x1b[2J\x07ភាសា\u200bខ្មែរ", error="\u202egnoS\u2069")], recipe())
    text = as_text(explain(clips, "aa", recipe()), recipe())
    assert "\x1b" not in text
    assert r"\u202egnoS\u2069" in text
    assert not {"\u202e", "\u2069"} & set(text)
    assert "\x07" not in text
    assert "ភាសា\u200bខ្មែរ" in text


def test_words_that_only_one_side_has_and_their_times_are_told_in_words() -> None:
    frame = decided([clip("aa")], recipe())
    edits = [{"place": "end", "given": "ភាសា", "heard": ""}, {"place": "start", "given": "", "heard": "ខ្មែរ"}]
    times = [{"word": "ភាសា", "start": 1600, "end": 8000, "probability": 0.875}]
    frame = frame.with_columns(
        pl.Series("text_edits", [edits], dtype=manifest.COLUMNS["text_edits"].dtype),
        pl.Series("word_times", [times], dtype=manifest.COLUMNS["word_times"].dtype),
    )
    facts = explain(frame, "aa", recipe())
    assert facts["text_edits"] == edits
    assert facts["word_times"] == times
    shown = as_text(facts, recipe())
    assert "at the end, not heard: ភាសា; at the start, heard and not in the text: ខ្មែរ" in shown
    assert "ភាសា 1600-8000 (0.88), samples of the file, probability" in shown


def test_what_a_person_said_stands_first_and_what_it_overruled_is_marked() -> None:
    rows = [clip("aa", snr=3.0, verdict="keep", verdict_reason="fine", verdict_who="sok"),
            clip("bb", snr=3.0, verdict="drop", verdict_reason="mum\x1bbled", verdict_who="sok"),
            clip("cc", verdict="keep"), clip("dd", snr=3.0, text_from=None, verdict="keep")]  # fmt: skip
    clips = decided(rows, recipe())
    texts = {id: as_text(explain(clips, id, recipe()), recipe()) for id in clips["id"]}
    first = {id: text.splitlines()[0] for id, text in texts.items()}
    assert first["aa"] == "aa: kept, in train; a person said keep (fine, sok), which overruled noisy"
    assert first["bb"] == "bb: dropped as rejected (mum\ufffdbled, sok); it also broke noisy"
    assert first["cc"] == "cc: kept, in train; a person said keep"
    assert first["dd"] == "dd: dropped as no_text; it also broke noisy"
    assert re.search(r"^  noisy +overruled +3 dB", texts["aa"], re.MULTILINE)
    assert re.search(r"^  noisy +BROKEN +3 dB", texts["bb"], re.MULTILINE)
    assert explain(clips, "aa", recipe())["rules"]["noisy"]["holds"] is False
    assert explain(clips, "cc", recipe())["rules"]["rejected"]["holds"] is True
    assert (
        explain(decided([clip("ee")], recipe()), "ee", recipe())["rules"]["rejected"]["why"]
        == "no person has judged it"
    )
