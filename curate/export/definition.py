"""What an export is: the clips and how their sound is wanted, and files that are made of them."""

import hashlib
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from json.encoder import encode_basestring as quoted
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from curate import audio
from curate.errors import UserError
from curate.export.sound import VERSION, Sound, expected_frames
from curate.manifest import SPLITS
from curate.recipe import LANGUAGES, Recipe

RATES = range(8_000, 192_001)  # Hz
LOUDNESS = (-70.0, 0.0)  # LUFS: under the absolute gate of BS.1770 nothing is heard, above full scale nothing is
IDENTITY = ("id", "sha256", "channel_mix", "dc_offset", "cut_start", "cut_end")  # which samples a clip is
TOLD = ("source", "licence", "attribution", "url")  # what must go wherever a clip goes
Row = Mapping[str, Any]
_identity, _told = itemgetter(*IDENTITY, "rate"), itemgetter(*TOLD)
as_json = json.JSONEncoder(ensure_ascii=False).encode  # `json.dumps` makes an encoder for every call that says so


class File(NamedTuple):
    """One file of an export. Its key stands for its content: a file that is there under the same key is left."""

    name: str  # below the folder of the export, with /
    key: str
    make: Callable[[Path], Mapping[str, int]]  # writes it, and counts what is to be told of its sounds
    seconds: float = 0.0  # of audio in it, for the progress; 0 for a list, which is written last


@dataclass(frozen=True)
class Clips:
    """The clips of an export in the manifest's order, and where their sound is."""

    rows: Sequence[Row]
    folder: Path  # of ID.flac
    sound: Sound
    manifest: pl.DataFrame  # every row, dropped ones too, for what is told of the whole
    recipe: Recipe

    def of(self, split: str) -> list[Row]:
        """The clips of one split."""
        return [row for row in self.rows if row["split"] == split]

    def splits(self) -> list[str]:
        """The splits that have clips; one without any has no files, for most readers refuse an empty one."""
        return [split for split in SPLITS if any(row["split"] == split for row in self.rows)]

    def rate(self, row: Row) -> int:
        """The sample rate of a clip as exported."""
        return int(self.sound.rate or row["rate"])

    def frames(self, row: Row) -> int:
        """Its samples at that rate."""
        return expected_frames(row["cut_end"] - row["cut_start"], row["rate"], self.rate(row))

    def seconds(self, row: Row) -> float:
        """Its length as exported."""
        return self.frames(row) / self.rate(row)

    def described(self) -> pl.DataFrame:
        """The manifest as it is true of the export: dropped rows and those exported, at the rate they have in it."""
        ids = [row["id"] for row in self.rows]
        frame = self.manifest.filter(pl.col("drop").is_not_null() | pl.col("id").is_in(ids))
        rate = pl.lit(self.sound.rate, dtype=frame.schema["rate"]) if self.sound.rate else pl.col("rate")
        return frame.with_columns(rate.alias("rate"))

    def path(self, row: Row) -> Path:
        """The clip as it was cut."""
        return self.folder / f"{row['id']}.flac"

    def file_name(self, row: Row) -> str:
        """What its sound is called."""
        return f"{row['id']}.{self.sound.encoding}"

    def key(self, row: Row) -> str:
        """What its sound depends on."""
        values = ", ".join(map(plain, _identity(row)))
        return hashlib.sha256(f"[{self._made_by}, {values}]".encode()).hexdigest()[:32]

    @cached_property
    def _made_by(self) -> str:
        return as_json([audio.VERSION, VERSION, self.sound.settings()])[1:-1]

    def loose(self, row: Row, folder: str = "audio") -> File:
        """Its sound as a file of its own."""
        return File(f"{folder}/{self.file_name(row)}", self.key(row), partial(self._encode, row), self.seconds(row))

    def _encode(self, row: Row, into: Path) -> Mapping[str, int]:
        content, notes = self.sound.encoded(self.path(row))
        into.write_bytes(content)
        return notes


