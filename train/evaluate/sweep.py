"""`train sweep`: every rank trained and evaluated on one set of latents; any subset, several processes at once.

    SWEEP/
      begun.json            base model, corpus, every setting of the runs but rank and seed
      about.json            ranks and seeds asked for so far, sizes of the adapters, where they sit
      runs/r64/             a training run, as `train lora` makes it; further seeds in runs/r64-seed2
      runs/r64.lock         held by the process that trains and evaluates this rank
      runs/r64.done.json    the run is complete, at which step
      evaluation/           as `train evaluate` makes it: zero-shot and a condition for each complete run
      mos.json              what listeners said, once given
      sweep.json, selection.json, loss.svg, mos.svg, layout.svg, index.html

A rank and seed is a unit of work. A process takes the units that nobody holds, in order; one that another process holds
is left to it and named. A run that was killed half-way is resumed by whoever takes its unit next: training is the same
loop as `train lora`, so its losses are those of a run never killed.
"""

import json
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from curate import files
from curate.errors import Busy, UserError
from train import checkpoint, config, finetune
from train.data import corpus
from train.estimate import layout, params
from train.evaluate import evaluation, folder, plan, ratings, tables
from train.evaluate.plan import Settings
from train.model import base

Event = finetune.Event
ABOUT, MOS = tables.ABOUT, tables.MOS
OWN = ("adapter.rank", "train.seed", "into", "corpus", "model")  # of a run's settings: the sweep's to say
REMEDY = "choose another --into"


@dataclass(frozen=True)
class Sweep:
    """What `train sweep` is asked for."""

    corpus: Path
    into: Path
    model: str
    revision: str | None = None
    ranks: Sequence[int] = (8, 16, 32, 64, 128)
    seeds: Sequence[int] = (0,)
    only: Sequence[int] = ()
    preset: Path | None = None
    settings: Sequence[str] = ()
    latents: Path | None = None
    evaluation: Settings = field(default_factory=lambda: Settings(Path(), Path()))
    ratings: Sequence[Path] = ()
    banner: str = ""  # what stands above everything that a rehearsal writes


@dataclass(frozen=True)
class Unit:
    """One rank with one seed."""

    rank: int
    seed: int
    name: str  # of its condition and its run


def sweep(asked: Sweep) -> Iterator[Event]:
    """Train and evaluate what nobody else is at; the last event says where the page is."""
    units = begin(asked)
    yield from _latents_note(asked)
    busy: list[str] = []
    for unit in units:
        done = yield from _unit(asked, unit, busy)
        if not done:
            return  # a person has stopped it
    yield from _tables(asked, busy)


def begin(asked: Sweep) -> list[Unit]:
    """Check what can be checked before anything is trained, and begin the folder; the units that are wanted."""
    _check(asked)
    shown = ratings.gathered(asked.ratings)
    first = _run(asked, Unit(asked.ranks[0], asked.seeds[0], "first"))
    model = base.asked(first.model, first.revision)
    settings = _shared(first)
    clips = corpus.read(asked.corpus)
    now = {
        "base model": base.base_hash(model),
        "corpus": folder.digest([[clip.id, clip.split, clip.text] for clip in clips]),
        "settings": settings,
        "seed": asked.seeds[0],
    }
    for unit in _units(asked):
        _run(asked, unit)  # a rank or setting that cannot be is said now
    plan.check_split(asked.corpus, asked.evaluation.split)
    usual = config.Run(corpus=first.corpus, into=first.into, model=first.model)
    folder.begin(asked.into, now, REMEDY, {"settings": _shared(usual)})
    (asked.into / "runs").mkdir(exist_ok=True)
    _note(asked, model)
    if shown:
        ratings.check_conditions(shown, [unit.name for unit in _units(replace(asked, only=()))])
        files.write_text(asked.into / MOS, json.dumps(shown, indent=1, ensure_ascii=False) + "\n")
    return _units(asked)


