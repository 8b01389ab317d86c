"""What a caller may choose about a form besides the language."""

from dataclasses import dataclass
from pathlib import Path

from curate.errors import UserError

WORDS = ("khmer-nltk", "khmercut.nn")  # models of Khmer words: the fast one, the finer one


@dataclass(frozen=True)
class Options:
    """What shapes some forms and leaves the others as they are.

    `words`: the model of Khmer words. `lexicon`: a file of Korean pronunciations that win over ours.
    `alternatives`: every standard reading of a Korean word, `/` between them, where `pronounced` has the first alone.
    """

    words: str = WORDS[0]
    lexicon: Path | None = None
    alternatives: bool = False


DEFAULT = Options()


def chosen(language: str, form: str, words: str | None, lexicon: Path | None, alternatives: bool) -> Options:
    """Options that a person asked for; a UserError where one would change nothing."""
    asked = {"--lexicon": lexicon, "--alternatives": alternatives or None}
    for name, value in asked.items():
        if value is not None and (language, form) != ("ko", "pronounced"):
            raise UserError(f"{name} is for --language ko --form pronounced")
    if words is not None and (language != "km" or form not in ("words", "pronounced")):
        raise UserError("--words-model is for --language km --form words or pronounced")
    if words is not None and words not in WORDS:
        raise UserError(f"no model {words!r} of Khmer words; there are {', '.join(WORDS)}")
    return Options(words or WORDS[0], lexicon, alternatives)
