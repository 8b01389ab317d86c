"""The `train` commands: parse, call, print."""

import json
import logging
import os
from collections import deque
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from curate import console
from curate.errors import UserError
from train import messages, terminal
from train.evaluate import cli as evaluating
from train.listen import cli as listening
from train.study import cli as studying

if TYPE_CHECKING:
    from collections.abc import Callable

    from train.config import Run
    from train.data.dataset import Survey
    from train.distributed import World

app = typer.Typer(
    help="Train one LoRA adapter for VoxCPM2 on a curated corpus.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: half the start-up time
)
app.callback()(console.options)
app.add_typer(listening.app, name="listen")
app.add_typer(studying.app, name="study")

Corpus = Annotated[
    Path, typer.Argument(metavar="CORPUS", help="A corpus made by `curate run`: manifest.parquet and clips/.")
]
Model = Annotated[str, typer.Option(help="Folder of a VoxCPM2 checkpoint, or a hub id.")]
Revision = Annotated[str | None, typer.Option(help="Revision of the hub id.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Adapter = Annotated[Path, typer.Argument(metavar="ADAPTER", help="A run, or the folder of an adapter.")]
Voice = Annotated[
    Path, typer.Argument(metavar="ADAPTER", help="A run, or the folder of an adapter or of a merged checkpoint.")
]
At = Annotated[int | None, typer.Option("--step", help="Checkpoint of a run. [default: the last]")]
Device = Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="auto: a GPU if there is one.")]
ATTENTION = "q_proj,k_proj,v_proj,o_proj"  # VoxCPM's own default
RANKS = "8,16,32,64,128"  # the published sweep: 0.19 to 3.03 percent of the model


def main() -> None:
    """Run a command; what a person can mend is one line on standard error and exit 1, Ctrl-C one and exit 130."""
    if not {"PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"} & os.environ.keys():  # read when the GPU is first used
        # Batches are of all sizes: segments of memory that grow leave fewer gaps than many of fixed sizes.
        os.environ["PYTORCH_ALLOC_CONF"] = "expandable_segments:True"
    # PEFT imports it where it is installed, and on some CPUs it asks for kernels that nothing here calls
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    console.run(app, "train")


@app.command()
def params(
    ranks: Annotated[str, typer.Option(help="Ranks, joined by commas.")] = RANKS,
    scope: Annotated[str, typer.Option(help="What is adapted: lm, dit or both.")] = "both",
    modules: Annotated[str, typer.Option(help="In every layer; also gate_proj, up_proj, down_proj.")] = ATTENTION,
    projections: Annotated[bool, typer.Option("--projections", help="Also the four projections.")] = False,
    model: Annotated[str | None, typer.Option(help="Count this checkpoint instead of the published VoxCPM2.")] = None,
    layout: Annotated[bool, typer.Option("--layout", help="Also where an adapter of the last rank sits.")] = False,
    drawing: Annotated[Path | None, typer.Option(metavar="FILE.svg", help="Draw that.")] = None,
    as_json: Json = False,
) -> None:
    """Adapter sizes and their shares of the model.

    Counted on the model itself, built without its weights. With --layout also in which layers and modules an adapter
    sits, with the shapes of A and B.

    \b
    Example: train params --ranks 8,64 --layout --drawing adapter.svg
    """
    from train.estimate import layout as placing
    from train.estimate import params as counting

    wanted = [name for name in modules.split(",") if name]
    table = counting.table(counting.parse(ranks), scope=scope, modules=wanted, projections=projections, model=model)
    if layout or drawing:
        table["layout"] = placing.table(
            counting.parse(ranks)[-1], scope=scope, modules=wanted, projections=projections, model=model, into=drawing
        )
    if as_json:
        typer.echo(json.dumps(table))
        return
    typer.echo(f"the model: {table['total']:,} parameters, AudioVAE included")
    for row in table["ranks"]:
        typer.echo(f"rank {row['rank']:>4}   {row['parameters']:>12,}   {row['percent']:.2f} %")
    for line in placing.lines(table.get("layout", [])):
        typer.echo(line)


