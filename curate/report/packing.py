"""Values of a page as gzip in base64, which holds no character that HTML, or a script, could take for its own.

The page unpacks them with the browser's DecompressionStream. Equal values give equal bytes.
"""

import base64
import json
import zlib
from dataclasses import dataclass
from typing import Any

import polars as pl

Packed = dict[str, Any]
encoded = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
LEVEL, GZIP = 1, 31  # of zlib: the page is a tenth larger than with level 5, in a third of the time; 31 is its gzip
MEASURED = ("count", "id", "texts", "numbers", "from")  # of what a page carries, the part that no decision changes


@dataclass(frozen=True)
class Begun:
    """A page's values as far as no decision changes them, compressed: two thirds of the work of `pack`."""

    values: Packed
    compressed: bytes
    compressor: "zlib._Compress"


def begin(values: Packed) -> Begun:
    """Values that others are going to follow, written and compressed."""
    compressor = zlib.compressobj(LEVEL, wbits=GZIP)
    return Begun(values, compressor.compress(_encoded(f"{{{_fields(values)}")), compressor)


def pack(values: Packed, begun: Begun | None = None) -> str:
    """Values as JSON, gzip and base64: those of MEASURED first, with the same bytes where they are `begun`."""
    first = {name: values[name] for name in MEASURED if name in values}
    if begun is None or not _same(begun.values, first):
        begun = begin(first)
    rest = _fields({name: each for name, each in values.items() if name not in first})
    compressor = begun.compressor.copy()
    tail = compressor.compress(_encoded(f"{',' if first and rest else ''}{rest}}}"))
    return base64.b64encode(begun.compressed + tail + compressor.flush()).decode()


def _same(one: Any, other: Any) -> bool:
    """Whether two parts of what a page carries are equal, columns and all."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(map(_same, one.values(), other.values()))
    if isinstance(one, pl.Series) and isinstance(other, pl.Series):
        return one.equals(other)
    return type(one) is type(other) and bool(one == other)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _fields(values: Packed) -> str:
    return ",".join(f"{encoded(str(name))}:{_json(each)}" for name, each in values.items())


def _json(value: Any) -> str:
    """JSON without spaces; a column of numbers is written by Polars, in a tenth of the time that a list takes."""
    if isinstance(value, pl.Series):
        plain = pl.nth(0).cast(pl.String).str.strip_suffix(".0").fill_null("null")  # 4000 for 4000.0
        return f"[{value.to_frame().select(plain.str.join(',')).item()}]"
    if isinstance(value, dict):
        return f"{{{_fields(value)}}}"
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return f"[{','.join(map(_json, value))}]"
    return encoded(value)
