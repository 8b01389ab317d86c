"""Ratings in SQLite: one thread writes, many changes share one commit, and nothing is acknowledged before its commit.

WAL with synchronous=FULL: what was committed is on the disk when the answer goes out, so a SIGKILL or a power cut loses
nothing that was acknowledged. Commits wait for the disk; while one waits, the changes that come in gather for the next.
"""

import asyncio
import hashlib
import json
import queue
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from curate.errors import UserError

T = TypeVar("T")
Change = Callable[[sqlite3.Connection], Any]
MOST_TOGETHER = 200  # changes of one commit
SCHEMA = """
CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS links (token TEXT PRIMARY KEY, language TEXT NOT NULL, session INTEGER);
CREATE TABLE IF NOT EXISTS sessions (
    id INTEGER PRIMARY KEY, secret TEXT NOT NULL UNIQUE, listener TEXT NOT NULL, state TEXT NOT NULL,
    started REAL NOT NULL, seen REAL NOT NULL, answers TEXT, code TEXT, events INTEGER NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX IF NOT EXISTS place ON sessions (listener) WHERE state IN ('active', 'finished');
CREATE TABLE IF NOT EXISTS ratings (
    session INTEGER NOT NULL, item TEXT NOT NULL, rating INTEGER, replays INTEGER NOT NULL, seconds REAL,
    heard INTEGER NOT NULL, at INTEGER NOT NULL, stored REAL NOT NULL, PRIMARY KEY (session, item)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    session INTEGER NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL, item TEXT NOT NULL, value TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS events_of ON events (session);
"""


class Refused(Exception):
    """Why the server does not do it: an HTTP status and a word that the page knows."""

    def __init__(self, status: int, word: str) -> None:
        self.status, self.word = status, word
        super().__init__(word)


def connect(path: Path) -> sqlite3.Connection:
    """Open the ratings of a server; made where there are none. Raises UserError."""
    try:
        base = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        base.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;" + SCHEMA)
    except sqlite3.DatabaseError as problem:
        raise UserError(f"{path} cannot be opened as the ratings of a server: {problem}") from None
    path.chmod(0o600)
    return base


