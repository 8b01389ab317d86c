"""Many listeners at once on the listening test's server, which is killed half-way: is anything lost, and how long do
answers take?

    python benchmarks/listening_server.py                    # 100 listeners of 40 items, a rating a second each
    python benchmarks/listening_server.py --listeners 20 --items 6 --pause 0.1
    python benchmarks/listening_server.py --fsync 20         # as on a slow disk: each flush takes 20 ms more

The server is `train listen serve` in a process of its own on this machine, and gets SIGKILL when half of the ratings
are given; it is started again at once. Listeners do what the page does: claim a link, answer, fetch sounds, rate,
finish; they repeat what was not answered. Every rating that was acknowledged must be in the database with its
value, and once. Latencies are of calls that were answered: while the server is away nothing answers.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that the project need not be installed

import numpy as np
import soundfile

from train.listen import build, planning
from train.listen import plan as planned

ROOT = Path(__file__).resolve().parents[1]
LONGEST = 600  # seconds a listener tries before the run counts as failed
ANSWERS = {"native": "yes", "region": "Takeo", "device": "phone", "headphones": "no", "check": "no"}
LIBRARY = "libfsync.so"
SLOW_FSYNC = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>
static void wait(void) { usleep(1000 * atoi(getenv("SLOW_FSYNC_MS"))); }
int fsync(int f) { wait(); return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(f); }
int fdatasync(int f) { wait(); return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(f); }
"""


@dataclass
class Load:
    """What is asked of the server, and what came of it."""

    listeners: int
    items: int
    pause: float
    kill: bool
    acknowledged: dict[tuple[str, str], int] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    unanswered: int = 0
    refused: int = 0
    finished: int = 0

    @property
    def half(self) -> int:
        """Ratings after which the server is killed."""
        return self.listeners * self.items // 2


def make_site(folder: Path, listeners: int, items: int) -> Path:
    """A test for so many listeners of `items` items each, on very short sounds."""
    rows = ["id\tlanguage\ttext"]
    for number in range(items):
        rows.append(f"s{number}\tkm\tx")
        for k, condition in enumerate(("a", "b")):
            place = folder / "stimuli" / condition / f"s{number}.wav"
            place.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(place, 0.1 * np.sin(np.arange(4000) * (0.1 + 0.05 * k + number / 1000)), 16_000)
    (folder / "stimuli" / "sentences.tsv").write_text("\n".join(rows))
    choices = planning.Choices(
        baseline="a", listeners={"": listeners}, count=items, training=0, anchors=0, gold=0, traps=0, repeats=0
    )
    planned.write(planning.make(folder / "stimuli", folder / "plan", choices), folder / "plan")
    build.build(folder / "plan", folder / "site")
    return folder / "site"