def select(clips: pl.DataFrame) -> Sequence[Row]:
    """The rows that are exported: kept, in a split, with a text; in the manifest's order."""
    wanted = clips.filter(
        pl.col("drop").is_null(), pl.col("split").is_in(SPLITS), pl.col("training_text").is_not_null()
    )
    columns = [
        *IDENTITY, *TOLD, "rate", "language", "split", "person", "speaker", "text", "spoken", "words", "pronounced",
        "training_text", "control", "reference",
    ]  # fmt: skip
    return list(wanted.select(columns).iter_rows(named=True))


def facts(row: Row) -> dict[str, Any]:
    """What goes with a clip in every format that has room: who, which language, whose, under which licence."""
    return {
        "language": row["language"], "speaker": person(row), "source": row["source"], "licence": row["licence"],
        "attribution": row["attribution"] or "", "url": row["url"] or "",
    }  # fmt: skip


def person(row: Row) -> str:
    """Who speaks, across sources; empty where nobody knows."""
    return str(row["person"] or row["speaker"] or "")


def language_name(row: Row) -> str:
    """Its language in English, as lhotse writes it."""
    return LANGUAGES.get(row["language"], str(row["language"]))


def one_line(text: str) -> str:
    """A text without line breaks and runs of spaces."""
    return " ".join(text.split())


def spoken(row: Row) -> str:
    """The words as they are said, for recognition and for synthesis alike."""
    return one_line(row["spoken"] or "")


def text_file(name: str, text: str) -> File:
    """A list or a page."""
    content = text.encode("utf-8")

    def make(into: Path) -> Mapping[str, int]:
        into.write_bytes(content)
        return {}

    return File(name, hashlib.sha256(content).hexdigest(), make)


def json_lines(objects: Sequence[Mapping[str, Any]]) -> str:
    """One object a line."""
    return "".join(as_json(each) + "\n" for each in objects)


def plain(value: str | float | None) -> str:
    """One value as `as_json` has it, which makes an encoder for everything but texts: too slow for every clip."""
    if isinstance(value, str):
        return quoted(value)
    return "null" if value is None else str(value) if math.isfinite(value) else as_json(value)


def digest(values: Any) -> str:
    """A key of plain values."""
    return hashlib.sha256(as_json(values).encode()).hexdigest()[:32]


def check_cut(clips: Clips) -> None:
    """Raise UserError where a clip's sound is not there."""
    there = set(os.listdir(clips.folder)) if clips.folder.is_dir() else set()
    missing = [row for row in clips.rows if f"{row['id']}.flac" not in there]
    if missing:
        raise UserError(
            f"{len(missing)} of {len(clips.rows)} clips are not cut, such as {clips.path(missing[0])}: "
            f"run `curate tag {clips.folder.parent}`"
        )


def says_level(clips: Clips) -> bool:
    """Whether control words in the training text say how loud a clip is."""
    return any({"quiet", "loud"} & set((row["control"] or "").split(", ")) for row in clips.rows)


def attributions(clips: Clips) -> File:
    """sources.tsv: what was taken of each source, under which licence, and whom to name."""
    totals: dict[tuple[str, ...], list[float]] = {}
    shown: dict[tuple[str | None, ...], list[float]] = {}  # thousands of clips have the same few
    for row in clips.rows:
        entry = shown.get(values := _told(row))
        if entry is None:
            entry = shown[values] = totals.setdefault(tuple(one_line(each or "") for each in values), [0, 0.0])
        entry[0] += 1
        entry[1] += clips.seconds(row)
    lines = ["\t".join((*TOLD, "clips", "hours"))]
    lines += ["\t".join((*each, f"{int(count)}", f"{seconds / 3600:.4f}")) for each, (count, seconds) in totals.items()]
    return text_file("sources.tsv", "\n".join(lines) + "\n")
