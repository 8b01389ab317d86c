"""The quality report: true numbers, harmless texts, the same bytes."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from curate import manifest, report
from curate.recipe import Recipe
from curate.report import examples, facts, licences, templates, wording
from curate.report.distributions import BINS, distributions, drawing
from curate.steps import rule_catalogue, rules

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
RATE = 16000
SPAN = [{"start": 0, "end": 4 * RATE}]


def clip(number: int, **changed: Any) -> dict[str, Any]:
    """A good Korean clip of 5 s; `changed` spoils it."""
    good = {
        "id": f"{number:016x}", "source": "studio", "path": f"a/{number}.wav", "sha256": f"{number:064x}", "rate": RATE,
        "channels": 1, "frames": 5 * RATE, "cut_start": 0, "cut_end": 5 * RATE, "seconds": 5.0, "language": "ko",
        "speaker": f"s{number % 3}", "text": "사과 3개", "text_from": "given", "licence": "CC-BY-SA-4.0",
        "speech": SPAN, "speech_seconds": 4.0, "music": 0.0, "noise": 0.0, "voices": 1, "second_voice": 0.0,
        "other_voice": 0.0, "overlap": 0.0, "dropout": 0.0,
        "loudness": -20.0, "clipped": 0.0, "snr": 40.0, "bandwidth": 8000.0, "head_edge": -30.0, "tail_edge": -30.0,
        "dnsmos": 3.0, "language_probability": 0.99, "other_language": "ja", "other_probability": 0.01,
        "heard": "사과 세 개", "heard_spoken": "사과 세 개", "heard_confidence": 0.9, "cer": 0.0, "aligned": 0.8,
        "unheard": 0.0, "extra": 0.0, "text_edits": [], "heard_agreement": None,
        "spoken": "사과 세 개", "pace": 3.0, "text_rules": ["counter"], "split": "train",
        "training_text": "(Korean)사과 세 개",
    }  # fmt: skip
    speaker = changed.get("speaker", good["speaker"])
    return {**good, "person": speaker and f"studio {speaker}", "speaker_conflict": None, **changed}


def recipe(**changed: Any) -> Recipe:
    source = {
        "id": "studio",
        "kind": "table",
        "path": "/somewhere/x.tsv",
        "licence": "CC-BY-SA-4.0",
        "attribution": "A&B",
    }
    return Recipe.model_validate({"source": [source], "balance": {"hours": {"ko": 0.01}}, **changed})


def decided(rows: list[dict[str, Any]], wanted: Recipe) -> pl.DataFrame:
    schema = {name: column.dtype for name, column in manifest.COLUMNS.items() if name in clip(0) or name == "error"}
    clips = rules.decide(
        manifest.conform(pl.DataFrame(rows, schema=schema, orient="row")),
        rule_catalogue.checks(wanted),
        rule_catalogue.ORDER,
    )
    return clips.with_columns(pl.when(pl.col("drop").is_null()).then("split").alias("split"))


def some() -> list[dict[str, Any]]:
    unreadable = clip(5, path="b/broken.wav", speech=None, rate=None, frames=None, seconds=None, error="not audio")
    return [
        clip(1), clip(2, split="test"), clip(3, snr=3.0), clip(4, snr=2.0, cer=0.9, language="km", text="ភាសា"),
        unreadable, clip(6, language="km", cer=None, aligned=None, text="ភាសាខ្មែរ", spoken="ភាសាខ្មែរ", text_rules=[]),
    ]  # fmt: skip


def written(folder: Path, rows: list[dict[str, Any]], wanted: Recipe) -> tuple[str, dict[str, Any]]:
    index = report.write(decided(rows, wanted), wanted, folder / "report", folder / "clips")
    return index.read_text(encoding="utf-8"), json.loads(
        (folder / "report" / "report.json").read_text(encoding="utf-8")
    )


class Tags(HTMLParser):
    """Every tag with its attributes, and the tags left open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open[-1] == "p" and tag != "p":
            self.open.pop()
        assert self.open.pop() == tag


