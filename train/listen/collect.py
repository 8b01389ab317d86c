"""Merges what listeners sent and the server kept into one CSV: each rating once, with what it was of.

What came from a listener is checked as the server checks it. A mistake is told in one line, and then nothing is
written: a ratings file is whole, or there is none.
"""

import csv
import hashlib
import io
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curate import files
from curate.errors import UserError
from train.listen import build, checks, design
from train.listen import plan as planned
from train.listen.plan import Plan
from train.listen.server import DATABASE
from train.messages import counted

COLUMNS = (
    "listener", "sentence", "language", "condition", "rating", "kind", "expected", "plan", "trial", "replays",
    "seconds_to_rate", "heard_to_end", "device", "headphones", "native", "region", "first", "given_at",
)  # fmt: skip
EVENTS = ("listener", "at", "kind", "item", "value")
LARGEST_FILE = 20_000_000  # bytes: a session with all its events has less than one million


@dataclass
class Session:
    """What one listener gave, and where it came from."""

    listener: str
    source: str
    answers: dict[str, str] | None
    ratings: list[dict[str, Any]]
    events: list[tuple[int, str, str, str]] = field(default_factory=list)


def collect(
    folder: Path, downloads: Sequence[Path], into: Path, *, plan: Path | None = None, data: Path | None = None
) -> dict[str, Any]:
    """Write the ratings of a test as CSV, and its events beside it; returns how many. Raises UserError."""
    about = build.read_test(folder)
    known = planned.read(plan or build.private_folder(folder))
    if planned.digest(known) != about["plan"]:
        raise UserError(
            f"{folder} was built from another plan than {plan or build.private_folder(folder)}: give --plan"
        )
    tokens = {
        build.listener_token(known, language, number): (language, number)
        for language, group in known.groups.items()
        for number in range(1, group.listeners + 1)
    }
    notes: list[str] = []
    found = [*_from_server((data or build.private_folder(folder)) / DATABASE, known, notes)]
    found += [_from_file(path, known, tokens) for path in _files(downloads)]
    sessions = _each_once(found, notes)
    if not sessions:
        raise UserError("there are no ratings yet: name the files that listeners sent, or the server's --data")
    rows, unfinished = [], 0
    for session in sessions:
        own, missing = _rows(session, known)
        rows += own
        unfinished += missing > 0
    files.write_text(into, csv_text(COLUMNS, rows))
    files.write_text(
        into.with_suffix(".events.csv"),
        csv_text(
            EVENTS, [dict(zip(EVENTS, (s.listener, *event), strict=True)) for s in sessions for event in s.events]
        ),
    )
    skipped = sum(rating["rating"] is None for session in sessions for rating in session.ratings)
    if skipped:
        notes.append(f"{counted(skipped, 'item')} could not be played: no rating")
    return {"ratings": len(rows), "listeners": len(sessions), "unfinished": unfinished, "notes": notes}


# ---- what came in


def _files(downloads: Iterable[Path]) -> Iterator[Path]:
    """The files that are named, and the .json files of folders that are."""
    for path in downloads:
        if path.is_dir():
            inside = sorted(path.glob("*.json"))
            if not inside:
                raise UserError(f"{path} holds no .json file of a listener")
            yield from inside
        else:
            yield path


def _from_file(path: Path, plan: Plan, tokens: Mapping[str, tuple[str, int]]) -> Session:
    """What a listener's file holds. Raises UserError where it is not whole, or of another test."""
    content = _content(path)
    if content.get("plan") != planned.digest(plan):
        raise UserError(f"{path} has ratings of another plan ({str(content.get('plan'))[:12]}): leave it out")
    who = tokens.get(str(content.get("token")))
    if who is None:
        raise UserError(f"{path} is of no listener of this plan: leave it out")
    values = plan.scale.values
    try:
        answers = checks.check_answers(content.get("answers"))
        given = content.get("ratings")
        if not isinstance(given, list):
            raise checks.BadValue("there are no ratings")
        ratings = [checks.check_rating(rating, values) for rating in given]
        events = [checks.check_event(event) for event in content.get("events") or []]
    except checks.BadValue as problem:
        raise UserError(f"{path}: {problem}; ask for the file again, or leave it out") from None
    listener = design.listener_name(*who)
    items = [rating["item"] for rating in ratings]
    if len(set(items)) < len(items):
        raise UserError(f"{path} rates one item twice: ask for the file again, or leave it out")
    return Session(listener, str(path), answers, ratings, events)


