"""What a corpus remembers of its decisions: which clips it holds out, and which it chose before clips were added.

`split.lock` and `balance.lock` are tables a person can read. They are no answers of a model and no settings: they hold
what was drawn, so that it stays.
"""

import hashlib
import io
import json
import logging
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import polars as pl

from curate import files
from curate.corpus import Corpus
from curate.errors import UserError
from curate.recipe import LANGUAGES, Recipe
from curate.steps import held_out
from curate.steps.before import Before
from curate.steps.verdicts import taken_down

log = logging.getLogger(__name__)

SETTINGS, ROWS = "# drawn with ", "# among clips "
ABOUT_SPLIT = (
    "# Held-out clips: they stay when clips are added. To draw anew: another split.seed, or delete this file.\n"
)
ABOUT_BALANCE = "# Chosen clips: before clips were last added, and now. To choose anew: balance.stable = false.\n"
CHOSEN = {"id": pl.String, "language": pl.String, "chosen": pl.String}
BEFORE, NOW, BOTH = "before", "now", "before and now"


def read(corpus: Corpus, wanted: Recipe, measured: pl.DataFrame) -> Before:
    """What was decided before; a UserError where a lock cannot be read."""
    return Before(chosen=_chosen_before(corpus, measured), held=held(corpus, wanted))


def write(corpus: Corpus, wanted: Recipe, clips: pl.DataFrame, before: Before) -> None:
    """Note what was decided, for the next time."""
    _write_held(corpus, wanted, clips, before)
    if chooses(wanted):
        kept = clips.filter(pl.col("drop").is_null()).select("id", "language", pl.lit(NOW).alias("chosen"))
        earlier = clips.filter(pl.col("id").is_in(list(before.chosen))).select("id", "language")
        both = kept.join(earlier, on="id", how="full", coalesce=True)
        new, gone = pl.col("language_right").is_null(), pl.col("language").is_null()
        state = pl.when(new).then(pl.lit(NOW)).when(gone).then(pl.lit(BEFORE)).otherwise(pl.lit(BOTH))
        rows = both.select("id", pl.coalesce("language", "language_right"), state.alias("chosen")).sort("id")
        head = f"{ABOUT_BALANCE}{ROWS}{_digest(clips)}\n"
        files.write_text(corpus.balance_lock, head + rows.write_csv(separator="\t"))


def chooses(wanted: Recipe) -> bool:
    """Whether hours or caps make a choice among clips, which `balance.lock` then lists."""
    caps = (name for name in wanted.balance.model_dump(exclude_none=True) if name.startswith("max_"))
    return bool(wanted.balance.hours) or any(caps)


def chosen(corpus: Corpus) -> pl.Series:
    """The ids that `balance.lock` lists as chosen now; a UserError where it is broken."""
    _, rows = _opened(corpus.balance_lock, ROWS, CHOSEN)
    return rows.filter(pl.col("chosen").is_in([NOW, BOTH]))["id"]


def held(corpus: Corpus, wanted: Recipe) -> pl.DataFrame:
    """What split.lock holds out, nothing where it was drawn with other settings; a UserError where it is broken."""
    settings, rows = _opened(corpus.split_lock, SETTINGS, held_out.SCHEMA)
    if settings is None:
        return held_out.nothing()
    if wrong := sorted(set(rows["split"].drop_nulls()) - set(held_out.HELD_OUT)):
        raise UserError(f"{corpus.split_lock}: {wrong[0]!r} is no held-out split; mend it, or delete it to draw anew")
    if settings == _settings(wanted):
        return rows
    try:
        then, now = json.loads(settings), json.loads(_settings(wanted))
        changed = [
            f"split.{name} is {now[name]} and was {then.get(name)}" for name in now if now[name] != then.get(name)
        ]
    except (ValueError, AttributeError):
        raise UserError(f"{corpus.split_lock}, line 2 is not as it was written; delete it to draw anew") from None
    log.warning("held-out sets are drawn anew: %s; those of before are in %s", "; ".join(changed), _former(corpus).name)
    return held_out.nothing()


