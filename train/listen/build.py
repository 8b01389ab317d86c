"""Builds the folder that listeners get: pages, lists and sounds that tell nothing about the conditions.

    FOLDER/index.html         the page; served, it asks the server for a list
    FOLDER/<token>.html       the page of one listener, for file:// and plain web space
    FOLDER/lists/<token>.js   what that listener hears
    FOLDER/audio/<name>.wav   level-matched stimuli
    FOLDER/page/              script, style and fonts
    FOLDER/test.json          which test this is

What must stay private is beside it, in FOLDER-private/: the plan, the links, and the server's ratings.
"""

import json
import math
import os
import shutil
from collections.abc import Callable
from html import escape
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

from curate import files, fonts
from curate.errors import UserError
from train.listen import design, stimuli
from train.listen import plan as planned
from train.listen.duration import THINKING
from train.listen.plan import Plan

Tick = Callable[[str, int, int], None]
SCRIPTS = ("order.js", "words.js", "audio.js", "headphones.js", "store.js", "view.js", "page.js")
TEST, LINKS = "test.json", "links.tsv"
LIST_CALL = "samsoriList("  # what a list is wrapped in: file:// lets a page read a script, and no JSON
SAME_TIME = 946_684_800  # 2000-01-01: the times of files tell no order
TOKEN = 32  # hex digits of a link: 128 bits


def private_folder(folder: Path) -> Path:
    """Where the plan, the links and the ratings of a built folder are kept: beside it, never in it."""
    whole = folder.resolve()
    return whole.with_name(f"{whole.name}-private")


def build(plan_path: Path, into: Path, tick: Tick = lambda *_: None) -> dict[str, Any]:
    """Build the folder of a plan; returns what was built. Raises UserError."""
    plan = planned.read(plan_path)
    base = plan_path if plan_path.is_dir() else plan_path.parent
    into = into.resolve()
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise UserError(f"{into} is not empty: choose a new folder")
    partial = into.with_name(f".{into.name}{files.PARTIAL}")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        facts = _fill(plan, base, partial, tick)
        _keep_private(plan, private_folder(into))
        if into.exists():
            into.rmdir()
        partial.rename(into)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return facts | {"folder": str(into), "private": str(private_folder(into)), "plan": planned.digest(plan)}


def _fill(plan: Plan, base: Path, folder: Path, tick: Tick) -> dict[str, Any]:
    for name in ("audio", "lists", "page"):
        (folder / name).mkdir(parents=True)
    schedules = {
        (language, number): design.schedule(plan, language, number)
        for language, group in plan.groups.items()
        for number in range(1, group.listeners + 1)
    }
    names = sorted({name for trials in schedules.values() for trial in trials for name in trial.stimuli})
    level, seconds = _write_audio(plan, base, folder / "audio", names, tick)
    _write_page(folder, plan.name)
    for (language, number), trials in schedules.items():
        token = listener_token(plan, language, number)
        minutes = sum(seconds[name] + THINKING / len(trial.stimuli) for trial in trials for name in trial.stimuli) / 60
        content = listener_list(plan, language, number, trials) | {"minutes": math.ceil(minutes)}
        text = json.dumps(content, ensure_ascii=False, sort_keys=True)
        files.write_text(folder / "lists" / f"{token}.js", f"{LIST_CALL}{text});\n")
        files.write_text(folder / f"{token}.html", page_html(token, plan.name))
    about = {"format": planned.FORMAT, "name": plan.name, "plan": planned.digest(plan)}
    files.write_text(folder / TEST, json.dumps(about, ensure_ascii=False) + "\n")
    for path in folder.rglob("*"):
        os.utime(path, (SAME_TIME, SAME_TIME))
    return {"listeners": len(schedules), "stimuli": len(names), "loudness": round(level, 2)}


def _write_audio(plan: Plan, base: Path, folder: Path, names: list[str], tick: Tick) -> tuple[float, dict[str, float]]:
    """Write every stimulus at one loudness; returns it, and the seconds of each. Two passes: all levels first."""
    rate = stimuli.common_rate(plan, base)
    levels, seconds = {}, {}
    for number, name in enumerate(names, start=1):
        sound = stimuli.load(plan, base, name, rate)
        measured, seconds[name] = stimuli.level(sound, rate), len(sound) / rate
        if measured is None:
            raise UserError(f"{name} is silent or too quiet to be heard: make it again, or leave its condition out")
        levels[name] = measured
        tick("measuring levels", number, len(names))
    loudness = stimuli.target(levels, plan.loudness)
    for number, name in enumerate(names, start=1):
        wav = stimuli.finish(stimuli.load(plan, base, name, rate), rate, levels[name], loudness)
        files.write_bytes(folder / audio_name(plan, name), wav)
        tick("writing stimuli", number, len(names))
    return loudness, seconds


