"""How many workers fit: what each may need, what is free, and how that is said before they start."""

import ctypes
from collections.abc import Iterable
from pathlib import Path

from curate.engine import processors

# The most that one worker held with every bundled model loaded and a clip of 110 s (see docs/benchmarks.md).
WORKER_BYTES = 2_500_000_000
MODEL_COPIES = 1.2  # of a model's file, in memory while it is loaded
CGROUP = Path("/sys/fs/cgroup")
# glibc's malloc.h: from which size on each array has pages of its own, and how much free memory is kept at the end.
M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -3, -1
OWN_PAGES, KEPT = 32 * 2**20, 128 * 2**20  # the first is the most that glibc takes


def per_worker(model_folders: Iterable[Path] = ()) -> int:
    """Bytes that a worker may need; models of one's own come on top of the bundled ones."""
    files = [file for folder in model_folders for file in folder.rglob("*") if file.is_file()]
    return WORKER_BYTES + round(MODEL_COPIES * sum(file.stat().st_size for file in files))


def free() -> int:
    """Bytes that can be had: of the machine, and of the container that this process is held in."""
    import psutil  # where nothing is measured nobody asks

    return min([int(psutil.virtual_memory().available), *_container_free()])


def _container_free() -> list[int]:
    try:
        limit, used = ((CGROUP / name).read_text().strip() for name in ("memory.max", "memory.current"))
        return [max(0, int(limit) - int(used))]
    except (OSError, ValueError):  # no container, or "max"
        return []


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
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library
        return
    mallopt(M_MMAP_THRESHOLD, OWN_PAGES)
    mallopt(M_TRIM_THRESHOLD, KEPT)