class Writer:
    """The only thread that touches the database."""

    def __init__(self, path: Path) -> None:
        self._base = connect(path)
        self._waiting: queue.Queue[tuple[Change, asyncio.Future[Any], asyncio.AbstractEventLoop] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, name="ratings", daemon=True)
        self._thread.start()

    async def do(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """What a change returns, once it is on the disk. Raises Refused."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.put((change, future, loop))
        return await future

    def close(self) -> None:
        """Finish what waits, and close."""
        self._waiting.put(None)
        self._thread.join()
        self._base.close()

    def _work(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch = [first]
            while len(batch) < MOST_TOGETHER and not self._waiting.empty():
                if (another := self._waiting.get()) is None:
                    self._commit(batch)
                    return
                batch.append(another)
            self._commit(batch)

    def _commit(self, batch: Sequence[tuple[Change, "asyncio.Future[Any]", asyncio.AbstractEventLoop]]) -> None:
        """Do changes in one transaction and answer them after it; one that fails takes back its own alone."""
        answers: list[Any] = []
        try:
            self._base.execute("BEGIN IMMEDIATE")
            answers = [self._attempt(change) for change, _, _ in batch]
            self._base.execute("COMMIT")
        except sqlite3.Error as problem:  # a full disk: nobody is told that it is stored
            if self._base.in_transaction:
                self._base.execute("ROLLBACK")
            answers = [problem] * len(batch)
        for (_, future, loop), answer in zip(batch, answers, strict=True):
            loop.call_soon_threadsafe(_settle, future, answer)

    def _attempt(self, change: Change) -> Any:
        self._base.execute("SAVEPOINT one")
        try:
            return change(self._base)
        except Exception as problem:
            self._base.execute("ROLLBACK TO one")
            if isinstance(problem, sqlite3.OperationalError):
                raise
            return problem
        finally:
            self._base.execute("RELEASE one")


def _settle(future: "asyncio.Future[Any]", answer: Any) -> None:
    if future.done():  # whoever asked has gone
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)


def hashed(secret: str) -> str:
    """What is kept of a session's secret: who reads the database cannot rate in another's name."""
    return hashlib.sha256(secret.encode("utf-8")).hexdigest()


def belong(base: sqlite3.Connection, plan: str) -> None:
    """Raise UserError where the database holds the ratings of another plan."""
    base.execute("INSERT OR IGNORE INTO about VALUES ('plan', ?)", (plan,))
    kept = base.execute("SELECT value FROM about WHERE key = 'plan'").fetchone()[0]
    if kept != plan:
        raise UserError(f"the ratings here belong to another plan ({kept[:12]}): give --data for a new folder")


def add_links(base: sqlite3.Connection, wanted: dict[str, int]) -> list[tuple[str, str, bool]]:
    """Links up to the wanted number of each language; returns all: token, language, whether it was used."""
    for language, number in wanted.items():
        there = base.execute("SELECT count(*) FROM links WHERE language = ?", (language,)).fetchone()[0]
        rows = [(secrets.token_urlsafe(18), language) for _ in range(number - there)]
        base.executemany("INSERT INTO links (token, language) VALUES (?, ?)", rows)
    found = base.execute("SELECT token, language, session IS NOT NULL FROM links ORDER BY language, rowid").fetchall()
    return [(token, language, bool(used)) for token, language, used in found]


# ---- changes: each is one step of a transaction


def look_up(base: sqlite3.Connection, token: str) -> str:
    """The language of a link that nobody has used; Refused otherwise."""
    row = base.execute("SELECT language, session FROM links WHERE token = ?", (token,)).fetchone()
    if row is None:
        raise Refused(404, "unknown")
    if row[1] is not None:
        raise Refused(409, "used")
    return str(row[0])


def claim(base: sqlite3.Connection, token: str, listeners: Sequence[str], abandoned: float) -> tuple[str, str]:
    """Use up a link for the first free place: the session's secret and its listener. Raises Refused.

    A place is free where nobody has it, or where who had it gave no sign for `abandoned` seconds and did not finish.
    """
    language = look_up(base, token)
    now = time.time()
    taken = dict(base.execute("SELECT listener, id FROM sessions WHERE state IN ('active', 'finished')"))
    own = [name for name in listeners if name.startswith(f"{language}-")]
    free = next((name for name in own if name not in taken), None)
    if free is None:
        row = base.execute(
            "SELECT listener FROM sessions WHERE state = 'active' AND seen < ? AND listener LIKE ? ORDER BY seen",
            (now - abandoned, f"{language}-%"),
        ).fetchone()
        if row is None:
            raise Refused(409, "full")
        free = str(row[0])
        base.execute("UPDATE sessions SET state = 'abandoned' WHERE id = ?", (taken[free],))
    secret = secrets.token_urlsafe(32)
    made = base.execute(
        "INSERT INTO sessions (secret, listener, state, started, seen) VALUES (?, ?, 'active', ?, ?)",
        (hashed(secret), free, now, now),
    )
    base.execute("UPDATE links SET session = ? WHERE token = ?", (made.lastrowid, token))
    return secret, free


def session(base: sqlite3.Connection, secret: str) -> dict[str, Any]:
    """The session of a secret, seen just now; Refused where there is none, or its place has gone."""
    row = base.execute(
        "SELECT id, listener, state, answers, code, events FROM sessions WHERE secret = ?", (hashed(secret),)
    ).fetchone()
    if row is None:
        raise Refused(401, "unknown")
    found = dict(zip(("id", "listener", "state", "answers", "code", "events"), row, strict=True))
    if found["state"] not in ("active", "finished"):
        raise Refused(410, "gone")
    base.execute("UPDATE sessions SET seen = ? WHERE id = ?", (time.time(), found["id"]))
    return found


def state(base: sqlite3.Connection, secret: str) -> dict[str, Any]:
    """What a page needs to go on: the listener, what was answered and rated, and the code of a finished one."""
    own = session(base, secret)
    rated = [row[0] for row in base.execute("SELECT item FROM ratings WHERE session = ?", (own["id"],))]
    answers = json.loads(own["answers"]) if own["answers"] else None
    return {"listener": own["listener"], "rated": rated, "answers": answers, "code": own["code"]}


def answer(base: sqlite3.Connection, secret: str, answers: dict[str, str]) -> None:
    """Keep what a listener said of themselves; the first word stands."""
    own = session(base, secret)
    text = json.dumps(answers, ensure_ascii=False)
    base.execute("UPDATE sessions SET answers = coalesce(answers, ?) WHERE id = ?", (text, own["id"]))


def rate(base: sqlite3.Connection, secret: str, items: dict[str, frozenset[str]], rating: dict[str, Any]) -> None:
    """Keep a rating; sent again it changes nothing.

    Raises Refused where the listener has no such item, or has rated it otherwise: what is not kept is not acknowledged.
    """
    own = session(base, secret)
    if rating["item"] not in items[own["listener"]]:
        raise Refused(422, "item")
    row = (own["id"], *(rating[key] for key in ("item", "rating", "replays", "seconds", "heard", "at")), time.time())
    if base.execute("INSERT OR IGNORE INTO ratings VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row).rowcount:
        return
    kept = base.execute("SELECT rating FROM ratings WHERE session = ? AND item = ?", row[:2]).fetchone()
    if kept[0] != rating["rating"]:
        raise Refused(409, "rated")


def add_events(base: sqlite3.Connection, secret: str, events: list[tuple[int, str, str, str]], most: int) -> None:
    """Keep what happened on the page, up to `most` events of a session."""
    own = session(base, secret)
    kept = events[: max(0, most - own["events"])]
    base.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", [(own["id"], *event) for event in kept])
    base.execute("UPDATE sessions SET events = events + ? WHERE id = ?", (len(kept), own["id"]))


def finish(base: sqlite3.Connection, secret: str, items: dict[str, frozenset[str]]) -> str:
    """The completion code of a session in which all is rated. Raises Refused."""
    own = session(base, secret)
    if own["code"]:
        return str(own["code"])
    rated = base.execute("SELECT count(*) FROM ratings WHERE session = ?", (own["id"],)).fetchone()[0]
    if rated < len(items[own["listener"]]):
        raise Refused(409, "unfinished")
    code = secrets.token_hex(4)
    base.execute("UPDATE sessions SET state = 'finished', code = ? WHERE id = ?", (code, own["id"]))
    return code


def withdraw(base: sqlite3.Connection, secret: str) -> None:
    """Delete what a listener gave, and free the place."""
    own = session(base, secret)
    base.execute("DELETE FROM ratings WHERE session = ?", (own["id"],))
    base.execute("DELETE FROM events WHERE session = ?", (own["id"],))
    base.execute("UPDATE sessions SET state = 'returned', answers = NULL, code = NULL WHERE id = ?", (own["id"],))
