"""Korean words respelled where the letters alone do not tell their sound: the lexicon, compounds, endings, marks.

A letter is a syllable of the text at its place; a respelled word stays at the places of its letters, so that tags and
particles keep theirs.
"""

import itertools
import re

from curate.text.korean import compounds, hangul
from curate.text.korean.assimilation import neutralised
from curate.text.korean.compounds import Part
from curate.text.korean.lexicon import Lexicon
from curate.text.korean.lookup import known
from curate.text.korean.morphemes import Choice, Plan, Token, parts
from curate.text.korean.numerals import dialled, numerals

SLASH = "\ue000"  # a slash of the text, while slashes mark letters
_WORD = re.compile(r"\S+")
_ADNOMINAL = ("ㄴ", "ㄹ")  # what an adnominal form ends in: 간, 갈
_STEM_FINALS = frozenset("ㄴㄵㄺㄻㄼㄾㅁ")  # finals of stems that 24 and 25항 speak of
# 29항 붙임 2: words that take ㄴ after the word before, said in one breath: 할 일 [할릴], 못 이기다 [몬니기다].
_PHRASES = re.compile(r"(?<!\S)(?:밭 아래|늪 앞|꽃 위|넋 없|닭 앞)")
_LINKED = {
    "밭 아래": "바 다래",
    "늪 앞": "느 밮",
    "꽃 위": "꼬 뒤",
    "넋 없": "너 겂",
    "닭 앞": "다 갚",
}  # 15항's own examples
_JOINED_NOUNS = frozenset({"일", "엿"})
_JOINED_STEMS = {
    "못": frozenset({"입", "이기", "잊", "읽", "이루"}),
    "잘": frozenset({"입", "익", "읽"}),
    "옷": frozenset({"입"}),
}
# 15항: words and stems that begin anew, and what they stand after. Suffixes and endings do not: 깊이, 웃음, 꽃이.
_WITHOUT = re.compile("[가-힣](?=없)|뜻(?=있)")
_WORDS_AGAIN, _WORDS_BEFORE = ("N", "VV", "VA", "MA", "MM", "XR", "XPN", "IC"), ("N", "MM", "MAG", "XPN")
_NO_WORDS = frozenset({"이", "음", "은", "을", "아", "어", "인", "의", "에"})
# 5항, 22항: what may also be said, in the spelling.
_ALSO = (("되어", "되여"), ("피어", "피여"), ("이오", "이요"), ("아니오", "아니요"))


def letters(text: str, plan: Plan, tokens: list[Token], *, other: tuple[Choice, str] | None = None) -> list[str]:
    """The text's letters with every choice's first reading, or `other`'s, with marks for g2pk's rules of stems."""
    respelled = list(text.replace("/", SLASH))
    for choice in plan.choices:
        reading = other[1] if other and other[0] is choice else choice.readings[0]
        length = choice.end - choice.start
        spelled = list(reading) if len(reading) == length else [*[""] * (length - 1), reading]
        respelled[choice.start : choice.end] = map(_kept_ui, spelled, text[choice.start : choice.end])
    for at in plan.closed:
        respelled[at], respelled[at + 1] = _closed_before(respelled[at], respelled[at + 1])
    # 삼 is no stem in 육삼구, and a reading says what comes of a stem before what else is in it: 앉은일 [안즌닐]
    settled = {at for choice in plan.choices for at in range(choice.start, choice.end - (not choice.numeral))}
    for token in tokens:
        if token.end - 1 in settled:
            continue
        bare = text[token.end : token.end + 1] == " "  # a stem never stands alone: 알 것 is 알 and the ending -ㄹ
        mark = _mark(text[token.end - 1], token.tag.split("+")[-1], bare=bare)
        if mark:
            respelled[token.end - 1] += mark
    return respelled


def _kept_ui(reading: str, written: str) -> str:
    """A reading's 늬 is said so (합의 하븨) although a written 늬 is [니] (5항): `/U` tells `pronunciation`."""
    said = hangul.vowel(reading[-1:]) == "ㅢ" and not hangul.silent(reading[-1]) and reading != written
    return f"{reading}/U" if said else reading


