"""What is written for the eye goes, what was said stays, and each removal is a change with its rule."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.text import normalise, steps
from curate.text.cleaning import clean
from curate.text.markup import RULES, without_markup
from curate.text.quotes import stray_quotes

REMOVED = [  # language, written, spoken, the rules that did it
    ("km", "<b>ដិត</b> និង <i>ទ្រេត</i>", "ដិត និង ទ្រេត", ["tag"]),
    ("ko", "<p>하나</p><p>둘</p>", "하나 둘", ["tag"]),
    ("ko", "말<br/>글", "말 글", ["tag"]),
    ("ko", '<span style="color: red">빨강</span>', "빨강", ["tag"]),
    ("ko", '<speak><prosody rate="slow">천천히</prosody></speak>', "천천히", ["tag"]),
    ("ko", "<v 철수>안녕</v>", "안녕", ["tag"]),
    ("km", "[b]ដិត[/b]", "ដិត", ["tag"]),
    ("ko", "<!-- 숨김 -->말", "말", ["hidden"]),
    ("ko", "<script>var a = 1;</script>말", "말", ["hidden"]),
    ("ko", "{\\an8}자막", "자막", ["hidden"]),
    ("km", "ទំនិញ&nbsp;ថ្មី", "ទំនិញ ថ្មី", ["entity"]),
    ("km", "&#6016;&#x1781;", "កខ", ["entity"]),
    ("ko", "&lt;b&gt;굵게&lt;/b&gt;", "굵게", ["entity", "tag"]),
    ("ko", "&amp;amp;lt;b&gt;굵게", "굵게", ["entity", "tag"]),
    ("ko", "그는 **중요**한 *말*을 했다", "그는 중요한 말을 했다", ["emphasis"]),
    ("km", "នេះ*សំខាន់*ណាស់", "នេះសំខាន់ណាស់", ["emphasis"]),
    ("ko", "***모두*** ~~지움~~ ==칠함== `글자` __밑줄__", "모두 지움 칠함 글자 밑줄", ["emphasis"]),
    ("ko", "'''굵게''' ''기울임''", "굵게 기울임", ["emphasis"]),
    ("ko", "## 제목", "제목", ["heading"]),
    ("km", "> សម្រង់", "សម្រង់", ["quotation"]),
    ("ko", "- [x] 할 일", "할 일", ["bullet"]),
    ("km", "+ ផ្នែក", "ផ្នែក", ["bullet"]),
    ("ko", "• 항목", "항목", ["bullet"]),
    ("ko", "[누리집](https://a.kr/b) 참고", "누리집 참고", ["link"]),
    ("ko", "![그림](a.png)글", "글", ["link"]),
    ("ko", "[[문서|글]]", "글", ["link"]),
    ("km", "ប្រវត្តិ[1] ខ្មែរ[២៣]", "ប្រវត្តិ ខ្មែរ", ["reference"]),
    ("ko", "연구[1][2], 결과 [3-5].", "연구, 결과.", ["reference"]),
    ("ko", "사실[출처 필요]이다", "사실이다", ["reference"]),
    ("ko", "단어<sup>1</sup>", "단어", ["power"]),
    ("ko", "[laughs] 네", "네", ["stage direction"]),
    ("ko", "그래요(웃음). 네", "그래요. 네", ["stage direction"]),
    ("ko", "(웃음) 네", "네", ["stage direction"]),
    ("ko", "감사합니다. (박수)", "감사합니다.", ["stage direction"]),
    ("ko", "[음악] 안녕", "안녕", ["stage direction"]),
    ("km", "បាទ (សើច) ល្អ", "បាទ ល្អ", ["stage direction"]),
    ("km", "[soft music playing] {noise} <laugh/> *sighs* បាទ", "បាទ", ["stage direction"]),
    ("km", "♪ ចម្រៀង ♫", "ចម្រៀង", ["music"]),
    ("ko", "[00:12.50] 노래", "노래", ["timestamp"]),
    ("ko", "00:00:01,000 --> 00:00:04,000", "", ["timestamp"]),
    ("ko", "첫째\\N둘째", "첫째 둘째", ["line break"]),
    ("km", "ផលិតផល* ថ្មី", "ផលិតផល ថ្មី", ["note"]),
    ("km", 'គាត់ថា "បាទ', "គាត់ថា បាទ", ["stray quote"]),
    ("ko", "말했다' 라고", "말했다 라고", ["stray quote"]),
    ("ko", "“그래", "그래", ["stray quote"]),
]
KEPT = [  # language, text that no rule of markup touches
    ("km", "a < b"),
    ("km", "a<b និង c>d"),
    ("km", "3 * 4 * 5"),
    ("ko", "2*3*4"),
    ("ko", "김*수와 이*영"),
    ("km", "[a, b]"),
    ("ko", "x = [1, 2, 3]"),
    ("ko", "구간 [1, 5]"),
    ("ko", "배열 a[1] 값"),
    ("km", "តម្លៃ [១០-២០] ដុល្លារ"),
    ("km", "snake_case ឈ្មោះ"),
    ("km", "ឈ្មោះ ___ អាយុ ___"),
    ("ko", "^_^ 좋아 ^_^"),
    ("ko", "안녕~~ 하이~~"),
    ("km", "ខ្ញុំ (អ្នក) គាត់"),
    ("km", "រោគសញ្ញា (ក្អក) ធ្ងន់"),
    ("ko", "과목(음악)과 증상(기침)"),
    ("km", "laugh (សើច)"),
    ("km", "> 50%"),
    ("km", "*100#"),
    ("ko", "'ls'이며 `file' 값과 it's 것"),
    ("ko", 'it\'s "ok"'),
    ("km", 'TV 55"'),
    ("km", "តម្លៃ $5 & ៥%"),
    ("km", "https://a.com/b_c_d"),
    ("ko", "--- === ***"),
]
RULE_NAMES = {rule.name for rule in RULES} | {"stray quote"}


@pytest.mark.parametrize(("language", "written", "spoken", "rules"), REMOVED)
def test_markup_goes_by_a_named_rule_and_what_was_said_stays(
    language: str, written: str, spoken: str, rules: list[str]
) -> None:
    result = steps(written, language)
    assert result.text == spoken
    assert list(dict.fromkeys(each.rule for each in result.changes if each.rule in RULE_NAMES)) == rules
    assert normalise(spoken, language) == spoken


@pytest.mark.parametrize(("language", "written"), KEPT)
def test_what_only_looks_like_markup_stays(language: str, written: str) -> None:
    assert not [each for each in steps(written, language).changes if each.rule in RULE_NAMES]


@pytest.mark.parametrize("language", ["km", "ko"])
def test_canonical_text_keeps_its_markup(language: str) -> None:
    assert normalise("<b>x</b> &amp; *y* [laughs]", language, "canonical") == "<b>x</b> &amp; *y* [laughs]"


@pytest.mark.parametrize(
    ("text", "stray"),
    [
        ('"a" "b"', []),
        ('a "b', [2]),
        ('a" b', [1]),
        ('"a" b"', [5]),
        ('5" a', []),
        ('55" "a"', []),
        ("“a” “b", [4]),
        ("»a«", [0, 2]),
        ("it's students' 5' '90", [18]),
        ("'가'와 '나", [5]),
    ],
)
def test_a_quote_without_a_partner_is_found(text: str, stray: list[int]) -> None:
    assert stray_quotes(text) == stray


SIGNS = st.text(st.sampled_from(list("<>[](){}*_~=`#&;!'\"/\\|^ .:-0123abកខ가웃음♪“”«»")), max_size=30)


@settings(max_examples=300, deadline=None)
@given(text=SIGNS)
def test_letters_outlive_any_signs_around_them(text: str) -> None:
    plain, changes = without_markup(text, clean)
    assert len(plain.splitlines()) <= 1
    assert bool(changes) or plain == text
    said = iter(plain)
    if not re.search(r"[&{\[#`]|<[a-zA-Z!/?]|웃|♪", text):  # no entity, link, reference, tag or note to take some along
        assert all(letter in said for letter in re.findall("[abកខ가]", text))


@pytest.mark.parametrize("language", ["km", "ko"])
@settings(max_examples=100, deadline=None)
@given(text=SIGNS)
def test_what_is_left_of_markup_is_final(language: str, text: str) -> None:
    once = normalise(text, language)
    assert normalise(once, language) == once
