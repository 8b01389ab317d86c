"""How many workers fit: what each may need, what is free, and how that is said before they start."""

import ctypes
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from curate.engine import processors

# The most that one worker held with every bundled model loaded and a clip of 110 s (see docs/benchmarks.md).
WORKER_BYTES = 2_500_000_000
MODEL_COPIES = 1.2  # of a model's file, in memory while it is loaded
CGROUP = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")
# glibc's malloc.h: from which size on each array has pages of its own, and how much free memory is kept at the end.
M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -3, -1
OWN_PAGES, KEPT = 32 * 2**20, 128 * 2**20  # the first is the most that glibc takes
LONG = 60.0  # seconds of audio in a job


def per_worker(model_folders: Iterable[Path] = ()) -> int:
    """Bytes that a worker may need; models of one's own come on top of the bundled ones."""
    files = [file for folder in model_folders for file in folder.rglob("*") if file.is_file()]
    return WORKER_BYTES + round(MODEL_COPIES * sum(file.stat().st_size for file in files))


def free() -> int:
    """Bytes that can be had: of the machine, and of the container that this process is held in."""
    import psutil  # where nothing is measured nobody asks

    return min([int(psutil.virtual_memory().available), *_container_free()])


def _container_free() -> list[int]:
    """What is left of each limit that holds this process: its own group's and those of the groups that hold it.

    What the kernel keeps of files that were read is given back when asked for, so it counts as free.
    """
    return [left for folder, names in _groups() if (left := _left(folder, *names)) is not None]


def _groups() -> Iterator[tuple[Path, tuple[str, str, str]]]:
    """The folders of this process's control groups, and what they call limit, use and files kept in memory."""
    try:
        lines = OWN_GROUPS.read_text().splitlines()
    except OSError:  # no Linux
        lines = []
    for line in lines or ["0::/"]:
        number, controllers, path = line.split(":", 2)
        own = Path(path.lstrip("/"))
        if number == "0":
            for each in (own, *own.parents):
                yield CGROUP / each, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):  # version 1
            for each in (own, *own.parents):
                names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
                yield CGROUP / "memory" / each, names


def _left(folder: Path, limit: str, used: str, kept: str) -> int | None:
    try:
        most, now = (int((folder / name).read_text()) for name in (limit, used))
        stat = dict(line.split(" ", 1) for line in (folder / "memory.stat").read_text().splitlines())
        return max(0, most - max(0, now - int(stat.get(kept, 0))))
    except (OSError, ValueError):  # no such group, or "max"
        return None


def workers(asked: int, each: int) -> int:
    """How many to start: as many as asked for; for 0 one per core, as far as memory goes, and one at least."""
    return asked or max(1, min(processors(), free() // each))


def words(count: int, each: int) -> str:
    """What is said before they start."""
    available = free()
    said = f"{count} worker{'s' * (count > 1)}, up to {each / 1e9:.1f} GB of memory each; {available / 1e9:.1f} GB free"
    if count * each > available and count > 1:
        said += f"; --workers {max(1, available // each)} would fit"
    return said


def keep_freed() -> None:
    """Keep up to 128 MB of what this process frees, for its next arrays; where the C library is glibc.

    Every array over 128 kB else gets new pages from the kernel, zeroed, and gives them back: for measures that make
    dozens of such arrays a clip that was a third of their cost.
    """
    with suppress(AttributeError, OSError, TypeError):  # another C library
        library = ctypes.CDLL(None)
        library.mallopt(M_MMAP_THRESHOLD, OWN_PAGES)
        library.mallopt(M_TRIM_THRESHOLD, KEPT)


def give_back(heard: float) -> None:
    """After a job of `heard` seconds of audio, if it was long, give the system every free page, also those in between.

    Where the C library is glibc. A recording of 20 minutes else leaves half a gigabyte of holes; after short jobs the
    next would have to ask for the same pages again.
    """
    if heard < LONG:
        return
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
