"""One process holds the models of a device and answers every worker; here the device is only a name."""

import os
import signal
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

from curate.engine.local import Local
from curate.engine.work import Job, Request, Result
from curate.errors import UserError
from curate.measures.definition import Answer, Clip, ClipExtractor, Listener, Measure

RATE = 8000
CLIPS, FILES = 4, 3


class Level:
    """Hears a recording and answers with its peak; a recording louder than `bad` cannot be heard."""

    def __init__(self, bad: float) -> None:
        self._bad, self._peak = bad, 0.0

    def feed(self, samples: np.ndarray) -> None:
        self._peak = max(self._peak, float(np.abs(samples).max()))
        if self._peak > self._bad:
            raise ValueError("too loud to be heard")

    def finish(self) -> Answer:
        return {"file_speech": [{"start": 0, "end": round(100 * self._peak)}]}


def level(log: Path, bad: float) -> Callable[[], Listener]:
    _note(log, "level")
    return lambda: Level(bad)


def peak(log: Path, bad: float, deadly: float, lives: int) -> ClipExtractor:
    """A clip's peak; a loud clip is an error, a louder one kills the process, `lives` times in all."""
    _note(log, "peak")

    def extract(clips: Sequence[Clip]) -> list[Answer]:
        _note(log, f"asked {len(clips)}")
        peaks = [float(np.abs(clip.sound.samples).max()) for clip in clips]
        if max(peaks) > deadly and log.read_text().count("killed") < lives:
            _note(log, "killed")
            os.kill(os.getpid(), signal.SIGKILL)
        if max(peaks) > bad:
            raise ValueError("too loud to be measured")
        return [{"peak": value} for value in peaks]

    return extract


def whose(log: Path) -> ClipExtractor:
    """Runs beside the device, in the worker."""
    _note(log, "beside")
    return lambda clips: [{"loudness": float(len(clips))} for _ in clips]


def refusing() -> ClipExtractor:
    raise UserError("no GPU is found here; say cpu")


def _note(log: Path, what: str) -> None:
    with log.open("a") as file:
        file.write(f"{what} {os.getpid()}\n")


def _measures(log: Path, *, bad: float = 2.0, deadly: float = 2.0, lives: int = 0, hears: float = 2.0) -> list[Measure]:
    return [
        Measure("level", "recording", ("file_speech",), "1", partial(level, log, hears), device="toy"),
        Measure("peak", "clip", ("peak",), "1", partial(peak, log, bad, deadly, lives), device="toy"),
        Measure("beside", "clip", ("loudness",), "1", partial(whose, log)),
    ]


def _jobs(folder: Path) -> list[Job]:
    """Files of half-second clips, each clip at a level of its own."""
    jobs = []
    for number in range(FILES):
        levels = [(1 + number * CLIPS + clip) / 50 for clip in range(CLIPS)]
        path = folder / f"{number}.wav"
        soundfile.write(path, np.repeat(np.array(levels, np.float32), RATE // 2), RATE, subtype="FLOAT")
        both = [
            (Request("peak", f"peak-{number}-{i}"), Request("beside", f"beside-{number}-{i}")) for i in range(CLIPS)
        ]
        spans = tuple((i * RATE // 2, (i + 1) * RATE // 2, both[i]) for i in range(CLIPS))
        jobs.append(Job(path, RATE, recording=(Request("level", f"level-{number}"),), clips=spans, seconds=3.0))
    return jobs


def _run(measures: list[Measure], jobs: list[Job], workers: int) -> dict[str, Result]:
    with Local(measures, workers) as engine:
        results = list(engine.run(jobs, lambda _: None))
    assert len({each.key for each in results}) == len(results)
    return {each.key: each for each in results}


def _processes(log: Path, what: str) -> set[str]:
    return {line.split()[-1] for line in log.read_text().splitlines() if line.startswith(what)}


def test_workers_share_the_models_of_a_device_and_answer_as_one_alone(tmp_path: Path) -> None:
    log = tmp_path / "log"
    shared = _run(_measures(log), _jobs(tmp_path), workers=3)
    assert len(_processes(log, "level")) == len(_processes(log, "peak")) == 1  # loaded once, in one process
    assert _processes(log, "level") == _processes(log, "peak")
    assert not _processes(log, "beside") & _processes(log, "peak")
    alone = _run(_measures(tmp_path / "other"), _jobs(tmp_path), workers=1)
    assert shared == alone
    assert len(shared) == FILES * (1 + 2 * CLIPS)
    assert shared["peak-2-3"].answer == {"peak": pytest.approx(12 / 50)}
    (span,) = shared["level-2"].answer["file_speech"]
    assert 24 <= span["end"] <= 30  # a little more where it was resampled


def test_clips_come_in_batches(tmp_path: Path) -> None:
    _run(_measures(tmp_path / "log"), _jobs(tmp_path), workers=2)
    assert (tmp_path / "log").read_text().count(f"asked {CLIPS} ") == FILES


def test_a_clip_or_recording_that_fails_there_is_alone_without_an_answer(tmp_path: Path) -> None:
    results = _run(_measures(tmp_path / "log", bad=11.5 / 50, hears=11.5 / 50), _jobs(tmp_path), workers=2)
    failed = {key for key, each in results.items() if each.answer is None}
    assert failed == {"peak-2-3", "level-2"}
    assert "too loud to be measured" in results["peak-2-3"].failure
    assert "too loud to be heard" in results["level-2"].failure


def test_a_device_process_that_dies_is_replaced_and_nothing_is_lost(tmp_path: Path) -> None:
    results = _run(_measures(tmp_path / "log", deadly=10.5 / 50, lives=1), _jobs(tmp_path), workers=2)
    assert len(results) == FILES * (1 + 2 * CLIPS)
    assert all(each.answer is not None for each in results.values())
    assert len(_processes(tmp_path / "log", "peak")) == 2


def test_a_clip_that_kills_the_device_every_time_gets_the_reason(tmp_path: Path) -> None:
    results = _run(_measures(tmp_path / "log", deadly=11.5 / 50, lives=100), _jobs(tmp_path), workers=2)
    failed = {key for key, each in results.items() if each.answer is None}
    assert failed - {"beside-2-3"} == {"peak-2-3"}  # the two are asked together
    assert "the process with the GPU's models ended" in results["peak-2-3"].failure


def test_a_device_that_is_not_there_ends_the_run_with_one_line(tmp_path: Path) -> None:
    measures = [Measure("peak", "clip", ("peak",), "1", refusing, device="toy")]
    jobs = [Job(job.path, job.rate, clips=tuple((a, b, (r[0],)) for a, b, r in job.clips)) for job in _jobs(tmp_path)]
    with pytest.raises(UserError, match="no GPU is found here"), Local(measures, 2) as engine:
        list(engine.run(jobs, lambda _: None))