def _content(path: Path) -> dict[str, Any]:
    """What is in a download, whose sha256 shows that it is whole."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise UserError(f"{path} is too large to be the ratings of a listener")
        outer = json.loads(path.read_text(encoding="utf-8"))
        body = outer["content"]
        whole = hashlib.sha256(body.encode("utf-8")).hexdigest() == outer["sha256"]
        content = json.loads(body)
    except OSError as problem:
        raise UserError(f"{path} cannot be read: {problem.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UserError(f"{path} is not a whole file of ratings: ask the listener to send it again") from None
    if not whole or not isinstance(content, dict):
        raise UserError(f"{path} was changed since the page wrote it: ask the listener to send it again")
    return content


def _from_server(path: Path, plan: Plan, notes: list[str]) -> Iterator[Session]:
    """The sessions that a server kept, each place once; those given back or given to another are left out."""
    if not path.is_file():
        return
    try:
        base = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        yield from _sessions(base, path, plan, notes)
        base.close()
    except sqlite3.DatabaseError as problem:
        raise UserError(f"{path} cannot be read as the ratings of a server: {problem}") from None


def _sessions(base: sqlite3.Connection, path: Path, plan: Plan, notes: list[str]) -> Iterator[Session]:
    kept = base.execute("SELECT value FROM about WHERE key = 'plan'").fetchone()
    if kept is None or kept[0] != planned.digest(plan):
        raise UserError(f"{path} has ratings of another plan: give --data, or --plan")
    gone = dict(base.execute("SELECT state, count(*) FROM sessions GROUP BY state"))
    for state, words in {"returned": "withdrew", "abandoned": "left, and the place went to another"}.items():
        if gone.get(state):
            notes.append(f"{counted(gone[state], 'listener')} {words}: left out")
    rows = base.execute(
        "SELECT id, listener, answers FROM sessions WHERE state IN ('active', 'finished') ORDER BY listener"
    ).fetchall()
    for number, listener, answers in rows:
        ratings = base.execute(
            "SELECT item, rating, replays, seconds, heard, at FROM ratings WHERE session = ? ORDER BY at, item",
            (number,),
        )
        names = ("item", "rating", "replays", "seconds", "heard", "at")
        given = [dict(zip(names, row, strict=True)) | {"heard": bool(row[4])} for row in ratings]
        events = base.execute("SELECT at, kind, item, value FROM events WHERE session = ? ORDER BY at", (number,))
        if given:
            yield Session(listener, str(path), json.loads(answers) if answers else None, given, events.fetchall())


def _each_once(found: Iterable[Session], notes: list[str]) -> list[Session]:
    """One session a listener; the same ratings once more are counted once. Raises UserError where two differ."""
    kept: dict[str, Session] = {}
    for session in found:
        other = kept.setdefault(session.listener, session)
        if other is session:
            continue
        if _given(other) != _given(session):
            raise UserError(
                f"{session.listener} is in {other.source} and in {session.source} with different ratings: "
                "find out which one counts, and leave the other out"
            )
        notes.append(f"{session.source} repeats {other.source}: counted once")
    return [kept[name] for name in sorted(kept)]


def _given(session: Session) -> dict[str, tuple[Any, ...]]:
    return {rating["item"]: (rating["rating"], rating["at"]) for rating in session.ratings}


# ---- what goes out


def _rows(session: Session, plan: Plan) -> tuple[list[dict[str, Any]], int]:
    """The rows of a listener in the order heard, and how many items are missing."""
    language, _, number = session.listener.partition("-")
    trials = design.schedule(plan, language, int(number))
    given = {rating["item"]: rating for rating in session.ratings}
    if unknown := given.keys() - {trial.id for trial in trials}:
        raise UserError(f"{session.source} rates {min(unknown)}, which {session.listener} does not hear: leave it out")
    about = _about(session, plan)
    rows = [
        row(plan, language, trial, at, given[trial.id]) | about
        for at, trial in enumerate(trials, start=1)
        if trial.id in given and given[trial.id]["rating"] is not None
    ]
    return rows, len(trials) - len(given)


def _about(session: Session, plan: Plan) -> dict[str, Any]:
    answers = session.answers or {}
    return {
        "listener": session.listener,
        "plan": planned.digest(plan),
        "device": answers.get("device", ""),
        "headphones": answers.get("check", ""),
        "native": answers.get("native", ""),
        "region": answers.get("region", ""),
    }


def row(plan: Plan, language: str, trial: design.Trial, at: int, rating: dict[str, Any]) -> dict[str, Any]:
    """One rating as a row of COLUMNS, but for what is of the listener."""
    expected = trial.expected
    pair = len(trial.stimuli) > 1
    return {
        "sentence": trial.sentence,
        "language": language,
        "condition": trial.condition,
        "rating": trial.rating(rating["rating"], plan.method),
        "kind": trial.kind,
        "expected": "" if expected is None else "..".join(map(str, dict.fromkeys(expected))),
        "trial": at,
        "replays": rating["replays"],
        "seconds_to_rate": rating["seconds"],
        "heard_to_end": "yes" if rating["heard"] else "no",
        "first": trial.heard[0].partition("/")[0] if pair else "",
        "given_at": datetime.fromtimestamp(rating["at"] / 1000, UTC).isoformat(timespec="milliseconds"),
    }


def csv_text(columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> str:
    """Rows as CSV, a heading first."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
