"""The phonetic units that texts cover: what is rare among them is what a corpus lacks first.

One file per language, with the kinds of units there are, the inventory of those that are closed, and how they are
found, for whole columns at once.
"""

from importlib import import_module
from typing import Any

import numpy as np
import polars as pl

from curate.text.coverage.found import Found, Numbers

_MODULES = {"km": "curate.text.coverage.khmer", "ko": "curate.text.coverage.korean"}
LANGUAGES = tuple(_MODULES)
VERSION = 1  # raise it when a text has other units: they are kept (`known`)


def kinds(language: str) -> dict[str, str]:
    """The kinds of units of a language, in order, each with what it is."""
    return dict(_language(language).KINDS)


def inventory(language: str) -> dict[str, tuple[str, ...]]:
    """Of the kinds that are closed, every unit there is in the language."""
    return dict(_language(language).INVENTORY)


def units(clips: pl.DataFrame, language: str) -> tuple[pl.DataFrame, Numbers, Numbers]:
    """The units there are (kind, unit; sorted), and pairs of a clip and a unit, each once: rows, places in the table.

    Needs `spoken` and `pronounced` of clips in that language; the pairs are sorted.
    """
    found: list[Found] = _language(language).units(clips["spoken"], clips["pronounced"])
    table = pl.concat([pl.DataFrame({"kind": [each.kind] * len(each.names), "unit": each.names}, schema=_TABLE)
                       for each in found])  # fmt: skip
    firsts = np.cumsum([0, *(len(each.names) for each in found)])
    rows = np.concatenate([each.rows for each in found]).astype(np.int64)
    numbers = np.concatenate([each.numbers + first for each, first in zip(found, firsts, strict=False)])
    order = table.with_row_index("number").sort("kind", "unit")["number"].to_numpy()
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    pairs = np.sort(rows * max(len(order), 1) + place[numbers.astype(np.int64)])
    row, number = np.divmod(pairs, max(len(order), 1))
    return table[order.tolist()], row, number


_TABLE = {"kind": pl.String, "unit": pl.String}


def _language(language: str) -> Any:
    return import_module(_MODULES[language])
