"""Khmer characters in the order of the encoding structure.

Sources: Unicode Technical Note #61 (Khmer Encoding Structure), the SIL Khmer Character Specification,
Unicode chapter 16.4. A syllable is base, robat, coengs (coeng ro last), shifter, vowel, signs, final
sign. In modern Khmer coeng da is written as coeng ta, which looks the same (UTN #61, "Coeng ta and
Coeng da").
"""

import functools
import re
import unicodedata

BASE = "\u1780-\u17a2\u17a5-\u17b3"
COENG, RO, BA = "\u17d2", "\u179a", "\u1794"
MUUSIKATOAN, TRIISAP = "\u17c9", "\u17ca"
U = "\u17bb"

_DEPRECATED = {  # deprecated or discouraged (UTN #61), with what they recommend instead; U+17A8 is neither
    "\u17a3": "\u17a2",
    "\u17a4": "\u17a2\u17b6",
    "\u17d8": "\u17d4\u179b\u17d4",
}
INHERENT = re.compile("[\u17b4\u17b5]")  # vowels that are never written; canonical text has none
_RARE = re.compile("[\u17a3\u17a4\u17dd]")
_OLD = re.compile(f"[{''.join(_DEPRECATED)}]")
_REPEATED_COENG = re.compile(rf"{COENG}{{2,}}")
# Combining classes put an atthacan between a coeng and its letter.
_SWAPPED_BY_NFC = re.compile(rf"(?<=[\u1780-\u17d1]){COENG}\u17dd([{BASE}])")
_LUNAR = re.compile(
    rf"\u17d4{COENG}\u17d4|(\u17e1?)([\u17e0-\u17e9]){COENG}\u17d4|\u17d4{COENG}(\u17e1?)([\u17e0-\u17e9])"
)
_MARKS = rf"(?:{COENG}[{BASE}]|[\u17b6-\u17d3\u17dd])"
_SYLLABLE = re.compile(rf"(?<!{COENG})([{BASE}\u25cc])({_MARKS}{{2,}}+)")  # one mark has nothing to be sorted with
_MARK = re.compile(rf"{COENG}[{BASE}]|.", re.DOTALL)
_COENG_DA = re.compile(rf"(?<=[\u1780-\u17d1\u17d3\u17dd]){COENG}\u178a")
_SPACED_REPEAT = re.compile(r"(?<=[\u1780-\u17d3\u17dd]) ៗ")

_ORDER = {
    **dict.fromkeys("\u17cc", 1),  # robat
    COENG: 2,  # without a letter
    **dict.fromkeys("\u17c9\u17ca", 4),  # shifters
    **dict.fromkeys("\u17be\u17bf\u17c0\u17c1\u17c2\u17c3\u17c4\u17c5", 5),  # vowels with a part before the base
    **dict.fromkeys("\u17bb\u17bc\u17bd", 6),  # below
    **dict.fromkeys("\u17b7\u17b8\u17b9\u17ba", 7),  # above
    **dict.fromkeys("\u17b6", 8),  # after
    **dict.fromkeys("\u17c6\u17cb\u17cd\u17ce\u17cf\u17d0\u17d1\u17d3\u17dd", 9),  # signs
    **dict.fromkeys("\u17c7\u17c8", 10),  # final signs
}
# A cluster with one of these and without BA is strong: what is pushed down below a vowel is its triisap.
_STRONG = frozenset("កខគឃចឆជឈដឋឌឍតថទធផពភឞសហអ")
_ABOVE = "(?:[\u17b7-\u17ba\u17be\u17dd]|\u17b6\u17c6)"
_CLUSTER = rf"(?:\u17cc|{COENG}[{BASE}])*+"
_PUSHED_STRONG = re.compile(rf"{_CLUSTER}(?:[\u17c1-\u17c5]?{U}(?={_ABOVE})|\u17be{U})")
_PUSHED_WEAK = re.compile(rf"{_PUSHED_STRONG.pattern}|{_CLUSTER}[\u17c1-\u17c3]?{U}(?=\u17d0)")


def ordered(text: str) -> str:
    """The text in canonical Khmer encoding; text that is already so comes back unchanged."""
    if not _RARE.search(text):
        return _ordered(text)
    for _ in range(6):  # NFC moves an atthacan, and a letter that was deprecated may take marks
        after = unicodedata.normalize("NFC", _ordered(text))
        if after == text:
            break
        text = after
    return text


def _ordered(text: str) -> str:
    text = _OLD.sub(lambda match: _DEPRECATED[match.group()], text)
    text = _SWAPPED_BY_NFC.sub(COENG + "\\1\u17dd", _REPEATED_COENG.sub(COENG, text))
    text = _COENG_DA.sub(COENG + "\u178f", text)
    text = _LUNAR.sub(_lunar, text)
    text = _SYLLABLE.sub(_sorted, text)
    return _SPACED_REPEAT.sub("ៗ", text)


def _sorted(match: re.Match[str]) -> str:
    """One syllable in order; as typed where a coeng without a letter would come to stand before the next letter."""
    marks = _settled(match[1], match[2])
    joins = marks.endswith(COENG) and match.string[match.end() : match.end() + 1] not in ("", " ")
    return match.group() if joins else match[1] + marks


def _lunar(match: re.Match[str]) -> str:
    """A lunar day written with a coeng over ។ or under it, as the one symbol for it (UTN #61, "Data Transition")."""
    above = match[2] is None and match[4] is None
    tens, units = (match[1], match[2]) if match[2] else (match[3], match[4])
    day = 0 if above else (10 if tens else 0) + ord(units) - 0x17E0
    return chr((0x19E0 if match[2] else 0x19F0) + day) if day <= 15 else match.group()


@functools.lru_cache(maxsize=20_000)
def _settled(base: str, marks: str) -> str:
    """The marks of one syllable, sorted until nothing moves; a pass shortens or sorts them, so a few are enough."""
    for _ in range(8):
        after = _syllable(base, marks)
        if after == marks:
            break
        marks = after
    return marks


def _syllable(base: str, marks: str) -> str:
    units = dict.fromkeys(sorted(_MARK.findall(marks), key=_place))  # the same mark twice looks like once
    return _shifted(base, _composed(_REPEATED_COENG.sub(COENG, "".join(units))))


def _place(unit: str) -> int:
    if len(unit) == 2:
        return 3 if unit[1] == RO else 2
    return _ORDER[unit]


def _composed(marks: str) -> str:
    """Vowels typed in parts become the one character that looks so (UTN #61, "Do not use")."""
    marks = marks.replace("\u17be\u17b6", "\u17c4\u17b8")
    marks = re.sub("\u17c1([\u17bb-\u17bd]?)\u17b8", "\u17be\\1", marks)
    return re.sub("\u17c1([\u17bb-\u17bd]?)\u17b6", "\u17c4\\1", marks)


def _shifted(base: str, marks: str) -> str:
    """A sign like -u below a vowel above is a consonant shifter pushed down; typed as -u, it becomes the shifter."""
    if U not in marks or MUUSIKATOAN in marks or TRIISAP in marks:
        return marks
    consonants = {base, *re.findall(rf"{COENG}(.)", marks)}
    strong = bool(consonants & _STRONG) and BA not in consonants
    shifter, pushed = (TRIISAP, _PUSHED_STRONG) if strong else (MUUSIKATOAN, _PUSHED_WEAK)
    match = pushed.match(marks)
    if not match:
        return marks
    kept = match.group().replace(U, "") + marks[match.end() :] + shifter
    return "".join(sorted(_MARK.findall(kept), key=_place))
