"""Where measures run: on this machine now, on a cluster later, with the same functions (`work`)."""

import os

ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


def one_thread() -> None:
    """One thread per process: sums come out the same however many workers there are. Call it before numpy loads."""
    for name in ONE_THREAD:
        os.environ[name] = "1"
