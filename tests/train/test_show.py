import io
import os
import re

import pytest
from rich.console import Console

from train import show
from train.data import latents
from train.trainer import Step
from train.validation import Validation, rising


def step(number, steps=1000, **changes):
    values = {
        "step": number, "steps": steps, "loss": 1.0, "diff": 0.9, "stop": 0.1, "learning_rate": 1e-4,
        "languages": {"km": 0.8761, "ko": 0.9123}, "gradient_norm": 0.1, "audio_seconds": 120.0, "positions": 4096,
        "seconds": 0.4, "memory": 8 << 30,
    }  # fmt: skip
    return Step(**values | changes)


def validation(number, km, ko=0.9):
    values = {"diff": 0.8, "stop": 0.0123, "patches": 10.0, "clips": 5.0}
    change = {"change": -0.1234, "low": -0.1300, "high": -0.1168} if number else {}
    return Validation(number, {"km": {"loss": km} | values | change, "ko": {"loss": ko} | values | change})


class Clock:
    """A clock that goes on by so much each time it is read."""

    def __init__(self, *by):
        self.now, self.by = 0.0, list(by)

    def __call__(self):
        self.now += self.by.pop(0) if len(self.by) > 1 else self.by[0]
        return self.now


def shown(events, *, terminal=False, clock=None, width=80, every=0):
    said = io.StringIO()
    console = Console(file=said, force_terminal=terminal, width=width, color_system=None)
    screen = show.Screen(every, console, clock or Clock(1.0))
    last = screen.follow(events)
    return said.getvalue(), screen, last


def test_without_a_terminal_there_is_a_plain_line_every_half_minute_and_at_the_ends():
    said, _, _ = shown([step(number) for number in range(1, 1001)])
    lines = said.splitlines()
    assert len(lines) == 35
    assert lines[0] == "step 1/1000: loss km 0.876 ko 0.912, 300 s/s, 8.0 GiB"
    assert lines[-1] == "step 1000/1000: loss km 0.876 ko 0.912, 300 s/s, 8.0 GiB, 0 s left"
    assert "\x1b" not in said


def test_on_a_terminal_a_step_is_one_line_of_eighty_columns():
    said, _, _ = shown([step(12345, 98765), step(12346, 98765)], terminal=True, clock=Clock(0.5))
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.replace("\r", "\n"))
    lines = [line for line in plain.splitlines() if "km" in line]
    assert lines[-1].startswith("12346/98765 ")
    assert lines[-1].rstrip().endswith("loss km 0.876 ko 0.912, 300 s/s, 8.0 GiB, 12.0 h left")
    assert all(len(line) <= 80 for line in lines)


def test_encoding_is_shown_by_its_clips():
    said, _, last = shown([latents.Progress(done, 50) for done in range(51)])
    assert said.splitlines() == ["encoding clips 1/50", "encoding clips 31/50", "encoding clips 50/50"]
    assert last == latents.Progress(50, 50)


def test_time_left_counts_the_validations_still_to_come():
    pace = show.Pace(validate_every=10)
    pace.note(validation(0, 1.0), 100.0)
    now = 200.0
    for number in range(1, 11):
        pace.note(step(number), now := now + 2.0)
    pace.note(validation(10, 1.0), now + 30.0)
    pace.note(step(11), now + 32.0)
    assert pace.left(11, 25) == pytest.approx(14 * 2.0 + 2 * 30.0)  # after steps 20 and 25
    assert pace.left(25, 25) == pytest.approx(30.0)  # the last validation is still to come
    assert pace.left(20, 20) == pytest.approx(30.0)


def test_a_sentence_spoken_counts_to_its_validation_not_to_a_step():
    pace = show.Pace(validate_every=10)
    for number in (1, 2, 3):
        pace.note(step(number), number)
    pace.note("spoken at step 3", 8.0)
    pace.note(validation(3, 1.0), 9.0)
    assert pace.left(3, 10) == pytest.approx(7 * 1.0 + 6.0)


def test_no_time_is_told_before_a_step_was_timed():
    assert show.Pace().left(1, 10) is None
    assert "left" not in show.step_line(step(1))


def test_a_validation_says_its_paired_change_and_interval_within_eighty_columns():
    assert show.describe(validation(0, 1.0345))[0] == "held-out loss, zero-shot: km 1.0345 (stop 0.012)"
    lines = show.describe(validation(1200, 0.9111))
    assert lines[0] == "held-out loss, step 1200: km 0.9111 (stop 0.012), -0.1234 ±0.0066 vs zero-shot"
    assert [len(line) <= 80 for line in lines] == [True, True]


def test_a_loss_that_has_risen_three_times_is_said_with_its_best_step():
    losses = [1.0, 0.8, 0.7, 0.75, 0.76, 0.77]
    events = [validation(number * 10, loss, ko=1 - number / 100) for number, loss in enumerate(losses)]
    said, screen, _ = shown(events)
    assert said.count("has risen") == 1
    assert said.splitlines()[-1] == "held-out loss of km has risen for 3 validations; best at step 20"
    assert screen.last.step == 50
    assert rising(events[:5], show.RISING) == []


def test_a_resumed_run_counts_the_validations_before_its_checkpoint():
    earlier = [validation(number * 10, 0.7 + number / 100) for number in range(5)]
    said = io.StringIO()
    screen = show.Screen(10, Console(file=said), Clock(1.0), earlier)
    screen.follow([validation(30, 0.8), validation(40, 0.6)])  # killed after 40, its checkpoint was of 20
    assert "km has risen for 3 validations; best before training" in said.getvalue()
    assert said.getvalue().count("has risen") == 1


def test_a_loss_that_never_fell_was_best_before_training():
    events = [validation(number, 1.0 + number) for number in range(4)]
    assert rising(events, show.RISING) == ["held-out loss of km has risen for 3 validations; best before training"]


def test_markup_in_a_note_is_only_text():
    said, _, _ = shown(["loading [bold]x[/bold]"])
    assert said == "loading [bold]x[/bold]\n"


def test_who_reads_no_more_does_not_stop_a_run():
    """As in `2>&1 | head -1`."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as file:
        screen = show.Screen(console=Console(file=file))
        screen.follow(["read"])
        assert os.read(reading, 100) == b"read\n"
        os.close(reading)
        assert screen.follow(["one", "two", "three"]) == "three"
