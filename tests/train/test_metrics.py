"""metrics.jsonl: what was appended is read back, and a kill half-way through a line costs that line alone."""

import json

import pytest

from train import metrics

LINES = [{"step": 0, "languages": {"km": {"loss": 2.5}}}, {"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.5}]


@pytest.fixture
def run(tmp_path):
    for line in LINES:
        metrics.append(tmp_path, line)
    return tmp_path


def text(run):
    return (run / metrics.FILE).read_text()


def test_lines_are_read_back_in_order(run):
    assert metrics.read(run) == LINES
    assert text(run) == "".join(json.dumps(line) + "\n" for line in LINES)


def test_a_run_that_has_not_begun_has_no_metrics_and_gets_no_file(tmp_path):
    metrics.roll_back(tmp_path, 5)
    assert metrics.read(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cut", ['{"step": 3, "lo', '{"loss": 1.0}', "5", "[]", "null", b'{"step": 3, "a": "\xe1\x9e'])
def test_a_line_that_a_kill_cut_is_passed_over_and_dropped_on_resume(run, cut):
    with (run / metrics.FILE).open("ab") as file:
        file.write(cut if isinstance(cut, bytes) else cut.encode())
    assert metrics.read(run) == LINES
    metrics.roll_back(run, 9)
    metrics.append(run, {"step": 3})
    assert metrics.read(run) == [*LINES, {"step": 3}]


@pytest.mark.parametrize(("step", "kept"), [(2, 3), (1, 2), (0, 1), (-1, 0)])
def test_steps_after_the_checkpoint_are_dropped_and_those_up_to_it_stay_as_they_were(run, step, kept):
    before = text(run).splitlines()
    metrics.roll_back(run, step)
    assert text(run).splitlines() == before[:kept]
    assert metrics.read(run) == LINES[:kept]
