"""Whatever is written is the old or the new, whole: on full and read-only disks, and killed at any moment.

The disks are real: a file system of 64 KiB where the tests may mount one (root), `/dev/full`, and a limit on the size
of files. Each library is asked to write to them, and each must be understood.
"""

import ast
import errno
import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import soundfile
import typer

from curate import audio, console, files
from curate.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
RATE = 16_000
SOUND = np.random.default_rng(0).normal(0, 0.1, 200_000).astype(np.float32)  # 400 kB, no format makes it small
NO_MOUNT = "mounting a small file system needs root"


def _safetensors(path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"sound": SOUND}, path)


# What a library does to a path that it is handed ...
LIBRARIES: dict[str, Callable[[Path], object]] = {
    "text": lambda path: path.write_text("x" * 200_000),
    "polars' parquet": lambda path: pl.DataFrame({"sound": SOUND}).write_parquet(path),
    "polars' csv": lambda path: pl.DataFrame({"sound": SOUND}).write_csv(path),
    "safetensors": _safetensors,
    "wav": lambda path: soundfile.write(path, SOUND, RATE, format="WAV"),
    "flac": lambda path: soundfile.write(path, SOUND, RATE, format="FLAC"),
    "ogg": lambda path: soundfile.write(path, SOUND, RATE, format="OGG"),
}


def _within(library: Callable[[Path], object], path: Path) -> None:
    with files.replacing(path) as partial:
        library(partial)


# ... and all the ways to write here: our own, and each library inside `replacing`.
WAYS: dict[str, Callable[[Path], object]] = {
    "write_text": lambda path: files.write_text(path, "x" * 200_000),
    "write_bytes": lambda path: files.write_bytes(path, SOUND.tobytes()),
    "write_parquet": lambda path: files.write_parquet(pl.DataFrame({"sound": SOUND}), path),
    "write_flac": lambda path: audio.write_flac(path, SOUND, RATE),
    "encoded wav": lambda path: files.write_bytes(path, audio.encode(SOUND, RATE, "WAV")),
    "encoded mp3": lambda path: files.write_bytes(path, audio.encode(SOUND, RATE, "MP3")),
    **{name: functools.partial(_within, library) for name, library in LIBRARIES.items()},
}


def mounted(place: Path, options: str) -> Iterator[Path]:
    """A file system of 64 KiB, of which 40 are taken."""
    if os.geteuid() != 0:
        pytest.skip(NO_MOUNT)
    place.mkdir()
    ran = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], capture_output=True, text=True
    )
    if ran.returncode:
        pytest.skip(f"{NO_MOUNT}, and here root may not: {ran.stderr.strip()}")
    try:
        (place / "file").write_text("old")
        (place / "large").write_bytes(bytes(40_000))
        subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk that has hardly any room left; `file` on it holds "old"."""
    yield from mounted(tmp_path / "small", "rw")


@pytest.fixture
def read_only_disk(tmp_path: Path) -> Iterator[Path]:
    """The same, and nothing can be written to it."""
    yield from mounted(tmp_path / "read-only", "ro")


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """`/dev/full`, by a link of our own: a library that renames its own file to that name would replace the device."""
    if not Path("/dev/full").is_char_device():
        pytest.skip("this system has no /dev/full")
    (tmp_path / "device").symlink_to("/dev/full")
    return tmp_path / "device"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("write", WAYS.values(), ids=WAYS.keys())
def test_a_full_disk_is_one_error_and_keeps_the_old_file(small_disk: Path, write: Callable[[Path], object]) -> None:
    with pytest.raises(OSError, match=r"No space left|did not take all samples") as refused:
        write(small_disk / "file")
    assert refused.value.errno == errno.ENOSPC
    assert refused.value.filename == str(small_disk / "file")
    assert (small_disk / "file").read_text() == "old"
    assert names(small_disk) == ["file", "large"]


@pytest.mark.parametrize("write", WAYS.values(), ids=WAYS.keys())
def test_a_read_only_disk_is_one_error(read_only_disk: Path, write: Callable[[Path], object]) -> None:
    with pytest.raises(OSError, match=r"Read-only|did not take all samples") as refused:
        write(read_only_disk / "file")
    assert refused.value.filename == str(read_only_disk / "file")
    assert (read_only_disk / "file").read_text() == "old"


@pytest.mark.parametrize("write", WAYS.values(), ids=WAYS.keys())
def test_a_file_that_may_not_grow_is_one_error_and_keeps_the_old_file(
    tmp_path: Path, write: Callable[[Path], object], full_disk: Callable[[int], Any]
) -> None:
    (tmp_path / "file").write_text("old")
    with full_disk(20_000), pytest.raises(OSError, match=r"File too large|did not take all samples") as refused:
        write(tmp_path / "file")
    assert refused.value.errno in files.CANNOT_WRITE
    assert (tmp_path / "file").read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_wherever_a_table_is_cut_off_it_is_one_error(tmp_path: Path, full_disk: Callable[[int], Any]) -> None:
    """Its footer is written by another library than its pages, which tells otherwise of a full disk."""
    frame, path = pl.DataFrame({f"column {i}": ["text"] * 3 for i in range(40)}), tmp_path / "table.parquet"
    files.write_parquet(frame, path)
    whole = path.read_bytes()
    for room in range(0, len(whole), len(whole) // 40):
        with full_disk(room), pytest.raises(OSError, match=r"File too large|did not take all of the table") as refused:
            files.write_parquet(frame, path)
        assert refused.value.errno in files.CANNOT_WRITE
        assert refused.value.filename == str(path)
        assert path.read_bytes() == whole
    assert names(tmp_path) == ["table.parquet"]


@pytest.mark.parametrize("name", sorted(set(LIBRARIES) - {"safetensors"}))  # that one would replace the link
def test_what_a_library_makes_of_a_full_device_is_known_as_a_full_disk(device: Path, name: str) -> None:
    with pytest.raises(Exception, match=r"No space|System error|initialization of the flac|^$") as refused:
        LIBRARIES[name](device)
    error = files.as_disk_error(refused.value)
    assert error is not None
    assert error.errno == errno.ENOSPC


@pytest.mark.parametrize("format", ["WAV", "FLAC", "OGG", "MP3"])
@pytest.mark.parametrize("length", [1_000, len(SOUND)])
def test_a_sound_encoded_in_memory_gets_the_truth_from_the_system(device: Path, format: str, length: int) -> None:
    """libsndfile itself does not see that a short OGG was not written, and calls it a decoder's fault of a FLAC."""
    with pytest.raises(OSError, match="No space left on device"):
        device.write_bytes(audio.encode(SOUND[:length], RATE, format))