def numbers_in(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        yield float(len(value))  # "12 rows carry an error"
        for each in value:
            yield from numbers_in(each)
    elif isinstance(value, int | float):
        yield float(value)


def test_every_number_on_the_page_is_in_the_json(tmp_path: Path) -> None:
    html, found = written(tmp_path, some(), recipe())
    shown = [float(attributes["value"] or "nan") for tag, attributes in Tags(html).found if tag == "data"]
    assert len(shown) > 100
    assert set(shown) <= set(numbers_in(found))


def test_funnel_counts_clips_hours_reasons_and_languages(tmp_path: Path) -> None:
    _, found = written(tmp_path, some(), recipe())
    assert found["kept"] == {"clips": 3, "hours": round(15 / 3600, 6)}
    noisy = next(row for row in found["funnel"] if row["rule"] == "noisy")
    assert noisy["dropped"]["clips"] == 2
    assert {code: each["clips"] for code, each in noisy["languages"].items()} == {"km": 1, "ko": 1}
    assert noisy["did_not_apply"] == {"the file could not be read": 1}
    assert [row["rule"] for row in found["funnel"]] == list(rule_catalogue.ORDER)
    assert sum(row["dropped"]["clips"] for row in found["funnel"]) + found["kept"]["clips"] == len(some())
    assert found["balance"][1]["wanted"] == 0.01


def test_a_rule_switched_off_is_shown_as_such(tmp_path: Path) -> None:
    html, found = written(tmp_path, some(), recipe(filter={"noisy": False}))
    noisy = next(row for row in found["funnel"] if row["rule"] == "noisy")
    assert noisy["off"]
    assert noisy["did_not_apply"]["switched off in the recipe"] == len(some())
    assert "Switched off in the recipe: noisy." in html
    assert "Switched off in the recipe:" not in written(tmp_path, some(), recipe())[0]


def test_hostile_texts_are_inert(tmp_path: Path) -> None:
    fields = ("text", "spoken", "heard", "speaker", "path", "error", "training_text", "other_language")
    spoiled = dict.fromkeys(fields, HOSTILE)
    rows = [clip(1, **spoiled), clip(2, **spoiled, snr=1.0), clip(3, **spoiled, speech=None)]
    source = {
        "id": "studio",
        "kind": "table",
        "path": "x.tsv",
        "licence": HOSTILE,
        "attribution": HOSTILE,
        "url": HOSTILE,
    }
    html, found = written(tmp_path, rows, recipe(corpus={"name": HOSTILE}, source=[source]))
    tags = Tags(html)
    assert not {"img", "iframe", "object", "link"} & {tag for tag, _ in tags.found}
    assert [attributes.get("id") for tag, attributes in tags.found if tag == "script"] == ["packed", None]  # ours alone
    assert not any(name.startswith("on") for _, attributes in tags.found for name in attributes)
    assert html.count("&lt;script&gt;alert(1)") > 10
    assert found["corpus"]["name"] == HOSTILE  # the JSON keeps it as it is
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/=]{44}'; object-src 'none'", html)


@pytest.mark.parametrize(("unit", "shown"), [("្ក", "\u25cc្ក"), ("ឺ", "\u25ccឺ"), ("ក", "ក"), ("ㄸ", "ㄸ"), ("kʰ", "kʰ")])
def test_a_sign_that_needs_a_letter_stands_on_a_circle(unit: str, shown: str) -> None:
    assert templates.on_circle(unit) == shown


def test_page_is_well_formed_and_needs_no_network(tmp_path: Path) -> None:
    html, _ = written(tmp_path, some(), recipe())
    tags = Tags(html)
    assert tags.open == []
    assert not re.search(r"(src|href)=\"?(https?:)?//", html)
    assert not re.search(r"@import|url\((?!data:font)", html)
    anchors = [attributes["href"] for tag, attributes in tags.found if tag == "a"]
    ids = [attributes.get("id") for _, attributes in tags.found]
    assert all(str(anchor).removeprefix("#") in ids for anchor in anchors)


def test_tables_have_captions_and_pictures_have_words(tmp_path: Path) -> None:
    html, _ = written(tmp_path, some(), recipe())
    names = [tag for tag, _ in Tags(html).found]
    assert names.count("table") == names.count("caption") > 5
    pictures = [attributes for tag, attributes in Tags(html).found if tag == "svg"]
    assert all(each.get("aria-label") or each.get("aria-hidden") for each in pictures)
    assert names.count("h1") == 1


