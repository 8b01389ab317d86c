"""Every key of `train listen analyse --json` that the project's design fixes, by name, place and type."""

import json
import re

import pytest

from tests.train.listen.test_analysis import RANKS, rated, run, write

# The design's own words; `same` is what stands before it, a bare name is a value of its own.
DESIGN = """{"comparisons": [{"language", "baseline", "condition", "listeners", "sentences", "mos_baseline", "mos",
"difference", "by_listener": {"w", "p_exact", "p_asymptotic"}, "by_sentence": {same}, "crossed": {"t", "df", "p",
"ci": [low, high]}, "hodges_lehmann": {"estimate", "ci"}, "rank_biserial", "p_holm", "non_inferior"}], "excluded":
[...]}"""
TEXT, COUNT, TRUTH = ("language", "baseline", "condition"), ("listeners", "sentences"), ("non_inferior",)


def fixed() -> dict:
    """The words as nested keys: a leaf is None."""
    text = DESIGN.replace("{same}", '{"w", "p_exact", "p_asymptotic"}').replace("[low, high]", "null")
    text = text.replace("[...]", "null").replace("[{", "{").replace("}]", "}")
    return json.loads(re.sub(r'("\w+")(?=\s*[,}])', r"\1: null", text))


def check(value, keys, name):
    if isinstance(keys, dict):
        assert isinstance(value, dict), name
        assert keys.keys() <= value.keys(), name
        for key, inner in keys.items():
            check(value[key], inner, key)
    elif name == "ci":
        assert len(value) == 2, name
        assert all(type(end) is float for end in value), name
        assert value[0] <= value[1]
    else:
        wanted = str if name in TEXT else int if name in COUNT else bool if name in TRUTH else float
        assert type(value) is wanted, (name, value)


@pytest.mark.parametrize("design", ["full", "latin"])
def test_every_key_of_the_design_is_there_with_its_type(tmp_path, monkeypatch, capsys, design):
    file = write(tmp_path / "ratings.csv", rated(design, languages=("km", "ko")))
    code, out, _ = run(monkeypatch, capsys, "analyse", file, "--baseline", "zero-shot", "--json")
    assert code == 0
    facts, keys = json.loads(out), fixed()
    assert list(keys) == ["comparisons", "excluded"]
    assert len(keys["comparisons"]) == 15
    assert facts["excluded"] == []
    assert [(each["language"], each["condition"]) for each in facts["comparisons"]] == [
        (language, name) for language in ("km", "ko") for name in RANKS[1:]
    ]
    for each in facts["comparisons"]:
        check(each, keys["comparisons"], "comparisons")
        assert (each["baseline"], each["listeners"], each["sentences"]) == ("zero-shot", 12, 12)
        assert each["difference"] == pytest.approx(each["mos"] - each["mos_baseline"])


def test_who_is_excluded_is_listed_with_the_rule_and_why(tmp_path, monkeypatch, capsys):
    rows = [(*row, "yes") for row in rated()]
    rows = [(*row[:5], "no") if row[0] == "km00" else row for row in rows]
    file = write(tmp_path / "ratings.csv", rows, ("listener", "sentence", "language", "condition", "rating", "native"))
    words = ("analyse", file, "--baseline", "zero-shot", "--exclude", "native", "--json")
    code, out, _ = run(monkeypatch, capsys, *words)
    assert code == 0
    assert json.loads(out)["excluded"] == [
        {"language": "km", "listener": "km00", "rule": "native", "why": "not a native speaker"}
    ]
