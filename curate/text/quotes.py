"""Quotation marks that have no partner in their line; nobody says a quotation mark, and a lone one is a slip."""

import re


def stray_quotes(text: str) -> list[int]:
    """Where they stand, in order: " and ' and “ ” and « ». Behind a figure " and ' are inches, feet and minutes."""
    return sorted({*_double(text), *_single(text), *_unmatched(text, "“", "”"), *_unmatched(text, "«", "»")})


def _double(text: str) -> list[int]:
    """Where a straight double quote has no partner: read from the left, one that can only close begins no pair."""
    stray: list[int] = []
    opened: int | None = None
    for at in (match.start() for match in re.finditer('"', text)):
        if opened is None:
            opened = None if text[at - 1 : at].isdigit() else at
        elif _only_closes(text, opened) and not _only_closes(text, at):
            stray.append(opened)
            opened = at
        else:
            opened = None
    return stray if opened is None else [*stray, opened]


def _only_closes(text: str, at: int) -> bool:
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    return bool(before.strip()) and before not in "([{«“" and not after.strip()


def _single(text: str) -> list[int]:
    """Where a straight single quote has no partner; apostrophes, feet and Latin possessives are none (students')."""
    stray: list[int] = []
    opened: list[int] = []
    for match in re.finditer(r"(?<!\S)`(?=[\w%-])|(?<![A-Za-z\d])'|'(?![A-Za-z'])", text):
        at = match.start()
        before, after = text[at - 1 : at], text[at + 1 : at + 2]
        begins = not before.strip() or before in "([{=“«\"'" or (not opened and after.strip() and not before.isdigit())
        if match.group() == "`" or begins:
            opened.append(at)
        elif opened:
            opened.pop()
        elif not (before.isdigit() or (before.isascii() and before.isalpha())):
            stray.append(at)
    return stray + opened


def _unmatched(text: str, opening: str, closing: str) -> list[int]:
    stray: list[int] = []
    opened: list[int] = []
    for match in re.finditer(f"[{opening}{closing}]", text):
        if match.group() == opening:
            opened.append(match.start())
        elif opened:
            opened.pop()
        else:
            stray.append(match.start())
    return stray + opened
