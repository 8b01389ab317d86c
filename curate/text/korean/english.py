"""English words in Hangul: CMUdict's phonemes written by 외래어 표기법 제3장 제1절, helped by the spelling.

CMUdict is American and the rules are for British vowels, so the spelling decides where the two differ: top is 톱,
r after a vowel is silent, new is 뉴.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from curate.text.korean.hangul import composed

_ONSETS = dict(
    zip(
        [
            "P",
            "T",
            "K",
            "B",
            "D",
            "G",
            "F",
            "V",
            "TH",
            "DH",
            "S",
            "Z",
            "HH",
            "CH",
            "JH",
            "ZH",
            "SH",
            "M",
            "N",
            "L",
            "R",
        ],
        "ㅍㅌㅋㅂㄷㄱㅍㅂㅅㄷㅅㅈㅎㅊㅈㅈㅅㅁㄴㄹㄹ",
        strict=True,
    )
)
_STOPS = {"P": "ㅂ", "T": "ㅅ", "K": "ㄱ"}
_NASALS = {"M": "ㅁ", "N": "ㄴ", "NG": "ㅇ"}
_WITH_W = dict(zip("ㅏㅐㅓㅔㅣㅗㅜㅡ", "ㅘㅙㅝㅞㅟㅝㅜㅟ", strict=True))
_WITH_Y = dict(zip("ㅏㅐㅓㅔㅗㅜㅣㅡ", "ㅑㅒㅕㅖㅛㅠㅣㅠ", strict=True))
_PLAIN = {
    "AA": "ㅏ", "AE": "ㅐ", "AH": "ㅓ", "AO": "ㅗ", "AW": "ㅏㅜ", "AY": "ㅏㅣ", "EH": "ㅔ", "ER": "ㅓ", "EY": "ㅔㅣ",
    "IH": "ㅣ", "IY": "ㅣ", "OW": "ㅗ", "OY": "ㅗㅣ", "UH": "ㅜ", "UW": "ㅜ",
}  # fmt: skip
_UNWRITTEN = {"AH": 0.8, "L": 2.5, "M": 2.5, "N": 2.5}  # what it costs that no letter writes a phoneme
_SUFFIXES = {
    "ing",
    "ings",
    "ers",
    "ant",
    "ants",
    "ent",
    "ion",
    "ons",
    "est",
    "age",
    "ate",
    "ism",
    "ist",
    "man",
    "ton",
    "son",
    "les",
}
_SHORT = {"AE", "AH", "EH", "IH", "UH"}
_SPELLED = {  # the letters that a consonant may begin with
    "P": "p", "T": "td", "K": "ckqx", "B": "b", "D": "d", "G": "gx", "F": "fp", "V": "vf", "TH": "t", "DH": "t",
    "S": "scxz", "Z": "zsx", "HH": "hw", "CH": "ct", "JH": "jgd", "ZH": "sgz", "SH": "sct", "M": "m", "N": "nkgp",
    "NG": "n", "L": "l", "R": "rw", "W": "wuoq", "Y": "yuie",
}  # fmt: skip


@dataclass
class Phoneme:
    """One phoneme: its name without stress, whether it is stressed, and the letters that write it."""

    name: str
    stressed: bool
    letters: str = ""

    @property
    def vowel(self) -> bool:
        return self.name in _PLAIN


def hangul(word: str, phones: Sequence[str]) -> str:
    """A word of plain lower-case letters with its phonemes in Hangul."""
    phonemes = [Phoneme(phone.rstrip("012"), phone[-1] in "12") for phone in phones]
    for phoneme, letters in zip(phonemes, _aligned([phoneme.name for phoneme in phonemes], word), strict=True):
        phoneme.letters = letters
    return _Writer(_without_r(phonemes, word), word).written()


def _aligned(names: list[str], word: str) -> list[str]:
    """The letters of each phoneme, by the cheapest alignment; silent letters belong to none."""
    rows, columns = len(names) + 1, len(word) + 1
    cost = [[0.0] * columns for _ in range(rows)]
    step = [[0] * columns for _ in range(rows)]
    for row in range(rows - 1, -1, -1):
        for column in range(columns - 1, -1, -1):
            choices = []
            if column < len(word):
                choices.append((cost[row][column + 1] + (0.6 if word[column] in "eh" else 1.0), -1))
            if row < len(names):
                choices.append((cost[row + 1][column] + _UNWRITTEN.get(names[row], 1.5), 0))
                for size in range(1, min(3, len(word) - column) + 1):
                    price = _price(names[row], word[column : column + size])
                    choices.append((cost[row + 1][column + size] + price, size))
            cost[row][column], step[row][column] = min(choices) if choices else (0.0, 0)
    return _walked(step, word, len(names))


def _walked(step: list[list[int]], word: str, count: int) -> list[str]:
    letters, row, column = [], 0, 0
    while row < count:
        size = step[row][column]
        if size >= 0:
            letters.append(word[column : column + size])
            row += 1
        column += abs(size)
    return letters


def _price(name: str, letters: str) -> float:
    if name in _PLAIN:
        fine = letters[0] in "aeiouyw" and all(letter in "aeiouywhr" for letter in letters[1:])
        return 0.1 * (len(letters) - 1) + (0.4 if letters[0] == "w" else 0.0) if fine else 4.0
    if letters[0] not in _SPELLED[name]:
        return 4.0
    return 0.0 if len(letters) == 1 else (0.05 if set(letters[1:]) <= set(letters[0] + "hkg") else 1.2)


def _without_r(phonemes: list[Phoneme], word: str) -> list[Phoneme]:
    """The phonemes without r where no vowel follows; ER before a vowel is a vowel and r."""
    kept: list[Phoneme] = []
    for place, phoneme in enumerate(phonemes):
        after = phonemes[place + 1] if place + 1 < len(phonemes) else None
        if phoneme.name == "R" and not (after and after.vowel):
            if kept and kept[-1].name in ("EH", "IH", "UH", "IY", "UW", "AY"):
                kept.append(Phoneme("AH", True))
            elif kept:
                long = kept[-1].name == "AO" and not after and word.endswith(("ore", "oor"))
                kept[-1].letters = "ore" if long else kept[-1].letters + "r"
        else:
            kept.append(phoneme)
            if phoneme.name == "ER" and after and after.vowel:
                kept.append(Phoneme("R", False, "r"))
    return kept


class _Writer:
    """Writes sounds as syllables, one after the other."""

    def __init__(self, phonemes: list[Phoneme], word: str) -> None:
        self._phonemes = phonemes
        self._word = word
        self._syllables: list[list[str]] = []
        self._onset, self._glide = "ㅇ", ""

    def written(self) -> str:
        for place, phoneme in enumerate(self._phonemes):
            if phoneme.vowel:
                self._vowel(place, phoneme)
            else:
                self._consonant(place, phoneme)
        return "".join(composed(initial, vowel, final) for initial, vowel, final in self._syllables)

    def _at(self, place: int) -> Phoneme:
        inside = 0 <= place < len(self._phonemes)
        return self._phonemes[place] if inside else Phoneme("", False)

    def _vowel(self, place: int, phoneme: Phoneme) -> None:
        vowels = self._quality(place, phoneme)
        first = vowels[0]
        if self._glide:
            first = (_WITH_W if self._glide == "W" else _WITH_Y).get(first, first)
        if self._onset in ("ㅈ", "ㅊ") and first in "ㅑㅕㅛㅠㅖㅒ":  # no ㅑ ㅕ ㅛ ㅠ after ㅈ ㅊ
            first = "ㅏㅓㅗㅜㅔㅐ"["ㅑㅕㅛㅠㅖㅒ".index(first)]
        self._syllables.append([self._onset, first, ""])
        self._onset, self._glide = "ㅇ", ""
        self._syllables.extend(["ㅇ", vowel, ""] for vowel in vowels[1:])

    def _quality(self, place: int, phoneme: Phoneme) -> str:
        before, after, letters = self._at(place - 1).name, self._at(place + 1), phoneme.letters
        if phoneme.name == "AW" and after.name == "ER":
            after.name, after.letters, self._phonemes[place + 1] = "AH", "", Phoneme("AH", True, "*w")
            return "ㅏ"
        if phoneme.letters == "*w":
            return "ㅝ"
        if phoneme.name == "AA":
            return "ㅓ" if before == "W" and letters[:1] == "a" else ("ㅗ" if letters[:1] == "o" else "ㅏ")
        if phoneme.name == "AO" and letters == "ore":
            return "ㅗㅓ"
        if phoneme.name == "OW" and before == "W":
            return "ㅗ"
        if phoneme.name == "UW" and before in ("N", "T", "D", "S") and letters[:1] in ("u", "e") and letters[:1]:
            return "ㅠ"
        if phoneme.name == "ER":
            weak = letters[:1] if after.name == "R" and not phoneme.stressed else ""
            return {"o": "ㅗ", "i": "ㅣ"}.get(weak, "ㅓ")
        return self._weak(place, phoneme) if phoneme.name == "AH" and not phoneme.stressed else _PLAIN[phoneme.name]

    def _weak(self, place: int, phoneme: Phoneme) -> str:
        """The unstressed vowel, which the spelling tells apart (usage; syllabic n and l have none)."""
        before, after, last = self._at(place - 1), self._at(place + 1).name, place + 2 >= len(self._phonemes)
        letters = phoneme.letters
        if after == "W":
            return "ㅜ"
        if not letters or letters[0] == "y":
            return "ㅡ" if not letters else "ㅣ"
        if after == "N" and last and before.name in ("T", "D", "S", "Z", "V", "P", "K"):
            doubled = before.name in ("S", "Z") or self._word.endswith("tton")
            if letters == "e" or (letters == "o" and doubled):
                return "ㅡ"
        if letters == "i" and after == "L" and before.name == "S":
            return "ㅡ"
        if (letters[0] == "i" and letters[:2] not in ("io", "ia")) or letters in ("ai", "ay"):
            return "ㅣ"
        if letters[0] == "e" and (last or after == "T"):
            narrow = after == "S" or (after == "T" and before.name in ("L", "N", "R"))
            open_e = after in ("T", "M") or (after == "L" and before.name != "N")
            return "ㅣ" if narrow else ("ㅔ" if open_e else "ㅓ")
        if letters == "u" and after == "L" and before.name == "F":
            return "ㅜ"
        if letters[0] in "ae" and after == "JH":
            return "ㅣ"
        if letters == "o" and (
            after not in ("N", "M", "L", "S") or (after == "M" and not (last or self._word.startswith(("con", "com"))))
        ):
            return "ㅗ"
        return "ㅏ" if letters == "a" and place + 1 == len(self._phonemes) else "ㅓ"

    def _consonant(self, place: int, phoneme: Phoneme) -> None:
        before, after, then = self._at(place - 1), self._at(place + 1), self._at(place + 2)
        name = phoneme.name
        if name in ("W", "Y"):
            self._semivowel(phoneme, before.name, after)
        elif name in _NASALS and not (after.vowel and name != "NG") and not (after.name == "Y" and then.vowel):
            self._close(_NASALS[name], name)
        elif name == "L":
            self._liquid(before.name, after)
        elif name == "S" and before.name == "T" and not after.vowel:
            self._syllables[-1] = ["ㅊ", "ㅡ", ""]
        elif name in ("Z", "S") and before.name == "D" and not after.vowel:
            self._syllables[-1] = ["ㅈ", "ㅡ", ""]
        elif after.vowel or (after.name == "Y" and then.vowel) or (after.name == "W" and name in ("G", "K", "HH")):
            self._onset = _ONSETS[name]
            self._glide = "Y" if name == "SH" else ""
        elif (
            name in _STOPS
            and self._short(before)
            and after.name not in ("L", "R", "M", "N", "W", "Y")
            and not (name == "T" and after.name == "S")
        ):
            self._close(_STOPS[name], name)
        else:
            self._alone(phoneme, after)

    def _semivowel(self, phoneme: Phoneme, before: str, after: Phoneme) -> None:
        name = phoneme.name
        if name == "W" and before == "AH" and not phoneme.letters.startswith("w"):
            return
        if name == "Y" and before in ("L", "N", "D") and after.name in ("AH", "ER"):
            self._syllables.append([self._onset, "ㅣ", ""])
            self._onset = "ㅇ"
            return
        if name == "W" and before in ("CH", "JH", "ZH", "SH") and self._onset == "ㅇ":
            self._syllables[-1][1] = "ㅜ"
            return
        self._glide = name
        if name == "W" and phoneme.letters.startswith("wh") and self._onset == "ㅇ":
            self._onset = "ㅎ"

    def _liquid(self, before: str, after: Phoneme) -> None:
        """ㄹㄹ between vowels and after an obstruent (제6항); one ㄹ first, last and after a nasal."""
        if not after.vowel and after.name != "Y":
            self._close("ㄹ", "L")
            if after.name in ("M", "N") and len(self._phonemes) and self._phonemes[-1] is after:
                self._onset = "ㄹ"
                self._syllables.append(["ㄹ", "ㅡ", ""])
                self._onset = "ㅇ"
            return
        if self._syllables and before not in ("M", "N", "NG", "L"):
            self._close("ㄹ", "L")
        self._onset = "ㄹ"

    def _close(self, final: str, name: str) -> None:
        if self._syllables and self._syllables[-1][2] == "":
            self._syllables[-1][2] = final
        else:
            self._syllables.append([_ONSETS.get(name, "ㅇ"), "ㅡ", ""])

    def _alone(self, phoneme: Phoneme, after: Phoneme) -> None:
        """A consonant with no vowel of its own: 으, but 시 and 치 for the hushing ones."""
        final_s = phoneme.name == "Z" and not after.name and phoneme.letters == "s" and not self._word.endswith("e")
        onset = "ㅅ" if final_s else _ONSETS[phoneme.name]
        hushing = {"SH": "ㅣ" if not after.name else "ㅠ", "CH": "ㅣ", "JH": "ㅣ", "ZH": "ㅣ"}
        self._syllables.append([onset, hushing.get(phoneme.name, "ㅡ"), ""])

    def _short(self, phoneme: Phoneme) -> bool:
        rounded = phoneme.name in ("AA", "AO") and phoneme.letters == "o"
        return (phoneme.name in _SHORT and phoneme.letters != "") or rounded


def split(word: str, phones: Callable[[str], list[str]]) -> int:
    """Where a compound parts into two words that sound as they do alone (제10항), or 0."""
    whole = [phone.rstrip("012") for phone in phones(word)]
    for place in range(len(word) - 3, 2, -1):
        first, second = phones(word[:place]), phones(word[place:])
        if first and second and word[place:] not in _SUFFIXES and (len(word) > 6 or word[place:] in ("out", "off")):
            joined = [phone.rstrip("012") for phone in first + second]
            if not whole or joined == whole:
                return place
    return 0