@app.command()
def encode(
    corpus: Corpus,
    model: Model,
    into: Annotated[Path | None, typer.Option(help="Where latents are kept. [default: CORPUS/latents]")] = None,
    revision: Revision = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Encode kept clips to AudioVAE latents and local-encoder outputs.

    A second time encodes what is new. `train lora` does this by itself.

    \b
    Example: train encode work/corpus --model openbmb/VoxCPM2
    """
    from train import show
    from train.data import corpus as reading
    from train.data import dataset, latents
    from train.model import base, voxcpm

    folder = base.asked(model, revision)
    dataset.note_files(folder)
    clips = reading.read(corpus)
    place = dataset.pick_device(device)
    store = latents.Latents(into or corpus / "latents", folder, voxcpm.default_dtype(place))
    events = store.encode(clips, device=place)
    last = terminal.follow(show.Screen(), events, "the same command goes on")
    encoded = last.total if isinstance(last, latents.Progress) else 0
    result = {"clips": len(clips), "encoded": encoded, "latents": str(into or corpus / "latents")}
    of = messages.counted(len(clips), "clip")
    terminal.print_result(result, f"{encoded} of {of} encoded now, the others were there: {result['latents']}", as_json)


@app.command()
def lora(
    source: Annotated[Path, typer.Argument(metavar="CORPUS|RUN.toml", help="A corpus, or a run file in TOML.")],
    model: Annotated[str | None, typer.Option(help="Folder of a VoxCPM2 checkpoint, or a hub id.")] = None,
    revision: Revision = None,
    rank: Annotated[int | None, typer.Option(help="Rank of the adapter.")] = None,
    into: Annotated[Path | None, typer.Option(help="Folder of the new run.")] = None,
    latents: Annotated[Path | None, typer.Option(help="Where latents are kept. [default: CORPUS/latents]")] = None,
    start_from: Annotated[
        Path | None, typer.Option("--from", metavar="ADAPTER", help="A run or an adapter to begin from.")
    ] = None,
    preset: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Settings to begin with, such as manifests/train/card-24gb.toml."),
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="TABLE.KEY=VALUE", help="Change one value of the run file.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it will take and doubt the data.")] = False,
    as_json: Json = False,
) -> None:
    """Train an adapter on a corpus, or by a run file.

    Ctrl-C saves and stops; `train resume` goes on, also after a kill. With --dry-run nothing is written: it says clips,
    tokens, steps, memory, disk and time, and names the clips that would teach it wrong.

    \b
    Example: train lora work/corpus --model openbmb/VoxCPM2 --rank 64 \\
        --into work/r64 --set train.epochs=1
    """
    from train import config, distributed, finetune

    place = Path(model) if model and Path(model).is_dir() else model  # a path is taken from here, not from the run file
    folders = {"into": into, "latents": latents, "start_from": start_from}
    options = {"model": place, "revision": revision, "adapter.rank": rank, **folders}
    read = partial(config.gather, source, options, settings or [], preset)
    with distributed.joined(gpu=_on_gpu(read)) as world:  # where one process names a mistake, and the others are quiet
        run = read()
        if dry_run:
            if world.writes:
                _forecast(run, as_json)
            return
        survey = finetune.start(run) if world.writes else None
        world.wait()
        _train(run.into, as_json, world, survey)


@app.command()
def resume(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run that was stopped or killed.")], as_json: Json = False
) -> None:
    """Go on with a run that was stopped or killed.

    It starts from the last checkpoint; the losses are those of a run never stopped.

    \b
    Example: train resume work/r64
    """
    from train import config, distributed

    with distributed.joined(gpu=_on_gpu(partial(config.read, run))) as world:
        _train(run, as_json, world)


@app.command()
def export(
    adapter: Adapter,
    to: Annotated[str, typer.Option("--to", help="voxcpm or peft.")],
    into: Annotated[Path | None, typer.Option(help="Folder to write. [default: RUN/export/FORMAT]")] = None,
    step: At = None,
    alpha: Annotated[
        int | None, typer.Option(min=1, help="Write it with this alpha; B is scaled, exactly or not at all.")
    ] = None,
    pad_rank: Annotated[
        int | None, typer.Option(min=1, help="Fill it up with zeros to this rank, for runtimes that fix one.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write an adapter in VoxCPM's or PEFT's format, and a model card.

    The formats are converted into each other bit for bit; what VoxCPM's cannot hold, and what runtimes cannot do with
    it, is said on standard error. With --alpha and --pad-rank it is the same function for a runtime that fixes them.

    \b
    Example: train export work/r8 --to voxcpm --alpha 16 --pad-rank 32
    """
    from train.export import adapter as exporting
    from train.export import runtimes

    place = exporting.export(adapter, to, into, step=step, alpha=alpha, pad_rank=pad_rank)
    for line in runtimes.limits(exporting.reshaped(exporting.adapter_of(adapter, step), alpha, pad_rank), to):
        typer.echo(f"note: {line}", err=True)
    terminal.print_result({"format": to, "adapter": str(place)}, f"adapter in the format of {to}: {place}", as_json)


@app.command()
def merge(
    adapter: Adapter,
    into: Annotated[Path, typer.Option(help="Folder of the new checkpoint.")],
    model: Annotated[str | None, typer.Option(help="Another checkpoint than the one it was trained on.")] = None,
    step: At = None,
    as_json: Json = False,
) -> None:
    """Fold an adapter into its base model: a whole checkpoint.

    For runtimes that read no adapter. It takes the disk space of the base model and the memory of one tensor.

    \b
    Example: train merge work/r64 --into work/merged
    """
    from train import show
    from train.export import merge as merging

    with show.ticking() as tick:
        merged = merging.merge(adapter, into, model=model, step=step, tick=partial(tick, "folding the adapter in"))
    typer.echo(f"note: {merging.rounding(merged.lost)}", err=True)
    result = {"checkpoint": str(merged.folder), "changed": merged.changed, "rounding_lost": merged.lost}
    terminal.print_result(
        result, f"merged checkpoint, {messages.counted(merged.changed, 'weight')} changed: {merged.folder}", as_json
    )


@app.command()
def push(
    adapter: Voice,
    repo: Annotated[str, typer.Option(metavar="OWNER/NAME", help="Repository on the hub; made where it is missing.")],
    to: Annotated[str, typer.Option("--to", help="Format of a run's adapter: voxcpm or peft.")] = "voxcpm",
    step: At = None,
    private: Annotated[bool, typer.Option("--private", help="Make the repository a private one.")] = False,
    as_json: Json = False,
) -> None:
    """Write an adapter and its model card to the Hugging Face hub.

    Of a run the last checkpoint is exported for it; what `train export` or `train merge` has written goes as it is.
    HF_TOKEN says who writes, HF_ENDPOINT names another hub.

    \b
    Example: train push work/r64/export/voxcpm --repo me/khmer-voice
    """
    from train.export import push as pushing

    pushed = pushing.push(adapter, repo, form=to, step=step, private=private)
    for line in pushed.notes:
        typer.echo(f"note: {line}", err=True)
    terminal.print_result(
        {"url": pushed.url, "files": pushed.files},
        f"{messages.counted(len(pushed.files), 'file')}: {pushed.url}",
        as_json,
    )


@app.command()
def say(
    adapter: Voice,
    language: Annotated[str, typer.Option(help="km or ko: which tag the sentence gets.")],
    text: Annotated[str, typer.Option(help="The sentence.")],
    out: Annotated[Path, typer.Option(help="WAV file to write.")],
    control: Annotated[str, typer.Option(help='Control words for the tag, such as "speaking slowly".')] = "",
    model: Annotated[str | None, typer.Option(help="Another checkpoint than the one it was trained on.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed says the same samples.")] = 0,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Speak a sentence with a trained adapter.

    Its text is read with the default settings of a recipe's [text]. Where the corpus was made with another `clock` or
    `date_words`, give Khmer text as `curate text` writes it with those.

    \b
    Example: train say work/r64 --language km --text "សួស្តី" --out hello.wav
    """
    from train.export import say

    say.check_wav(out)
    sound = say.say(adapter, language, text, words=control, model=model, device=device, seed=seed)
    say.save_wav(sound, out)
    seconds = len(sound[0]) / sound[1]
    terminal.print_result(
        {"file": str(out), "seconds": round(seconds, 3), "rate": sound[1]}, f"{seconds:.1f} s of speech: {out}", as_json
    )


app.command()(evaluating.evaluate)
app.command()(evaluating.sweep)
app.command()(evaluating.select)


@app.command()
def demo(
    into: Annotated[Path, typer.Option(help="The folder that `curate demo` was given.")],
    corpus: Annotated[Path | None, typer.Option(help="Another corpus. [default: INTO/corpus]")] = None,
) -> None:
    """All of training on a tiny model, in a minute.

    Offline; on the corpus that `curate demo` has made. The tiny model knows nothing: its voice is noise.

    \b
    Example: train demo --into demo
    """
    from train import demo as demonstration
    from train import show

    source = corpus or into / "corpus"
    terminal.follow(show.Screen(), demonstration.run(into, source), f"begin again with: train demo --into {into}")
    typer.echo(demonstration.closing(into, source))


def _on_gpu(read: "Callable[[], Run]") -> bool:
    """Whether a run is not to be on the CPU; one that cannot be read says so once processes have met."""
    try:
        return read().train.device != "cpu"
    except UserError:
        return True


def _forecast(run: "Run", as_json: bool) -> None:
    from train import finetune, show
    from train.estimate import forecast

    run = finetune.checked(run)
    with show.ticking() as tick:
        facts = forecast.forecast(run, tick=tick)
    terminal.print_result(facts, "\n".join(show.forecast_lines(facts)), as_json)


def _train(folder: Path, as_json: bool, world: "World", survey: "Survey | None" = None) -> None:
    from train import config, finetune, show, validation

    if not world.writes:
        deque(finetune.train(folder, world), maxlen=0)
        return
    screen = show.Screen(config.read(folder).train.validate_every, earlier=validation.written(folder))
    early = "before the first step"
    last = terminal.follow(screen, finetune.train(folder, world, survey), f"go on with: train resume {folder}", early)
    if isinstance(last, finetune.Finished):
        losses = screen.last.languages if screen.last else {}
        result = {"step": last.step, "checkpoint": str(last.checkpoint), "validation": losses}
        already = "" if screen.stepped else "nothing was left to do: "
        done = messages.counted(last.step, "step")
        terminal.print_result(result, f"{already}trained {done}; next: train export {folder} --to voxcpm", as_json)


if __name__ == "__main__":
    main()