class Server:
    """`train listen serve`, on one port for all its lives."""

    def __init__(self, site: Path, fsync: int = 0) -> None:
        self.site, self.port, self.log = site, 0, site.with_name("server.log")
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        if fsync:
            self.environment |= {"LD_PRELOAD": str(_slow_library(site.parent)), "SLOW_FSYNC_MS": str(fsync)}

    def start(self) -> None:
        """Start it and wait until it serves."""
        words = [sys.executable, "-m", "train", "listen", "serve", str(self.site), "--port", str(self.port)]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log, env=self.environment, cwd=ROOT)
        until = time.monotonic() + 120
        while "serving on" not in (said := self.log.read_text()):
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the server did not start: {said}")
            time.sleep(0.05)
        self.port = int(said.split("http://127.0.0.1:")[1].split(";")[0])

    def kill(self) -> None:
        """SIGKILL."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def _slow_library(folder: Path) -> Path:
    """A library under which each flush to the disk takes longer."""
    (folder / "fsync.c").write_text(SLOW_FSYNC)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(folder / LIBRARY), str(folder / "fsync.c"), "-ldl"], check=True)
    return folder / LIBRARY


class Connection:
    """HTTP/1.1 with keep-alive over one connection, and no more: what asks must not need the cores of what answers."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def request(self, method: str, path: str, session: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of an answer. Raises OSError or EOFError where there is none."""
        try:
            if self.streams is None:
                self.streams = await asyncio.open_connection("127.0.0.1", self.port)
            reader, writer = self.streams
            bearer = f"Authorization: Bearer {session}\r\n" if session else ""
            head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{bearer}Content-Type: application/json\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(answer.partition("content-length: ")[2].partition("\r\n")[0])
            return int(answer.split()[1]), await reader.readexactly(length)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Begin anew with the next request."""
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None


class Listener:
    """One listener, who does what the page does."""

    def __init__(self, link: str, load: Load, port: int, seed: int) -> None:
        self.link, self.load, self.random = link, load, random.Random(seed)
        self.connection, self.session = Connection(port), ""

    async def take_part(self) -> None:
        """From the link to the code."""
        await asyncio.sleep(self.random.uniform(0, self.load.pause))
        answer = await self.call("claim", {"link": self.link})
        self.session = answer["session"]
        given = answer["list"]
        await self.call("answers", {"answers": ANSWERS})
        for trial in given["trials"]:
            await self.rate(given["listener"], trial)
        await self.call("finish", {})
        self.load.finished += 1
        self.connection.close()

    async def rate(self, listener: str, trial: dict[str, Any]) -> None:
        """Fetch the sound, think, rate; what happened goes with the rating."""
        await self.timed("sound", "GET", f"/audio/{trial['audio'][0]}")
        await asyncio.sleep(self.random.uniform(0.5, 1.5) * self.load.pause)
        value, now = self.random.randint(1, 5), int(time.time() * 1000)
        times = {"replays": 0, "seconds_to_rate": 1.0, "heard_to_end": True, "at": now}
        events = [{"at": now, "kind": kind, "item": trial["id"], "value": ""} for kind in ("play", "ended", "choose")]
        await self.call("rating", {"item": trial["id"], "rating": value, **times, "events": events})
        self.load.acknowledged[listener, trial["id"]] = value

    async def call(self, name: str, body: dict[str, Any]) -> Any:
        """What a call of the API answers."""
        return json.loads(await self.timed(name, "POST", f"/api/{name}", json.dumps(body).encode()))

    async def timed(self, name: str, method: str, path: str, body: bytes = b"") -> bytes:
        """One call, repeated until it is answered."""
        until = time.monotonic() + LONGEST
        while time.monotonic() < until:
            began = time.perf_counter()
            try:
                status, answer = await self.connection.request(method, path, self.session, body)
            except (OSError, EOFError):
                self.load.unanswered += 1
                await asyncio.sleep(self.random.uniform(0.2, 1.0))
                continue
            self.load.seconds.setdefault(name, []).append(time.perf_counter() - began)
            if status == 429:
                self.load.refused += 1
                await asyncio.sleep(1)
                continue
            if status != 200:
                raise RuntimeError(f"{name}: {status} {answer[:200]!r}")
            return answer
        raise RuntimeError(f"{name} was not answered for {LONGEST} seconds")


async def _kill_half_way(server: Server, load: Load) -> float:
    """Kill the server when half of the ratings are there, start it again; returns how long it was away."""
    while len(load.acknowledged) < load.half:
        await asyncio.sleep(0.01)
    server.kill()
    began = time.monotonic()
    await asyncio.to_thread(server.start)
    return time.monotonic() - began


async def _run(server: Server, load: Load, links: list[str]) -> float:
    tasks = [Listener(link, load, server.port, seed).take_part() for seed, link in enumerate(links)]
    killing = asyncio.create_task(_kill_half_way(server, load)) if load.kill else None
    await asyncio.gather(*tasks)
    return await killing if killing else 0.0


def run(load: Load, folder: Path, fsync: int = 0) -> dict[str, Any]:
    """The whole run in an empty folder; what was found."""
    site = make_site(folder, load.listeners, load.items)
    server = Server(site, fsync)
    server.start()
    try:
        lines = (build.private_folder(site) / "server-links.tsv").read_text().splitlines()[1:]
        links = [line.split("\t")[1].partition("#")[2] for line in lines][: load.listeners]
        began = time.monotonic()
        away = asyncio.run(_run(server, load, links))
        clock = time.monotonic() - began
    finally:
        server.kill()  # as rudely as before: what was acknowledged must be there
    return found(load, build.private_folder(site) / "ratings.sqlite") | {
        "seconds": round(clock, 1), "away": round(away, 2), "killed": load.kill, "fsync_ms": fsync
    }  # fmt: skip


def found(load: Load, database: Path) -> dict[str, Any]:
    """What the database holds against what was acknowledged, and the latencies in milliseconds."""
    base = sqlite3.connect(database)
    rows = base.execute("SELECT listener, item, rating FROM ratings JOIN sessions ON sessions.id = session").fetchall()
    base.close()
    kept = {(listener, item): value for listener, item, value in rows}
    lost = [key for key, value in load.acknowledged.items() if kept.get(key) != value]
    every = [each for name in load.seconds for each in load.seconds[name]]
    return {
        "listeners": load.listeners, "items": load.items, "finished": load.finished, "stored": len(rows),
        "stored_twice": len(rows) - len(kept), "acknowledged": len(load.acknowledged), "lost": len(lost),
        "unanswered": load.unanswered, "refused": load.refused,
        "latency_ms": {name: _quantiles(times) for name, times in {**load.seconds, "all": every}.items()},
    }  # fmt: skip


def _quantiles(times: list[float]) -> dict[str, float]:
    return {f"p{q}": round(1000 * float(np.percentile(times, q)), 1) for q in (50, 95, 99)} | {"n": len(times)}


def main(words: list[str] | None = None) -> int:
    """Run, print, and say by the exit status whether anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listeners", type=int, default=100)
    parser.add_argument("--items", type=int, default=40, help="ratings of each")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between a sound and its rating, on average")
    parser.add_argument("--no-kill", action="store_true", help="leave the server alone")
    parser.add_argument("--fsync", type=int, default=0, metavar="MS", help="make each flush slower; needs a C compiler")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(words)
    load = Load(given.listeners, given.items, given.pause, not given.no_kill)
    with tempfile.TemporaryDirectory() as folder:
        facts = run(load, Path(folder), given.fsync)
    if given.json:
        print(json.dumps(facts))
    else:
        print(f"{facts['finished']} of {facts['listeners']} listeners finished in {facts['seconds']} s")
        print(f"acknowledged {facts['acknowledged']}, stored {facts['stored']}, lost {facts['lost']}")
        print(f"away for {facts['away']} s; {facts['unanswered']} calls unanswered, {facts['refused']} refused")
        for name, times in facts["latency_ms"].items():
            print(f"{name:>8}: {', '.join(f'{key} {value}' for key, value in times.items())} ms")
    return int(facts["lost"] > 0 or facts["stored_twice"] > 0 or facts["finished"] < facts["listeners"])


if __name__ == "__main__":
    sys.exit(main())
