"""What training reads of a corpus: the kept rows of `manifest.parquet`, and `clips/ID.flac`."""

import logging
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.errors import UserError
from curate.text import control
from train.messages import counted

if TYPE_CHECKING:
    import polars as pl

COLUMNS = ("id", "split", "language", "speaker", "training_text", "seconds", "drop")
MEASURED = ("rate", "cut_start", "cut_end", "speech")  # what tells the silence at the ends, where it is there
TAGGED = ("person", "control", "reference")  # what else tagging says of a clip, where the manifest says it
FORMS = ("spoken", "pronounced")  # what training text can be made of, and the columns that hold it
NAMED = 5  # ids in a message
BRACKETED = re.compile(r".*[)\]}>]\s*")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingClip:
    """One kept clip; its audio is mono FLAC at the source's rate."""

    id: str
    split: str  # train, validation or test
    language: str
    person: str  # who speaks, across sources; the speaker as named where nobody told persons apart; empty: nobody knows
    text: str  # as the model is shown it, tag included
    seconds: float
    path: Path
    spoken: str | None = None  # what `text` was made of, where the manifest says it
    pronounced: str | None = None
    rate: int | None = None  # Hz, as the manifest says it
    head: float | None = None  # seconds of silence before the first speech, where that was measured
    tail: float | None = None  # and after the last
    control: str | None = None  # control words in the tag of `text`
    reference: str = ""  # id of the clip that the manifest names as heard before it


@dataclass(frozen=True)
class Reading:
    """How training text is written: a tag, spaces included and control words left out, then the text in a form."""

    tag: str
    form: str  # one of FORMS


def read(corpus: Path, *, quiet: bool = False) -> list[TrainingClip]:
    """Every kept clip that has a text, in the manifest's order; a warning counts those without, unless `quiet`.

    Raises UserError where there is no manifest or no such clip, two clips have one id, or a clip lacks its split,
    language, length or file.
    """
    kept = _rows(corpus / "manifest.parquet")
    rows = [row for row in kept if row["training_text"]]
    if not rows:
        raise UserError(f"no kept clip of {corpus} has a training_text: run `curate tag {corpus}`")
    if len(rows) < len(kept) and not quiet:
        log.warning("%d of %s left out: no training_text", len(kept) - len(rows), counted(len(kept), "kept clip"))
    _check_ids(rows, corpus)
    clips = [_clip(row, corpus / "clips") for row in rows]
    missing = [clip for clip in clips if not clip.path.is_file()]
    if missing:
        raise UserError(
            f"{len(missing)} of {counted(len(clips), 'clip')} without audio, such as {missing[0].path}: copy clips/ too"
        )
    return clips


def of(clips: Sequence[TrainingClip], split: str) -> list[TrainingClip]:
    """The clips of one split."""
    return [clip for clip in clips if clip.split == split]


def languages(clips: Sequence[TrainingClip]) -> list[str]:
    """The languages present, sorted."""
    return sorted({clip.language for clip in clips})


def readings(clips: Sequence[TrainingClip]) -> dict[str, Reading]:
    """How the training text of each language was made of its clips' text.

    It is stored with the adapter: a sentence to be spoken must be written as the training text was. Raises UserError
    where the clips of a language do not agree.
    """
    return {language: _reading(language, [clip for clip in clips if clip.language == language])
            for language in languages(clips)}  # fmt: skip


def check_validation(clips: Sequence[TrainingClip]) -> None:
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
        there = pl.read_parquet_schema(path)
        columns = [*COLUMNS, *(name for name in (*FORMS, *MEASURED, *TAGGED) if name in there)]
        rows = pl.read_parquet(path, columns=columns)  # any version that has what training needs
        _check_drop(rows["drop"], path)
        kept = manifest.kept(rows)
    except pl.exceptions.PolarsError as problem:
        raise UserError(f"{path} cannot be read ({str(problem).splitlines()[0]}): run `curate run` again") from problem
    if kept.is_empty():
        raise UserError(f"{path} keeps no clip; `curate status {path.parent}` says why")
    return kept.to_dicts()


