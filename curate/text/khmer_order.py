"""Khmer characters in the order of the encoding structure.

Sources: Unicode Technical Note #61 (Khmer Encoding Structure), the SIL Khmer Character Specification,
Unicode chapter 16.4. A syllable is base, robat, coengs (coeng ro last), shifter, vowel, signs, final
sign. In modern Khmer coeng da is written as coeng ta, which looks the same (UTN #61, "Coeng ta and
Coeng da").
"""

import re

BASE = "\u1780-\u17a2\u17a5-\u17b3"
COENG, RO, BA = "\u17d2", "\u179a", "\u1794"
MUUSIKATOAN, TRIISAP = "\u17c9", "\u17ca"
U = "\u17bb"

_DEPRECATED = {  # Unicode code charts: deprecated or discouraged, with what they recommend instead
    "\u17a3": "\u17a2",
    "\u17a4": "\u17a2\u17b6",
    "\u17a8": "\u17a7\u1780",
    "\u17b4": "",
    "\u17b5": "",
    "\u17d8": "\u17d4\u179b\u17d4",
}
_MARKS = rf"(?:{COENG}[{BASE}]|[\u17b6-\u17d3\u17dd])"
_SYLLABLE = re.compile(rf"([{BASE}\u25cc])({_MARKS}++)")
_MARK = re.compile(rf"{COENG}[{BASE}]|.", re.DOTALL)
_SPACED_REPEAT = re.compile(r"(?<=[\u1780-\u17d3\u17dd]) ៗ")

_ORDER = {
    **dict.fromkeys("\u17cc", 1),  # robat
    **dict.fromkeys("\u17c9\u17ca", 4),  # shifters
    **dict.fromkeys("\u17be\u17bf\u17c0\u17c1\u17c2\u17c3\u17c4\u17c5", 5),  # vowels with a part before the base
    **dict.fromkeys("\u17bb\u17bc\u17bd", 6),  # below
    **dict.fromkeys("\u17b7\u17b8\u17b9\u17ba", 7),  # above
    **dict.fromkeys("\u17b6", 8),  # after
    **dict.fromkeys("\u17c6\u17cb\u17cd\u17ce\u17cf\u17d0\u17d1\u17d3\u17dd", 9),  # signs
    **dict.fromkeys("\u17c7\u17c8", 10),  # final signs
    COENG: 11,  # a coeng with nothing to stand on stays last
}
# Consonants that a triisap shifts; the sonorants (and BA, and independent vowels) take a muusikatoan.
_STRONG = frozenset("កខគឃចឆជឈដឋឌឍតថទធផពភឞសហអ")
_ABOVE = re.compile("[\u17b7-\u17ba\u17be\u17bf\u17d0\u17dd]|\u17b6\u17c6")


def ordered(text: str) -> str:
    """The text in canonical Khmer encoding; text that is already so comes back unchanged."""
    for old, new in _DEPRECATED.items():
        text = text.replace(old, new)
    text = _SYLLABLE.sub(lambda match: _settled(match[1], match[2]), text)
    return _SPACED_REPEAT.sub("ៗ", text)


def _settled(base: str, marks: str) -> str:
    """One syllable, ordered again until nothing moves; every pass shortens it or sorts it, so a few are enough."""
    for _ in range(8):
        after = _syllable(base, marks)
        if after == marks:
            break
        marks = after
    return base + marks


def _syllable(base: str, marks: str) -> str:
    units = _MARK.findall(marks)
    units = [unit for at, unit in enumerate(units) if unit != COENG or at == len(units) - 1]
    units = ["\u17d2\u178f" if unit == "\u17d2\u178a" else unit for unit in units]
    units = list(dict.fromkeys(sorted(units, key=_place)))  # the same mark twice looks like once
    return _shifted(base, _composed("".join(units)))


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
    if U not in marks or MUUSIKATOAN in marks or TRIISAP in marks or not _ABOVE.search(marks):
        return marks
    consonants = {base, *re.findall(rf"{COENG}(.)", marks)}
    shifter = TRIISAP if consonants & _STRONG and BA not in consonants else MUUSIKATOAN
    units = _MARK.findall(marks.replace(U, "") + shifter)
    return "".join(sorted(units, key=_place))
