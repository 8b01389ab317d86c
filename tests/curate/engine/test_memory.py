"""How many workers start, and what is said of it."""

import os
from pathlib import Path

import pytest

from curate.engine import memory

GB = 10**9


@pytest.mark.parametrize(
    ("asked", "cores", "free", "expected"),
    [(0, 8, 100, 8), (0, 8, 9, 3), (0, 2, 9, 2), (0, 8, 1, 1), (5, 2, 1, 5)],
)
def test_workers_fit_cores_and_memory_unless_asked_for(
    monkeypatch: pytest.MonkeyPatch, asked: int, cores: int, free: int, expected: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    monkeypatch.setattr(memory, "free", lambda: free * GB)
    assert memory.workers(asked, 3 * GB) == expected


def test_too_many_are_told_how_many_would_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free", lambda: 10 * GB)
    assert memory.words(2, 3 * GB) == "2 workers, up to 3.0 GB of memory each; 10.0 GB free"
    assert memory.words(1, 30 * GB) == "1 worker, up to 30.0 GB of memory each; 10.0 GB free"
    assert memory.words(5, 3 * GB).endswith("10.0 GB free; --workers 3 would fit")


def test_a_model_of_ones_own_counts(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"0" * 1000)
    assert memory.per_worker([tmp_path]) == memory.per_worker() + 1200


def test_a_container_has_less_than_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    machine = memory.free()
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("5\n")
    assert memory.free() == pytest.approx(machine, rel=0.2)
    (tmp_path / "memory.max").write_text("2000005\n")
    assert memory.free() == 2_000_000


def test_a_c_library_without_mallopt_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    class Glibc:
        @staticmethod
        def mallopt(option: int, value: int) -> int:
            asked.append((option, value))
            return 1

    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: Glibc())
    memory.keep_freed()
    assert asked == [(memory.M_MMAP_THRESHOLD, memory.OWN_PAGES), (memory.M_TRIM_THRESHOLD, memory.KEPT)]
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())
    memory.keep_freed()
    assert len(asked) == 2
