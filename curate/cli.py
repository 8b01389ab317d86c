"""The `curate` command: parse, call, print."""

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curate import console, garbage
from curate.errors import UserError

if TYPE_CHECKING:
    import polars as pl

    from curate.commands import Finished
    from curate.corpus import Corpus
    from curate.recipe import Recipe
    from curate.report.summary import Summary

# Model and table libraries are imported inside the commands: `curate --help` must not wait for them.

app = typer.Typer(
    name="curate",
    help="From raw Khmer and Korean recordings to a balanced, language-tagged speech corpus.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.callback()(console.options)

RecipeFile = Annotated[Path, typer.Argument(metavar="RECIPE", help="The recipe, a TOML file.")]
CorpusFolder = Annotated[Path, typer.Argument(metavar="CORPUS", help="The folder of a corpus.")]
Into = Annotated[Path, typer.Option("--into", help="The folder of the corpus.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="TABLE.KEY=VALUE", help="Change one value of the recipe.")
]
Workers = Annotated[
    int, typer.Option("--workers", min=0, help="Processes that listen; 0: one per core, as memory allows.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print facts as JSON.")]


def main() -> None:
    """Run a command; what a person can mend is one line on standard error and exit status 1."""
    from curate.engine import one_thread

    one_thread()  # before numpy and torch are loaded
    garbage.few_collections()
    console.run(app, "curate")


@app.command()
def run(
    recipe: RecipeFile,
    into: Into,
    until: Annotated[str, typer.Option("--until", metavar="STEP", help="Stop after this step.")] = "tag",
    settings: Settings = None,
    workers: Workers = 0,
) -> None:
    """Curate from recordings to clips, report and training manifests.

    Ingest, listen, filter, balance, split, tag, cut clips, report, export for VoxCPM.

    Example: curate run manifests/own-recordings.toml --into work/corpus
    """
    from curate import commands, pipeline, show
    from curate.recipe import load

    if until not in pipeline.STEPS:
        raise UserError(f"no step {until!r}; there are {', '.join(pipeline.STEPS)}")
    wanted = load(recipe, settings or [])
    _warn(wanted)
    corpus = _corpus(into)
    with corpus.locked(), show.progress() as watch:
        if commands.was_of_another_recipe(corpus, wanted):
            print(
                "curate: this corpus was last made with another recipe, or --set; this one holds now", file=sys.stderr
            )
        commands.read_sources(corpus, wanted, show.reading(watch), unpacking=show.moving(watch, "unpacking"))
        clips = commands.advance(corpus, wanted, until=until, workers=workers, watch=watch, again=True)
        done = commands.finish(corpus, wanted, clips, watch) if until == "tag" else None
    _say(commands.notes(corpus, wanted, clips))
    _print_status(clips, wanted, done.told if done else None)
    if done is not None:
        typer.echo(f"report   {done.page}\nclips    {corpus.clips}\nVoxCPM   {corpus.export('voxcpm')}")
    _require_audio(clips)


@app.command()
def ingest(
    recipe: RecipeFile,
    into: Into,
    settings: Settings = None,
    verify: Annotated[bool, typer.Option("--verify", help="Hash files again that seem unchanged.")] = False,
) -> None:
    """Read the sources into a manifest; no model listens.

    Every file is probed and hashed; one whose size, time and inode are as they were is not read again.

    Example: curate ingest manifests/own-recordings.toml --into work/corpus
    """
    from curate import commands, manifest, show
    from curate.recipe import load

    wanted = load(recipe, settings or [])
    corpus = _corpus(into)
    with corpus.locked(), show.progress() as watch:
        found = commands.read_sources(
            corpus, wanted, show.reading(watch), verify=verify, unpacking=show.moving(watch, "unpacking")
        )
        manifest.write(found.rows, corpus.manifest)
        unlisted = {source: len(paths) for source, paths in found.unlisted.items()}
        corpus.log("ingest", clips=found.rows.height, unlisted=unlisted)
    typer.echo(show.sources(found))
    _require_audio(found.rows)


@app.command("filter")
def filter_(corpus: CorpusFolder, settings: Settings = None, workers: Workers = 0) -> None:
    """Measure what is missing, then decide who is dropped and why.

    Example: curate filter work/corpus --set filter.noisy=20
    """
    wanted, clips, _ = _advance(corpus, settings, until="filter", workers=workers)
    _print_status(clips, wanted)
    _require_audio(clips)


@app.command()
def tag(corpus: CorpusFolder, settings: Settings = None, workers: Workers = 0) -> None:
    """Balance hours, split, write the language tag before each text.

    Clips, report and VoxCPM manifests follow.

    \b
    Example: curate tag work/corpus --set balance.hours.km=13.2 \\
        --set balance.hours.ko=12.8
    """
    wanted, clips, done = _advance(corpus, settings, until="tag", workers=workers)
    _print_status(clips, wanted, done.told if done else None)
    _require_audio(clips)


@app.command()
def report(
    corpus: CorpusFolder,
    against: Annotated[
        Path | None, typer.Option("--against", metavar="OTHER", help="Another corpus, to stand beside this one.")
    ] = None,
    settings: Settings = None,
    workers: Workers = 0,
) -> None:
    """Write the quality report.

    Example: curate report work/corpus --against work/earlier
    """
    from curate import outputs

    if against is not None:
        outputs.another(against)  # what is wrong with it is said before anything is done
    wanted, clips, _ = _advance(corpus, settings, until="tag", workers=workers)
    here = _corpus(corpus)
    if against is not None:
        with here.locked():
            outputs.write_report(here, wanted, clips, against=against)
    typer.echo(here.report / "index.html")


@app.command()
def export(
    corpus: CorpusFolder,
    to: Annotated[
        str,
        typer.Option("--to", metavar="voxcpm|huggingface|lhotse|nemo|kaldi|webdataset", help="Who is to read it."),
    ],
    into: Annotated[Path | None, typer.Option("--into", help="Where; default CORPUS/export/FORMAT.")] = None,
    rate: Annotated[
        int | None, typer.Option("--rate", help="Sample rate in Hz. [default: 16000, or each clip's own]")
    ] = None,
    loudness: Annotated[
        float | None, typer.Option("--loudness", help="LUFS (BS.1770) that every clip is brought to, such as -23.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option("--format", metavar="flac|wav", help="Of the sounds. [default: flac; kaldi: wav]")
    ] = None,
    workers: Workers = 0,
) -> None:
    """Write the corpus for another project's reader.

    Into a folder of its own, with its sounds; the same command goes on where it was stopped.

    Example: curate export work/corpus --to huggingface --loudness -23
    """
    from curate import outputs, show
    from curate.export import formats

    sound = formats.sound(to, rate=rate, loudness=loudness, encoding=encoding)
    known = _known(corpus)
    outputs.check_export(known, format=to, into=into)
    wanted, clips, _ = _advance(corpus, None, until="tag", workers=workers, finish=False)
    with known.locked(), show.progress() as watch:
        done = outputs.export(known, wanted, clips, format=to, into=into, sound=sound, workers=workers, watch=watch)
    for line in done.lines:
        print(f"curate: {line}", file=sys.stderr)
    typer.echo(done.folder)


@app.command()
def status(corpus: CorpusFolder, as_json: AsJson = False) -> None:
    """Show clips and hours: kept, and dropped by reason.

    The funnel, also per language and split. A dropped clip is counted once, for
    the first rule that it broke; a line below tells what dropped clips also broke.

    Example: curate status work/corpus --json
    """
    from curate import commands, manifest
    from curate.recipe import load
    from curate.report import numbers

    known = _known(corpus, manifest=True)
    wanted = load(known.recipe)
    clips = manifest.read(known.manifest)
    try:
        _say(commands.notes(known, wanted, clips))
    except UserError as error:  # verdicts of another corpus, say: what was decided before is still there to see
        _say([str(error)])
    if as_json:
        _print_json(numbers.status(clips, wanted))
    else:
        _print_status(clips, wanted)


@app.command()
def verify(corpus: CorpusFolder, as_json: AsJson = False) -> None:
    """Check a corpus from its files; exit 1 where something fails.

    Hashes of sources, clips and exports, spans, splits, licences, and whether
    the manifest is what is decided again. Nothing is written.

    Example: curate verify work/corpus
    """
    from curate import show, terminal
    from curate import verify as verifying
    from curate.recipe import load

    with show.progress() as watch:
        facts = verifying.verify(_known(corpus), load(_known(corpus).recipe), watch)
    if as_json:
        _print_json(facts)
    else:
        terminal.write(verifying.as_text(facts))
    if not facts["ok"]:
        raise typer.Exit(1)


@app.command()
def explain(
    corpus: CorpusFolder,
    clip: Annotated[
        str | None, typer.Argument(metavar="CLIP", help="An id, the beginning of one, a path, or a person.")
    ] = None,
    speaker: Annotated[
        str | None, typer.Option("--speaker", metavar="NAME", help="All clips of one person instead.")
    ] = None,
    takedown: Annotated[bool, typer.Option("--takedown", help="Print the verdicts that take this person out.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one clip: its source, measures, rules met and broken.

    With --speaker, all clips and recordings of one person.

    \b
    Example: curate explain work/corpus 3f2a9c
    curate explain work/corpus --speaker anna --takedown
    """
    from curate import explain as explaining
    from curate import manifest, terminal
    from curate import takedown as persons
    from curate.recipe import load

    if (clip is None) == (speaker is None):
        raise UserError("name a clip, or a person with --speaker: one of the two")
    known = _known(corpus, manifest=True)
    wanted = load(known.recipe)
    clips = manifest.read(known.manifest)
    person = speaker or (clip if takedown or explaining.is_none(clips, str(clip)) else None)
    if person is not None and (speaker or takedown or persons.knows(clips, person)):
        facts = persons.find(clips, person)
        text = persons.verdict_lines(facts).removesuffix("\n") if takedown else persons.as_text(facts)
    else:
        facts = explaining.explain(clips, str(clip), wanted)
        text = "" if as_json else explaining.as_text(facts, wanted)
    if as_json:
        _print_json(facts)
    else:
        terminal.write(text)


@app.command()
def purge(corpus: CorpusFolder, workers: Workers = 0) -> None:
    """Forget clips that are no longer in the sources.

    After recordings were removed from a source and `curate run` has read it:
    their cached answers, latents and rows in locks go, and what remains is said.

    Example: curate purge work/corpus
    """
    from curate import purge as purging
    from curate import show, terminal
    from curate.recipe import load

    known = _known(corpus)
    with known.locked(), show.progress() as watch:
        wanted = load(known.recipe)
        clips, done = purging.purge(known, wanted, workers=workers, watch=watch)
    _print_status(clips, wanted)
    terminal.write(purging.as_text(done))


@app.command()
def check(recipe: RecipeFile, settings: Settings = None, as_json: AsJson = False) -> None:
    """Check a recipe before a run; nothing is written.

    Are its sources there, can its models be had?

    Example: curate check manifests/own-recordings.toml
    """
    from curate import check as checking
    from curate.recipe import load

    facts = checking.check(load(recipe, settings or []), file=recipe)
    if as_json:
        _print_json(facts)
    else:
        typer.echo(checking.as_text(facts))


@app.command()
def fetch(
    recipe: RecipeFile,
    source: Annotated[
        list[str] | None, typer.Option("--source", metavar="ID", help="Only this source; may be repeated.")
    ] = None,
    settings: Settings = None,
) -> None:
    """Download the sources that a recipe names by address or hub id.

    Pinned, with checksums; an interrupted download goes on. Nothing else fetches data.

    Example: curate fetch manifests/khmer-korean-26h.toml --source slr42
    """
    from curate import fetch as fetching
    from curate import show
    from curate.recipe import load

    wanted = load(recipe, settings or [])
    with show.progress() as watch:
        found = fetching.fetch(wanted, only=source or (), progress=show.moving(watch, "fetching"))
    typer.echo(show.fetched(found))


@app.command()
def text(
    language: Annotated[str, typer.Option("--language", metavar="km|ko", help="Language of the lines.")],
    form: Annotated[
        str, typer.Option("--form", metavar="canonical|spoken|pronounced|words", help="What to write.")
    ] = "spoken",
    show_steps: Annotated[
        bool, typer.Option("--show-steps", help="Each change and its rule, in order, on standard error.")
    ] = False,
    words_model: Annotated[
        str | None, typer.Option("--words-model", metavar="khmer-nltk|khmercut.nn", help="Khmer words: fast, or finer.")
    ] = None,
    lexicon: Annotated[
        Path | None, typer.Option("--lexicon", metavar="FILE", help="Korean pronunciations of your own, a TSV file.")
    ] = None,
    alternatives: Annotated[
        bool, typer.Option("--alternatives", help="Korean: every standard reading of a word, / between readings.")
    ] = False,
    clock: Annotated[
        str | None, typer.Option("--clock", metavar="written|12-hour", help="Khmer times: as written, or on 12 hours.")
    ] = None,
    date_words: Annotated[
        str | None,
        typer.Option("--date-words", metavar="figures|always|never", help="Khmer dates that get ខែ and ឆ្នាំ."),
    ] = None,
) -> None:
    """Normalise text, line by line.

    From standard input, as many lines to standard output; words are joined by |.

    Example: echo "사과 3개" | curate text --language ko
    """
    from curate.text import stepped
    from curate.text.rules import chosen

    options = chosen(
        language,
        form,
        words=words_model,
        lexicon=lexicon,
        alternatives=alternatives,
        clock=clock,
        date_words=date_words,
    )
    if sys.stdin is None:  # `<&-`
        raise UserError("standard input is closed: give lines of text, as in `echo TEXT | curate text`")
    if sys.stdout is None:  # `>&-`
        raise UserError("standard output is closed: nobody would read the lines")
    try:
        for number, (result, warnings) in enumerate(stepped(sys.stdin.buffer, language, form, options), 1):
            sys.stdout.buffer.write(result.text.encode("utf-8", "replace") + b"\n")
            sys.stdout.buffer.flush()  # whoever waits at the other end of a pipe gets the answer to each line
            steps = [f"{each.rule}: {each.before} -> {each.after}" for each in result.changes] if show_steps else []
            for note in [*steps, *warnings]:
                print(f"line {number}: {console.printable(note)}", file=sys.stderr)
    except BrokenPipeError:  # a filter has nothing to finish: its reader has what it wanted
        console.leave_closed_pipe(status=0)


@app.command()
def demo(
    into: Annotated[Path, typer.Option("--into", help="Folder for the demonstration.")], workers: Workers = 0
) -> None:
    """Run all of curation on a small demonstration set, offline.

    Two languages, with flaws put in on purpose.

    Example: curate demo --into demo
    """
    from curate import commands, show
    from curate import demo as demonstration
    from curate.recipe import load

    corpus = _corpus(into / "corpus")
    with corpus.locked(), show.progress() as watch:
        wanted = load(demonstration.prepare(into))
        commands.ingest(corpus, wanted, watch)
        clips = commands.advance(corpus, wanted, until="tag", workers=workers, watch=watch)
        done = commands.finish(corpus, wanted, clips, watch)
    _print_status(clips, wanted, done.told)
    typer.echo(show.flaws(demonstration.compare(into, clips)))
    typer.echo(f"report   {done.page}\nclips    {corpus.clips}\nVoxCPM   {corpus.export('voxcpm')}")


def _advance(
    folder: Path,
    settings: list[str] | None,
    *,
    until: str,
    workers: int,
    finish: bool = True,
) -> tuple["Recipe", "pl.DataFrame", "Finished | None"]:
    """Run the pipeline of an existing corpus; changed settings are written to its recipe.

    Of a tagged corpus clips, VoxCPM's lists and the report are made, or without `finish` the clips alone.
    """
    from curate import background

    corpus, done = _known(folder), None
    if any(setting.strip().startswith("source.") for setting in settings or []):
        raise UserError("sources are read by `curate run` and `curate ingest`: change source.* there, in the recipe")
    reported = background.reporter(corpus) if until == "tag" and finish else nullcontext()
    with reported as reporter:
        from curate import commands, outputs, show  # while the reporter imports what it needs
        from curate.recipe import dump, load

        with corpus.locked(), show.progress() as watch:
            wanted = load(corpus.recipe, settings or [])
            if until == "tag":
                _warn(wanted)
            clips = commands.advance(corpus, wanted, until=until, workers=workers, watch=watch)
            if settings:  # only what worked is kept
                corpus.save_recipe(dump(wanted))
            if until == "tag" and finish:
                done = commands.finish(corpus, wanted, clips, watch, reporter)
            elif until == "tag":
                outputs.cut_clips(corpus, wanted, clips, watch)
    _say(commands.notes(corpus, wanted, clips))
    return wanted, clips, done


def _warn(wanted: "Recipe") -> None:
    from curate.recipe import warnings

    _say(warnings(wanted))


def _say(lines: list[str]) -> None:
    for line in lines:
        print(f"curate: {line}", file=sys.stderr)


def _corpus(folder: Path) -> "Corpus":
    from curate.corpus import Corpus

    return Corpus(folder)


def _known(folder: Path, *, manifest: bool = False) -> "Corpus":
    corpus = _corpus(folder)
    corpus.require(manifest=manifest)
    return corpus


def _print_status(clips: "pl.DataFrame", wanted: "Recipe", told: "Summary | None" = None) -> None:
    from curate import show, terminal
    from curate.report import numbers
    from curate.steps import notes

    facts = told.status if told else numbers.status(clips, wanted)
    terminal.write(show.status(facts, width=terminal.width()))
    if clips["broke"].is_null().all():
        typer.echo("nothing is decided yet: `curate filter` drops, `curate tag` also balances and splits")
    elif not facts["kept"]["clips"]:
        typer.echo("no clip was kept; the report has examples per reason, `curate explain CORPUS CLIP` says all of one")
    for line in told.notes if told else notes.notes(clips, wanted):
        print(f"curate: {console.printable(line)}", file=sys.stderr)


def _require_audio(clips: "pl.DataFrame") -> None:
    """End with 1 where nothing could be read, after what was found has been shown."""
    from curate.ingest import unread

    unread.require(clips)


def _print_json(facts: Any) -> None:
    typer.echo(json.dumps(facts, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
