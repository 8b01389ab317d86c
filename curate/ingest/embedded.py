"""Sounds inside Parquet files, as Hugging Face keeps them: written out as files, a few rows in memory at a time."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from curate.ingest import archives
from curate.ingest.tree import Tree

USUAL = ("audio", "path", "file", "file_name", "wav")  # names of a column of sounds, the likeliest first
BATCH = 32  # rows in memory at a time
MAGIC = (
    (b"RIFF", ".wav"), (b"fLaC", ".flac"), (b"OggS", ".ogg"), (b"ID3", ".mp3"), (b"\xff\xfb", ".mp3"),
    (b"\xff\xf3", ".mp3"), (b"\x1aE\xdf\xa3", ".webm"),
)  # fmt: skip


def unpack(tree: Tree, into: Path, progress: archives.Progress = archives.silent, *, called: str | None = None) -> None:
    """Write the sounds of every Parquet file of a source that holds bytes to `into/STEM/NUMBER.SUFFIX`.

    `called` is the recipe's name of the column of sounds.
    """
    holding = [(name, audio_column(Path(tree.file(name)), called)) for name in tree.named("*.parquet")]
    jobs = [
        (archives.stamp(Path(tree.file(name)), name), partial(_write, Path(tree.file(name)), name, column, progress))
        for name, column in holding
        if column
    ]
    if jobs:
        archives.unpack_each(jobs, into)


def folder_of_table(name: str) -> str:
    """The folder of a table's sounds: its path without the suffix."""
    return name.removesuffix(".parquet")


def audio_column(path: Path, called: str | None = None) -> str | None:
    """The column that holds sounds as bytes: the one so called, else one of a usual name, else the first that may."""
    import pyarrow as pa

    fields = list(_opened(path).schema_arrow)
    structs = [f.name for f in fields if pa.types.is_struct(f.type) and f.type.get_field_index("bytes") >= 0]
    holding = structs + [f.name for f in fields if pa.types.is_binary(f.type) or pa.types.is_large_binary(f.type)]
    if called:
        return called if called in holding else None
    return next((name for name in USUAL if name in holding), structs[0] if structs else None)


def _opened(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from curate.errors import UserError

    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path} is no Parquet file, or is cut short ({str(error).splitlines()[0]})") from None


def _write(path: Path, name: str, column: str, progress: archives.Progress, into: Path) -> None:
    folder = into / folder_of_table(name)
    folder.mkdir(parents=True, exist_ok=True)
    total = _opened(path).metadata.num_rows
    for number, value in enumerate(_values(path, column)):
        if value is not None and value.get("bytes") is not None:
            content = value["bytes"]
            name = f"{number:07d}{_suffix(content, value.get('path'))}"
            (folder / name).write_bytes(content)
        progress(path.name, number + 1, total)


def _values(path: Path, column: str) -> Iterator[dict[str, Any] | None]:
    for batch in _opened(path).iter_batches(batch_size=BATCH, columns=[column]):
        for value in batch.column(0).to_pylist():
            yield {"bytes": value} if isinstance(value, bytes) else value


def _suffix(content: bytes, path: str | None) -> str:
    """By what the bytes begin with, else as the path says."""
    for magic, suffix in MAGIC:
        if content.startswith(magic):
            return suffix
    return Path(path).suffix.lower() if path and Path(path).suffix else ".bin"