def _closed_before(before: str, after: str) -> tuple[str, str]:
    """Two neighbours with a word's end between them: the final as before a pause, moved on where a vowel follows.

    It moves here and not by g2pk's rules, so that ㄷ before 이 is not taken for the ㄷ of 굳이: 첫인상 is [처딘상].
    """
    last = neutralised(before[-1])
    if not hangul.silent(after[:1]):
        return before[:-1] + last, after
    last, first = compounds.moved(last, after[0])
    return before[:-1] + last, first + after[1:]


def planned(text: str, tokens: list[Token], words: Lexicon, *, compound: bool = True) -> Plan:
    """What is respelled, in the order of the text, each place once, and where a word ends before a vowel or ㅎ."""
    by_word = _by_word(text, tokens)
    chosen = _fixed(text, tokens, by_word, words)
    taken = {at for choice in chosen for at in range(choice.start, choice.end)}
    changed = _endings(text, tokens) | _joined(text, tokens)
    if compound:
        changed |= {at: (syllable,) for _, _, inside in by_word for at, syllable in _compounds(text, inside).items()}
    chosen += [Choice(at, at + 1, readings) for at, readings in changed.items() if at not in taken]
    taken |= changed.keys()
    chosen += [choice for choice in _between(text, tokens) if not taken & {choice.start, choice.start + 1}]
    inside = {at for choice in chosen for at in range(choice.start, choice.end - 1)}  # the reading has closed these
    return Plan(sorted(chosen, key=lambda choice: choice.start), sorted(_closed(text, by_word) - inside))


def _fixed(text: str, tokens: list[Token], by_word: list[tuple[int, int, list[Token]]], words: Lexicon) -> list[Choice]:
    """What is known as a whole: words of the lexicon, numbers over them, the standard's own phrases over both."""
    stored = [
        choice
        for start, end, inside in by_word
        for choice in known(text, start, end, inside, words)
        if not dialled(text, choice.start, choice.end)
    ]
    numbers = [Choice(start, end, readings, numeral=True) for start, end, readings in numerals(text, tokens)]
    longer = [
        one for one in numbers if not any(choice.start <= one.start and one.end <= choice.end for choice in stored)
    ]
    phrases = [
        Choice(match.start(), match.end(), (_LINKED[match.group()], match.group())) for match in _PHRASES.finditer(text)
    ]
    return _over(phrases, _over(longer, stored))


def _over(winners: list[Choice], others: list[Choice]) -> list[Choice]:
    """The winners, and of the others those that share no letter with them."""
    taken = {at for choice in winners for at in range(choice.start, choice.end)}
    return winners + [one for one in others if not taken.intersection(range(one.start, one.end))]


def _closed(text: str, by_word: list[tuple[int, int, list[Token]]]) -> set[int]:
    """15항: letters whose final is as before a pause, since a word begins with a vowel there: 첫인상 [처딘상]."""
    places = {match.start() for match in _WITHOUT.finditer(text)}
    for _, _, inside in by_word:
        every = [part for token in inside for part in parts(text, token)]
        for before, part in itertools.pairwise(every):
            if before.start + len(before.text) == part.start and _begins_anew(before, part):
                places.add(part.start - 1)
    return {at for at in places if hangul.is_syllable(text[at]) and hangul.is_syllable(text[at + 1])}


def _begins_anew(before: Part, part: Part) -> bool:
    """Whether a word begins with a vowel behind another word, or anything with ㅎ behind a noun: 낮하고 [나타고]."""
    if hangul.initial(part.text[0]) == "ㅎ":
        return before.tag.startswith("N")
    word = part.tag.startswith(_WORDS_AGAIN) and part.text not in _NO_WORDS
    return word and hangul.silent(part.text[0]) and before.tag.startswith(_WORDS_BEFORE)


def _between(text: str, tokens: list[Token]) -> list[Choice]:
    """30항: the ㅅ of 냇가 is not heard, or may be."""
    places = [
        token.start + at
        for token in tokens
        if token.tag.startswith("N")
        for at in compounds.between(text[token.start : token.end])
    ]
    pairs = [(at, text[at : at + 2]) for at in places]
    return [Choice(at, at + 2, (compounds.without_s(pair), pair)) for at, pair in pairs]


