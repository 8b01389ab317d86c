"""Words of the lexicon in a Korean text: where one stands, and where its letters belong to other words."""

import re

from curate.text.korean.lexicon import Lexicon
from curate.text.korean.morphemes import Choice, Token, parts

_PARTICLES = re.compile(
    "(이|가|은|는|을|를|의|에|에서|에게|와|과|도|만|로|으로|부터|까지|나|이나|란|이란|라|이라|다|이다|이며|며|이고|고|입니다|처럼|"
    "보다|마다|조차|밖에|라고|이라고|하다|한|할|하는|했다|하고|하며|하여|해|한다|합니다|된|되는|됐다|들|들이|들은|들을)?"
)
_ADVERBIAL = ("히", "로", "코")  # 열심히, 절대로, 결단코: adverbs that the tagger leaves whole
_LOOSE = 3  # letters from which a lexicon word counts before a particle where the tagger cuts elsewhere


def known(text: str, start: int, end: int, tokens: list[Token], words: Lexicon) -> list[Choice]:
    """The words of the lexicon in the word from `start` to `end`, the longest first, none over another."""
    cuts = {start: "", end: tokens[-1].tag if tokens else ""}
    for token in tokens:
        cuts[token.end] = token.tag
        at = token.start
        for part in parts(text, token):
            cuts[at + len(part.text)] = part.tag if at + len(part.text) < token.end else token.tag
            at += len(part.text)
    found, at, places = [], start, sorted(cuts)
    while at < end:
        word = next(
            (one for one in words.starting(text[at:end]) if _fits(one, text, at, start, end, cuts, words)), None
        )
        if word:
            found.append(Choice(at, at + len(word), words.readings[word]))
        at = at + len(word) if word else next(place for place in places if place > at)
        if word and at not in cuts:
            break
    return found


def _fits(word: str, text: str, at: int, start: int, end: int, cuts: dict[int, str], words: Lexicon) -> bool:
    """Whether a lexicon word that begins here is a word here, and not letters of other words."""
    stop = at + len(word)
    if word in words.own:
        return at == start or stop in cuts
    if len(word) == 1:
        return False
    if len(word) == 2 and len(words.readings[word]) > 1 and not _alone(at, stop, start, end, cuts):
        return False  # 유가 is also another word, in 유가족
    if stop in cuts:
        tag = cuts[stop].split("+")[-1]
        stem = f"{word}다" in words.readings
        # 강엿 is no 강이었, which would need an ending
        whole = at == start and stop == end and (tag == "EP" or not any(start < cut < end for cut in cuts))
        if stem:
            return tag.startswith("V")
        particle = tag.startswith("J") and word.endswith("과")  # 여권과 is 여권 and 과
        loose = at == start and len(word) >= _LOOSE and not particle
        return whole or not tag.startswith(("J", "E", "V")) or loose
    if at == start and cuts[end] == "MAG" and len(cuts) == 2 and text[stop:end] in _ADVERBIAL:
        return True
    return at == start and len(word) >= _LOOSE and _PARTICLES.fullmatch(text[stop:end]) is not None


def _alone(at: int, stop: int, start: int, end: int, cuts: dict[int, str]) -> bool:
    """Whether only particles follow it, up to the next space."""
    after = [tag for cut, tag in cuts.items() if cut > stop]
    return at == start and (stop == end or (stop in cuts and not any(tag.startswith("N") for tag in after)))
