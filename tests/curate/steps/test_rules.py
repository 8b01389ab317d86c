"""Rules: a value on either side of its threshold, a value that is missing, and where a rule has nothing to say."""

from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curate import pipeline
from curate.recipe import Recipe
from curate.steps import rule_catalogue
from tests.curate.frames import clips
from tests.curate.steps.decided import broke, recipe_with


@pytest.fixture
def recipe(tmp_path: Path) -> Any:
    return partial(recipe_with, tmp_path)


def languages(declared: float, other: float) -> dict[str, Any]:
    return {"language_probability": declared, "other_probability": other}


def heard(confidence: float) -> dict[str, Any]:
    return {"text_from": "heard", "heard_confidence": confidence}


CASES = [  # rule, values it keeps, values it drops
    ("too_short", {"seconds": 1.0}, {"seconds": 0.9999}),
    ("too_long", {"seconds": 30.0}, {"seconds": 30.0001}),
    ("no_speech", {"speech_seconds": 0.3, "seconds": 1.2}, {"speech_seconds": 0.299}),
    ("music", {"music": 0.5}, {"music": 0.501}),
    ("noise", {"noise": 0.5, "speech_seconds": 0.4}, {"noise": 0.501, "speech_seconds": 0.4}),
    ("noise", {"noise": 0.9, "speech_seconds": 1.0}, {"noise": 0.9, "speech_seconds": 0.999}),
    ("clipped", {"clipped": 0.002}, {"clipped": 0.00201}),
    ("narrow_band", {"bandwidth": 5000.0}, {"bandwidth": 4999.0}),
    ("noisy", {"snr": 15.0}, {"snr": 14.99}),
    ("low_quality", {"dnsmos": 2.0}, {"dnsmos": 1.999}),
    ("dropout", {"dropout": 0.5}, {"dropout": 0.9}),
    ("several_speakers", {"second_voice": 0.15}, {"second_voice": 0.151}),
    ("several_speakers", {"second_voice": None, "voices": 0}, {"second_voice": None, "voices": None}),
    ("several_speakers", {"other_voice": 0.15}, {"other_voice": 0.151}),
    ("several_speakers", {"overlap": 0.08}, {"overlap": 0.081}),
    ("several_speakers", {"voice_similarity": 0.55}, {"voice_similarity": 0.549}),
    ("several_speakers", {"voice_similarity": None}, {"voice_similarity": None, "overlap": None}),
    ("several_speakers", {"voices": 0, "second_voice": None}, {"voices": 0, "second_voice": None, "overlap": 0.5}),
    ("wrong_language", languages(0.01, 0.8599), languages(0.0499, 0.86)),
    ("wrong_language", languages(0.05, 0.94), languages(0.04, 0.94)),
    ("no_text", {"text_from": "heard"}, {"text": None, "text_from": None, "spoken": None}),
    ("text_unreadable", {"unreadable": None}, {"unreadable": "☃"}),
    ("text_unreadable", {"spoken": "말"}, {"spoken": ""}),
    ("text_mismatch", {"cer": 0.75}, {"cer": 0.7501}),
    ("text_mismatch", {"unheard": 0.2}, {"unheard": 0.2001}),
    ("text_mismatch", {"extra": 0.2}, {"extra": 0.2001}),
    ("text_mismatch", {"aligned": 0.25}, {"aligned": 0.2499}),
    ("text_mismatch", {"pace": 2.0}, {"pace": 1.99}),
    ("text_mismatch", {"pace": 30.0}, {"pace": 30.01}),
    ("text_mismatch", heard(0.6), heard(0.5999)),
    ("text_mismatch", heard(0.9) | {"heard_agreement": 0.9}, heard(0.9) | {"heard_agreement": 0.8999}),
    ("chopped", {"head_edge": -10.0}, {"head_edge": -9.99}),
    ("chopped", {"tail_edge": -10.0}, {"tail_edge": -9.99}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "good", "bad"), CASES)
def test_each_rule_draws_its_line_at_its_threshold(
    recipe: Any, rule: str, good: dict[str, Any], bad: dict[str, Any]
) -> None:
    assert broke(recipe()) == []
    assert broke(recipe(), **good) == []
    assert rule in broke(recipe(), **bad)


