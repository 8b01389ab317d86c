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


def group(folder: Path, limit: object, used: int, kept: int, names: tuple[str, str, str] | None = None) -> None:
    """A control group as the kernel shows it."""
    names = names or ("memory.max", "memory.current", "inactive_file")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{names[2]} {kept}\nslab 7\n")


def test_a_container_has_less_than_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "own")
    machine = memory.free()
    group(tmp_path, "max", 5, 0)
    assert memory.free() == pytest.approx(machine, rel=0.2)
    group(tmp_path, 2_000_005, 5, 0)
    assert memory.free() == 2_000_000
    group(tmp_path, 2_000_000, 1_900_000, 1_500_000)  # files that were read and can be forgotten are free
    assert memory.free() == 1_600_000


@pytest.mark.parametrize("version", [1, 2])
def test_the_limit_of_a_job_holds_and_that_of_what_it_runs_in(
    version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "own")
    first = {1: "5:cpu,cpuacct:/jobs\n4:memory:/jobs/7/step", 2: "0::/jobs/7/step"}[version]
    (tmp_path / "own").write_text(first + "\n")
    root = tmp_path / "memory" if version == 1 else tmp_path
    names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file") if version == 1 else None
    group(root / "jobs/7/step", "max" if version == 2 else 2**63 - 4096, 100, 0, names)
    group(root / "jobs/7", 3_000_000, 1_000_000, 200_000, names)
    assert memory.free() == 2_200_000
    group(root / "jobs", 1_500_000, 1_100_000, 100_000, names)
    assert memory.free() == 500_000


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


def test_what_a_long_job_leaves_goes_back_to_the_system_and_a_short_ones_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    trimmed: list[int] = []

    class Glibc:
        @staticmethod
        def malloc_trim(kept: int) -> int:
            trimmed.append(kept)
            return 1

    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: Glibc())
    memory.give_back(59.9)
    assert trimmed == []
    memory.give_back(60)
    assert trimmed == [0]
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())
    memory.give_back(60)
    assert trimmed == [0]
