"""Models that come inside packages: only the right bytes are taken, and what comes in parts is joined whole."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from curate.errors import UserError
from curate.models import bundled

ROOT = Path(__file__).resolve().parents[3]


def test_a_file_with_other_bytes_is_refused_and_named(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"other")
    with pytest.raises(UserError, match=r"model\.bin is not the model it should be .* delete it"):
        bundled.verify(tmp_path / "model.bin", "0" * 64)


def test_a_package_or_a_file_that_is_not_there_says_what_to_install() -> None:
    with pytest.raises(UserError, match=r"no_such_package is not installed; run `make env`"):
        bundled.packaged("no_such_package", "weights", "0" * 64)
    with pytest.raises(UserError, match=r"has no weights; install the versions in requirements\.lock"):
        bundled.packaged("curate", "weights", "0" * 64)


def prepared(home: Path) -> subprocess.CompletedProcess[str]:
    """What `make env` does last."""
    environment = {**os.environ, "SAMSORI_MODELS": str(home)}
    command = [sys.executable, "-m", "curate.models.bundled"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_whisper_is_joined_once_and_found_again(tmp_path: Path) -> None:
    assert prepared(tmp_path).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["whisper-base"]
    made = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "whisper-base").iterdir()}
    assert set(made) == set(bundled.WHISPER_BASE)
    (tmp_path / "whisper-base" / "config.json").unlink()  # as where `make env` was killed
    assert prepared(tmp_path).returncode == 0
    (tmp_path / "whisper-base" / "config.json").write_text("{}")
    refused = prepared(tmp_path)
    assert refused.returncode == 1
    assert "config.json is not the model it should be" in refused.stderr
