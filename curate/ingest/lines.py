"""The lines of an index: its encoding found out, its lines numbered as an editor numbers them, its fields parted.

What cannot be read is said of its line, and the rest is read. Lines end in LF, CR LF, or CR alone where there is no
LF; the other characters that Unicode calls line breaks are text.
"""

import codecs
import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

MARKS = (  # the longer first: UTF-32's begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"), (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
HALF = re.compile("[\ud800-\udfff]")
HANGUL = re.compile("[가-힣]")
ESCAPED_HALF = r"\ud"  # how JSON writes the halves of a letter outside the BMP
csv.field_size_limit(1 << 27)  # a text may be long; csv's own limit is 128 KiB
LONGEST_QUOTE = 200  # lines: a quote that is not closed within these was never meant as one


@dataclass(slots=True)
class Line:
    """A line without its end; `error` where its bytes are not of the file's encoding."""

    number: int
    text: str
    error: str | None = None


@dataclass(slots=True)
class Fields:
    """The fields of a line; `error` says what is wrong with it."""

    number: int
    values: list[str]
    error: str | None = None


def lines(content: bytes, encoding: str | None = None) -> Iterator[Line]:
    """Every line that is not blank; `encoding` where it is known, else it is found out (see `encoding_of`)."""
    encoding = encoding or encoding_of(content)
    for mark, name in MARKS:
        if content.startswith(mark) and name.startswith(codecs.lookup(encoding).name):
            content, encoding = content.removeprefix(mark), name
            break
    try:
        whole = content.decode(encoding)
    except UnicodeDecodeError:
        yield from _bad_lines(content, encoding)
        return
    for number, text in enumerate(_split(whole), 1):
        if text.strip() and text.strip() != "\x1a":
            yield Line(number, text)


def _split(text: str) -> list[str]:
    if "\n" not in text:
        return text.split("\r")
    return [line.removesuffix("\r") for line in text.split("\n")]


def _bad_lines(content: bytes, encoding: str) -> Iterator[Line]:
    """Line by line, where a whole file is not of its encoding: the lines that are not are told."""
    for number, raw in enumerate(content.split("\n".encode(encoding)), 1):
        raw = raw.removesuffix("\r".encode(encoding))
        if raw.strip():
            try:
                yield Line(number, raw.decode(encoding))
            except UnicodeDecodeError:
                yield Line(number, raw.decode(encoding, "replace"), f"is not {encoding.upper()}")


def json_object(line: Line) -> tuple[dict[str, Any], str | None]:
    """The JSON object of a line, and what is wrong with it; halves of letters in it become U+FFFD."""
    try:
        item = json.loads(line.text)
        if ESCAPED_HALF in line.text.lower():  # a text that was cut inside an emoji, say
            item = _of_whole_letters(item)
    except (ValueError, RecursionError):
        return {}, line.error or "is no JSON"
    return (item, line.error) if isinstance(item, dict) else ({}, line.error or "is no JSON object")


def _of_whole_letters(value: Any) -> Any:
    if isinstance(value, str):
        return HALF.sub("\ufffd", value)
    if isinstance(value, list):
        return [_of_whole_letters(each) for each in value]
    if isinstance(value, dict):
        return {_of_whole_letters(name): _of_whole_letters(each) for name, each in value.items()}
    return value


def encoding_of(content: bytes) -> str:
    """UTF-8, UTF-16, UTF-32 or CP949 (which holds EUC-KR): by its mark, its zero bytes, or by what most lines are."""
    for mark, name in MARKS:
        if content.startswith(mark):
            return name
    head = content[:4096]
    zeros = {"utf-16-be": head[::2].count(0), "utf-16-le": head[1::2].count(0)}
    likely = max(zeros, key=lambda name: zeros[name])
    # text has no zeros, but for UTF-16 without a mark, where every other byte of what is ASCII in it is one
    if zeros[likely] > len(head) / 20 and zeros[likely] > 10 * min(zeros.values()):
        return likely
    if _is(content, "utf-8"):
        return "utf-8"
    foreign = [line for line in content.split(b"\n") if not line.isascii()]
    in_utf8 = sum(_is(line, "utf-8") for line in foreign)
    in_cp949 = sum(_is(line, "cp949") and HANGUL.search(line.decode("cp949")) is not None for line in foreign)
    return "cp949" if in_cp949 > in_utf8 else "utf-8"


def _is(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def fields(found: Iterator[Line], separator: str, *, quoted: bool = False) -> Iterator[Fields]:
    """The fields of each line. `quoted`: as in CSV, where a field in quotes may hold the separator and line ends.

    Elsewhere quotes are text.
    """
    if not quoted:
        for line in found:
            yield Fields(line.number, line.text.split(separator), _said(line))
        return
    waiting = list(found)
    at = 0
    while at < len(waiting):
        record, taken = _record(waiting, at, separator)
        yield record
        at += taken


def _record(found: Sequence[Line], at: int, separator: str) -> tuple[Fields, int]:
    """The record that begins at a line, and of how many lines it is."""
    first = found[at]
    text = first.text
    for taken in range(1, min(LONGEST_QUOTE, len(found) - at) + 1):
        try:
            return Fields(first.number, _parsed(text, separator, strict=True), _said(first)), taken
        except csv.Error as error:
            if "unexpected end" not in str(error):
                break
        if at + taken < len(found):
            following = found[at + taken]
            text += "\n" * (following.number - found[at + taken - 1].number) + following.text
    if '"' in first.text and first.text.count('"') % 2:  # a quote is opened and not closed: quotes are text here
        return Fields(first.number, first.text.split(separator), _said(first)), 1
    return Fields(first.number, _parsed(first.text, separator, strict=False), _said(first)), 1


def _parsed(text: str, separator: str, *, strict: bool) -> list[str]:
    """One record; the line ends within it are kept."""
    *inner, last = text.split("\n")
    return next(csv.reader([*(line + "\n" for line in inner), last], delimiter=separator, strict=strict))


def _said(line: Line) -> str | None:
    return f"line {line.number} {line.error}" if line.error else None
