"""Forgetting people: what a corpus still holds of clips that are no longer in its sources.

A verdict takes a person out of everything that goes out (`takedown`). What was measured of them stays in the caches, as
a threshold may bring any other clip back. Where the law wants that gone too, their recordings are removed from the
source, `curate run` reads it again, and this removes the rest.
"""

from dataclasses import dataclass, field

import polars as pl

from curate import commands, leftovers, locks, outputs
from curate.corpus import Corpus
from curate.engine.ask import Watch
from curate.engine.store import Store
from curate.errors import UserError
from curate.export import folder as export_folder
from curate.measures import catalogue
from curate.measures.catalogue import Measures
from curate.recipe import Recipe
from curate.steps.verdicts import taken_down

ELSEWHERE = (
    "not known here: the recordings themselves, copies and backups, exports and latents in other folders, "
    "adapters that were trained on them"
)


@dataclass
class Purged:
    """How much was removed: cached answers, rows of locks, files of latents; exports written anew; what remains."""

    answers: int = 0
    locked: int = 0
    latents: int = 0
    exports: list[str] = field(default_factory=list)
    remains: list[str] = field(default_factory=list)


def purge(
    corpus: Corpus, wanted: Recipe, *, workers: int, watch: Watch, measures: Measures | None = None
) -> tuple[pl.DataFrame, Purged]:
    """Remove what is of no clip that was last ingested, decide again, and write all that follows; the manifest's frame.

    Answers of models that the recipe does not ask are removed too: nothing tells whose they are.
    """
    asked, store, done = measures or catalogue.of(wanted), Store(corpus.answers, remember=True), Purged()
    measured = commands.measure_anew(corpus, wanted, asked, workers=workers, watch=watch, store=store)
    done.locked = locks.forget(corpus, set(measured["id"]))
    clips = commands.advance(corpus, wanted, until="tag", workers=workers, watch=watch, measures=asked)
    commands.finish(corpus, wanted, clips, watch)
    done.answers = store.forget()
    done.latents = leftovers.keep_latents(corpus)
    for format in leftovers.strangers(corpus, clips):
        try:
            _export_again(corpus, wanted, clips, format, watch)
            done.exports.append(format)
        except (UserError, OSError) as error:
            done.remains.append(f"{corpus.export(format)} holds clips that are not kept and is not renewed: {error}")
    done.remains += [*_still_there(clips), ELSEWHERE]
    return clips, done


def _export_again(corpus: Corpus, wanted: Recipe, clips: pl.DataFrame, format: str, watch: Watch) -> None:
    if not export_folder.settings_of(corpus.export(format)):
        raise UserError("it was not written by `curate export`; remove it")
    outputs.export(corpus, wanted, clips, format=format, into=None, watch=watch)


def _still_there(clips: pl.DataFrame) -> list[str]:
    """Recordings of people who asked to be taken out: as long as they are in a source, the corpus has rows of them."""
    theirs = clips.filter(taken_down()).select("source", "path").unique(maintain_order=True)
    if theirs.is_empty():
        return []
    source, path = theirs.row(0)
    return [
        f"{theirs.height} recordings of people who were taken out are still in the sources, such as {source} {path}: "
        "remove them there, run `curate run` again, and then this"
    ]


def as_text(done: Purged) -> str:
    """The same for a terminal."""
    lines = [
        f"removed  {done.answers} cached answers, {done.locked} rows of locks, {done.latents} files of latents",
        *([f"anew     {', '.join(done.exports)}"] if done.exports else []),
        *(f"remains  {line}" for line in done.remains),
    ]
    return "\n".join(lines)
