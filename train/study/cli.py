"""`train study`: parse, call, print."""

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The published study: report and rehearsal.", no_args_is_help=True, rich_markup_mode=None)
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@app.command()
def report(
    sweep: Annotated[Path, typer.Argument(metavar="SWEEP", help="A folder made by `train sweep`.")],
    ratings: Annotated[Path, typer.Option(metavar="RATINGS.csv", help="What `train listen collect` wrote.")],
    into: Annotated[Path, typer.Option(help="Folder of the report.")],
    plan: Annotated[Path | None, typer.Option(help="The plan of the test: plan.json, or its folder.")] = None,
    corpus: Annotated[Path | None, typer.Option(help="The corpus of the sweep, for the methods section.")] = None,
    study: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The study. [default: manifests/study.toml]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Fill the study's tables, figures and methods section.

    From a sweep and a file of ratings: tables in the form in which they were published, as Markdown, CSV and LaTeX;
    figures that name their runs and seeds; published figures beside yours, with "reproduced: yes, no, cannot say";
    methods.md, which says "not stated" where the files do not say.

    \b
    Example: train study report work/sweep --ratings work/ratings.csv \\
        --plan work/test --corpus work/corpus --into work/report
    """
    from train.study import report as reporting

    file = study or reporting.DEFAULT
    facts = reporting.run(sweep, ratings, into, plan=plan, corpus_folder=corpus, study_file=file)
    for note in facts["notes"]:
        typer.echo(f"note: {note}", err=True)
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False, allow_nan=False))
        return
    if facts.get("banner"):
        typer.echo(f"*** {facts['banner'].upper()} ***")
    for each in facts["published"]:
        typer.echo(f"{each['language'] or '--'}  {each['published']}: {each['ours']}; reproduced: {each['reproduced']}")
    typer.echo(f"written: {into / 'report.md'}, {into / 'methods.md'}")


@app.command()
def demo(
    into: Annotated[Path, typer.Option(help="Folder of the rehearsal.")],
    corpus: Annotated[Path, typer.Option(help="A corpus, such as that of `curate demo --into demo`.")] = Path(
        "demo/corpus"
    ),
) -> None:
    """The whole study on a tiny model with simulated listeners.

    Offline, in minutes: sweep, stimuli, plan, page, simulated ratings, analysis, report. Everything that it writes says
    that it shows the machinery and no result. After a kill the same command goes on.

    \b
    Example: train study demo --into study --corpus demo/corpus
    """
    from train import show, terminal
    from train.study import demo as rehearsal

    terminal.follow(show.Screen(), rehearsal.run(into, corpus), "the same command goes on")
    typer.echo(rehearsal.closing(into))
