"""The whole study on a tiny model with simulated listeners, offline: that the machinery runs, and no result."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from curate import files
from curate.errors import UserError
from curate.settings import as_toml
from train import finetune
from train.evaluate import sweep as sweeping
from train.evaluate import tables
from train.evaluate.plan import Settings
from train.evaluate.synthesis import Speaking
from train.listen import analysis, build, planning, ratings
from train.listen import plan as planned
from train.listen import report as listening
from train.listen import settings as chosen
from train.listen.plan import Plan
from train.model import tiny
from train.study import report, simulated

Event = finetune.Event
BANNER = "tiny model, simulated listeners: these figures show the machinery, not a result"
TRUE_MOS = {  # what simulated listeners are told to think; the first four like the published figures
    "km": {"zero-shot": 3.85, "r2": 4.0, "r4": 4.23, "r8": 4.1},
    "ko": {"zero-shot": 4.2, "r2": 4.2, "r4": 4.1, "r8": 3.8},
}
WORDS = {  # greetings and things
    "km": ("សួស្តី", "អរគុណ", "ជម្រាបលា", "សុខសប្បាយ", "ទឹក", "បាយ", "ផ្ទះ", "សាលា", "ភាសាខ្មែរ"),
    "ko": ("안녕하세요", "감사합니다", "안녕히 가세요", "반갑습니다", "물", "밥", "집", "학교", "한국어"),
}
SALT = "0f" * 32  # the same plan every time; a real one is random
TRAINING = (  # a tiny model on two cores: few steps, and a rate that suits random weights
    "optimizer.learning_rate=0.01", "optimizer.warmup_steps=5", "batch.tokens=320", "train.validate_every=10",
    "train.save_every=10", "train.device=cpu", "train.validation_draws=2",
)  # fmt: skip
README = "READ-ME-FIRST.txt"


@dataclass(frozen=True)
class Size:
    """How much is done; the sentences, up to 9, are of each language, one of them for the listeners' training."""

    ranks: tuple[int, ...] = (2, 4, 8)
    steps: int = 20
    sentences: int = 9
    listeners: int = 24
    draws: int = 2
    timesteps: int = 2  # VoxCPM has 10: the voice is noise either way
    replicates: int = 1000


USUAL = Size()


def run(into: Path, corpus: Path, size: Size = USUAL) -> Iterator[Event]:
    """Run all of it in a folder; yields what happens. The same command goes on after a kill."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so small a model is five times slower when two threads wait for each other
    try:
        yield from _run(into, corpus, size)
    finally:
        torch.set_num_threads(threads)


def _run(into: Path, corpus: Path, size: Size) -> Iterator[Event]:
    if not (corpus / "manifest.parquet").is_file():
        raise UserError(f"no corpus at {corpus}: run `curate demo --into {corpus.parent}` first, or give --corpus")
    _read_me(into)
    yield f"*** {BANNER.upper()} ***"
    yield f"making a tiny VoxCPM2 with random weights: {into / 'tiny-voxcpm2'}"
    model = tiny.make(into / "tiny-voxcpm2")
    sentences = _sentences(into, size)
    last: Event | None = None
    for last in sweeping.sweep(_asked(into, corpus, model, sentences, size)):
        yield last
    if isinstance(last, finetune.Stopped):
        return
    for name in ("latents", "tiny-sweep", "tiny-sweep/runs", "tiny-sweep/evaluation"):
        _read_me(into / name)  # sounds and lines for machines have no room for it
    plan = _plan(into, size)
    yield f"a plan for {size.listeners} simulated listeners of each language: {planned.digest(plan)[:12]}"
    pages = _pages(into, plan)
    yield f"what listeners would get: {pages}"
    rated = into / "simulated-ratings.csv"
    files.write_text(rated, simulated.ratings(plan, TRUE_MOS))
    yield f"simulated ratings: {rated}"
    analyses = list(_analyses(into, rated))
    tables.rate(into / "tiny-sweep", analyses)
    study = _study(into, size)
    made = report.run(
        into / "tiny-sweep",
        rated,
        into / "report",
        plan=into / "simulated-test",
        corpus_folder=corpus,
        study_file=study,
    )
    yield from (f"note: {note}" for note in made["notes"])


def _read_me(folder: Path) -> None:
    text = f"{BANNER}.\nMade by `train study demo`. The road of a real study: docs/reproduce.md\n"
    files.write_text(folder / README, text)


def closing(into: Path) -> str:
    """Where everything is."""
    return f"""
*** {BANNER.upper()} ***
report:   {into / "report" / "report.md"}
methods:  {into / "report" / "methods.md"}
sweep:    {into / "tiny-sweep" / "index.html"}
analysis: {into / "simulated-analysis" / "comparisons.md"}
the page: {into / "simulated-listeners" / "index.html"}

