"""An adapter, or a merged checkpoint, to the Hugging Face hub, its model card included; or to a hub of one's own."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from curate.errors import UserError
from train.adapter import lora
from train.export import adapter, card
from train.model import base

NO_LICENCE = "# license:"  # as `card` leaves it
IGNORED = [".*", "**/.*", "*.partial"]


@dataclass(frozen=True)
class Pushed:
    """What was written on the hub."""

    url: str  # of the commit
    files: list[str]
    notes: list[str]  # what a person should know of it, a line each


def push(folder: Path, repo: str, *, form: str = "voxcpm", step: int | None = None, private: bool = False) -> Pushed:
    """Write the files of an exported adapter or a merged checkpoint to a repository, which is made where it is missing.

    A run is exported for it, unless its export has a card that a person has edited: then that folder is to be pushed.
    HF_TOKEN or an earlier `hf auth login` says who writes, HF_ENDPOINT names another hub. Raises UserError where
    something is missing or the hub refuses.
    """
    if not base.HUB_ID.fullmatch(repo):
        raise UserError(f"--repo {repo!r} is no id of a repository: write OWNER/NAME")
    with _files(folder, form, step) as place:
        names = sorted(path.name for path in place.iterdir() if path.is_file() and path.name[0] != ".")
        return Pushed(_upload(place, repo, private), names, _notes(place))


@contextmanager
def _files(folder: Path, form: str, step: int | None) -> Iterator[Path]:
    """The folder to upload. Raises UserError where it is not whole."""
    if not (folder / "run.toml").is_file():
        if step is not None:
            raise UserError(f"{folder} is no run, so it has no step {step}")
        _check(folder)
        yield folder
        return
    exported = folder / "export" / form
    if (exported / card.CARD).is_file() and not card.is_untouched(exported / card.CARD):
        raise UserError(f"the card in {exported} was edited: push that folder, `train push {exported} --repo ...`")
    with tempfile.TemporaryDirectory() as place:
        yield adapter.export(folder, form, Path(place) / form, step=step)


def _check(folder: Path) -> None:
    """Raise UserError where a folder holds no adapter that can be read, or no card or note beside it."""
    merged = lora.merged(folder)
    if not merged:
        lora.load(folder)
    for name in (card.CARD, lora.NOTES):
        if not (folder / name).is_file():
            raise UserError(f"{folder} has no {name}: `train export {folder} --to voxcpm --into ...` writes one")


def _notes(place: Path) -> list[str]:
    saved = lora.merged(place) or lora.load(place)
    notes = []
    if NO_LICENCE in (place / card.CARD).read_text(encoding="utf-8"):
        notes += ["its card names no licence yet: choose one in the front matter of README.md"]
    if saved.base and not base.HUB_ID.fullmatch(saved.base):
        notes += [f"its files name the base model by a folder of this machine, {saved.base}: others need its hub id"]
    return notes


def _upload(place: Path, repo: str, private: bool) -> str:
    from huggingface_hub import HfApi

    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
    try:
        api.create_repo(repo, private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repo, folder_path=str(place), ignore_patterns=IGNORED, commit_message="Adapter and its card"
        )
    except Exception as problem:  # the hub's errors share no base class: no network, no token, no right, offline
        reason = str(problem).strip().splitlines()[0] if str(problem).strip() else type(problem).__name__
        raise UserError(
            f"{repo} could not be written on the hub ({reason}): `hf auth login`, or set HF_TOKEN, with the right to it"
        ) from problem
    return str(commit.commit_url)