def test_kept_clips_play_by_a_relative_path_and_dropped_ones_name_their_file(tmp_path: Path) -> None:
    html, found = written(tmp_path, some(), recipe())
    players = [attributes for tag, attributes in Tags(html).found if tag == "audio"]
    assert {each["src"] for each in players} == {f"../clips/{n:016x}.flac" for n in (1, 2, 6)}
    assert all(each["preload"] == "none" for each in players)
    assert [each["path"] for each in found["examples"]["dropped"]["unreadable"]] == ["b/broken.wav"]
    assert "b/broken.wav" in html
    assert "not audio" in html


def test_words_missing_at_an_edge_are_named(tmp_path: Path) -> None:
    edits = [
        {"place": "start", "given": "", "heard": "그래서"}, {"place": "inside", "given": "달", "heard": "말"},
        {"place": "end", "given": "끝", "heard": ""},
    ]  # fmt: skip
    rows = [clip(1, text_edits=edits), clip(2, text_edits=[edits[1]]), clip(3, snr=3.0, text_edits=edits), clip(4)]
    html, found = written(tmp_path, rows, recipe())
    says = "at the start, heard and not in the text: 그래서; inside, 달 was heard as 말; at the end, not heard: 끝"
    assert found["edges"] == [
        {"language": "ko", "name": "Korean", "clips": 1, "examples": [{"id": f"{1:016x}", "says": says}]}
    ]
    assert says in html
    assert "text and audio differ: " in html


def test_machine_text_is_marked_beside_its_hours_with_the_recognisers_own_error_rate(tmp_path: Path) -> None:
    machine = {"text": None, "text_from": "heard", "cer": None, "aligned": None, "unheard": None, "extra": None}
    rows = [clip(1, cer=0.25), clip(2, **machine, heard_agreement=0.96), clip(3, **machine, heard_agreement=0.5)]
    html, found = written(tmp_path, rows, recipe())
    hours = round(5 / 3600, 6)
    assert found["machine_text"]["kept"] == {"clips": 1, "hours": hours}
    assert found["machine_text"]["splits"]["train"] == {"clips": 1, "hours": hours}
    assert [row["machine_hours"] for row in found["shares"]] == [hours]
    assert found["sources"][0]["kept"]["machine_hours"] == hours
    (korean,) = found["agreement"]
    assert korean["all"]["cer"] == 0.25
    assert korean["machine"] == {"clips": 1, "hours": hours, "machine_hours": hours, "agreement_p50": 0.96}
    assert html.count("machine text <data") >= 5
    assert 'gets <data value="0.25">25 %</data> of the characters wrong' in html
    plain, _ = written(tmp_path, [clip(1)], recipe())
    assert "machine text" not in plain


def test_same_frame_same_bytes_wherever_it_lies(tmp_path: Path) -> None:
    first = written(tmp_path / "one", some(), recipe())
    second = written(tmp_path / "two", some(), recipe())
    assert first == second
    assert str(tmp_path) not in first[0] + json.dumps(first[1])
    assert "/somewhere" not in first[0] + json.dumps(first[1])


def test_a_model_folder_does_not_tell_where_it_is(tmp_path: Path) -> None:
    _, found = written(tmp_path, some(), recipe(models={"asr": {"ko": "/home/someone/whisper-ko"}}))
    assert "whisper-ko" in [model["name"] for model in found["models"]]
    assert "someone" not in json.dumps(found)


def test_an_empty_corpus_and_one_without_a_kept_clip_make_a_page(tmp_path: Path) -> None:
    assert "No clip is kept" in written(tmp_path, [], recipe())[0]
    assert "No clip is kept" in written(tmp_path, [clip(1, snr=0.0)], recipe())[0]


