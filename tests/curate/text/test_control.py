"""What stands in the control channel: the tag and its control words, and never a parenthesis of the text itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.text import control


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("말 (뜻) 더", "말 (뜻) 더"),
        ("(괄호)시작", "괄호 시작"),
        ("(괄호) 시작", "괄호 시작"),
        ("（괄호）시작", "괄호 시작"),
        ("(괄호), 그리고", "괄호, 그리고"),
        ("((가) 나) 다", "가 나 다"),
        ("(가)(나) 다", "가(나) 다"),
        ("(열린 문장", "열린 문장"),
        ("(((", ""),
        ("()", ""),
        (" \u200b(សើច)សួស្តី", "សើច សួស្តី"),
        ("\n두  줄\t말 ", "두 줄 말"),
        ("[음악] 말", "[음악] 말"),
        ('"(가)" 나', '"(가)" 나'),
        ("", ""),
    ],
)
def test_a_text_begins_with_no_parenthesis_and_keeps_its_words(text: str, written: str) -> None:
    assert control.plain(text) == written


@given(st.text(alphabet="(（)） 가a,\u200b\n", max_size=12))
def test_no_text_begins_with_a_parenthesis_or_changes_when_written_again(text: str) -> None:
    written = control.plain(text)
    assert not control.BEGINS.match(written)
    assert control.plain(written) == written
    assert [each for each in written if each in "가a,"] == [each for each in text if each in "가a,"]


@pytest.mark.parametrize(
    ("tag", "tagged"),
    [
        ("(Korean)", "(Korean, slow, loud)"),
        ("(Korean) ", "(Korean, slow, loud) "),
        ("<Korean>", "<Korean>(slow, loud)"),
        ("Korean) ", "Korean) (slow, loud)"),
        ("", "(slow, loud)"),
    ],
)
def test_control_words_share_the_parenthesis_of_the_tag(tag: str, tagged: str) -> None:
    assert control.with_words(tag, "slow, loud") == tagged
    assert control.without_words(tagged, "slow, loud") == tag
    assert control.with_words(tag, None) == control.with_words(tag, "") == tag
    assert control.without_words(tagged, None) == tagged
