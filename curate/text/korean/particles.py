"""Korean particles that take the shape of the word before them: after a consonant or after a vowel."""

import re
from collections.abc import Callable

from curate.text.korean import hangul

# One of them, and nothing behind it but another particle.
PARTICLE = r"(?P<p>(?:은|는|이|가|을|를|과|와)(?![가-힣])|으?로(?=(?:는|도|만|의|서|써|부터)?(?![가-힣])))?"
_PAIRS = ("은는", "이가", "을를", "과와")  # after a consonant, after a vowel


def fitted(word: str, particle: str) -> str:
    """The particle in the shape that the word asks for: 2은 is said 이는, 8으로 팔로 (표준국어대사전)."""
    final = hangul.final(word[-1])
    if particle in ("로", "으로"):
        return "로" if final in ("", "ㄹ") else "으로"
    pair = next((pair for pair in _PAIRS if particle in pair), None)
    return (pair[0] if final else pair[1]) if pair else particle


def with_particle(reader: Callable[[re.Match[str]], str]) -> Callable[[re.Match[str]], str]:
    """The reader, and behind what it writes the particle `p` of the match in the shape that sound asks for."""

    def read_both(match: re.Match[str]) -> str:
        spoken = reader(match)
        if spoken == match.group() or not match["p"]:
            return spoken
        if not spoken:  # a sign that is not read: ®
            return str(match["p"])
        street = match["p"] == "가" and re.search(r"[가-힣][로동] ?$", match.string[: match.start()][-4:])
        return spoken + (match["p"] if street else fitted(spoken, match["p"]))

    return read_both
