"""Where measures run: on this machine now, on a cluster later, with the same functions (`work`)."""

import os

ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


def one_thread() -> None:
    """One thread per process: sums come out the same however many workers there are. Call it before numpy loads."""
    for name in ONE_THREAD:
        os.environ[name] = "1"


def processors() -> int:
    """Processors that this process may use; where the system does not tell, as on macOS, all there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