def test_bins_hold_every_measured_clip_and_limits_are_inside() -> None:
    rows = [clip(n, snr=float(n)) for n in range(1, 60)] + [clip(99, snr=None), clip(98, snr=5000.0)]
    snr = next(each for each in distributions(decided(rows, recipe()), recipe()) if each["column"] == "snr")
    korean = snr["languages"]["ko"]
    assert sum(korean["kept"]) + sum(korean["dropped"]) == korean["measured"] == 60
    assert korean["missing"] == 1
    assert snr["low"] <= 15.0 <= snr["high"]
    values = np.clip([*range(1, 60), 5000.0], snr["low"], snr["high"])
    together = [k + d for k, d in zip(korean["kept"], korean["dropped"], strict=True)]
    assert together == np.histogram(values, BINS, (snr["low"], snr["high"]))[0].tolist()
    kept_from = next(i for i, count in enumerate(korean["kept"]) if count)
    assert sum(korean["dropped"][kept_from + 1 :]) == 0  # nothing above the limit is dropped
    drawn = drawing(snr, "ko")
    assert len(drawn["bars"]) == BINS
    assert all(0 <= mark["x"] <= 320 for mark in drawn["marks"])
    assert 3 <= len(drawn["marks"]) <= 11


def test_normaliser_examples_are_made_by_the_rule_they_stand_under() -> None:
    rows = [clip(1, text="사과 3개", text_rules=["number", "counter"]), clip(2, text="50%", text_rules=["percent"])]
    wanted = recipe()
    told = facts.gather(decided(rows, wanted), wanted)["normaliser"]["ko"]
    assert {each["rule"]: each["clips"] for each in told} == {"number": 1, "counter": 1, "percent": 1}
    shown = [change for each in told for change in each["examples"]]
    assert shown
    assert all(change["before"] != change["after"] for change in shown)


def test_what_could_not_be_read_is_counted_by_clips() -> None:
    rows = [clip(1, unreadable="😀★ like"), clip(2, unreadable="★★"), clip(3, unreadable="<b>", language="km"), clip(4)]
    schema = {name: column.dtype for name, column in manifest.COLUMNS.items() if name in {**clip(0), "unreadable": ""}}
    told = examples.unread(manifest.conform(pl.DataFrame(rows, schema=schema, orient="row")))
    assert told["ko"] == [{"what": "★", "clips": 2}, {"what": "like", "clips": 1}, {"what": "😀", "clips": 1}]
    assert {each["what"] for each in told["km"]} == {"<", "b", ">"}


def test_persons_and_labels_that_sound_like_another_are_counted() -> None:
    wanted = recipe()
    rows = [
        clip(1, speaker="a"),
        clip(2, speaker="b", person="studio a", split="test", spoken="다른 글"),
        clip(3, speaker="b", person="studio a", speaker_conflict="studio a", spoken="또 다른 글"),
    ]
    told = facts.gather(decided(rows, wanted), wanted)
    assert {name: told["corpus"][name] for name in ("persons", "unnamed", "speaker_conflicts")} == {
        "persons": 1, "unnamed": 0, "speaker_conflicts": 1,
    }  # fmt: skip
    assert {each["what"]: each["in_two"] for each in told["leaks"]}["speaker"] == 1


def test_voices_that_no_source_names_are_not_counted_as_names() -> None:
    wanted = recipe()
    people = ["studio a", "voice-001", "voice-001", "voice-001", "voice-002", None]
    rows = [clip(n, person=person, spoken=f"글 {n}") for n, person in enumerate(people)]
    told = facts.gather(decided(rows, wanted), wanted)
    (korean,) = told["persons"]["languages"]
    names = ("persons", "by_name", "by_voice", "small_voices", "unnamed")
    assert [korean[name] for name in names] == [3, 1, 2, 1, 1]
    assert told["corpus"]["by_voice"] == 2
    by_voice = facts.gather(decided(rows[1:5], wanted), wanted)
    assert "2 persons speak (2 told by voice alone)" in str(by_voice["wrong"])


def test_a_speaker_in_two_splits_is_counted() -> None:
    wanted = recipe()
    apart = [clip(1, speaker="a"), clip(2, speaker="b", split="test", spoken="다른 글")]
    together = [clip(1, speaker="a"), clip(2, speaker="a", split="test", spoken="다른 글")]
    for rows, count in ((apart, 0), (together, 1)):
        leaks = {each["what"]: each["in_two"] for each in facts.gather(decided(rows, wanted), wanted)["leaks"]}
        # what one speaker read on one day, in one folder, is a session
        assert leaks == {"speaker": count, "text": 0, "recording": 0, "audio": 0, "session": count}


