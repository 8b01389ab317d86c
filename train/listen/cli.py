"""`train listen`: parse, call, print."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from train.listen import pages_cli

app = typer.Typer(
    help="Listening tests: plan, run and analyse them.", no_args_is_help=True, rich_markup_mode=None,
)  # fmt: skip
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Grid = Annotated[str, typer.Option(help="Numbers to try, joined by commas.")]
Question = Literal["mos", "cmos", "ab"]

pages_cli.register(app)


@app.command()
def analyse(
    ratings: Annotated[Path, typer.Argument(metavar="RATINGS.csv", help="One rating per row.")],
    plan: Annotated[Path | None, typer.Option(help="The plan of the test: plan.json, or its folder.")] = None,
    baseline: Annotated[str | None, typer.Option(help="The condition that others are compared with.")] = None,
    method: Annotated[Question | None, typer.Option(help="What was asked. [default: the plan's, or mos]")] = None,
    margin: Annotated[
        float | None, typer.Option(min=0.0, help="What is no loss. [default: the plan's, or 0.1]")
    ] = None,
    exclude: Annotated[
        str | None, typer.Option(metavar="RULES", help="none, usual, or rules such as min_variance=0.1,too_fast.")
    ] = None,
    into: Annotated[Path | None, typer.Option(help="Folder for tables, plots and kept ratings.")] = None,
    as_json: Json = False,
) -> None:
    """Compare each condition with the baseline, in every language.

    Columns: listener, sentence, language, condition, rating; docs/listening-statistics.md names further ones. Without a
    plan only failed traps, gold items and early ratings exclude; other rules are shown, and applied with --exclude.

    \b
    Example: train listen analyse ratings.csv --baseline zero-shot --into analysis
    """
    from train.listen import report, show

    facts = report.run(ratings, plan, baseline, method=method, margin=margin, exclude=exclude, into=into)
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False, allow_nan=False))
        return
    show.analysis(facts)
    if into:
        typer.echo(f"written: {into}")


@app.command()
def power(
    pilot: Annotated[
        Path | None, typer.Option(metavar="RATINGS.csv", help="Ratings of a pilot, for variances and MOS.")
    ] = None,
    baseline: Annotated[str | None, typer.Option(help="The pilot's baseline.")] = None,
    listeners: Grid = "12,18,24,36",
    sentences: Grid = "12,24,48",
    difference: Annotated[float, typer.Option(help="The difference in MOS to be shown.")] = 0.2,
    margin: Annotated[float, typer.Option(min=0.0, help="What is no loss.")] = 0.1,
    mos: Annotated[float | None, typer.Option(help="The baseline's MOS. [default: the pilot's, or 3.85]")] = None,
    design: Annotated[Literal["full", "latin"], typer.Option(help="Latin: each sentence once per listener.")] = "full",
    conditions: Annotated[int, typer.Option(min=2, help="Conditions in the test, the baseline among them.")] = 2,
    comparisons: Annotated[int, typer.Option(min=1, help="Comparisons that Holm corrects for.")] = 1,
    alpha: Annotated[float, typer.Option(min=0.0001, max=0.49, help="Level of the tests.")] = 0.05,
    deviations: Annotated[
        list[str] | None, typer.Option("--sd", metavar="NAME=VALUE", help="An assumed standard deviation.")
    ] = None,
    replicates: Annotated[int, typer.Option(help="Simulated tests per size.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same table.")] = 0,
    as_json: Json = False,
) -> None:
    """Listeners and sentences that a test needs, by simulation.

    Names for --sd: listener, sentence, listener_sentence, listener_condition, sentence_condition, residual, in points
    of the scale.

    \b
    Example: train listen power --difference 0.2 --design latin --conditions 6
    """
    from train.listen import forecast, show

    facts = forecast.run(
        pilot, baseline, listeners=listeners, sentences=sentences, difference=difference, margin=margin, mos=mos,
        design=design, conditions=conditions, comparisons=comparisons, alpha=alpha, deviations=deviations or [],
        replicates=replicates, seed=seed,
    )  # fmt: skip
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False, allow_nan=False))
    else:
        show.power(facts)