def _check_drop(column: "pl.Series", path: Path) -> None:
    """Raise UserError where it does not say why clips were dropped: every value but null drops one."""
    import polars as pl

    if column.dtype not in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        fault = f"is of type {column.dtype}"
    elif (column == "").any():
        fault = "holds empty text"
    else:
        return
    raise UserError(f"the column drop of {path} {fault}; it says why in words, null where a clip is kept: mend it")


def _check_ids(rows: Sequence[dict[str, object]], corpus: Path) -> None:
    """Raise UserError where clips share an id, and with it their audio."""
    if shared := sorted(name for name, count in Counter(str(row["id"]) for row in rows).items() if count > 1):
        named = ", ".join(shared[:NAMED]) + (", ..." if len(shared) > NAMED else "")
        raise UserError(
            f"{counted(len(shared), 'id')} of {corpus} in more than one kept row ({named}): leave one row for each, or "
            "give each its own id and file in clips/"
        )


def _clip(row: dict[str, object], folder: Path) -> TrainingClip:
    for column, remedy in (("split", f"curate tag {folder.parent}"), ("language", "curate run RECIPE")):
        if not row[column]:
            raise UserError(f"clip {row['id']} has no {column}: run `{remedy}`")
    seconds = row["seconds"]
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
        raise UserError(
            f"clip {row['id']} has seconds = {seconds!r}, which is no length: run `curate run RECIPE` again"
        )
    return TrainingClip(
        id=str(row["id"]),
        split=str(row["split"]),
        language=str(row["language"]),
        person=str(row.get("person") or row["speaker"] or ""),
        text=str(row["training_text"]),
        seconds=float(seconds),
        path=folder / f"{row['id']}.flac",
        spoken=_text(row.get("spoken")),
        pronounced=_text(row.get("pronounced")),
        control=_text(row.get("control")),
        reference=str(row.get("reference") or ""),
        **_silence(row),
    )


def _silence(row: dict[str, object]) -> dict[str, Any]:
    """Rate, and seconds of silence at both ends of what was cut, as far as the manifest has what tells them."""
    rate, start, end, speech = (row.get(name) for name in MEASURED)
    if not isinstance(rate, int):
        return {}
    if not (isinstance(speech, list) and speech and isinstance(start, int) and isinstance(end, int)):
        return {"rate": rate}
    return {"rate": rate, "head": (speech[0]["start"] - start) / rate, "tail": (end - speech[-1]["end"]) / rate}


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _reading(language: str, clips: Sequence[TrainingClip]) -> Reading:
    if all(clip.spoken is None and clip.pronounced is None for clip in clips):  # a manifest without these columns
        texts = [clip.text for clip in clips]
        bracketed = BRACKETED.match(texts[0][: shared_start(texts)])
        return Reading(bracketed.group() if bracketed else "", "spoken")
    for form in FORMS:
        tags = {_tag(clip, form) for clip in clips}
        if len(tags) == 1 and (tag := tags.pop()) is not None:
            return Reading(tag, form)
    raise UserError(
        f"training_text of {language} is not one tag followed by spoken or pronounced text in all "
        f"{counted(len(clips), 'clip')}: run `curate tag CORPUS`"
    )


def shared_start(texts: Sequence[str] | Sequence[tuple[int, ...]]) -> int:
    """How many letters, or ids, all texts start with: the first and the last in order share no more than any two."""
    first, last = min(texts), max(texts)
    return next((i for i, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))


def _tag(clip: TrainingClip, form: str) -> str | None:
    """What stands before the clip's text in that form, control words aside; None where it is not made of that form."""
    text = (clip.pronounced if form == "pronounced" and clip.pronounced is not None else clip.spoken) or ""
    # as curate.steps.tag writes it, and as it wrote what begins with a parenthesis before it made that safe
    for written in (control.plain(text), control.SPACES.sub(" ", text).strip()):
        if written and clip.text.endswith(written):
            return control.without_words(clip.text[: len(clip.text) - len(written)], clip.control)
    return None
