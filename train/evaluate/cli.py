"""The commands `train evaluate`, `train sweep` and `train select`: parse, call, print."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from train import terminal

if TYPE_CHECKING:
    from train.evaluate.plan import Settings

RANKS = "8,16,32,64,128"  # the published sweep
GOES_ON = "the same command goes on"

Into = Annotated[Path, typer.Option(help="Folder of the evaluation.")]
Model = Annotated[str | None, typer.Option(help="Folder of the base model, or a hub id. [default: the adapters' own]")]
Revision = Annotated[str | None, typer.Option(help="Revision of the hub id.")]
Split = Annotated[
    str | None, typer.Option(help="Held-out split. [default: test, or validation where a language has no test clips]")
]
Sentences = Annotated[
    Path | None, typer.Option(metavar="TSV", help="Your own sentences: id, language, text, perhaps recording.")
]
Most = Annotated[int, typer.Option(min=1, help="Sentences of the split a language that are spoken.")]
Latents = Annotated[Path | None, typer.Option(help="Where latents are kept. [default: CORPUS/latents]")]
Takes = Annotated[int, typer.Option(min=1, max=99, help="Times each sentence is spoken, with seeds of their own.")]
Seed = Annotated[int, typer.Option(help="Of all takes; every condition has the same.")]
Draws = Annotated[int, typer.Option(min=1, help="Fixed draws of time and noise for each held-out clip.")]
Asr = Annotated[
    list[str] | None,
    typer.Option(metavar="[LANGUAGE=]MODEL", help="Who transcribes: bundled, a folder, or owner/name@commit."),
]
Quality = Annotated[bool, typer.Option(help="Predict quality by DNSMOS and DistillMOS (out of domain).")]
Plain = Annotated[bool, typer.Option(help="Also zero-shot without the tag: zero-shot-plain.")]
Device = Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="auto: a GPU if there is one.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Ratings = Annotated[
    list[Path] | None,
    typer.Option(metavar="JSON", help="What `train listen analyse --json` printed; several of one test."),
]


def evaluate(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[[NAME=]RUN]...", help="Runs, adapters, or none.")
    ] = None,
    corpus: Annotated[Path | None, typer.Option(help="A corpus made by `curate run`.")] = None,
    model: Model = None,
    revision: Revision = None,
    step: Annotated[int | None, typer.Option(help="Checkpoint of the runs. [default: the last]")] = None,
    into: Into = Path("evaluation"),
    split: Split = None,
    sentences: Sentences = None,
    most: Most = 48,
    asr: Asr = None,
    transcripts: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Transcripts by another recogniser, as TSV or JSONL.")
    ] = None,
    scores: Annotated[
        list[Path] | None, typer.Option(metavar="JSONL", help="Scores of another tool, such as VERSA's.")
    ] = None,
    takes: Takes = 2,
    seed: Seed = 0,
    draws: Draws = 4,
    quality: Quality = True,
    plain: Plain = True,
    latents: Latents = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Compare zero-shot and adapters on held-out sentences.

    Held-out losses over shared draws; every sentence spoken with shared seeds and without retries, then transcribed,
    measured and searched for faults, beside people's own recordings. Differences are paired, with intervals. In INTO:
    index.html to listen side by side, evaluation.json, results.jsonl, and audio/CONDITION/SENTENCE.wav for a listening
    test. It goes on after a kill; another adapter can be added later.

    \b
    Example: train evaluate work/r8 work/r64 --corpus work/corpus \\
        --into work/evaluation --asr ko=bundled
    """
    from curate.errors import UserError
    from train import show
    from train.evaluate import evaluation

    if corpus is None:
        raise UserError("--corpus is missing: name the corpus whose held-out clips are evaluated on")
    settings = _settings(split, sentences, most, takes, seed, draws, asr, quality, plain, device)
    more: dict[str, Any] = {
        "corpus": corpus, "into": into, "runs": runs or (), "model": model, "revision": revision, "step": step,
        "latents": latents, "transcripts": transcripts, "scores": scores or (),
    }  # fmt: skip
    events = evaluation.evaluate(replace(settings, **more))
    terminal.follow(show.Screen(), events, GOES_ON)
    facts = json.loads((into / "evaluation.json").read_text(encoding="utf-8"))
    terminal.print_result(facts, f"listen and compare: {into / 'index.html'}", as_json)