def test_audio_that_sounds_alike_in_two_splits_is_counted_and_called_wrong(tmp_path: Path) -> None:
    wanted = recipe(split={"apart": ["audio"]})
    rows = [clip(1, speaker="a"), clip(2, speaker="b", split="test", spoken="다른 글"), clip(3, speaker="c")]
    clips = decided(rows, wanted).with_columns(pl.Series("sounds_like", ["x", "x", None]))
    found = facts.gather(clips, wanted)
    assert {"what": "audio", "in_two": 1, "of": 1, "asked": True} in found["leaks"]
    assert any("1 of 1 groups of clips that sound alike are in more" in each["says"] for each in found["wrong"])


@pytest.mark.parametrize(
    ("licence", "flags"),
    [
        ("CC-BY-4.0", []),
        ("CC BY-NC-SA 4.0", ["NC", "SA"]),
        ("cc-by-nd-4.0", ["ND"]),
        ("CC0-1.0", []),
        ("KOGL Type 4", ["NC", "ND"]),
        ("Creative Commons Attribution-NonCommercial", ["NC"]),
        ("own", []),
        ("Apache-2.0", []),
        ("sandbox", []),
    ],
)
def test_flags_are_read_off_the_licence(licence: str, flags: list[str]) -> None:
    assert licences.flags(licence) == flags


def test_share_alike_and_non_commercial_do_not_go_together() -> None:
    assert licences.conflicts(["CC-BY-4.0", "CC-BY-SA-4.0", "own"]) == []
    together = licences.conflicts(["CC-BY-SA-4.0", "CC-BY-NC-4.0"])
    assert len(together) == 2
    assert "separate corpora" in together[1]


def test_shares_are_told_in_per_cent_and_small_ones_are_not_nothing() -> None:
    rule = {each.name: each for each in rule_catalogue.RULES}
    assert wording.wanted(rule["clipped"], 0.002) == "at most 0.2 % of the samples clipped"
    assert wording.value(rule["clipped"], 0.00012) == "0.012 %"
    assert wording.value(rule["music"], 0.99999) == "> 99.9 %"
    assert wording.value(rule["noisy"], 12.345) == "12.35 dB"


@pytest.mark.parametrize(
    ("hours", "said"), [(0.0, "0 s"), (5 / 3600, "5 s"), (0.5, "30.0 min"), (13.2, "13.20 h"), (260.0, "260 h")]
)
def test_durations_are_told_in_a_unit_that_fits(hours: float, said: str) -> None:
    assert wording.duration(hours) == said


def test_how_a_source_was_collected_is_shown_or_asked_for(tmp_path: Path) -> None:
    wanted = recipe()
    assert "The recipe does not tell how its sources were collected" in written(tmp_path, [clip(0)], wanted)[0]
    told = wanted.source[0].model_copy(update={"people": HOSTILE, "domain": "news"})
    known = wanted.model_copy(update={"source": (told,)})
    html, _ = written(tmp_path, [clip(0)], known)
    assert "How each source was collected" in html
    assert "news" in html
    assert HOSTILE not in html
    assert "The recipe does not tell" not in html


def test_licences_that_rows_name_themselves_are_counted(tmp_path: Path) -> None:
    wanted = recipe()
    found = facts.gather(decided([clip(0), clip(1, licence="CC0-1.0")], wanted), wanted)
    assert [each["licence"] for each in found["licences"]["kept"]] == ["CC-BY-SA-4.0", "CC0-1.0"]
    assert sum(each["clips"] for each in found["licences"]["kept"]) == 2


@pytest.mark.parametrize(
    ("written", "proper"),
    [
        ("CC BY 4.0", "CC-BY-4.0"),
        ("cc-by-nc-sa 4.0", "CC-BY-NC-SA-4.0"),
        ("CC0", "CC0-1.0"),
        ("CC-BY-4.0", None),
        ("own", None),
    ],
)
def test_licences_have_one_name(written: str, proper: str | None) -> None:
    assert licences.spdx(written) == proper
