"""What a pattern cannot match without: told right, and no rule is left out where it would match."""

import re

import pytest

from curate.text import khmer, korean, markup
from curate.text.gates import DIGIT, needs, present
from curate.text.khmer.rules import rules_for
from curate.text.korean.rules import RULES as KOREAN
from curate.text.rules import DEFAULT, TextRule, rewrite
from tests.curate.text.test_cases import cases


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a", ["a"]),
        ("ab?", ["a"]),
        ("a*b+", ["b"]),
        ("(?:ab|cd)", ["ac"]),
        ("(?:ab|)", []),
        ("(?:a|^)b", ["b"]),
        ("[xyz]", ["xyz"]),
        ("[^x]", []),
        (r"\d", [DIGIT]),
        (r"[\d½]", [DIGIT + "½"]),
        (r"\d++-", ["-", DIGIT]),
        ("[가-힣]", []),  # too many to look for
        ("[a-c]", ["abc"]),
        ("(?<=a)b(?=c)", ["a", "b", "c"]),
        ("(?<!a)b(?!c)", ["b"]),
        ("(?i:a)b", ["b"]),
        ("(?>a)", ["a"]),
        (r"(a)\1", ["a"]),
        (".", []),
    ],
)
def test_what_every_match_has(pattern: str, expected: list[str]) -> None:
    found = ["".join(sorted(each - {DIGIT})) for each in needs(re.compile(pattern))]
    digits = [DIGIT in each for each in needs(re.compile(pattern))]
    assert sorted(zip(found, digits, strict=True)) == sorted(
        ("".join(sorted(each.replace(DIGIT, ""))), DIGIT in each) for each in expected
    )


def test_a_pattern_that_ignores_case_needs_nothing() -> None:
    assert needs(re.compile("a", re.IGNORECASE)) == ()


@pytest.mark.parametrize("digit", ["1", "១", "１"])
def test_a_digit_of_any_script_is_one(digit: str) -> None:
    assert DIGIT in present(f"a{digit}")
    assert DIGIT not in present("a½²")


@pytest.mark.parametrize(("language", "rules"), [("ko", KOREAN), ("km", rules_for("១", DEFAULT)), ("ko", markup.RULES)])
def test_no_rule_is_left_out_where_it_would_match(language: str, rules: tuple[TextRule, ...]) -> None:
    for _, _, written, _ in cases(language)[::7]:
        text = plain = (korean if language == "ko" else khmer).canonical(written)
        for rule in rules:
            plain = rule.pattern.sub(rule.read, plain)
        assert rewrite(text, rules)[0] == plain