MEASURED = [
    ("noisy", {"snr": None}),
    ("clipped", {"clipped": None}),
    ("narrow_band", {"bandwidth": None}),
    ("music", {"music": None}),
    ("noise", {"noise": None}),
    ("low_quality", {"dnsmos": None}),
    ("several_speakers", {"second_voice": None}),
    ("several_speakers", {"other_voice": None}),
    ("several_speakers", {"overlap": None}),
    ("wrong_language", {"language_probability": None, "other_probability": None}),
    ("text_mismatch", {"cer": None}),
    ("text_mismatch", {"aligned": None}),
    ("text_mismatch", {"pace": None}),
    ("text_mismatch", {"unheard": None}),
    ("text_mismatch", {"extra": None}),
    ("text_mismatch", {"text_from": "heard", "heard_confidence": None}),
    ("text_mismatch", {"text_from": "heard", "heard_agreement": None}),
    ("chopped", {"head_edge": None, "tail_edge": None}),
]


@pytest.mark.parametrize(("rule", "unmeasured"), MEASURED)
def test_unmeasured_is_not_good(recipe: Any, rule: str, unmeasured: dict[str, Any]) -> None:
    assert broke(recipe(), **unmeasured) == [rule]


ELSEWHERE = [  # rule, a bad value where the rule has nothing to say, why
    ("too_long", {"seconds": 99.0, "speech_seconds": 0.2}, "less than 0.3 s of speech"),
    ("no_speech", {"speech_seconds": 0.0, "music": 0.9}, "it is music or noise"),
    ("clipped", {"clipped": None, "speech_seconds": 0.2}, "less than 0.3 s of speech"),
    ("noisy", {"snr": None, "speech_seconds": 0.2}, "less than 0.3 s of speech"),
    ("low_quality", {"dnsmos": 1.0, "speech_seconds": 0.2}, "less than 0.3 s of speech"),
    ("wrong_language", {**languages(0.0, 1.0), "speech_seconds": 1.9}, "less than 2 s of speech"),
    ("text_unreadable", {"text": None, "text_from": None, "spoken": None, "unreadable": "x"}, "there is no text"),
    ("text_mismatch", {"text": None, "text_from": None, "spoken": None, "cer": None}, "there is no text"),
    ("chopped", {"head_edge": 0.0, "speech_seconds": 0.1}, "less than 0.3 s of speech"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "values", "why"), ELSEWHERE)
def test_a_rule_says_nothing_where_it_does_not_apply_and_says_why(
    recipe: Any, rule: str, values: dict[str, Any], why: str
) -> None:
    assert rule not in broke(recipe(), **values)
    assert said(recipe(), rule, **values) == why
    assert said(recipe(), rule) is None


def said(wanted: Recipe, rule: str, **values: Any) -> str | None:
    each = next(r for r in [*rule_catalogue.checks(wanted), rule_catalogue.duplicate(wanted)] if r.rule.name == rule)
    found: str | None = clips([values]).select(each.why().alias("why")).item()
    return found


def test_an_unreadable_file_breaks_that_and_nothing_else(recipe: Any) -> None:
    nothing = dict.fromkeys(
        ["speech", "speech_seconds", "seconds", "snr", "text", "text_from", "spoken", "music", "noise"]
    )
    assert broke(recipe(), **nothing, error="no such file") == ["unreadable"]


@pytest.mark.parametrize(
    ("rule", "bad", "off"),
    [
        ("no_speech", {"speech_seconds": 0.1}, "filter.no_speech=false"),
        ("music", {"music": 1.0}, "filter.music=false"),
        ("noise", {"noise": 1.0, "speech_seconds": 0.1}, "filter.noise=false"),
        ("clipped", {"clipped": 1.0}, "filter.clipped=false"),
        ("narrow_band", {"bandwidth": 1.0}, "filter.narrow_band=false"),
        ("noisy", {"snr": None}, "filter.noisy=false"),
        ("low_quality", {"dnsmos": None}, "filter.low_quality=false"),
        ("low_quality", {"dnsmos": None}, "filter.low_quality.dnsmos=false"),
        ("low_quality", {"dnsmos": None}, "models.quality=[]"),
        ("several_speakers", {"second_voice": 1.0}, "filter.several_speakers=false"),
        ("several_speakers", {"overlap": 1.0}, "filter.several_speakers=false"),
        ("several_speakers", {"overlap": 1.0}, "filter.overlap=false"),
        ("several_speakers", {"voice_similarity": 0.1}, "filter.voice_similarity=false"),
        ("several_speakers", {"second_voice": 1.0, "overlap": None}, "models.turns=false"),
        ("wrong_language", languages(0.0, 1.0), "filter.wrong_language=false"),
        ("wrong_language", languages(0.0, 1.0), "models.language=false"),
        ("no_text", {"text": None, "text_from": None, "spoken": None}, "filter.no_text=false"),
        ("text_unreadable", {"unreadable": "x"}, "filter.text_unreadable=false"),
        ("text_mismatch", {"pace": 99.0}, "filter.text_mismatch=false"),
        ("text_mismatch", {"pace": 99.0}, "filter.text_mismatch.max_pace=false"),
        ("text_mismatch", {"pace": 0.1}, "filter.text_mismatch.min_pace=false"),
        ("text_mismatch", {"cer": 1.0}, "filter.text_mismatch.max_cer=false"),
        ("text_mismatch", {"aligned": 0.0}, "filter.text_mismatch.min_aligned=false"),
        ("text_mismatch", {"cer": 1.0, "aligned": None}, "models.asr={}"),
        ("text_mismatch", {"unheard": 0.5}, "filter.text_mismatch.max_unheard=false"),
        ("text_mismatch", {"extra": 0.5}, "filter.text_mismatch.max_extra=false"),
        ("text_mismatch", {"text_from": "heard", "heard_agreement": 0.1}, "filter.heard_agreement=false"),
        ("chopped", {"head_edge": 0.0}, "filter.chopped=false"),
    ],
)
def test_false_switches_a_rule_off(recipe: Any, rule: str, bad: dict[str, Any], off: str) -> None:
    assert rule in broke(recipe(), **bad)
    assert rule not in broke(recipe(off), **bad)