def _shared(run: config.Run) -> dict[str, Any]:
    """The settings that all runs of a sweep have in common."""
    settings = run.model_dump(mode="json", exclude={"corpus", "into", "model", "latents", "revision"})
    del settings["adapter"]["rank"], settings["train"]["seed"], settings["train"]["device"]
    return settings


def _check(asked: Sweep) -> None:
    for name, numbers in (("--ranks", asked.ranks), ("--seeds", asked.seeds)):
        if len(set(numbers)) < len(numbers):
            raise UserError(
                f"{name} names {next(n for n in numbers if list(numbers).count(n) > 1)} twice: name each once"
            )
    if unknown := [rank for rank in asked.only if rank not in asked.ranks]:
        raise UserError(f"--only {unknown[0]} is none of the ranks {', '.join(map(str, asked.ranks))}")
    for setting in asked.settings:
        if (key := setting.partition("=")[0].strip()) in OWN:
            raise UserError(f"--set {key}: a sweep says that itself, by CORPUS, --model, --into, --ranks and --seeds")


def _units(asked: Sweep) -> list[Unit]:
    """Smallest rank first; all ranks of the first seed, then of the next: a table is whole as early as can be."""
    ranks = sorted(asked.only or asked.ranks)
    return [
        Unit(rank, seed, f"r{rank}" if i == 0 else f"r{rank}-seed{seed}")
        for i, seed in enumerate(asked.seeds)
        for rank in ranks
    ]


def _run(asked: Sweep, unit: Unit) -> config.Run:
    """The run file of a unit: what `train lora` with the same words would begin."""
    place = Path(asked.model) if Path(asked.model).is_dir() else asked.model
    options: dict[str, str | int | Path | None] = {
        "model": place, "revision": asked.revision, "into": asked.into / "runs" / unit.name, "latents": asked.latents,
    }  # fmt: skip
    own = [f"adapter.rank={unit.rank}", f"train.seed={unit.seed}"]
    return config.gather(asked.corpus, options, [*asked.settings, *own], asked.preset)


def _latents_note(asked: Sweep) -> Iterator[str]:
    yield f"latents, once for all ranks: {asked.latents or asked.corpus / 'latents'}"


def _note(asked: Sweep, model: Path) -> None:
    """about.json: all ranks and seeds that were ever asked for, and facts of the adapters; written by one at a time."""
    with evaluation.waiting(asked.into / ".about.lock"):
        path = asked.into / ABOUT
        before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        ranks = sorted({*before.get("ranks", ()), *asked.ranks})
        seeds = [*before.get("seeds", ()), *(each for each in asked.seeds if each not in before.get("seeds", ()))]
        adapter = _run(asked, Unit(max(ranks), asked.seeds[0], "first")).adapter
        sizes = params.table(
            ranks, scope=adapter.scope, modules=adapter.modules, projections=adapter.projections, model=str(model)
        )
        about = {
            "corpus": asked.corpus.name,
            "model": model.name if Path(asked.model).is_dir() else asked.model,
            "ranks": ranks,
            "seeds": seeds,
            **({"banner": asked.banner} if asked.banner else {}),
            "sizes": {
                str(row["rank"]): {"parameters": row["parameters"], "percent": row["percent"]} for row in sizes["ranks"]
            },
            "total": sizes["total"],
            "layout": layout.rows(base.read_config(model), adapter),
        }
        files.write_text(path, json.dumps(about, indent=1, ensure_ascii=False) + "\n")
        files.write_text(
            asked.into / "layout.svg", layout.drawing(about["layout"], base.read_config(model), asked.banner) + "\n"
        )


def _unit(asked: Sweep, unit: Unit, busy: list[str]) -> Generator[Event, None, bool]:
    """Train one rank and evaluate it, unless another process is at it; False where a person has stopped it."""
    lock = asked.into / "runs" / f"{unit.name}.lock"
    try:
        with files.locked(lock, f"{unit.name} of {asked.into} is trained or evaluated by another process"):
            yield from _trained(asked, unit)
            if not _done(asked, unit):
                return False
            yield from _evaluated(asked, unit)
    except Busy as problem:
        busy.append(unit.name)
        yield f"left out: {problem}"
    return True