def audio_name(plan: Plan, stimulus: str) -> str:
    """The file's name of a stimulus: nothing about it can be told from it without the plan."""
    return planned.opaque(plan, "audio", stimulus, length=24) + ".wav"


def listener_token(plan: Plan, language: str, number: int) -> str:
    """What names a listener's page and list, and cannot be guessed."""
    return planned.opaque(plan, "listener", language, number, length=TOKEN)


def listener_list(plan: Plan, language: str, number: int, trials: list[design.Trial]) -> dict[str, Any]:
    """What the page of a listener needs, and no more; trials stand by their opaque ids, and the page orders them."""
    return {
        "format": planned.FORMAT,
        "plan": planned.digest(plan),
        "name": plan.name,
        "language": language,
        "listener": design.listener_name(language, number),
        "token": listener_token(plan, language, number),
        "seed": plan.seed,
        "method": plan.method,
        "question": plan.question,
        "instructions": plan.instructions,
        "scale": plan.scale.model_dump(mode="json"),
        "trials": [_item(plan, language, trial) for trial in sorted(trials, key=lambda trial: trial.id)],
    }


def _item(plan: Plan, language: str, trial: design.Trial) -> dict[str, Any]:
    item: dict[str, Any] = {"id": trial.id, "audio": [audio_name(plan, name) for name in trial.heard]}
    if trial.practice:
        item["practice"] = True
    if plan.show_text:
        group = planned.group_of(plan, language)
        texts = {sentence.id: sentence.text for sentence in (*group.sentences, *group.practice_sentences)}
        item["text"] = texts.get(trial.stimuli[-1].partition("/")[2], "")
    return item


def page_html(token: str | None, name: str = "") -> str:
    """The page, under the test's name; with a token it brings that listener's list along."""
    source = resources("train.listen") / "page" / "page.html"
    script = f'<script src="lists/{token}.js"></script>' if token else ""
    text = source.read_text(encoding="utf-8").replace("<!-- list -->", script)
    return text.replace("<!-- name -->", f'<span class="name">{escape(name)}</span>' if name else "")


def _write_page(folder: Path, test: str) -> None:
    source = resources("train.listen") / "page"
    for name in (*SCRIPTS, "page.css"):
        files.write_text(folder / "page" / name, (source / name).read_text(encoding="utf-8"))
    files.write_text(folder / "page" / "fonts.css", fonts.faces())
    files.write_text(folder / "page" / fonts.LICENCE, fonts.licence())
    files.write_text(folder / "index.html", page_html(None, test))


def _keep_private(plan: Plan, folder: Path) -> None:
    """A copy of the plan and the links of listeners, readable by nobody else."""
    folder.mkdir(mode=0o700, exist_ok=True)
    kept = folder / planned.NAME
    if kept.exists() and kept.read_bytes() != planned.canonical(plan):
        raise UserError(f"{folder} belongs to another test: choose another --into")
    files.write_bytes(kept, planned.canonical(plan))
    files.write_text(folder / planned.HASH, f"{planned.digest(plan)}  {planned.NAME}\n")
    lines = ["listener\tlanguage\tfile"]
    for language, group in plan.groups.items():
        for number in range(1, group.listeners + 1):
            name = design.listener_name(language, number)
            lines.append(f"{name}\t{language}\t{listener_token(plan, language, number)}.html")
    files.write_text(folder / LINKS, "\n".join(lines) + "\n")


def read_test(folder: Path) -> dict[str, Any]:
    """What test a built folder is: its name and its plan's hash."""
    try:
        about = json.loads((folder / TEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{folder} was not made by `train listen build`: there is no {TEST} in it") from None
    except (OSError, ValueError):
        raise UserError(f"{folder / TEST} cannot be read: build the folder again") from None
    if not isinstance(about, dict) or not {"name", "plan"} <= about.keys():
        raise UserError(f"{folder / TEST} is not as `train listen build` wrote it: build the folder again")
    return about


def read_lists(folder: Path) -> list[dict[str, Any]]:
    """The lists of all listeners of a built folder, by listener."""
    found = []
    for path in sorted((folder / "lists").glob("*.js")):
        text = path.read_text(encoding="utf-8").strip()
        try:
            found.append(json.loads(text.removeprefix(LIST_CALL).removesuffix(");")))
        except ValueError:
            raise UserError(f"{path} is not whole: build the folder again") from None
    if not found:
        raise UserError(f"{folder} has no list of a listener: build it again")
    return sorted(found, key=lambda each: str(each["listener"]))