the same with the real model and people: docs/reproduce.md"""


def _sentences(into: Path, size: Size) -> Path:
    """A table of words: a tiny model that was trained speaks until it is stopped, and that goes by a text's length."""
    lines = ["id\tlanguage\ttext"]
    for language, words in WORDS.items():
        lines += [f"{language}-{i}\t{language}\t{word}" for i, word in enumerate(words[: size.sentences], start=1)]
    path = into / "sentences.tsv"
    files.write_text(path, "\n".join(lines) + "\n")
    return path


def _asked(into: Path, corpus: Path, model: Path, sentences: Path, size: Size) -> sweeping.Sweep:
    evaluation = Settings(
        Path(), Path(), sentences=sentences, draws=size.draws, quality=False, plain=False,
        speaking=Speaking(takes=1, timesteps=size.timesteps),
    )  # fmt: skip
    return sweeping.Sweep(
        corpus, into / "tiny-sweep", str(model.absolute()), ranks=size.ranks,
        settings=[*TRAINING, f"train.steps={size.steps}"], latents=into / "latents", evaluation=evaluation,
        banner=BANNER,
    )  # fmt: skip


def _plan(into: Path, size: Size) -> Plan:
    """Written and hashed before there are ratings; the plan of an earlier rehearsal is replaced where it differs."""
    place = into / "simulated-test"
    conditions = ("zero-shot", *(f"r{rank}" for rank in size.ranks))
    choices = planning.Choices(
        baseline="zero-shot", conditions=conditions, listeners={"": size.listeners},
        name=BANNER, training=2, traps=0, salt=SALT,
    )  # fmt: skip
    made = planning.make(into / "tiny-sweep", place, choices)
    if (place / planned.NAME).is_file() and planned.digest(made) == planned.digest(planned.read(place)):
        return made
    shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(into / "simulated-listeners", ignore_errors=True)
    shutil.rmtree(into / "simulated-listeners-private", ignore_errors=True)
    planned.write(made, place)
    return made


def _pages(into: Path, plan: Plan) -> Path:
    """What `train listen build` makes of it."""
    place = into / "simulated-listeners"
    if not (place / build.TEST).is_file():
        build.build(into / "simulated-test", place)
    return place


def _analyses(into: Path, rated: Path) -> Iterator[Path]:
    """By the plan, and once more with the best condition as the baseline, as `train select` wants them."""
    settings = chosen.of_plan(into / "simulated-test")
    read = ratings.read(rated, settings.scale)
    facts = {"banner": BANNER, **analysis.analyse(read, settings)}
    listening.write(facts, read.rows, into / "simulated-analysis")
    yield into / "simulated-analysis" / "analysis.json"
    for best in dict.fromkeys(facts["best"].values()):
        if best != settings.baseline:
            path = into / f"simulated-analysis-{best}.json"
            again = {"banner": BANNER, **listening.run(rated, into / "simulated-test", best)}
            files.write_text(path, json.dumps(again, ensure_ascii=False) + "\n")
            yield path


def _study(into: Path, size: Size) -> Path:
    """The study file of the rehearsal: what simulated listeners were told stands in the place of published figures."""
    table = json.loads((into / "tiny-sweep" / "sweep.json").read_text(encoding="utf-8"))
    truth, highest = TRUE_MOS["km"], f"r{max(size.ranks)}"
    claim: list[dict[str, object]] = [
        {"kind": "mos", "language": "km", "condition": "r4", "value": truth["r4"]},
        {
            "kind": "difference",
            "language": "km",
            "condition": "r4",
            "value": round(truth["r4"] - truth["zero-shot"], 2),
        },
        {"kind": "p_by_listener", "language": "km", "condition": "r4", "value": 0.001},
        {"kind": "highest_mos", "language": "km", "condition": "r4"},
        {"kind": "lowest_loss", "condition": highest},
        {"kind": "no_gain", "language": "ko"},
        {"kind": "harm", "language": "ko", "condition": highest},
    ]
    study = {
        "study": {"name": "Rehearsal of the study", "languages": list(TRUE_MOS), "banner": BANNER},
        "model": {"name": "tiny-voxcpm2", "parameters": table["parameters"]},
        "sweep": {"ranks": list(size.ranks), "seeds": [0]},
        "listening": {"listeners": size.listeners, "sentences": size.sentences - 1},
        "power": {"replicates": size.replicates},
        "claim": [{**each, "origin": "simulated"} for each in claim],
    }
    path = into / "study.toml"
    files.write_text(path, f"# {BANNER}\n{as_toml(study)}")
    return path
