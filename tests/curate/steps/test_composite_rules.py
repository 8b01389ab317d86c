"""Rules made of several bounds: which of them count for a clip depends on who can hear its language."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.curate.steps.decided import broke, recipe_with


@pytest.fixture
def recipe(tmp_path: Path) -> Any:
    return partial(recipe_with, tmp_path)


KHMER = {"language": "km", **dict.fromkeys(["cer", "unheard", "extra", "wrong_words", "aligned"])}


def test_a_language_without_a_recogniser_is_judged_by_pace(recipe: Any) -> None:
    assert broke(recipe(), **KHMER) == []
    assert broke(recipe(), **KHMER, pace=99.0) == ["text_mismatch"]
    assert broke(recipe(), **KHMER, pace_z=4.0) == broke(recipe(), **KHMER, pace_z=-4.0) == []
    assert broke(recipe(), **KHMER, pace_z=4.01) == broke(recipe(), **KHMER, pace_z=-4.01) == ["text_mismatch"]
    assert broke(recipe("filter.text_mismatch.max_pace_z=false"), **KHMER, pace_z=9.0) == []
    assert broke(recipe(), pace_z=9.0) == []  # a recogniser knows better
    assert broke(recipe("models.asr.km=some/model@1"), **KHMER) == ["text_mismatch"]


@pytest.mark.parametrize(
    ("words", "seconds", "probability", "bad"),
    [
        ("ក|ខ|គ|ឃ", 2.0, 0.02, False),
        ("ក|ខ|គ|ឃ", 2.0, 0.0199, True),
        ("ក|ខ|គ|ឃ", 2.0, None, True),
        ("ក|ខ|គ", 2.0, 0.0, False),
        ("ក|ខ|គ|ឃ", 1.99, 0.0, False),
        (None, 2.0, 0.0, False),
    ],
)
def test_a_sentence_must_sound_like_its_language_where_nobody_hears_its_words(
    recipe: Any, words: str | None, seconds: float, probability: float | None, bad: bool
) -> None:
    values = {**KHMER, "words": words, "speech_seconds": seconds, "language_probability": probability}
    asked = ("filter.wrong_language=false", "filter.text_mismatch.min_language=0.02")
    assert broke(recipe(*asked), **values) == (["text_mismatch"] if bad else [])
    assert broke(recipe(*asked, "models.language=false"), **values) == []
    assert broke(recipe(asked[0]), **values) == []


def test_the_aligners_score_counts_where_the_recipe_names_an_aligner_and_a_limit(recipe: Any) -> None:
    asked = ("models.aligner.km=some/model@0", "filter.text_mismatch.min_ctc=0.3")
    assert broke(recipe(*asked), **KHMER, ctc_score=0.3) == []
    assert broke(recipe(*asked), **KHMER, ctc_score=0.29) == ["text_mismatch"]
    assert broke(recipe(*asked), **KHMER, ctc_score=None) == ["text_mismatch"]
    assert broke(recipe(asked[0]), **KHMER, ctc_score=0.0) == []
    assert broke(recipe(asked[1]), **KHMER, ctc_score=0.0) == []
