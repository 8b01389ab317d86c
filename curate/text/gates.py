"""What a pattern cannot match without, told from the pattern itself: most rules need not be tried on most texts.

`needs` gives sets of characters; every match, or what a look around it asks for, has one character of each set. It
reads the tree of Python's own parser of patterns: what stands in a sequence must be there, what is optional need not,
of several alternatives one. What it does not know it leaves out, which costs time and never a match.
"""

import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any

DIGIT = r"\d"  # stands for any decimal digit, of any script
_MOST, _WIDEST = 3, 400  # sets of a pattern, characters of a range
_PARSER, _OPS = import_module("re._parser"), import_module("re._constants")
Needs = tuple[frozenset[str], ...]


def needs(pattern: re.Pattern[str]) -> Needs:
    """Sets of characters of which every match needs one each, what few texts have first; none where case is ignored."""
    if pattern.flags & re.IGNORECASE:
        return ()
    found = set(_needs(_PARSER.parse(pattern.pattern, pattern.flags)))
    return tuple(sorted(found, key=lambda characters: (DIGIT in characters, len(characters)))[:_MOST])


def present(text: str) -> set[str]:
    """The characters of a text, and `DIGIT` where one of them is a digit."""
    characters = set(text)
    if any(map(str.isdecimal, characters)):
        characters.add(DIGIT)
    return characters


def _needs(sequence: Iterable[tuple[Any, Any]]) -> list[frozenset[str]]:
    return [characters for operation, argument in sequence for characters in _of(operation, argument)]


def _of(operation: Any, argument: Any) -> list[frozenset[str]]:
    """The sets of one piece of a pattern."""
    if operation is _OPS.LITERAL:
        return [frozenset(chr(argument))]
    if operation is _OPS.IN:
        characters = _class(argument)
        return [characters] if characters else []
    if operation in (_OPS.MAX_REPEAT, _OPS.MIN_REPEAT, _OPS.POSSESSIVE_REPEAT):
        least, _, repeated = argument
        return _needs(repeated) if least else []
    if operation is _OPS.SUBPATTERN:
        _, flags, _, inside = argument
        return [] if flags & re.IGNORECASE else _needs(inside)
    if operation is _OPS.ATOMIC_GROUP:
        return _needs(argument)
    if operation is _OPS.ASSERT:  # a look ahead or behind for what is there
        return _needs(argument[1])
    if operation is _OPS.BRANCH:
        each = [_needs(branch) for branch in argument[1]]
        return [frozenset().union(*(min(sets, key=len) for sets in each))] if all(each) else []
    return []


def _class(items: Iterable[tuple[Any, Any]]) -> frozenset[str]:
    """The characters of [...]; none where they are told by what they are not, or too many."""
    characters: set[str] = set()
    for operation, argument in items:
        if operation is _OPS.LITERAL:
            characters.add(chr(argument))
        elif operation is _OPS.RANGE and argument[1] - argument[0] < _WIDEST:
            characters.update(map(chr, range(argument[0], argument[1] + 1)))
        elif operation is _OPS.CATEGORY and argument is _OPS.CATEGORY_DIGIT:
            characters.add(DIGIT)
        else:
            return frozenset()
    return frozenset(characters)
