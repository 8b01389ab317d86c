"""A folder of recordings without text: every audio file below it."""

import os
from pathlib import Path

import polars as pl

from curate.errors import UserError
from curate.recipe import Source

# what soundfile or PyAV can open; video is fine, its sound is taken
SUFFIXES = frozenset(
    [
        ".wav",
        ".flac",
        ".ogg",
        ".oga",
        ".opus",
        ".mp3",
        ".m4a",
        ".aac",
        ".wma",
        ".aiff",
        ".aif",
        ".au",
        ".caf",
        ".amr",
        ".webm",
        ".mp4",
        ".mkv",
        ".mov",
        ".avi",
        ".3gp",
        ".ts",
    ]
)


def read(source: Source) -> pl.DataFrame:
    """One row per audio file, sorted by path; hidden files, macOS archive leftovers and corpora are passed over."""
    top = Path(source.path)
    if not top.is_dir():
        raise UserError(f"source {source.id}: no folder at {top}; mend source.{source.id}.path")
    if source.language is None:
        raise UserError(f'source {source.id}: a folder needs `language = "km"` or "ko"')
    paths = sorted(_audio_files(top))
    if not paths:
        raise UserError(f"source {source.id}: no audio files under {top} (looked for {' '.join(sorted(SUFFIXES))})")
    return pl.DataFrame([_row(path) for path in paths], schema={"path": pl.String, "error": pl.String}, orient="row")


def _row(path: str) -> tuple[str, str | None]:
    """The path and, where a table cannot hold it, why the file is not read."""
    shown = os.fsencode(path).decode("utf-8", "replace")
    return shown, None if shown == path else "the name of the file is not UTF-8; rename it"


def _audio_files(top: Path) -> list[str]:
    paths = []
    for folder, below, names in os.walk(top):
        below[:] = [name for name in below if not _passed_over(Path(folder) / name)]
        for name in names:
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                paths.append((Path(folder) / name).relative_to(top).as_posix())
    return paths


def _passed_over(folder: Path) -> bool:
    """Hidden, an archive's leftovers, or a corpus: its clips are made from recordings and are none themselves."""
    return folder.name.startswith(".") or folder.name == "__MACOSX" or (folder / "ingested.parquet").exists()
