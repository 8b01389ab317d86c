"""Each listener hears a balanced, mixed list that the plan alone decides."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from train.listen import design
from train.listen.design import Trial


@pytest.mark.parametrize("method", ["mos", "cmos", "ab"])
def test_a_latin_square_hears_each_stimulus_equally_often(tmp_path: Path, make_plan: Callable, method: str) -> None:
    size = 3 if method == "mos" else 4  # two contrasts, both orders
    plan = make_plan(tmp_path, method=method, listeners={"": size}, count=size, repeats=0, traps=0)
    trials = [t for n in range(1, size + 1) for t in design.schedule(plan, "km", n) if t.kind == "test"]
    heard = Counter((trial.sentence, trial.condition, trial.swapped) for trial in trials)
    assert len(heard) == size * size
    assert set(heard.values()) == {1}
    for number in range(1, size + 1):
        own = [trial for trial in design.schedule(plan, "km", number) if trial.kind == "test"]
        assert sorted(trial.sentence for trial in own) == sorted(s.id for s in plan.groups["km"].sentences)
        assert set(Counter((trial.condition, trial.swapped) for trial in own).values()) == {1}


@pytest.mark.parametrize("method", ["mos", "ab"])
def test_a_full_design_hears_every_sentence_in_every_condition(
    tmp_path: Path, make_plan: Callable, method: str
) -> None:
    plan = make_plan(tmp_path, method=method, layout="full", repeats=0, traps=0)
    heard = plan.conditions if method == "mos" else plan.analysis.contrasts
    for number in (1, 2):
        own = Counter((t.sentence, t.condition) for t in design.schedule(plan, "ko", number) if t.kind == "test")
        assert set(own) == {(s.id, c) for s in plan.groups["ko"].sentences for c in heard}
        assert set(own.values()) == {1}


def test_training_comes_first_and_all_ids_differ(tmp_path: Path, make_plan: Callable) -> None:
    plan = make_plan(tmp_path, training=3, repeats=3)
    for language in ("km", "ko"):
        for number in (1, 2):
            trials = design.schedule(plan, language, number)
            assert [trial.practice for trial in trials] == sorted((t.practice for t in trials), reverse=True)
            assert len({trial.id for trial in trials}) == len(trials)
            assert Counter(t.kind for t in trials) == {
                "training": 3, "test": 6, "anchor": 2, "gold": 2, "trap": 1, "repeat": 3
            }  # fmt: skip


def test_a_repeat_is_heard_after_its_original_and_not_right_after(tmp_path: Path, make_plan: Callable) -> None:
    plan = make_plan(tmp_path, repeats=2, listeners={"": 40})
    gaps = []
    for number in range(1, 41):
        places: dict[tuple[str, ...], list[tuple[int, Trial]]] = {}
        for at, trial in enumerate(design.schedule(plan, "km", number)):
            if trial.kind in ("test", "repeat"):
                places.setdefault(trial.stimuli, []).append((at, trial))
        twice = [pair for pair in places.values() if len(pair) > 1]
        assert len(twice) == 2
        for (first, original), (second, repeat) in twice:
            assert (original.kind, repeat.kind) == ("test", "repeat")
            gaps.append(second - first)
    assert min(gaps) >= 2


def test_listeners_hear_other_orders_and_other_traps(tmp_path: Path, make_plan: Callable) -> None:
    plan = make_plan(tmp_path)
    one, two = (design.schedule(plan, "km", number) for number in (1, 2))
    assert [trial.sentence for trial in one] != [trial.sentence for trial in two]
    traps = [next(t.expected for t in trials if t.kind == "trap") for trials in (one, two)]
    assert sorted(traps) == [(2, 2), (4, 4)]


def test_order_and_conditions_change_with_the_seed_alone(tmp_path: Path, make_plan: Callable) -> None:
    one, two, other = (make_plan(tmp_path / str(at), seed=seed) for at, seed in enumerate((1, 1, 2)))
    assert design.schedule(one, "ko", 2) == design.schedule(two, "ko", 2)
    assert [t.id for t in design.schedule(one, "ko", 2)] != [t.id for t in design.schedule(other, "ko", 2)]


def test_the_order_is_that_of_sha256(tmp_path: Path) -> None:
    # sha256 of "7:km-001:a", computed by coreutils' sha256sum
    assert design.sort_key(7, "km-001", "a").startswith(SHA_7_KM_001_A)


SHA_7_KM_001_A = "0ba602071194ac758dfedcbe"


@pytest.mark.parametrize(
    ("method", "swapped", "given", "seen"),
    [("mos", False, 4, 4), ("cmos", False, 2, 2), ("cmos", True, 2, -2), ("cmos", True, -3, 3), ("cmos", True, 0, 0),
     ("ab", False, 1, 1), ("ab", True, 1, 0), ("ab", True, 0, 1)],
)  # fmt: skip
def test_a_swapped_comparison_is_turned_back(method: str, swapped: bool, given: int, seen: int) -> None:
    trial = Trial("x", "test", "s", "r8", ("zero-shot/s", "r8/s"), swapped)
    assert trial.rating(given, method) == seen
    assert trial.heard[0] == ("r8/s" if swapped else "zero-shot/s")