def _trained(asked: Sweep, unit: Unit) -> Iterator[Event]:
    """Begin or go on with the run of a unit, by the loop of `train lora`."""
    if _done(asked, unit):
        return
    run = _run(asked, unit)
    survey = None
    if checkpoint.every(run.into):
        _check_run(run, config.read(run.into))
        yield f"{unit.name}: going on from step {int(checkpoint.every(run.into)[-1].name)}"
    else:
        yield f"{unit.name}: training rank {unit.rank}, seed {unit.seed}"
        survey = finetune.start(run)
    last: Event | None = None
    for last in finetune.train(run.into, survey=survey):
        yield last
    if isinstance(last, finetune.Finished):
        files.write_text(_done_path(asked, unit), json.dumps({"step": last.step}) + "\n")


def _check_run(wanted: config.Run, there: config.Run) -> None:
    """Raise UserError where the run in a folder is another than the sweep's."""
    free = {"corpus", "into", "model", "latents", "revision"}  # where things lie; the sweep knows them by their hashes
    now, before = (run.model_dump(mode="json", exclude=free) for run in (wanted, there))
    before["train"]["device"] = now["train"]["device"]
    for part in now:
        if now[part] != before[part]:
            raise UserError(f"{there.into} holds a run with another {part} than this sweep's: put it back, or {REMEDY}")


def _done_path(asked: Sweep, unit: Unit) -> Path:
    return asked.into / "runs" / f"{unit.name}.done.json"


def _done(asked: Sweep, unit: Unit) -> bool:
    """Whether a run is complete and its last checkpoint there."""
    path = _done_path(asked, unit)
    if not path.is_file():
        return False
    step = int(json.loads(path.read_text(encoding="utf-8"))["step"])
    return checkpoint.path_of(asked.into / "runs" / unit.name, step).is_dir()


def _settings(asked: Sweep, unit: Unit | None) -> Settings:
    """What `train evaluate` is asked for a unit; all units share one folder, its zero-shot and its sentences."""
    runs = [f"{unit.name}={asked.into / 'runs' / unit.name}"] if unit else []
    return replace(
        asked.evaluation, corpus=asked.corpus, into=asked.into / "evaluation", runs=runs, model=asked.model,
        revision=asked.revision, latents=asked.latents, banner=asked.banner,
    )  # fmt: skip


def _evaluated(asked: Sweep, unit: Unit) -> Iterator[Event]:
    """Evaluate a complete run, and zero-shot where nobody has."""
    made = plan.prepare(_settings(asked, unit))
    wanted = [each for each in made.conditions if not evaluation.is_measured(made, each.name)]
    if not wanted and evaluation.is_measured(made, folder.NATURAL):
        return
    yield from evaluation.natural(made)
    data = yield from evaluation.held_data(made)
    for condition in wanted:
        try:
            yield from evaluation.evaluate_condition(made, condition, data)
        except Busy:
            if condition.name == unit.name:
                raise
            yield f"{condition.name} is being evaluated by another process"


def _tables(asked: Sweep, busy: Sequence[str]) -> Iterator[Event]:
    """Write the tables of everything that is complete; what another process still works on comes with its own."""
    made = plan.prepare(_settings(asked, None))
    yield from evaluation.finish(made)
    with evaluation.waiting(asked.into / ".tables.lock"):
        table = tables.write(asked.into)
    there = {run["run"].removeprefix("runs/") for run in table["runs"] if run["state"] == "evaluated"}
    if lacking := [name for name in busy if name not in there]:
        yield f"not in the tables yet, for others are at it: {', '.join(lacking)}"
    yield f"ranks by language: {asked.into / 'index.html'}"
