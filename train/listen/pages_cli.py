"""`train listen plan`, `build`, `serve` and `collect`: parse, call, print."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from curate.errors import UserError
from train.messages import counted

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the group `train listen`."""
    for command in (plan, build, serve, collect):
        app.command()(command)


def plan(
    stimuli: Annotated[
        Path, typer.Argument(metavar="STIMULI", help="STIMULI/CONDITION/SENTENCE.wav, or a folder of `train evaluate`.")
    ],
    into: Annotated[Path, typer.Option(help="Folder of the new plan: plan.json and plan.sha256.")],
    baseline: Annotated[str, typer.Option(help="The condition that others are compared with.")],
    listeners: Annotated[str, typer.Option(help="How many, or by language: km=24,ko=12.")],
    sentences: Annotated[
        Path | None, typer.Option(help="TSV with id, language and text. [default: STIMULI/sentences.tsv]")
    ] = None,
    method: Annotated[Literal["mos", "cmos", "ab"], typer.Option(help="Rate one, compare two, or choose one.")] = "mos",
    design: Annotated[
        Literal["latin", "full"], typer.Option(help="latin: each sentence once a listener; full: in every condition.")
    ] = "latin",
    conditions: Annotated[str | None, typer.Option(help="Joined by commas. [default: all but natural]")] = None,
    contrasts: Annotated[str | None, typer.Option(help="Compared with the baseline. [default: all others]")] = None,
    languages: Annotated[str | None, typer.Option(help="km, ko or both. [default: those of the sentences]")] = None,
    count: Annotated[int | None, typer.Option(help="Rated sentences of a language. [default: what closes]")] = None,
    seed: Annotated[int, typer.Option(help="Order of items and choice of sentences.")] = 0,
    training: Annotated[int, typer.Option(min=0, help="Items of the training page.")] = 5,
    natural: Annotated[
        str | None, typer.Option(help="Condition of natural speech, or none. [default: natural, if there]")
    ] = None,
    low_anchor: Annotated[bool, typer.Option(help="Also speech low-passed at 3.5 kHz, made by build.")] = True,
    anchors: Annotated[int, typer.Option(min=0, help="Items of each anchor that a listener hears.")] = 2,
    gold: Annotated[int, typer.Option(min=0, help="Items whose answer is known: damaged, or natural.")] = 2,
    gold_file: Annotated[Path | None, typer.Option(help="Your own: TSV with language, audio, low, high.")] = None,
    traps: Annotated[int, typer.Option(min=0, help="Spoken requests to choose a value, for each listener.")] = 1,
    trap_audio: Annotated[
        Path | None, typer.Option(help="Recorded traps: km/2.wav, ko/2.wav ... [default: INTO/traps]")
    ] = None,
    speak_traps: Annotated[
        Path | None,
        typer.Option(metavar="ADAPTER", help="Have this adapter speak them into INTO/traps; listen to them."),
    ] = None,
    repeats: Annotated[int, typer.Option(min=0, help="Items that a listener hears twice.")] = 2,
    show_text: Annotated[bool, typer.Option("--show-text", help="Show the sentence that is heard.")] = False,
    texts: Annotated[Path | None, typer.Option(help="TOML with your own question, labels, instructions.")] = None,
    loudness: Annotated[float, typer.Option(help="LUFS of every stimulus.")] = -23.0,
    alpha: Annotated[float, typer.Option(help="Level of the tests.")] = 0.05,
    margin: Annotated[float, typer.Option(help="Non-inferiority: the loss that is none, in points.")] = 0.10,
    family: Annotated[Literal["language", "all"], typer.Option(help="What Holm corrects over.")] = "language",
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="RULE=VALUE", help="Change a rule of exclusion; none switches it off.")
    ] = None,
    name: Annotated[str, typer.Option(help="A name that listeners see; let it tell nothing.")] = "",
    salt: Annotated[
        str | None, typer.Option(help="Hex digits in the place of random ones, to plan the same again.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write and hash the design of a listening test.

    Before a rating exists. The plan is the key: keep it from listeners; its hash may be published. The traps are
    spoken: record them (the text is told where one is missing), or --speak-traps, or --traps 0.

    \b
    Example: train listen plan work/evaluation --into work/test \\
        --baseline zero-shot --listeners 24 --trap-audio work/traps
    """
    from train.listen import duration, forecast, planning
    from train.listen import plan as planned

    choices = planning.Choices(
        baseline=baseline, method=method, layout=design, name=name, conditions=_names(conditions),
        contrasts=_names(contrasts), listeners=_listeners(listeners), languages=_names(languages), count=count,
        seed=seed, training=training, natural=natural, low_anchor=low_anchor, anchors=anchors, gold=gold, traps=traps,
        repeats=repeats, show_text=show_text, loudness=loudness, alpha=alpha, margin=margin, family=family,
        exclusions=planning.exclusions(exclude or []), salt=salt,
    )  # fmt: skip
    planning.check_new(into)
    if speak_traps:
        _speak_traps(speak_traps, choices, into)
    words = _toml(texts) if texts else None
    made = planning.make(
        stimuli, into, choices, table=sentences, trap_audio=trap_audio, gold_file=gold_file, words=words
    )
    facts = duration.facts(made, into)
    digest = planned.write(made, into)
    for language, row in forecast.of_plan(made).items():
        facts["notes"].append(row.pop("note"))
        facts["languages"][language]["forecast"] = row
    for note in facts["notes"]:
        typer.echo(f"note: {note}", err=True)
    lines = [
        f"{language}: {counted(each['listeners'], 'listener')}, {counted(each['sentences'], 'sentence')}, "
        f"{counted(each['items'], 'item')} of "
        f"{counted(round(each['minutes']), 'minute')} ({', '.join(f'{n} {kind}' for kind, n in each['kinds'].items())})"
        for language, each in facts["languages"].items()
    ]
    lines += [f"sha256 {digest}", f"next: train listen build {into} --into FOLDER"]
    _print({"plan": str(into / planned.NAME), "sha256": digest, **facts}, lines, as_json)


def build(
    source: Annotated[Path, typer.Argument(metavar="PLAN", help="The folder of a plan, or its plan.json.")],
    into: Annotated[Path, typer.Option(help="Folder to make; what must stay private goes to FOLDER-private.")],
    as_json: Json = False,
) -> None:
    """Make the folder that listeners get.

    Level-matched stimuli under opaque names and a page for each listener, which works from file://, from plain web
    space, and with `train listen serve`. FOLDER-private holds the plan and the links: never publish it.

    \b
    Example: train listen build work/test --into work/listeners
    """
    from train import show
    from train.listen import build as building

    with show.ticking() as tick:
        made = building.build(source, into, tick)
    lines = [
        f"{made['stimuli']} stimuli at {made['loudness']} LUFS, pages for {made['listeners']} listeners: {into}",
        f"links and plan: {made['private']}",
        f"next: train listen serve {into}, or send each listener a page of links.tsv with audio/, lists/ and page/",
    ]
    _print(made, lines, as_json)


def serve(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What `train listen build` made.")],
    data: Annotated[Path | None, typer.Option(help="Where ratings are kept. [default: FOLDER-private]")] = None,
    links: Annotated[
        int | None, typer.Option(min=1, help="One-use links of each language. [default: its places and a quarter more]")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; others than this machine: 0.0.0.0.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: a free one.")] = 8000,
    url: Annotated[str | None, typer.Option(help="How listeners reach it, for the links.")] = None,
    abandoned: Annotated[
        float, typer.Option(min=1, help="Minutes without a sign after which a place may go to another.")
    ] = 120,
) -> None:
    """Serve the page, and keep each rating as it is given.

    The links are in FOLDER-private/server-links.tsv, one for each person. Kill it and start it again: what was
    acknowledged is there. Before it faces the internet, put a proxy with https in front.

    \b
    Example: train listen serve work/listeners --url https://listen.example.org
    """
    from train.listen import server

    server.run(folder, data=data, links=links, host=host, port=port, url=url, abandoned=abandoned * 60, tell=typer.echo)


def collect(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What `train listen build` made.")],
    into: Annotated[Path, typer.Option(help="CSV to write, one rating a line.")],
    downloads: Annotated[
        list[Path] | None, typer.Argument(metavar="DOWNLOADS", help="Files that listeners sent, or folders of them.")
    ] = None,
    plan: Annotated[Path | None, typer.Option(help="The plan. [default: the copy in FOLDER-private]")] = None,
    data: Annotated[Path | None, typer.Option(help="Where the server kept ratings. [default: FOLDER-private]")] = None,
    as_json: Json = False,
) -> None:
    """Merge what listeners sent and the server kept.

    Each rating once, with its condition. Ratings of another plan, half a file, a listener twice and values that are not
    on the scale are refused. Events go to a second CSV beside the first.

    \b
    Example: train listen collect work/listeners downloads/*.json \\
        --into work/ratings.csv
    """
    from train.listen import collect as collecting

    facts = collecting.collect(folder, downloads or [], into, plan=plan, data=data)
    whole = f"{counted(facts['ratings'], 'rating')} of {counted(facts['listeners'], 'listener')}"
    lines = [f"{whole}, {facts['unfinished']} of them unfinished: {into}", *facts["notes"]]
    _print(facts, lines, as_json)


def _names(text: str | None) -> tuple[str, ...] | None:
    return tuple(name.strip() for name in text.split(",") if name.strip()) if text else None


def _listeners(text: str) -> dict[str, int]:
    """24, or km=24,ko=12."""
    counts = {}
    for part in text.split(","):
        language, equals, number = part.strip().rpartition("=")
        if not number.isdecimal() or int(number) < 1 or (equals and language not in ("km", "ko")):
            raise UserError(f"--listeners {text!r}: give a number, or one for each language, as in km=24,ko=12")
        counts[language] = int(number)
    return counts


def _toml(path: Path) -> Mapping[str, Any]:
    from curate.settings import NotToml, read_toml

    try:
        return read_toml(path)
    except (OSError, UnicodeDecodeError, NotToml) as problem:
        raise UserError(f"{path} cannot be read as TOML: {problem}") from None


def _speak_traps(adapter: Path, choices: Any, into: Path) -> None:
    from train.export import say
    from train.listen import texts

    for language in choices.languages or ("km", "ko"):
        for value, text in texts.trap_texts(choices.method, language).items():
            place = into / "traps" / language / f"{value}.wav"
            if not place.is_file():
                place.parent.mkdir(parents=True, exist_ok=True)
                say.save_wav(say.say(adapter, language, text), place)


def _print(result: Mapping[str, Any], lines: list[str], as_json: bool) -> None:
    typer.echo(json.dumps(result, ensure_ascii=False) if as_json else "\n".join(lines))
