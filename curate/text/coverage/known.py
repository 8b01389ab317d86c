"""The units of many texts found at once and kept: of any of them they are looked up later."""

import numpy as np
import polars as pl

from curate.text import coverage
from curate.text.coverage.found import Numbers

NEEDED = ("id", "language", "spoken", "pronounced")


class Known:
    """The units of clips (NEEDED), for whoever is going to ask about some of them: `units` as `coverage.units`."""

    def __init__(self, clips: pl.DataFrame) -> None:
        self._found = {}
        for language in coverage.LANGUAGES:
            own = clips.filter(pl.col("language") == language).select("id", "spoken", "pronounced")
            table, rows, numbers = coverage.units(own, language)
            starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=own.height))])
            self._found[language] = own.with_row_index("place"), table, starts, numbers

    def units(self, clips: pl.DataFrame, language: str) -> tuple[pl.DataFrame, Numbers, Numbers]:
        """The same as `coverage.units` of these clips; they are found anew where a clip or its text is another."""
        own, table, starts, numbers = self._found[language]
        asked = clips.select("id", "spoken", "pronounced")
        place = asked.join(own, on=["id", "spoken", "pronounced"], how="left", nulls_equal=True, maintain_order="left")[
            "place"
        ]
        if place.null_count():
            return coverage.units(clips, language)
        first = starts[place.to_numpy()]
        lengths = starts[place.to_numpy() + 1] - first
        rows = np.repeat(np.arange(len(lengths)), lengths)
        found = numbers[np.arange(lengths.sum()) + np.repeat(first - np.cumsum(lengths) + lengths, lengths)]
        there = np.bincount(found, minlength=table.height) > 0
        return table.filter(pl.Series(there)), rows, (np.cumsum(there) - 1)[found]
