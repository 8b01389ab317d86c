"""What training reads of a corpus: the kept rows of `manifest.parquet`, and `clips/ID.flac`."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from curate.errors import UserError

COLUMNS = ("id", "split", "language", "speaker", "training_text", "seconds", "drop")
TAG = re.compile(r"^\([^)]*\)")  # VoxCPM2's control prefix: text in half-width parentheses


@dataclass(frozen=True)
class Clip:
    """One kept clip; its audio is mono FLAC at the source's rate."""

    id: str
    split: str  # train, validation or test
    language: str
    speaker: str
    text: str  # as the model is shown it, tag included
    seconds: float
    path: Path


def read(corpus: Path) -> list[Clip]:
    """Every kept clip, in the manifest's order.

    Raises UserError where there is no manifest or no kept clip, or a clip lacks its split, language, text or file.
    """
    rows = _rows(corpus / "manifest.parquet")
    clips = [_clip(row, corpus / "clips") for row in rows]
    missing = [clip for clip in clips if not clip.path.is_file()]
    if missing:
        raise UserError(
            f"{len(missing)} of {len(clips)} clips have no audio, such as {missing[0].path}: copy clips/ too"
        )
    return clips


def of(clips: Sequence[Clip], split: str) -> list[Clip]:
    """The clips of one split."""
    return [clip for clip in clips if clip.split == split]


def languages(clips: Sequence[Clip]) -> list[str]:
    """The languages present, sorted."""
    return sorted({clip.language for clip in clips})


def tags(clips: Sequence[Clip]) -> dict[str, str]:
    """The tag that training text of each language starts with, or "" where most of it has none.

    It is stored with the adapter: a sentence to be spoken must be tagged as the training text was.
    """
    found: dict[str, Counter[str]] = {language: Counter() for language in languages(clips)}
    for clip in clips:
        match = TAG.match(clip.text)
        found[clip.language][match.group() if match else ""] += 1
    return {language: counts.most_common(1)[0][0] for language, counts in found.items()}


def check_validation(clips: Sequence[Clip]) -> None:
    """Raise UserError where a language that is trained on has no held-out clips."""
    lacking = sorted(set(languages(of(clips, "train"))) - set(languages(of(clips, "validation"))))
    if lacking:
        raise UserError(
            f"no validation clips for {' or '.join(lacking)}: change [split] in the recipe and curate again, "
            "or train without validation by --set train.validate_every=0"
        )


def _rows(path: Path) -> list[dict[str, object]]:
    import polars as pl  # slow to import

    from curate import manifest

    if not path.is_file():
        raise UserError(f"no manifest at {path}; make one with `curate run RECIPE --into {path.parent}`")
    try:
        kept = manifest.kept(pl.read_parquet(path, columns=list(COLUMNS)))  # any version that has what training needs
    except pl.exceptions.PolarsError as problem:
        raise UserError(f"{path} cannot be read ({str(problem).splitlines()[0]}): run `curate run` again") from problem
    if kept.is_empty():
        raise UserError(f"{path} keeps no clip; `curate status {path.parent}` says why")
    return kept.to_dicts()


def _clip(row: dict[str, object], folder: Path) -> Clip:
    for column in ("split", "language", "training_text"):
        if not row[column]:
            raise UserError(f"clip {row['id']} has no {column}: run `curate run` again, to its end")
    return Clip(
        id=str(row["id"]),
        split=str(row["split"]),
        language=str(row["language"]),
        speaker=str(row["speaker"] or ""),
        text=str(row["training_text"]),
        seconds=float(str(row["seconds"])),
        path=folder / f"{row['id']}.flac",
    )
