"""What the licences of a corpus, taken together, mean for the whole and for an adapter trained on it.

A reading of the names of licences, not legal advice. Whether trained weights derive from their recordings is not
settled; what is said of the adapter is the careful reading, that they do.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from curate.report import licences

VERSION = re.compile(r"[ -]v?\d+(\.\d+)*$")


@dataclass(frozen=True)
class Terms:
    """Lines for people; `compatible` is false where no one licence can be given to the whole."""

    corpus: tuple[str, ...]
    adapter: tuple[str, ...]
    compatible: bool


def of(names: Iterable[str]) -> Terms:
    """The terms of clips under these licences, put together."""
    names = sorted(set(names))
    flags = {name: set(licences.flags(name)) for name in names}
    having = {flag: [name for name in names if flag in flags[name]] for flag in licences.MEANING}
    unknown = [name for name in names if not licences.is_known(name)]
    own = [name for name in names if name.strip().lower() == "own"]
    compatible = not (_clash(flags) or having["ND"] or unknown)
    corpus, adapter = _plain(names, own, len(names) > 1), []
    if having["NC"]:
        free = [name for name in names if "NC" not in flags[name]]
        rest = f"; the part under {_and(free)} alone may be" if free else ""
        corpus.append(f"the whole may not be used commercially ({_and(having['NC'])}){rest}")
        adapter.append(f"no commercial use ({_and(having['NC'])})")
    if having["SA"] and not _clash(flags):
        corpus.append(f"what derives from it carries the same licence ({_and(having['SA'])})")
        adapter.append(f"published under the same licence ({_and(having['SA'])})")
    if clash := _clash(flags):
        corpus.append(f"{clash}: it can be handed on as a collection, each part under its own licence, not as one work")
        adapter.append(f"{clash}: train on one of them, or keep the adapter to yourself")
    if having["ND"]:
        corpus.append(f"cut and normalised clips may already be forbidden derivatives ({_and(having['ND'])})")
        adapter.append(f"not to be handed on without leave ({_and(having['ND'])})")
    if unknown:
        corpus.append(f"{_and(unknown)}: not a licence known here; read it before the corpus is handed on")
        adapter.append(f"{_and(unknown)}: ask whoever holds the rights")
    if not adapter:
        adapter.append("nothing in the names of the licences forbids to train, use or hand on an adapter")
    return Terms(tuple(corpus), tuple(adapter), compatible)


def _plain(names: list[str], own: list[str], several: bool) -> list[str]:
    """What holds without any flag."""
    lines = [f"each clip stays under its own licence, see its row: {_and(names)}"] if several else []
    if naming := [name for name in names if re.search(r"(?i)\bby\b|kogl|odc|apache|mit\b", name)]:
        lines.append(f"name those who made the recordings ({_and(naming)}); the texts are under Attribution")
    if own:
        lines.append("own: recordings of whoever made this corpus; nobody else may use them without being told so")
    return lines


def _clash(flags: dict[str, set[str]]) -> str:
    """Which share-alike licences no one licence can satisfy together with the rest; empty where there is none."""
    alike = {VERSION.sub("", name): name for name, marks in flags.items() if "SA" in marks}
    if len(alike) > 1:
        return f"{_and(sorted(alike.values()))} each ask for themselves on what derives from both"
    stricter = [name for name, marks in flags.items() if marks & {"NC", "ND"} and "SA" not in marks]
    free = [name for name, marks in flags.items() if "SA" in marks and not marks & {"NC"}]
    if free and stricter:
        return f"{_and(free)} asks for its own licence, which {_and(stricter)} does not allow"
    return ""


def _and(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
