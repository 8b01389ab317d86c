"""What a decided frame is written to: clips, exports, the card with its metadata, the report."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from curate import files, locks, manifest, recipe, report
from curate.corpus import Corpus
from curate.engine.ask import Watch
from curate.errors import UserError
from curate.export import card, croissant, formats
from curate.export import clips as clip_files
from curate.export import folder as export_folder
from curate.export.definition import Clips, check_cut, says_level, select
from curate.export.description import DataFile, describe
from curate.export.sound import Sound, told
from curate.ingest import roots
from curate.leftovers import other_exports
from curate.recipe import Recipe
from curate.report import packing
from curate.report.summary import Summary

log = logging.getLogger(__name__)

DESCRIBED = (  # columns of the manifest that the corpus's own metadata tells of each kept clip
    "split", "language", "person", "text", "spoken", "training_text", "text_from", "seconds", "rate", "licence",
    "attribution", "url", "source",
)  # fmt: skip


def cut_clips(corpus: Corpus, wanted: Recipe, clips: pl.DataFrame, watch: Watch) -> None:
    """Make `clips/` hold the kept clips."""
    clip_files.cut(
        clips,
        corpus.clips,
        roots(wanted, corpus.unpacked),
        progress=lambda done, total: watch("cutting clips", done, total),
    )


def check_export(corpus: Corpus, *, format: str, into: Path | None) -> None:
    """Raise UserError where an export cannot go where it is to go; before hours are spent on what it needs."""
    formats.named(format)
    export_folder.check(into or corpus.export(format), format, **_of_place(corpus, format, into))


def _of_place(corpus: Corpus, format: str, into: Path | None) -> dict[str, Any]:
    """What may be in the folder of an export without an index, and what helps where anything else is there."""
    if into:
        return {}
    remedy = f"move it away, or remove {corpus.export(format)} to have it made anew"
    return {"legacy": formats.named(format).legacy, "remedy": remedy}


@dataclass(frozen=True)
class Exported:
    """Where an export is, and what is to be told of it, a line each."""

    folder: Path
    lines: list[str]


def export(
    corpus: Corpus,
    wanted: Recipe,
    clips: pl.DataFrame,
    *,
    format: str,
    into: Path | None,
    sound: Sound | None = None,
    workers: int = 0,
    watch: Watch = lambda what, done, total: None,
) -> Exported:
    """Write what one kind of reader opens, of clips that are cut.

    `sound` None: as in the export that is there, else as the format usually has it.
    """
    chosen, folder = formats.named(format), into or corpus.export(format)
    sound = sound or formats.same_sound(format, export_folder.settings_of(folder))
    exported = Clips(select(clips), corpus.clips, sound, clips, wanted)
    check_cut(exported)
    notes = export_folder.build(
        folder,
        chosen.files(exported),
        {"format": format, **sound.settings(), "clips": len(exported.rows)},
        **_of_place(corpus, format, into),
        workers=workers or os.cpu_count() or 1,
        progress=lambda done, total: watch(f"exporting for {format}", done, total),
    )
    silent = manifest.kept(clips).height - len(exported.rows)
    left_out = [f"{silent} kept clips have no text or split and are not exported"] if silent else []
    undone = ["the tags say quiet and loud, which --loudness undoes"] if sound.loudness and says_level(exported) else []
    return Exported(folder, [*left_out, *undone, *told(notes, len(exported.rows), sound)])


def renew_exports(corpus: Corpus, wanted: Recipe, clips: pl.DataFrame, watch: Watch) -> None:
    """Take clips that people dropped out of the corpus's other exports too, with the sound these have.

    An export that cannot be written stays as it is, and `notes` tells of it.
    """
    for format in other_exports(corpus, clips):
        if format in formats.FORMATS and export_folder.settings_of(corpus.export(format)):
            try:
                export(corpus, wanted, clips, format=format, into=None, watch=watch)
            except (UserError, OSError) as error:
                log.warning("%s is not renewed: %s", corpus.export(format), error)


def write_metadata(corpus: Corpus, wanted: Recipe, clips: pl.DataFrame) -> None:
    """The dataset card and its Croissant metadata; `clips/` and the manifest are there, they are hashed."""
    for path, text in metadata(corpus, wanted, clips).items():
        files.write_text(path, text)


def metadata(corpus: Corpus, wanted: Recipe, clips: pl.DataFrame) -> dict[Path, str]:
    """What the dataset card and its Croissant metadata say, by where they lie."""
    index = corpus.clips / clip_files.INDEX
    manifest_file, index_file = (
        DataFile(path.relative_to(corpus.folder).as_posix(), files.sha256(path), path.stat().st_size)
        for path in (corpus.manifest, index)
    )
    rows = croissant.Table([manifest_file], croissant.types_of(clips.schema, DESCRIBED))
    kept = croissant.Table([index_file], dict.fromkeys(("id", "file", "flac_sha256"), "sc:Text"), joined=rows)
    sounds = croissant.file_set(
        "flac-files", "clips/*.flac", "audio/flac", "the kept clips; their sha256 are in the records"
    )
    told = describe(clips, wanted)
    return {
        corpus.croissant: croissant.render(clips, wanted, kept, others=[sounds], told=told),
        corpus.card: card.render(clips, wanted, data_files={"rows": manifest_file.path}, config="manifest", told=told),
    }


def write_report(
    corpus: Corpus,
    wanted: Recipe,
    clips: pl.DataFrame,
    *,
    against: Path | None = None,
    told: Summary | None = None,
    begun: packing.Begun | None = None,
) -> Path:
    """Write the quality report, beside that of another corpus where one is named; returns the page.

    `told`: what is counted of these clips already; `begun`: what the page carries of them and is compressed already.
    """
    other = None if against is None else another(against)
    places = roots(wanted, corpus.unpacked)
    held = locks.read(corpus, wanted, clips).held["id"]
    return report.write(
        clips,
        wanted,
        corpus.report,
        corpus.clips,
        roots=places,
        folder=corpus.folder,
        other=other,
        held=held,
        told=told,
        begun=begun,
    )


def another(folder: Path) -> report.Other:
    """A corpus to compare with, as its last run left it: read, never changed. A UserError where it is none."""
    corpus = Corpus(folder)
    corpus.require(manifest=True)
    clips = manifest.read(corpus.manifest)
    if clips["broke"].is_null().all():
        raise UserError(f"nothing is decided in {folder} yet: run `curate tag {folder}` first")
    return report.Other(clips, recipe.load(corpus.recipe))
