"""The listening test's small server: the page, its sounds, and a few calls that keep what listeners give.

    POST api/link      {link}            which language a link is for
    POST api/claim     {link}            use it up: a session and what its listener hears
    POST api/state     Bearer SESSION    go on after a closed page
    POST api/answers, api/rating, api/events, api/finish, api/withdraw

A link stands after the # of the address, so that it is in no log, and nothing that only opens it uses it up. No call
names a condition or another listener: the server does not have the plan, only the lists that pages are given.
"""

import json
import re
import socket
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import files
from curate.errors import UserError
from train.listen import build, store
from train.listen.checks import BadValue, check_answers, check_events, check_rating
from train.listen.limiter import Limiter
from train.listen.store import Refused

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

DATABASE, LOCK, SERVER_LINKS = "ratings.sqlite", "server.lock", "server-links.tsv"
LARGEST_BODY = 64_000  # bytes: 200 events
MOST_EVENTS = 5_000  # of a session
BURST, RATE = 60, 5.0  # calls of a session: at once, and a second; a page sends one or two a rating
WRONG, WRONG_SECONDS = 30, 60  # wrong links or sessions from one address, and within what time
SECRET = re.compile(r"[A-Za-z0-9_-]{16,64}")
SOUND = re.compile(r"[0-9a-f]{24}\.wav")
PAGES = dict.fromkeys(build.SCRIPTS, "text/javascript") | {"page.css": "text/css", "fonts.css": "text/css"}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; font-src data:; "
    "img-src data:; media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Calls:
    """The calls of one server. Bodies are JSON objects; answers, too."""

    def __init__(self, lists: list[dict[str, Any]], writer: store.Writer, abandoned: float) -> None:
        self._lists = {str(each["listener"]): each for each in lists}
        self._items = {name: frozenset(str(t["id"]) for t in each["trials"]) for name, each in self._lists.items()}
        self._writer, self._abandoned = writer, abandoned
        self._values = frozenset(int(value) for value in lists[0]["scale"]["values"])
        self._calls = Limiter(BURST, RATE)
        self._wrong = Limiter(WRONG, WRONG / WRONG_SECONDS)

    async def handle(self, request: "Request") -> "Response":
        """One call: bounds first, then what it asks for."""
        from starlette.responses import JSONResponse

        name = request.path_params["name"]
        try:
            answer = await self._named(name)(request, await _body(request))
        except Refused as refused:
            if refused.word == "unknown":
                self._wrong.take(_address(request))
            return JSONResponse({"error": refused.word}, refused.status, HEADERS | {"Cache-Control": "no-store"})
        except BadValue as problem:
            return JSONResponse({"error": str(problem)}, 422, HEADERS | {"Cache-Control": "no-store"})
        return JSONResponse(answer, 200, HEADERS | {"Cache-Control": "no-store"})

    def _named(self, name: str) -> Callable[["Request", dict[str, Any]], Awaitable[dict[str, Any]]]:
        known = {
            "link": self._link, "claim": self._claim, "state": self._state, "answers": self._answers,
            "rating": self._rating, "events": self._events, "finish": self._finish, "withdraw": self._withdraw,
        }  # fmt: skip
        if name not in known:
            raise Refused(404, "no such call")
        return known[name]

    def _link_of(self, request: "Request", body: dict[str, Any]) -> str:
        """The link of a call; who has tried many wrong ones waits. Sessions do not: many people share one address."""
        if self._wrong.left(_address(request)) < 1:
            raise Refused(429, "slow down")
        link = body.get("link")
        if not isinstance(link, str) or not SECRET.fullmatch(link):
            raise Refused(404, "unknown")
        return link

    def _secret(self, request: "Request") -> str:
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or not SECRET.fullmatch(secret):
            raise Refused(401, "unknown")
        if not self._calls.take(secret):
            raise Refused(429, "slow down")
        return secret

    async def _link(self, request: "Request", body: dict[str, Any]) -> dict[str, Any]:
        link = self._link_of(request, body)
        language = await self._writer.do(lambda base: store.look_up(base, link))
        example = next(each for each in self._lists.values() if each["language"] == language)
        kept = ("name", "language", "plan", "minutes")
        return {key: example[key] for key in kept} | {"items": len(example["trials"])}

    async def _claim(self, request: "Request", body: dict[str, Any]) -> dict[str, Any]:
        link, places = self._link_of(request, body), list(self._lists)
        secret, listener = await self._writer.do(lambda base: store.claim(base, link, places, self._abandoned))
        return {"session": secret, "list": self._public(listener)}

    async def _state(self, request: "Request", body: dict[str, Any]) -> dict[str, Any]:
        secret = self._secret(request)
        found = await self._writer.do(lambda base: store.state(base, secret))
        return {"list": self._public(found.pop("listener")), **found}

    def _public(self, listener: str) -> dict[str, Any]:
        """A listener's list without the token of the page for file://, which is another way in."""
        return {key: value for key, value in self._lists[listener].items() if key != "token"}

    async def _answers(self, request: "Request", body: dict[str, Any]) -> dict[str, Any]:
        secret, answers = self._secret(request), check_answers(body.get("answers"))
        await self._writer.do(lambda base: store.answer(base, secret, answers))
        return {}

    async def _rating(self, request: "Request", body: dict[str, Any]) -> dict[str, Any]:
        secret, rating = self._secret(request), check_rating(body, self._values)
        events = check_events(body.get("events", []))  # one call, one commit

        def keep(base: sqlite3.Connection) -> None:
            store.rate(base, secret, self._items, rating)
            store.add_events(base, secret, events, MOST_EVENTS)

        await self._writer.do(keep)
        return {"item": rating["item"]}

    async def _events(self, request: "Request", body: dict[str, Any]) -> dict[str, Any]:
        secret, events = self._secret(request), check_events(body.get("events"))
        await self._writer.do(lambda base: store.add_events(base, secret, events, MOST_EVENTS))
        return {}

    async def _finish(self, request: "Request", body: dict[str, Any]) -> dict[str, Any]:
        secret = self._secret(request)
        return {"code": await self._writer.do(lambda base: store.finish(base, secret, self._items))}

    async def _withdraw(self, request: "Request", body: dict[str, Any]) -> dict[str, Any]:
        secret = self._secret(request)
        await self._writer.do(lambda base: store.withdraw(base, secret))
        return {}


