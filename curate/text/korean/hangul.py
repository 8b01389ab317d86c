"""Hangul syllables taken apart into letters and put together: the one place that counts code points.

A syllable is one composed character, 가 to 힣; a letter is a compatibility jamo as people type it, ㄱ to ㅣ; no final
at all is "". Unicode lays syllables out by initial, vowel and final (The Unicode Standard, 3.12):
U+AC00 + (initial * 21 + vowel) * 28 + final. Conjoining jamo, which stand in a row for a syllable, have ranges of their
own for initials and for finals, in the same order.
"""

INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
FINALS: tuple[str, ...] = ("", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")
_FIRST = ord("가")
_SAME_VOWEL = len(FINALS)  # syllables in a row that differ in their final alone
_SAME_INITIAL = len(VOWELS) * _SAME_VOWEL

INITIAL_JAMO = dict(zip(INITIALS, map(chr, range(0x1100, 0x1113)), strict=True))
FINAL_JAMO = dict(zip(FINALS[1:], map(chr, range(0x11A8, 0x11C3)), strict=True))
LETTERS = {jamo: letter for letter, jamo in (*FINAL_JAMO.items(), *INITIAL_JAMO.items())}  # of conjoining jamo

TENSE = dict(zip("ㄱㄷㅂㅅㅈ", "ㄲㄸㅃㅆㅉ", strict=True))  # plain consonants and their tense ones


def is_syllable(letter: str) -> bool:
    """Whether it is one composed Hangul syllable."""
    return "가" <= letter <= "힣"


def initial(syllable: str) -> str:
    """The initial consonant, ㅇ where the vowel comes first; "" for what is no syllable."""
    return INITIALS[(ord(syllable) - _FIRST) // _SAME_INITIAL] if is_syllable(syllable) else ""


def vowel(syllable: str) -> str:
    """The vowel; "" for what is no syllable."""
    return VOWELS[(ord(syllable) - _FIRST) % _SAME_INITIAL // _SAME_VOWEL] if is_syllable(syllable) else ""


def final(syllable: str) -> str:
    """The final consonant or cluster; "" for none, and for what is no syllable."""
    return FINALS[(ord(syllable) - _FIRST) % _SAME_VOWEL] if is_syllable(syllable) else ""


def composed(initial: str, vowel: str, final: str = "") -> str:
    """The syllable of these letters."""
    letters = INITIALS.index(initial) * _SAME_INITIAL + VOWELS.index(vowel) * _SAME_VOWEL + FINALS.index(final)
    return chr(_FIRST + letters)


def with_initial(syllable: str, letter: str) -> str:
    """The syllable with another initial consonant."""
    return composed(letter, vowel(syllable), final(syllable))


def with_vowel(syllable: str, letter: str) -> str:
    """The syllable with another vowel."""
    return composed(initial(syllable), letter, final(syllable))


def with_final(syllable: str, letter: str) -> str:
    """The syllable with another final consonant, or without one."""
    return composed(initial(syllable), vowel(syllable), letter)


def silent(syllable: str) -> bool:
    """Whether it begins with its vowel: the initial ㅇ is written and has no sound."""
    return initial(syllable) == "ㅇ"
