"""Files that hold many clips: how many go into one; archives and compressed lists with the same bytes every time."""

import gzip
import io
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from curate.export.definition import Clips, Row

SHARD_BYTES = 400_000_000  # about; readers stream shards of 100 MB to 1 GB well (WebDataset, Hugging Face)
FLAC_SHARE = 0.6  # of the bytes of 16-bit samples, for speech


def shards(clips: Clips, rows: Sequence[Row], size: int = SHARD_BYTES) -> list[list[Row]]:
    """The rows in their order, in runs of about `size` bytes each; what is where follows from their lengths alone."""
    share = FLAC_SHARE if clips.sound.encoding == "flac" else 1.0
    parts: list[list[Row]] = []
    filled = size
    for row in rows:
        if filled >= size:
            parts.append([])
            filled = 0
        parts[-1].append(row)
        filled += round(2 * clips.frames(row) * share)
    return parts


class Tar:
    """A tar archive without times, owners or modes of this machine."""

    def __init__(self, path: Path) -> None:
        self._tar = tarfile.TarFile(path, "w", format=tarfile.USTAR_FORMAT)

    def __enter__(self) -> "Tar":
        return self

    def __exit__(self, *_raised: object) -> None:
        self._tar.close()

    def add(self, name: str, content: bytes | memoryview) -> None:
        """A file of the archive."""
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = len(content), 0o644, 0
        self._tar.addfile(entry, io.BytesIO(content))


def gzipped(text: str) -> bytes:
    """A gzip file without time and name."""
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=packed, mtime=0) as file:
        file.write(text.encode())
    return packed.getvalue()


def mixed(rows: Sequence[Row]) -> list[Row]:
    """The rows in an order without neighbours from one recording: shards are read from front to back."""
    import polars as pl

    from curate.steps.selection import shuffled

    ids = pl.DataFrame({"id": [row["id"] for row in rows]})
    order: Iterator[int] = iter(ids.with_row_index("at").sort(shuffled("id", seed=0))["at"].to_list())
    return [rows[at] for at in order]
