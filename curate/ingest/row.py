"""What a reader yields: one row per line of a source, in the source's own words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from curate.ingest.tree import Tree
from curate.recipe import Source


@dataclass(slots=True)
class Row:
    """One line of a source; `error` where it cannot be used as it stands, and then it is listed with that reason."""

    path: str  # the audio file, relative to the source's folder; empty where none is named
    text: str | None = None
    speaker: str | None = None
    language: str | None = None
    start: float | None = None  # seconds within the file; None: from its beginning
    end: float | None = None  # seconds; None: to its end
    error: str | None = None
    more: dict[str, str | None] = field(default_factory=dict)  # the source's other columns


Reader = Callable[[Source, Tree], Iterator[Row]]