def _address(request: "Request") -> str:
    return request.client.host if request.client else ""


async def _body(request: "Request") -> dict[str, Any]:
    """The JSON object of a request that is not too large, whatever it says of its length."""
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise Refused(415, "JSON is expected")
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > LARGEST_BODY:
            raise Refused(413, "too large")
    try:
        body = json.loads(content.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Refused(400, "no JSON") from None
    if not isinstance(body, dict):
        raise Refused(400, "no JSON object")
    return body


def _no_number(name: str) -> None:
    raise ValueError(name)


def application(folder: Path, writer: store.Writer, *, abandoned: float) -> "Starlette":
    """The application: exactly these paths, and no other file of the folder."""
    from starlette.applications import Starlette
    from starlette.responses import FileResponse, PlainTextResponse
    from starlette.routing import Route

    calls = Calls(build.read_lists(folder), writer, abandoned)

    def missing() -> "Response":
        return PlainTextResponse("not found", 404, HEADERS)

    async def index(request: "Request") -> "Response":
        headers = HEADERS | {"Cache-Control": "no-cache"}
        return FileResponse(folder / "index.html", media_type="text/html", headers=headers)

    async def page(request: "Request") -> "Response":
        name = request.path_params["name"]
        if name not in PAGES:
            return missing()
        headers = HEADERS | {"Cache-Control": "no-cache"}
        return FileResponse(folder / "page" / name, media_type=PAGES[name], headers=headers)

    async def sound(request: "Request") -> "Response":
        path = folder / "audio" / request.path_params["name"]
        if not SOUND.fullmatch(path.name) or not path.is_file():
            return missing()
        headers = HEADERS | {"Cache-Control": "private, max-age=86400"}
        return FileResponse(path, media_type="audio/wav", headers=headers)

    return Starlette(
        routes=[
            Route("/", index, methods=["GET"]),
            Route("/page/{name}", page, methods=["GET"]),
            Route("/audio/{name}", sound, methods=["GET"]),
            Route("/api/{name}", calls.handle, methods=["POST"]),
        ],
        exception_handlers={404: _plain_error, 405: _plain_error, 500: _plain_error},
    )


async def _plain_error(request: "Request", problem: Exception) -> "Response":
    from starlette.responses import PlainTextResponse

    status = int(getattr(problem, "status_code", 500))
    words = {404: "not found", 405: "not allowed"}
    return PlainTextResponse(words.get(status, "this failed; please try again"), status, HEADERS)


def open_data(folder: Path, data: Path, links: int | None) -> list[tuple[str, str, bool]]:
    """Make the database fit the folder and have enough links; returns them. Raises UserError."""
    about, lists = build.read_test(folder), build.read_lists(folder)
    places: dict[str, int] = {}
    for each in lists:
        if each["plan"] != about["plan"]:
            raise UserError(f"{folder} mixes the lists of two plans: build it again")
        places[str(each["language"])] = places.get(str(each["language"]), 0) + 1
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    base = store.connect(data / DATABASE)
    try:
        store.belong(base, about["plan"])
        wanted = {language: links or number + -(-number // 4) for language, number in places.items()}
        return store.add_links(base, wanted)
    finally:
        base.close()


def run(
    folder: Path,
    *,
    data: Path | None,
    links: int | None,
    host: str,
    port: int,
    url: str | None,
    abandoned: float,
    tell: Callable[[str], None],
) -> None:
    """Serve until Ctrl-C. Raises UserError."""
    data = data or build.private_folder(folder)
    if data.resolve() == folder.resolve() or folder.resolve() in data.resolve().parents:
        raise UserError(f"{data} is in the folder that listeners see: choose another --data")
    found = open_data(folder, data, links)
    with files.locked(data / LOCK, f"another server keeps its ratings in {data}: stop it, or give another --data"):
        server = _bind(host, port)
        name = f"[{host}]" if ":" in host else host
        address = url or f"http://{name}:{server.getsockname()[1]}"
        lines = [
            f"{language}\t{address.rstrip('/')}/#{token}\t{'used' if used else ''}" for token, language, used in found
        ]
        files.write_text(data / SERVER_LINKS, "\n".join(["language\tlink\tused", *lines]) + "\n")
        (data / SERVER_LINKS).chmod(0o600)
        tell(f"serving on {address}; links, one for each person: {data / SERVER_LINKS}; Ctrl-C stops")
        if host not in ("127.0.0.1", "localhost", "::1"):
            tell("note: others on this network can reach it; over the internet, put a proxy with https in front")
        _serve(folder, data, server, abandoned)


def _bind(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # asyncio sends without Nagle's delay of 40 ms only where the protocol is named
        server = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((host, port))
        server.listen(2048)  # before the address is told: who comes while the rest starts waits, and is not refused
    except OSError as problem:
        raise UserError(f"{host}:{port} cannot be listened on ({problem.strerror}): choose another --port") from None
    return server


def _serve(folder: Path, data: Path, sock: socket.socket, abandoned: float) -> None:
    import uvicorn

    writer = store.Writer(data / DATABASE)
    try:
        app = application(folder, writer, abandoned=abandoned)
        config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, lifespan="off")
        uvicorn.Server(config).run(sockets=[sock])
    finally:
        writer.close()
