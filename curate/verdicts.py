"""A verdicts file: clip, verdict, reason and who, tab-separated, as the report's page or a person writes it."""

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from curate.console import printable
from curate.corpus import Corpus
from curate.errors import UserError
from curate.ingest import lines
from curate.recipe import Recipe
from curate.steps.rules import DROP, KEEP
from curate.steps.verdicts import SCHEMA, attach

HEADER = "\t".join(SCHEMA)
NAMED = 3  # clips that are named where many are unknown


@dataclass(frozen=True)
class Verdicts:
    """What people said, the last word on each clip; `rows` as `steps.verdicts.SCHEMA`, `notes` for whoever runs it."""

    file: Path
    rows: pl.DataFrame
    notes: list[str] = field(default_factory=list)


def place(corpus: Corpus, recipe: Recipe) -> Path | None:
    """The file that counts: the recipe's, else the corpus's own where there is one."""
    if recipe.corpus.verdicts is not None:
        return Path(recipe.corpus.verdicts)
    return corpus.verdicts if corpus.verdicts.exists() else None


def require(corpus: Corpus, recipe: Recipe) -> None:
    """Raise UserError where the file that counts cannot be read: before hours are spent, not after."""
    if (file := place(corpus, recipe)) is not None:
        read(file)


def load(corpus: Corpus, recipe: Recipe, ids: pl.Series) -> Verdicts | None:
    """The verdicts on a corpus of clips with these ids; None where there is no file.

    Raises UserError where the file cannot be read, or is of another corpus: it knows none of the ids.
    """
    file = place(corpus, recipe)
    if file is None:
        return None
    found = read(file)
    notes = list(found.notes)
    unknown = found.rows.filter(~pl.col("clip").is_in(ids.implode()))["clip"]
    if len(unknown) and len(unknown) == found.rows.height:
        raise UserError(
            f"{file} is of another corpus, or its recordings were cut anew or removed since: none of its "
            f"{len(unknown)} clips is here, such as {printable(unknown[0])}; name the right file in corpus.verdicts, "
            "or move this one away"
        )
    if len(unknown):
        some = ", ".join(printable(each) for each in unknown[:NAMED])
        notes.append(
            f"{file}: {len(unknown)} of its {found.rows.height} clips are not in this corpus, such as {some}; what is "
            "said of them changes nothing"
        )
    if file != corpus.verdicts and corpus.verdicts.exists() and not file.samefile(corpus.verdicts):
        notes.append(f"{corpus.verdicts} is not read: the recipe names {file}")
    return Verdicts(file, found.rows, notes)


def waiting(corpus: Corpus, said: Verdicts | None, clips: pl.DataFrame) -> list[str]:
    """A line where a decided manifest does not follow what people say now; what it keeps against a drop is counted."""
    if clips["broke"].is_null().all():
        return []
    now = attach(clips.select("id", "drop"), said.rows if said else None)
    then = clips.select("id", pl.col("verdict", "verdict_reason").name.prefix("its_"))
    both = now.join(then, on="id")
    changed = both.filter(
        pl.col("verdict").ne_missing(pl.col("its_verdict"))
        | pl.col("verdict_reason").ne_missing(pl.col("its_verdict_reason"))
    )
    if changed.is_empty():
        return []
    still = changed.filter(pl.col("verdict") == DROP, pl.col("drop").is_null()).height
    kept = f", {still} of which people drop and it still keeps" if still else ""
    return [f"verdicts on {changed.height} clips are not those of the manifest{kept}: run `curate tag {corpus.folder}`"]


def read(file: Path) -> Verdicts:
    """A verdicts file by itself; a UserError names the file, and the line where one line is wrong."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise UserError(f"there is no {file}: mend corpus.verdicts, or take it out until there are verdicts") from None
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}") from None
    records = lines.fields(lines.lines(content), "\t", quoted=True)
    header = next(records, None)
    names = [each.strip().lower() for each in header.values] if header else []
    if not {"clip", "verdict"} <= set(names):
        raise UserError(
            f"{file}: its first line should be clip, verdict, reason, who with tabs between, as in the report"
        )
    rows: dict[str, tuple[str, str | None, str | None]] = {}
    twice: set[str] = set()
    for record in records:
        if [each.strip().lower() for each in record.values] == names:  # files put one behind the other
            continue
        clip, verdict, reason, who = _row(file, names, record)
        if clip in rows and rows[clip][0] != verdict:
            twice.add(clip)
        rows.pop(clip, None)  # the last word stands in its own place
        rows[clip] = (verdict, reason, who)
    frame = pl.DataFrame([(clip, *said) for clip, said in rows.items()], schema=SCHEMA, orient="row")
    if not twice:
        return Verdicts(file, frame)
    first = printable(min(twice))
    both = f"{file}: both keep and drop are said of {len(twice)} clips, such as {first}; the last line counts"
    return Verdicts(file, frame, [both])


def _row(file: Path, names: list[str], record: lines.Fields) -> tuple[str, str, str | None, str | None]:
    where = f"{file}, line {record.number}"
    if record.error:
        raise UserError(f"{where} {record.error}")
    values = {name: " ".join(value.split()) for name, value in zip(names, record.values, strict=False)}
    clip, verdict = values.get("clip", ""), values.get("verdict", "").lower()
    if not clip:
        raise UserError(f"{where}: no clip is named")
    if verdict not in (KEEP, DROP):
        raise UserError(f"{where}: the verdict on {printable(clip)} is {printable(verdict)!r}; say {KEEP} or {DROP}")
    return clip, verdict, values.get("reason") or None, values.get("who") or None
