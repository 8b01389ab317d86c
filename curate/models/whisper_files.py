"""Where the files of a Whisper model come from, and their hashes: a folder, or a commit on the hub."""

import re
from pathlib import Path

from curate import files
from curate.errors import UserError

READ_FILES = (
    "config.json",
    "model.bin",
    "preprocessor_config.json",
    "tokenizer.json",
    "vocabulary.json",
    "vocabulary.txt",
)
HUB_ID = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)@(?P<revision>[0-9a-f]{40})")


def hub_id(model: str) -> tuple[str, str]:
    """Owner/name and commit of a hub model; one line where it is none."""
    if parts := HUB_ID.fullmatch(model):
        return parts["name"], parts["revision"]
    raise UserError(
        f"no Whisper model {model!r}; give bundled, an existing folder, or owner/name@ and its 40-digit commit"
    )


def download(name: str, revision: str) -> Path:
    """The folder of a hub model, from the hub's cache or, unless the environment says offline, from the hub."""
    from faster_whisper.utils import download_model
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return Path(download_model(name, revision=revision))
    except (HfHubHTTPError, OSError, ValueError) as error:
        why = str(error).strip().partition("\n")[0]
        raise UserError(
            f"cannot get {name}@{revision} from the hub; check its name, or the connection ({why})"
        ) from error


def file_hashes(folder: Path) -> dict[str, str]:
    """sha256 of each file that is read from a model folder; the model itself must be there."""
    if not (folder / "model.bin").is_file():
        raise UserError(f"{folder} has no model.bin; give a folder with a Whisper model converted for CTranslate2")
    hashes = {}
    for name in READ_FILES:
        if (folder / name).is_file():
            hashes[name] = files.sha256(folder / name)
    return hashes
