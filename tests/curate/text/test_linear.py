"""A text takes time in proportion to its length, and no rule is tried where it can find nothing.

Work is counted (rules tried on so many characters, matches read), never timed: what the patterns do inside is kept
linear by how they are written (`TextRule`).
"""

import re

import pytest

from curate.text import normalise, rules, steps
from curate.text.korean.rules import RULES, rules_for
from curate.text.rules import rewrite
from tests.curate.text.test_cases import cases

LINES = {
    "ko": [
        "어제 사과 3개를 2,500원에 샀다. (정말) ",
        "½",
        "010-1234-5678 ",
        "그는 말이 없었다. ",
        "[1] <b>가</b> & ",
        "3~5km~",
    ],
    "km": ["គាត់ទិញផ្លែឈើ ៣គីឡូ តម្លៃ ១២,៥០០៛។ ", "½", "012 345 678 ", "គាត់ទៅផ្សារ។ ", "[1] <b>ក</b> & ", "ធំៗ"],
}


class Counted:
    """A pattern that counts the characters it is tried on and the matches it gives."""

    def __init__(self, pattern: re.Pattern[str], work: list[int]) -> None:
        self.pattern, self.work = pattern, work

    def sub(self, read: object, text: str) -> str:
        self.work[0] += len(text)
        after, matches = self.pattern.subn(read, text)  # type: ignore[call-overload]
        self.work[0] += matches
        return str(after)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The work of every rule tried from here on, in characters and matches."""
    done = [0]

    def counting(text: str, each: object) -> object:
        counted = []
        for rule in each:  # type: ignore[attr-defined]
            counted.append(rules.TextRule(rule.name, Counted(rule.pattern, done), rule.read))  # type: ignore[arg-type]
            vars(counted[-1])["needs"] = rule.needs
        return rewrite(text, counted)

    for module in ("curate.text.korean", "curate.text.khmer", "curate.text.markup"):
        monkeypatch.setattr(f"{module}.rewrite", counting)
    return done


@pytest.mark.parametrize(("language", "piece"), [(name, piece) for name, several in LINES.items() for piece in several])
def test_four_times_the_text_is_four_times_the_work(language: str, piece: str, work: list[int]) -> None:
    normalise(piece * 50, language)
    once = work[0]
    work[0] = 0
    normalise(piece * 200, language)
    assert work[0] <= 4.2 * once + 10_000


@pytest.mark.parametrize("language", ["ko", "km"])
def test_text_without_anything_to_read_is_canonical_at_no_cost(language: str, work: list[int]) -> None:
    assert (
        steps({"ko": "그는 말이 없었다. ", "km": "គាត់ទៅផ្សារ។ "}[language] * 50, language, "canonical").unreadable == ""
    )
    assert work[0] == 0


def test_plain_hangul_meets_no_rule(work: list[int]) -> None:
    normalise("그는 말이 없었다. " * 50, "ko")
    assert work[0] == 0


def test_the_rules_left_out_would_have_found_nothing() -> None:
    texts = [written for _, form, written, _ in cases("ko") if form != "canonical"]
    texts += [re.sub(r"[\d½¼¾\u2150-\u2188\u2460-\u24ff\u3200-\u33ff]", "", text) for text in texts]
    texts += [re.sub("[^가-힣ㄱ-ㅎㅏ-ㅣ ,.?!…]", "", text) for text in texts]
    differ = [text for text in dict.fromkeys(texts) if rewrite(text, rules_for(text))[0] != rewrite(text, RULES)[0]]
    assert differ == []
    assert len(rules_for("서울~부산")) < len(RULES) / 2
