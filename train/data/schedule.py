"""The order of a run: its rate, its steps, the batches still to come, and whether they are those it began with."""

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from train import config
from train.checkpoint import State
from train.data import sampler
from train.data.sampler import Example

BEGINNING = State(0, 0, 0)


def learning_rate(step: int, steps: int, settings: config.Optimizer) -> float:
    """Warm-up, then a cosine down to the floor; it stays there and never climbs. step counts from 1."""
    warmup = min(settings.warmup_steps, steps // 10)
    if step <= warmup:
        return settings.learning_rate * step / warmup
    share = min(1.0, (step - warmup) / max(1, steps - warmup))
    falling = (1 + math.cos(math.pi * share)) / 2
    return settings.learning_rate * (settings.floor + (1 - settings.floor) * falling)


def total_steps(run: config.Run, examples: Sequence[Example], at: State = BEGINNING) -> int:
    """Steps of the whole run: as asked for, or those done and the batches still to come of all epochs."""
    if run.train.steps is not None:
        return run.train.steps
    return at.step - at.batch + sum(len(_plan(run, examples, epoch)) for epoch in range(at.epoch, run.train.epochs))


def check(at: State, run: config.Run, examples: Sequence[Example]) -> tuple[State, list[str]]:
    """Where to go on from, and a note where the epoch's batches are no longer those that it began with.

    Batches done of one order say nothing about another, so such an epoch begins again; a complete one stays done.
    """
    if not at.plan or at.plan == _digest(_plan(run, examples, at.epoch)):
        return at, []
    if at.batch == at.batches:
        return replace(at, epoch=at.epoch + 1, batch=0), []
    why = "its batches changed with [batch], train.seed or the corpus"
    return replace(at, batch=0), [f"epoch {at.epoch + 1} begins again after step {at.step}: {why}"]


def remaining(
    run: config.Run, examples: Sequence[Example], at: State, steps: int
) -> Iterator[tuple[State, list[Example]]]:
    """The batches still to be trained on, each with the state the run is in once it is done."""
    step, epoch, first = at.step, at.epoch, at.batch
    while step < steps:
        plan = _plan(run, examples, epoch)
        digest = _digest(plan)
        for number in range(first, len(plan)):
            if step == steps:
                return
            step += 1
            done = State(step, epoch, number + 1, len(plan), digest)
            yield done, plan[number]
        epoch, first = epoch + 1, 0


def _plan(run: config.Run, examples: Sequence[Example], epoch: int) -> list[list[Example]]:
    settings, seed = run.batch, run.train.seed
    chosen = sampler.epoch_examples(
        examples, temperature=settings.temperature, reference=settings.reference, seed=seed, epoch=epoch
    )
    planned = sampler.plan(chosen, tokens=settings.tokens, seed=seed, epoch=epoch)
    return [[chosen[position] for position in batch] for batch in planned]


def _digest(plan: Sequence[Sequence[Example]]) -> str:
    named = [[each.id + (f" after {each.reference}" if each.reference else "") for each in batch] for batch in plan]
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()