def _write_held(corpus: Corpus, wanted: Recipe, clips: pl.DataFrame, before: Before) -> None:
    taken, kept = clips.filter(taken_down())["id"], held_out.of(clips)
    _tell_of_sets_drawn_anew(before.held, kept)
    now = held_out.without(held_out.together(kept, before.held), taken)  # as they are now, where they are here
    text = f"{ABOUT_SPLIT}{SETTINGS}{_settings(wanted)}\n{now.write_csv(separator=chr(9))}"
    if corpus.split_lock.is_file() and before.held.is_empty():
        there = corpus.split_lock.read_text(encoding="utf-8")
        if there != text and f"{SETTINGS}{_settings(wanted)}\n" not in there:
            files.write_text(_former(corpus), there)
    files.write_text(corpus.split_lock, text)
    if len(taken):
        asked = set(taken)
        _keep_rows(_former(corpus), lambda id: id not in asked)


def _tell_of_sets_drawn_anew(before: pl.DataFrame, kept: pl.DataFrame) -> None:
    """Of a set that none is left of, as its clips are dropped or taken down, another takes the place."""
    which = ["language", "split"]
    left = kept.join(before, on="id", how="semi")
    anew = before.join(left, on=which, how="anti").join(kept, on=which, how="semi").select(which).unique().sort(which)
    for language, name in anew.iter_rows():
        log.warning(
            "%s: nothing is left of the %s set, and another is drawn from clips that were trained on until now",
            LANGUAGES.get(language, language), name,
        )  # fmt: skip


def forget(corpus: Corpus, known: Collection[str]) -> int:
    """Take clips that the corpus no longer has out of every lock; how many rows these were."""
    places = (corpus.split_lock, _former(corpus), corpus.balance_lock)
    return sum(_keep_rows(place, known.__contains__) for place in places)


def _keep_rows(path: Path, stays: Callable[[str], bool]) -> int:
    """Take rows out of a lock by the ids of their clips; how many. What is no lock of ours is left as it is."""
    if not path.is_file():
        return 0
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    head = sum(line.startswith("#") for line in lines)
    names = lines[head].split() if head < len(lines) else []
    if "id" not in names:
        return 0
    place = names.index("id")
    rows = [line for line in lines[head + 1 :] if stays((line.rstrip("\n").split("\t") + [""] * place)[place])]
    if gone := len(lines) - head - 1 - len(rows):
        files.write_text(path, "".join([*lines[: head + 1], *rows]))
    return gone


def _former(corpus: Corpus) -> Path:
    return corpus.split_lock.with_name(f"{corpus.split_lock.name}.former")


def _settings(wanted: Recipe) -> str:
    return json.dumps(wanted.split.model_dump(mode="json"), sort_keys=True)


def _chosen_before(corpus: Corpus, measured: pl.DataFrame) -> frozenset[str]:
    """What was chosen when there were other clips than now; of the same clips a choice is made as it was made then."""
    digest, rows = _opened(corpus.balance_lock, ROWS, CHOSEN)
    if digest is None:
        return frozenset()
    states = (BEFORE, BOTH) if digest == _digest(measured) else (NOW, BOTH)
    return frozenset(rows.filter(pl.col("chosen").is_in(states))["id"])


def _digest(clips: pl.DataFrame) -> str:
    return hashlib.sha256("\n".join(clips["id"].sort()).encode()).hexdigest()


def _opened(path: Path, second: str, schema: dict[str, Any]) -> tuple[str | None, pl.DataFrame]:
    """What the second line says, and the rows; None where there is no such file."""
    if not path.exists():
        return None, pl.DataFrame(schema=schema)
    try:
        about, settings, table = [*path.read_text(encoding="utf-8").split("\n", 2), "", ""][:3]
        if not (about.startswith("#") and settings.startswith(second)):
            raise ValueError("its first two lines are not as they were written")
        rows = pl.read_csv(io.StringIO(table), separator="\t", infer_schema=False)
        if rows.columns != list(schema):
            raise ValueError(f"its columns should be {', '.join(schema)}")
        if rows["id"].null_count() or rows["id"].n_unique() < rows.height:
            raise ValueError("ids are missing or stand twice")
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        why = (str(error).splitlines() or [""])[0]
        raise UserError(f"{path} cannot be read ({why}); mend it, or delete it to decide anew") from None
    return settings.removeprefix(second), rows