def test_zero_is_the_strictest_threshold_and_not_off(recipe: Any) -> None:
    assert broke(recipe("filter.music=0"), music=0.001) == ["music"]
    assert broke(recipe("filter.clipped=0"), clipped=0.00001) == ["clipped"]


def test_music_and_noise_are_called_that_and_silence_no_speech(recipe: Any) -> None:
    empty = {"speech_seconds": 0.0, "speech": []}
    assert broke(recipe(), **empty, music=0.9)[0] == "music"
    assert broke(recipe(), **empty, noise=0.9)[0] == "noise"
    assert broke(recipe(), **empty) == ["no_speech"]
    assert broke(recipe("models.events=false"), **empty, music=None, noise=None) == ["no_speech"]


def test_of_the_same_audio_one_is_kept_and_the_other_names_it(recipe: Any) -> None:
    twin = [{"id": "b", "similarity": 0.9}], [{"id": "a", "similarity": 0.9}]
    frame = clips([{"id": "a", "similar": twin[0], "snr": 1.0}, {"id": "b", "similar": twin[1]}])
    found = pipeline.decide(recipe(), frame, until="filter")
    assert found.select("id", "drop", "duplicate_of").rows() == [("a", "noisy", "b"), ("b", None, None)]
    assert found["broke"].to_list() == [["noisy", "duplicate"], []]
    off = pipeline.decide(recipe("filter.duplicate=false"), frame, until="filter")
    assert off["broke"].to_list() == [["noisy"], []]
    assert pipeline.decide(recipe("filter.duplicate=0.95"), frame, until="filter")["broke"].to_list() == [["noisy"], []]


def test_broke_is_in_the_order_of_the_rules_and_drop_is_its_first(recipe: Any) -> None:
    worst = {
        "head_edge": 0.0,
        "snr": 0.0,
        "clipped": 0.5,
        "seconds": 40.0,
        "dnsmos": 1.0,
        "unreadable": "x",
        "cer": 1.0,
        "music": 0.9,
    }
    found = pipeline.decide(recipe(), clips([worst, {}]), until="filter")
    expected = ["too_long", "music", "clipped", "noisy", "low_quality", "text_unreadable", "text_mismatch", "chopped"]
    assert found["broke"].to_list() == [expected, []]
    assert found["drop"].to_list() == ["too_long", None]
    again = pipeline.decide(recipe(), found, until="filter")
    assert again.equals(found)


DECIDED_LATER = ("leak", "capped", "surplus")  # test_held_out.py, test_balance.py


def test_every_rule_has_a_case_here_and_its_place_in_the_order(recipe: Any) -> None:
    names = [check.rule.name for check in rule_catalogue.checks(recipe())] + ["duplicate"]
    assert names == [name for name in rule_catalogue.ORDER if name not in DECIDED_LATER]
    tried = {rule for rule, *_ in CASES} | {"unreadable", "duplicate", "rejected"}  # rejected: test_verdicts.py
    assert set(names) == tried


def test_no_clip_is_lost_and_nothing_measured_is_changed(recipe: Any) -> None:
    frame = clips([{}, {"snr": 1.0}, {"speech": None, "speech_seconds": None, "error": "x"}])
    found = pipeline.decide(recipe(), frame, until="filter")
    decided = ["broke", "drop", "duplicate_of"]
    assert found.drop(decided).equals(frame.drop(decided))
    assert found.columns == frame.columns


def test_rules_work_on_no_clips_at_all(recipe: Any) -> None:
    assert pipeline.decide(recipe(), clips([{}]).clear(), until="filter").filter(pl.lit(True)).height == 0