def test_what_is_no_disk_error_stays_what_it_is(tmp_path: Path) -> None:
    assert files.as_disk_error(FileNotFoundError(errno.ENOENT, "No such file")) is None
    assert files.as_disk_error(ValueError("(os error 28)")) is None
    assert files.as_disk_error(AssertionError("ours")) is None
    with pytest.raises(pl.exceptions.PolarsError) as wrong:
        pl.DataFrame({"a": [1]}).select("b")
    assert files.as_disk_error(wrong.value) is None
    with pytest.raises(FileNotFoundError) as absent:
        pl.read_parquet(tmp_path / "none.parquet")
    assert files.as_disk_error(absent.value) is None


def ended(write: Callable[[], object], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a command ends with, with status 1, when it comes upon this."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(lambda: write() and None)
    monkeypatch.setattr(sys, "argv", ["curate"])
    with pytest.raises(SystemExit) as left:
        console.run(app, "curate")
    assert left.value.code == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


@pytest.mark.parametrize("write", WAYS.values(), ids=WAYS.keys())
def test_a_command_ends_with_one_line_that_names_the_file(
    write: Callable[[Path], object],
    tmp_path: Path,
    full_disk: Callable[[int], Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with full_disk(20_000):
        line = ended(lambda: write(tmp_path / "file"), monkeypatch, capsys)
    assert line.startswith("curate: cannot write: ")
    assert str(tmp_path / "file") in line


@pytest.mark.parametrize("name", sorted(set(LIBRARIES) - {"safetensors"}))
def test_a_command_whose_library_wrote_past_us_ends_with_one_line(
    name: str, device: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(lambda: LIBRARIES[name](device), monkeypatch, capsys).startswith("curate: cannot write: ")


def curate(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "curate.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_the_command_itself_on_a_full_and_a_read_only_disk(small_disk: Path, read_only_disk: Path) -> None:
    for disk, reason in ((small_disk, "No space left"), (read_only_disk, "Read-only")):
        ran = curate("demo", "--into", disk / "demo")
        assert ran.returncode == 1
        said = [line for line in ran.stderr.splitlines() if not line.endswith(" ...")]
        assert len(said) == 1, ran.stderr
        assert said[0].startswith("curate: cannot write")
        assert reason in said[0]


# Writes "new" over "old" and ends by SIGKILL at the moment named.
KILLED = """
import os, signal, sys
from pathlib import Path
from curate import files

path, moment = Path(sys.argv[1]), sys.argv[2]

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

if moment == "flushing":
    files.flush = die
if moment == "renaming":
    Path.replace = die
with files.replacing(path) as partial:
    if moment == "begun":
        die()
    with partial.open("wb") as file:
        file.write(b"ne")
        file.flush()
        if moment == "half":
            die()
        file.write(b"w")
die()
"""


@pytest.mark.parametrize(
    ("moment", "holds"),
    [("begun", "old"), ("half", "old"), ("flushing", "old"), ("renaming", "old"), ("done", "new")],
)
def test_a_kill_at_any_moment_leaves_the_old_or_the_new(tmp_path: Path, moment: str, holds: str) -> None:
    path = tmp_path / "table.parquet"
    path.write_text("old")
    ran = subprocess.run([sys.executable, "-c", KILLED, str(path), moment], cwd=ROOT)
    assert ran.returncode == -signal.SIGKILL
    assert path.read_text() == holds
    assert list(tmp_path.glob("*.parquet")) == [path]  # no half file is taken for one
    files.write_text(path, "newer")  # what the dead process left is in nobody's way
    assert path.read_text() == "newer"
    files.remove_partials(tmp_path)
    assert names(tmp_path) == ["table.parquet"]


ENDLESS = """
import sys
from pathlib import Path
from curate import files

while True:
    for letter in (b"a", b"b"):
        files.write_bytes(Path(sys.argv[1]), letter * 3_000_000)
"""


def test_a_kill_at_no_chosen_moment_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write_bytes(path, b"a" * 3_000_000)
    for number in range(8):
        process = subprocess.Popen([sys.executable, "-c", ENDLESS, str(path)], cwd=ROOT)
        while process.poll() is None and not list(tmp_path.glob(f".file.{process.pid}.partial")):
            time.sleep(0.001)
        time.sleep(number / 200)
        process.kill()
        process.wait()
        content = path.read_bytes()
        assert content in (b"a" * 3_000_000, b"b" * 3_000_000)
    files.remove_partials(tmp_path)
    assert names(tmp_path) == ["file"]


def test_only_what_is_half_written_is_cleared_away(tmp_path: Path) -> None:
    half = [".a.parquet.123.partial", ".a.parquet.partial", "a.flac.77.partial"]  # today's, and older versions'
    ours = ["a.parquet", "my.partial", ".hidden", "partial"]
    for name in [*half, *ours]:
        (tmp_path / name).touch()
    (tmp_path / ".folder.1.partial").mkdir()
    files.remove_partials(tmp_path)
    assert names(tmp_path) == sorted([*ours, ".folder.1.partial"])
    files.remove_partials(tmp_path / "nowhere")


def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")

    def stopped(partial: Path) -> None:
        partial.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _within(stopped, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_folders_are_made_and_equal_frames_give_equal_bytes(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": [1, 2, 3], "b": ["x", None, "한글"]})
    for name in ("one/two/a.parquet", "three/b.parquet"):
        files.write_parquet(frame, tmp_path / name, metadata={"digest": "0"})
    assert (tmp_path / "one/two/a.parquet").read_bytes() == (tmp_path / "three/b.parquet").read_bytes()
    assert pl.read_parquet(tmp_path / "three/b.parquet").equals(frame)


def test_a_log_grows_by_whole_lines(tmp_path: Path) -> None:
    for line in ("one", "둘"):
        files.append_line(tmp_path / "log", line)
    assert (tmp_path / "log").read_text(encoding="utf-8") == "one\n둘\n"


OURS = ("a", "b")


def fill(folder: Path, content: str) -> None:
    with files.replacing_folder(folder, OURS) as place:
        for name in OURS:
            (place / name).write_text(content)


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    fill(tmp_path / "made" / "run", "old")
    fill(tmp_path / "made" / "run", "new")
    assert contents(tmp_path / "made" / "run") == {"a": "new", "b": "new"}
    assert names(tmp_path / "made") == ["run"]


def test_a_folder_that_could_not_be_filled_is_the_old_one(tmp_path: Path, full_disk: Callable[[int], Any]) -> None:
    fill(tmp_path / "run", "old")
    with full_disk(1_000), pytest.raises(OSError, match="File too large"):
        fill(tmp_path / "run", "x" * 2_000)
    assert contents(tmp_path / "run") == {"a": "old", "b": "old"}
    assert names(tmp_path) == ["run"]


def test_a_folder_that_holds_what_is_not_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").touch()
    with pytest.raises(UserError, match=r"thesis\.txt: choose a new or empty folder"):
        fill(tmp_path / "run", "new")
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is a file"):
        fill(tmp_path / "file", "new")
    assert names(tmp_path) == ["file", "run"]
    assert names(tmp_path / "run") == ["thesis.txt"]


def test_a_device_or_a_pipe_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    """As root a rename would take the place of /dev/null itself; here a pipe stands for it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        files.write_text(pipe, "line\n")
        assert reader.communicate()[0] == b"line\n"
    assert pipe.is_fifo()
    with pytest.raises(UserError, match="is a file"), files.replacing_folder(pipe, ours=()):
        pass
    assert pipe.is_fifo()
    assert [each.name for each in tmp_path.iterdir()] == ["pipe"]


# Replaces a folder and ends by SIGKILL before its rename of this number (0: while it fills it).
KILLED_FOLDER = """
import os, signal, sys
from pathlib import Path
from curate import files

folder, last = Path(sys.argv[1]), int(sys.argv[2])
renames, rename = 0, Path.rename

def dying(path, target):
    global renames
    renames += 1
    if renames == last:
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(path, target)

Path.rename = dying
with files.replacing_folder(folder, ("a", "b")) as place:
    for name in "ab":
        (place / name).write_text("new")
        if not last:
            os.kill(os.getpid(), signal.SIGKILL)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("moment", "holds"), [(0, "old"), (1, "old"), (2, "old"), (3, "new")])
def test_a_killed_replacement_of_a_folder_leaves_the_old_or_the_new(tmp_path: Path, moment: int, holds: str) -> None:
    folder = tmp_path / "run"
    fill(folder, "old")
    ran = subprocess.run([sys.executable, "-c", KILLED_FOLDER, str(folder), str(moment)], cwd=ROOT)
    assert ran.returncode == -signal.SIGKILL
    files.recover_folder(folder)
    assert contents(folder) == {"a": holds, "b": holds}
    fill(folder, "newer")
    assert contents(folder) == {"a": "newer", "b": "newer"}
    assert names(tmp_path) == ["run"]


HOLDER = """
import sys
from pathlib import Path
from curate import files

with files.locked(Path(sys.argv[1]), "busy"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("killed", [True, False])
def test_the_second_process_is_refused_until_the_first_has_ended(tmp_path: Path, killed: bool) -> None:
    lock = tmp_path / ".lock"
    command = [sys.executable, "-c", HOLDER, str(lock)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdin is not None
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        with pytest.raises(UserError, match="another works here"), files.locked(lock, "another works here"):
            pass
        second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert "Busy: busy" in second.stderr
        if killed:
            first.kill()
        first.stdin.close()
        first.wait()
    with files.locked(lock, "another works here"):
        assert lock.exists()


def _writes(path: Path) -> Iterator[str]:
    """Calls in a file that write to another path than the `partial` one of curate/files.py."""
    methods = {"write_text", "write_bytes", "write_parquet", "write_csv", "save_file", "copyfile", "copy2"}
    for call in (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)):
        receiver, _, name = ast.unparse(call.func).rpartition(".")
        values = [*call.args, *(keyword.value for keyword in call.keywords)]
        mode = {value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)}
        opened = name == "open" and any(set(each) <= set("rwaxbt+") and set(each) & set("wax+") for each in mode)
        sound = ast.unparse(call.func) == "soundfile.write" and ast.unparse(call.args[0]) not in ("encoded", "made")
        if (opened or name in methods or sound) and receiver not in ("files", "partial"):
            yield f"{path.relative_to(ROOT)}:{call.lineno}: {ast.unparse(call)}"


# What is unpacked or downloaded grows beside its place, in a folder or file that is renamed when it is whole. Exports
# hand their writers the partial of a file (`into`); the index of one is appended to, and its last line may be cut. The
# others write to memory.
UNDER_WAY = {
    "curate/export/definition.py": ["into.write_bytes(content)"],
    "curate/export/folder.py": ["(folder / INDEX).open('a', encoding='utf-8')"],
    "curate/export/huggingface.py": ["into.write_text(render(there), encoding='utf-8')", "into.open('wb')"],
    "curate/export/lhotse.py": ["into.write_bytes(gzipped(text))"],
    "curate/locks.py": ["now.write_csv(separator=chr(9))", "rows.write_csv(separator='\\t')"],
    "curate/ingest/archives.py": ["target.open('wb')"],
    "curate/ingest/embedded.py": ["(folder / name).write_bytes(content)"],
    "curate/fetch.py": ["self.partial.open('ab' if goes_on else 'wb')"],
}


def test_curation_writes_files_only_through_files() -> None:
    """Beside a file's name, as `partial`, a library may write what it likes."""
    others = sorted(path for path in (ROOT / "curate").rglob("*.py") if path.name != "files.py")
    writes = [write for path in others for write in _writes(path)]
    assert [each for each in writes if each.split(": ", 1)[1] not in UNDER_WAY.get(each.split(":")[0], [])] == []
