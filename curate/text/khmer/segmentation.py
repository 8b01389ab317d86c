"""Khmer words, by a fast and by a finer model."""

import functools
import logging
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from curate.errors import UserError
from curate.text.rules import DEFAULT, WORDS, Options

PACKAGES = {"khmer-nltk": ("khmer-nltk", "khmercut"), "khmercut.nn": ("khmercut", "onnxruntime")}

_MARK = "\u17b6-\u17d3\u17dd"  # vowels, signs and the subscript maker: they never begin a word
_WINDOW = 2000  # characters segmented at once, so that memory stays flat on endless lines
_TAIL = rf"(?:(?<=\u17d2)[^ ]|[{_MARK}]){{0,99}}+"  # what belongs to the letter before a cut
_PIECES = re.compile(rf"[^ ]{{1,{_WINDOW}}}+{_TAIL}")
_NN_PIECES = re.compile(rf".{{1,400}}(?= |$)|.{{1,400}}+{_TAIL}", re.DOTALL)  # it sees 512 characters, spaces too
_LONGEST = 100  # letters of a word that are pronounced at once; no real word is longer


def words(text: str, options: Options = DEFAULT) -> list[str]:
    """The words of a text; joined they give the text without its spaces, whatever the model."""
    if options.words not in WORDS:
        raise UserError(f"no model {options.words!r} of Khmer words; there are {', '.join(WORDS)}")
    if options.words == "khmercut.nn":
        return [word for piece in _NN_PIECES.findall(text) for word in _finely(piece)]
    return [word for piece in _PIECES.findall(text) for word in _fast(piece)]


def _fast(piece: str) -> list[str]:
    """By khmer-nltk (Apache-2.0); it "corrects" a few words, and such a piece is cut by the same model in khmercut."""
    tokens = [token for token in _khmer_nltk()(piece) if token.strip()]
    if "".join(tokens) == piece:
        return tokens
    from khmercut import tokenize

    return [token for token in tokenize(piece) if token]


@functools.cache
def _khmer_nltk() -> Callable[[str], list[str]]:
    """khmer-nltk's tokenizer with its model loaded, kept from writing to standard error."""
    with warnings.catch_warnings(), _without_sklearn():  # it writes "\\(" in plain strings
        warnings.simplefilter("ignore")
        import khmernltk

        logging.getLogger("khmer-nltk").setLevel(logging.WARNING)
        khmernltk.word_tokenize("ក")
    tokenize: Callable[[str], list[str]] = khmernltk.word_tokenize
    return tokenize


@contextmanager
def _without_sklearn() -> Iterator[None]:
    """sklearn_crfsuite does without scikit-learn where there is none; its import, 5 s with pandas, is kept from it."""
    hidden = "sklearn" not in sys.modules
    if hidden:
        sys.modules["sklearn"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hidden:
            del sys.modules["sklearn"]


def _finely(piece: str) -> Iterator[str]:
    """By khmercut's network (Apache-2.0), cut from the text itself, so that nothing can be altered.

    It may join parts of a compound by three labels. The one for plain compounds (`_`) is taken from it: at such a seam
    it must say whether a word ends or not. That is closest to how the prompts of OpenSLR 42 are cut (docs/text.md).
    """
    start = end = 0
    for token, is_last in _labelled(piece):
        end += len(token)
        if token.isspace() or is_last or end == len(piece) or piece[end] == " ":
            if not token.isspace():
                yield piece[start:end]
            start = end


def _labelled(piece: str) -> Iterator[tuple[str, bool]]:
    """Characters, and foreign runs, each with whether a word ends after it."""
    from khmercut import nn

    network = nn.load()
    pairs = list(nn.encode(piece))
    ids = [network.stoi.get(value) or network.bucket(value) for value, _ in pairs]
    scores = network.emissions(ids, [network.class_id[kind] for _, kind in pairs])
    scores[:, nn.LABELS.index("_")] = -1e9
    labels = nn.viterbi(scores, network.transitions, network.start, network.end)
    tokens = [" " if value == nn.ZWSP else value for value, _ in pairs]
    following = [*tokens[1:], ""]
    for token, label, after in zip(tokens, labels, following, strict=True):
        seam = nn.LABELS[label] in ("}{", "~")
        yield token, seam and token != "\u17d2" and not re.match(f"[{_MARK}]", after)
