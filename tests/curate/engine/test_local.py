"""A worker that dies costs what kills it, and nothing else."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

from curate.engine.local import DEATHS, Local
from curate.engine.work import Job, Request, Result
from curate.errors import UserError
from curate.measures.definition import Answer, Clip, ClipExtractor, Listener, Measure

RATE = 8000


class Counting:
    """A listener that answers with how many stretches it was fed; it kills its process on a loud recording."""

    def __init__(self, deadly: float) -> None:
        self._deadly, self._fed = deadly, 0

    def feed(self, samples: np.ndarray) -> None:
        if np.abs(samples).max() > self._deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        self._fed += 1

    def finish(self) -> Answer:
        return {"file_speech": [{"start": 0, "end": self._fed}]}


def counting(deadly: float) -> Callable[[], Listener]:
    return lambda: Counting(deadly)


def peak(lives: Path, deadly: float, times: int) -> ClipExtractor:
    """Answers with a clip's peak; a loud clip kills the process, so many times in all."""

    def extract(clips: Sequence[Clip]) -> list[Answer]:
        peaks = [float(np.abs(clip.sound.samples).max()) for clip in clips]
        if max(peaks) > deadly and len(list(lives.iterdir())) < times:
            (lives / f"{os.getpid()}-{time.time_ns()}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return [{"peak": value} for value in peaks]

    return extract


def _measures(lives: Path, *, deadly: float, times: int, recording: float = 2.0) -> list[Measure]:
    lives.mkdir(exist_ok=True)
    return [
        Measure("speech", "recording", ("file_speech",), "1", partial(counting, recording)),
        Measure("peak", "clip", ("peak",), "1", partial(peak, lives, deadly, times)),
    ]


def _jobs(folder: Path, levels: Sequence[Sequence[float]]) -> list[Job]:
    """A file for each row, in it a clip of half a second at each level."""
    jobs = []
    for number, row in enumerate(levels):
        path = folder / f"{number}.wav"
        soundfile.write(path, np.repeat(np.array(row, np.float32), RATE // 2), RATE, subtype="FLOAT")
        clips = [(i * RATE // 2, (i + 1) * RATE // 2, (Request("peak", f"{number}-{i}", {}),)) for i in range(len(row))]
        jobs.append(Job(path, RATE, recording=(Request("speech", f"{number}", {}),), clips=tuple(clips), seconds=1.0))
    return jobs


def _run(measures: list[Measure], jobs: list[Job], workers: int = 2) -> tuple[dict[str, Result], list[float]]:
    told: list[float] = []
    with Local(measures, workers) as engine:
        results = list(engine.run(jobs, told.append))
    assert len({(each.measure, each.key) for each in results}) == len(results)  # nothing is answered twice
    return {each.key: each for each in results}, told


def test_a_worker_that_dies_once_is_replaced_and_nothing_is_lost(tmp_path: Path) -> None:
    jobs = _jobs(tmp_path, [[0.1, 0.9, 0.2], [0.3, 0.4], [0.5]])
    results, told = _run(_measures(tmp_path / "lives", deadly=0.8, times=1), jobs)
    assert len(results) == 9
    assert all(each.answer is not None for each in results.values())
    assert results["0-1"].answer == {"peak": pytest.approx(0.9)}
    assert sum(told) == pytest.approx(3.0)


def test_a_clip_that_kills_every_worker_is_the_only_one_without_an_answer(tmp_path: Path) -> None:
    jobs = _jobs(tmp_path, [[0.1, 0.9, 0.2], [0.3, 0.4], [0.5]])
    results, told = _run(_measures(tmp_path / "lives", deadly=0.8, times=99), jobs)
    assert {key for key, each in results.items() if each.answer is None} == {"0-1"}
    assert results["0-1"].failure == "the worker process died (SIGKILL, most likely out of memory)"
    assert len(results) == 9
    assert sum(told) == pytest.approx(3.0)


def test_a_recording_that_kills_every_worker_stops_no_other(tmp_path: Path) -> None:
    jobs = _jobs(tmp_path, [[0.9, 0.1], [0.2]])
    results, _ = _run(_measures(tmp_path / "lives", deadly=2.0, times=0, recording=0.8), jobs)
    assert {key for key, each in results.items() if each.answer is None} == {"0"}
    assert "died" in results["0"].failure
    assert results["0-0"].answer == {"peak": pytest.approx(0.9)}


def test_one_job_alone_is_not_worth_more_than_its_worker(tmp_path: Path) -> None:
    """Also a single job runs in a worker, so that what kills it does not kill the command."""
    results, _ = _run(_measures(tmp_path / "lives", deadly=0.8, times=99), _jobs(tmp_path, [[0.9]]))
    assert results["0-0"].answer is None
    assert results["0"].answer is not None


def test_where_every_worker_dies_the_run_ends_with_one_line(tmp_path: Path) -> None:
    jobs = _jobs(tmp_path, [[0.9] * 2 for _ in range(DEATHS)])
    measures = _measures(tmp_path / "lives", deadly=0.8, times=99, recording=0.8)
    with pytest.raises(UserError, match=r"died .* in between; .* finished work is kept") as caught:
        _run(measures, jobs)
    assert "\n" not in str(caught.value)
