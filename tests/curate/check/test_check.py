"""A recipe checked before hours are spent: what stops a run is an error, what one should know a warning."""

import json
from pathlib import Path

from curate.check import as_text, check
from tests.curate.check.studio import studio, warned


def test_a_sound_recipe_is_told_in_full(tmp_path: Path) -> None:
    facts = check(studio(tmp_path))
    source = facts["sources"][0]
    assert (source["files"], source["missing"]["files"], source["with_text"], source["speakers"]) == (3, 0, 3, 3)
    assert source["hours"] == {"hours": round(3 / 3600, 4), "exact": True, "opened": 3, "unreadable": []}
    assert source["languages"] == {"km": 1, "ko": 2}
    assert facts["languages"]["ko"]["asr"] == "bundled"
    assert facts["languages"]["km"]["asr"] is None
    assert {"use": "speech", "language": None, "name": "silero", "kind": "package"} in facts["models"]
    json.dumps(facts, allow_nan=False)
    assert "3 of 3 files are there" in as_text(facts)


def test_rules_switched_off_are_told(tmp_path: Path) -> None:
    recipe = studio(tmp_path, filter={"noisy": False, "text_mismatch": False})
    assert check(recipe)["rules_off"] == ["noisy", "text_mismatch"]
    assert warned(recipe, "noisy, text_mismatch")
    assert check(studio(tmp_path))["rules_off"] == []