def sweep(
    corpus: Annotated[Path, typer.Argument(metavar="CORPUS", help="A corpus made by `curate run`.")],
    model: Annotated[str, typer.Option(help="Folder of a VoxCPM2 checkpoint, or a hub id.")],
    into: Annotated[Path, typer.Option(help="Folder of the sweep.")],
    ranks: Annotated[str, typer.Option(help="Ranks, joined by commas.")] = RANKS,
    only: Annotated[str | None, typer.Option(help="Those of them that this process trains.")] = None,
    seeds: Annotated[str, typer.Option(help="Seeds, joined by commas: every rank once with each.")] = "0",
    revision: Revision = None,
    preset: Annotated[Path | None, typer.Option(metavar="FILE", help="As of `train lora`.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="TABLE.KEY=VALUE", help="As of `train lora`.")
    ] = None,
    ratings: Ratings = None,
    split: Split = None,
    sentences: Sentences = None,
    most: Most = 48,
    asr: Asr = None,
    takes: Takes = 2,
    seed: Annotated[int, typer.Option("--speech-seed", help="Of all takes; every condition has the same.")] = 0,
    draws: Draws = 4,
    quality: Quality = True,
    plain: Plain = True,
    latents: Latents = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Train and evaluate every rank; say which to ship.

    One set of latents, the same seeds. Several processes may run the same command, or parts of it by --only, on one
    folder: each takes the ranks that nobody is at, and goes on with a rank that was killed. In INTO: index.html with
    tables and plots, sweep.json, selection.json, evaluation/ to listen. The choice goes by loss until --ratings are
    given.

    \b
    Example: train sweep work/corpus --model openbmb/VoxCPM2 \\
        --ranks 8,16,32,64,128 --into work/sweep
    """
    from train import show
    from train.estimate import params
    from train.evaluate import sweep as sweeping

    wanted = _settings(split, sentences, most, takes, seed, draws, asr, quality, plain, device)
    asked = sweeping.Sweep(
        corpus, into, model, revision, params.parse(ranks), _numbers(seeds), params.parse(only) if only else (), preset,
        [*(settings or ()), *([f"train.device={device}"] if device != "auto" else [])], latents, wanted, ratings or (),
    )  # fmt: skip
    terminal.follow(show.Screen(), sweeping.sweep(asked), GOES_ON)
    _print_selection(into, as_json)


def select(
    sweep: Annotated[Path, typer.Argument(metavar="SWEEP", help="A folder made by `train sweep`.")],
    ratings: Ratings = None,
    as_json: Json = False,
) -> None:
    """Say which rank to ship, by what listeners said.

    The smallest rank that is non-inferior to the best, per language; the adapter off is an answer, too. Nothing is
    trained or spoken; the tables and plots of the sweep are made anew.

    \b
    Example: train select work/sweep --ratings zero-shot.json --ratings r64.json
    """
    from train.evaluate import tables

    tables.rate(sweep, ratings or ())
    _print_selection(sweep, as_json)


def _print_selection(folder: Path, as_json: bool) -> None:
    """selection.json, and the banners of a sweep; where no table could be written yet, that."""
    table = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))
    chosen = json.loads((folder / "selection.json").read_text(encoding="utf-8"))
    if not as_json:
        for line in table["disagreements"]:
            typer.echo(f"*** {line} ***")
        for language, rows in table["languages"].items():
            for row in rows:
                typer.echo(_line(language, row, chosen[language]["ship"]))
    for language, each in chosen.items() if not as_json else ():
        ship = "adapter off" if each["ship"] == "off" else f"rank {each['ship']}"
        typer.echo(f"{language}: ship {ship}: {each['because']}")
    if as_json:
        typer.echo(json.dumps(chosen, ensure_ascii=False))


def _line(language: str, row: dict[str, Any], ship: int | str) -> str:
    """One rank of one language in a line of the table."""
    change, mos = row["loss_change"], row["mos"]
    interval = f"{change[1]:+.4f} [{change[0]:+.4f}, {change[2]:+.4f}]" if change and change[0] is not None else ""
    rated = f"MOS {mos:.2f}" if mos is not None else "MOS -"
    mark = "*" if row["rank"] == ship else " "
    loss = f"{row['loss']:.4f}" if row["loss"] is not None else "-"
    return f"{mark} {language} {row['rank']!s:>4}  loss {loss} {interval:<28}  {rated}"


def _numbers(words: str) -> list[int]:
    """Seeds from "1,2"; UserError where they are no whole numbers."""
    from curate.errors import UserError

    try:
        return [int(word) for word in words.split(",")]
    except ValueError:
        raise UserError(f"--seeds takes whole numbers joined by commas, such as 1,2, not {words!r}") from None


def _settings(
    split: str | None, sentences: Path | None, most: int, takes: int, seed: int, draws: int, asr: list[str] | None,
    quality: bool, plain: bool, device: str,
) -> "Settings":  # fmt: skip
    """What both commands say of an evaluation."""
    from train.evaluate.plan import Settings
    from train.evaluate.synthesis import Speaking

    return Settings(
        Path(), Path(), split=split, sentences=sentences, most=most, draws=draws,
        speaking=Speaking(seed=seed, takes=takes), asr=asr or (), quality=quality, plain=plain, device=device,
    )  # fmt: skip