def free(text: str, tokens: list[Token], taken: list[Choice]) -> list[Choice]:
    """What the standard lets be said otherwise wherever it stands: 의, ㅖ, 되어 (5항, 22항)."""
    held = {at for choice in taken for at in range(choice.start, choice.end)}
    particles = {token.end - 1 for token in tokens if token.tag.startswith("J")}
    optional = []
    for at, letter in enumerate(text):
        other = _other(text, at, particle=at in particles)
        if other and at not in held:
            optional.append(Choice(at, at + 1, (letter, other)))
    for seen, variant in _ALSO:
        optional += [
            Choice(match.start() + 1, match.end(), (seen[1:], variant[1:]))
            for match in re.finditer(seen, text)
            if match.start() + 1 not in held
        ]
    return optional


def _other(text: str, at: int, *, particle: bool) -> str | None:
    letter = text[at]
    if not hangul.is_syllable(letter):
        return None
    if letter == "의" and (particle or (at and not text[at - 1].isspace())):
        return "에" if particle else "이"
    if hangul.vowel(letter) == "ㅖ" and hangul.initial(letter) not in ("ㄹ", "ㅇ"):
        return hangul.with_vowel(letter, "ㅔ")
    return None


def _by_word(text: str, tokens: list[Token]) -> list[tuple[int, int, list[Token]]]:
    words, rest = [], iter(tokens)
    token = next(rest, None)
    for match in _WORD.finditer(text):
        inside = []
        while token and token.start < match.end():
            inside.append(token)
            token = next(rest, None)
        words.append((match.start(), match.end(), inside))
    return words


def _compounds(text: str, tokens: list[Token]) -> dict[int, str]:
    syllables: dict[int, str] = {}
    for noun, run in itertools.groupby(tokens, lambda token: token.tag[0] == "N" or token.tag == "XSN"):
        if noun:
            every = [part for token in run for part in parts(text, token)]
            if all(map(hangul.is_syllable, "".join(part.text for part in every))):
                syllables |= compounds.changes(every)
    return syllables


def _endings(text: str, tokens: list[Token]) -> dict[int, tuple[str, ...]]:
    """27항: ㄱㄷㅂㅅㅈ after the ending -(으)ㄹ are tense, inside an ending and before a noun written close."""
    tensed: dict[int, tuple[str, ...]] = {}
    for token, after in itertools.zip_longest(tokens, tokens[1:]):
        form, tag = (token.pieces() or [(text[token.start : token.end], token.tag.split("+")[-1])])[-1]
        if not tag.startswith("E"):
            continue
        if form[0] in "ᆯㄹ을" and len(form) > 1:
            tensed[token.end - len(form) + 1] = (compounds.tensed(text[token.end - len(form) + 1]),)
        elif tag == "ETM" and form[-1] in "ᆯㄹ을" and after and after.start == token.end and after.tag.startswith("N"):
            tensed[after.start] = (compounds.tensed(text[after.start]),)
    return {at: readings for at, readings in tensed.items() if hangul.is_syllable(readings[0])}


def _joined(text: str, tokens: list[Token]) -> dict[int, tuple[str, ...]]:
    """ㄴ between two words said in one breath; letting them be is standard, too."""
    joined: dict[int, tuple[str, ...]] = {}
    for before, token in itertools.pairwise(tokens):
        if before.end == token.start or text[before.end : token.start] != " ":
            continue
        word, last = text[token.start : token.end], text[before.start : before.end]
        adnominal = before.tag.endswith(("ETM", "MM")) and hangul.final(last[-1]) in _ADNOMINAL
        noun = adnominal and word in _JOINED_NOUNS and token.tag.startswith("NN")
        if noun or (token.tag.startswith("V") and word in _JOINED_STEMS.get(last, ())):
            joined[token.start] = (compounds.nasal(word[0]), word[0])
    return joined


def _mark(letter: str, tag: str, *, bare: bool) -> str:
    if not hangul.is_syllable(letter):
        return ""
    final = hangul.final(letter)
    if (tag[0] == "E" or (tag[0] == "V" and bare)) and final == "ㄹ":
        return "/E"
    return "/P" if tag[0] == "V" and final in _STEM_FINALS else ""
