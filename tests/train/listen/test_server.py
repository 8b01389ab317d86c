"""The server keeps what it acknowledged, gives nobody what is not theirs, and bounds what comes in."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from curate.errors import UserError
from train.listen import build, limiter, server, store
from train.listen import plan as planned

ANSWERS = {"native": "yes", "region": "Siem Reap", "device": "phone", "headphones": "yes", "check": "passed"}


class Server:
    """A served folder, in this process: calls of its API, and the links of each language."""

    def __init__(self, site: Path, abandoned: float = 3600) -> None:
        self.data = build.private_folder(site)
        found = server.open_data(site, self.data, None)
        self.links = {language: [t for t, of, _ in found if of == language] for language in ("km", "ko")}
        self.writer = store.Writer(self.data / server.DATABASE)
        self.client = TestClient(server.application(site, self.writer, abandoned=abandoned), base_url="http://test")

    def call(self, name: str, body: Any = None, session: str = "") -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {session}"} if session else {}
        answer = self.client.post(f"/api/{name}", json={} if body is None else body, headers=headers)
        return answer.status_code, answer.json()

    def claim(self, link: str) -> tuple[str, dict[str, Any]]:
        status, answer = self.call("claim", {"link": link})
        assert status == 200, answer
        return answer["session"], answer["list"]

    def rows(self, what: str) -> list[tuple[Any, ...]]:
        base = sqlite3.connect(self.data / server.DATABASE)
        try:
            return base.execute(what).fetchall()
        finally:
            base.close()


def rating(item: str, value: int | None = 4, **changes: Any) -> dict[str, Any]:
    heard = value is not None
    return {"item": item, "rating": value, "replays": 0, "seconds_to_rate": 1.5 if heard else None,
            "heard_to_end": heard, "at": 1_700_000_000_000, **changes}  # fmt: skip


@pytest.fixture
def served(site: Path) -> Iterator[Server]:
    made = Server(site)
    yield made
    made.client.close()
    made.writer.close()


def test_a_session_from_link_to_code(served: Server) -> None:
    link = served.links["km"][0]
    status, about = served.call("link", {"link": link})
    assert (status, about["language"], about["name"]) == (200, "km", "Voices")
    session, given = served.claim(link)
    assert given["listener"] == "km-001"
    assert about["items"] == len(given["trials"])
    assert served.call("answers", {"answers": ANSWERS}, session)[0] == 200
    for trial in given["trials"]:
        assert served.call("finish", None, session) == (409, {"error": "unfinished"})
        assert served.call("rating", rating(trial["id"]), session) == (200, {"item": trial["id"]})
    status, done = served.call("finish", None, session)
    assert status == 200
    assert served.call("finish", None, session) == (200, done)
    state = served.call("state", None, session)[1]
    assert (state["code"], state["answers"]) == (done["code"], ANSWERS)
    assert sorted(state["rated"]) == [trial["id"] for trial in given["trials"]]


def test_a_link_is_used_once_and_looking_does_not_use_it(served: Server) -> None:
    link = served.links["km"][0]
    for _ in range(3):
        assert served.call("link", {"link": link})[0] == 200
    served.claim(link)
    assert served.call("claim", {"link": link}) == (409, {"error": "used"})
    assert served.call("link", {"link": link}) == (409, {"error": "used"})
    assert len({*served.links["km"], *served.links["ko"]}) == 6
    assert all(len(link) >= 24 for link in served.links["km"])


@pytest.mark.parametrize("link", ["", "x", "../../etc/passwd", "a" * 24, "a" * 10_000, None, 7, ["a"], {"a": 1}])
def test_a_link_that_is_none_is_not_known(served: Server, link: Any) -> None:
    for name in ("link", "claim"):
        assert served.call(name, {"link": link}) == (404, {"error": "unknown"})


def test_places_are_given_once_and_freed_when_given_back(served: Server) -> None:
    one, two, three = served.links["km"]
    first, given = served.claim(one)
    assert served.claim(two)[1]["listener"] == "km-002"
    assert served.call("claim", {"link": three}) == (409, {"error": "full"})
    served.call("answers", {"answers": ANSWERS}, first)
    served.call("rating", rating(given["trials"][0]["id"]), first)
    served.call("events", {"events": [{"at": 1, "kind": "play", "item": "", "value": ""}]}, first)
    assert served.call("withdraw", None, first)[0] == 200
    assert served.rows("SELECT * FROM ratings") == served.rows("SELECT * FROM events") == []
    assert served.rows("SELECT answers FROM sessions WHERE state = 'returned'") == [(None,)]
    assert served.call("rating", rating(given["trials"][0]["id"]), first) == (410, {"error": "gone"})
    assert served.claim(three)[1]["listener"] == "km-001"
    assert served.claim(served.links["ko"][0])[1]["listener"] == "ko-001"  # the other language has its own places


def test_an_abandoned_place_goes_to_another_and_a_finished_or_lively_one_does_not(site: Path) -> None:
    served = Server(site, abandoned=60)
    old, given = served.claim(served.links["km"][0])
    done, all_of_it = served.claim(served.links["km"][1])
    for trial in all_of_it["trials"]:
        served.call("rating", rating(trial["id"]), done)
    served.call("finish", None, done)
    assert served.call("claim", {"link": served.links["km"][2]}) == (409, {"error": "full"})
    base = sqlite3.connect(served.data / server.DATABASE)
    base.execute("UPDATE sessions SET seen = seen - 100")
    base.commit()
    base.close()
    assert served.claim(served.links["km"][2])[1]["listener"] == given["listener"]
    assert served.call("state", None, old) == (410, {"error": "gone"})
    assert served.call("state", None, done)[0] == 200
    served.writer.close()


def test_a_rating_stands_once_as_first_given(served: Server) -> None:
    session, given = served.claim(served.links["ko"][0])
    item = given["trials"][3]["id"]
    assert served.call("rating", rating(item, 2), session)[0] == 200
    assert served.call("rating", rating(item, 2), session)[0] == 200  # a page that did not hear the answer sends again
    assert served.call("rating", rating(item, 5), session) == (409, {"error": "rated"})
    assert served.rows("SELECT item, rating FROM ratings") == [(item, 2)]


def test_nobody_rates_in_anothers_name_or_anothers_items(served: Server) -> None:
    session, own = served.claim(served.links["km"][0])
    _, other = served.claim(served.links["ko"][0])
    foreign = next(trial["id"] for trial in other["trials"] if trial["id"] not in {t["id"] for t in own["trials"]})
    assert served.call("rating", rating(foreign), session) == (422, {"error": "item"})
    for wrong in ("", "x", "b" * 43, session[:-1], f"{session}x", "' OR 1=1 --"):
        for name in ("state", "answers", "rating", "events", "finish", "withdraw"):
            body = {"answers": ANSWERS, "events": [], **rating(own["trials"][0]["id"])}
            assert served.call(name, body, wrong) == (401, {"error": "unknown"})
    assert served.rows("SELECT * FROM ratings") == []


@pytest.mark.parametrize(
    "bad",
    [{"rating": 6}, {"rating": 0}, {"rating": 3.5}, {"rating": "4"}, {"rating": True}, {"rating": 1e400}, {"item": 5},
     {"item": "x" * 100}, {"replays": -1}, {"replays": 1e9}, {"replays": True}, {"seconds_to_rate": -1},
     {"seconds_to_rate": "1"}, {"seconds_to_rate": 1e12}, {"heard_to_end": 1}, {"heard_to_end": False}, {"at": -5},
     {"at": 2**60}, {"at": 1.5}, {"rating": None}, {"rating": [4]}],
)  # fmt: skip
def test_a_rating_out_of_bounds_is_not_kept(served: Server, bad: dict[str, Any]) -> None:
    session, given = served.claim(served.links["km"][0])
    body = json.dumps(rating(given["trials"][0]["id"]) | bad)
    headers = {"Authorization": f"Bearer {session}", "Content-Type": "application/json"}
    answer = served.client.post("/api/rating", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert served.rows("SELECT * FROM ratings") == []


@pytest.mark.parametrize(
    "bad",
    [None, [], "x", {}, ANSWERS | {"native": "maybe"}, ANSWERS | {"region": ""}, ANSWERS | {"region": "x" * 61},
     ANSWERS | {"name": "A"}, ANSWERS | {"region": 5}, ANSWERS | {"check": None}],
)  # fmt: skip
def test_answers_out_of_bounds_are_not_kept(served: Server, bad: Any) -> None:
    session, _ = served.claim(served.links["km"][0])
    assert served.call("answers", {"answers": bad}, session)[0] == 422
    assert served.call("state", None, session)[1]["answers"] is None


def test_a_region_cannot_be_a_formula_or_more_than_a_line(served: Server) -> None:
    session, _ = served.claim(served.links["km"][0])
    served.call("answers", {"answers": ANSWERS | {"region": "=2+3\r\n\x1b[31mភ្នំពេញ "}}, session)
    assert served.call("state", None, session)[1]["answers"]["region"] == "2+3 [31mភ្នំពេញ"


def test_bodies_are_small_json_objects(served: Server) -> None:
    post, kind = served.client.post, {"Content-Type": "application/json"}
    assert post("/api/link", content=b"x" * (server.LARGEST_BODY + 1), headers=kind).status_code == 413
    chunks = (b"x" * 9_000 for _ in range(100))  # without a length
    assert post("/api/link", content=chunks, headers=kind).status_code == 413
    for content in (b"", b"{", b"[1]", b"3", b"\xff", b'{"link": NaN}', b"[" * 30_000):
        assert post("/api/link", content=content, headers=kind).status_code == 400, content[:10]
    assert post("/api/link", data={"link": "x"}).status_code == 415
    assert post("/api/link", content=b"{}").status_code == 415


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time passes for who is limited, however slow the machine is."""
    monkeypatch.setattr(limiter.time, "monotonic", lambda: 100.0)


def test_who_is_limited_may_go_on_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    bucket, now = limiter.Limiter(3, 0.5), [100.0]
    monkeypatch.setattr(limiter.time, "monotonic", lambda: now[0])
    assert [bucket.take("a") for _ in range(5)] == [True, True, True, False, False]
    assert bucket.take("b")
    now[0] += 4
    assert [bucket.take("a") for _ in range(3)] == [True, True, False]


@pytest.mark.usefixtures("still")
def test_who_tries_many_links_waits_and_sessions_go_on(served: Server) -> None:
    session, _ = served.claim(served.links["km"][0])
    tried = [served.call("link", {"link": f"{number:030d}"})[0] for number in range(server.WRONG + 20)]
    assert tried.count(404) == server.WRONG
    assert set(tried[server.WRONG :]) == {429}
    assert served.call("state", None, session)[0] == 200


@pytest.mark.usefixtures("still")
def test_a_session_is_not_called_without_end(served: Server) -> None:
    session, _ = served.claim(served.links["km"][0])
    statuses = [served.call("state", None, session)[0] for _ in range(server.BURST + 30)]
    assert statuses == [200] * server.BURST + [429] * 30


def test_events_are_kept_to_a_bound(served: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_EVENTS", 250)
    session, _ = served.claim(served.links["km"][0])
    event = {"at": 5, "kind": "blur", "item": "", "value": "x"}
    assert served.call("events", {"events": [event] * 201}, session)[0] == 422
    assert served.call("events", {"events": [event | {"value": "x" * 81}]}, session)[0] == 422
    for _ in range(3):
        assert served.call("events", {"events": [event] * 100}, session)[0] == 200
    assert served.rows("SELECT count(*) FROM events") == [(250,)]


PATHS = [
    "/test.json", "/lists/", "/audio/", "/page/", "/plan.json", "/site-private/plan.json", "/../site-private/plan.json",
    "/audio/../test.json", "/audio/..%2f..%2fsite-private%2fplan.json", "/audio/%2e%2e/test.json",
    "/page/..%2ftest.json",
    "/page/OFL.txt", "/page/page.html", "/audio/ffffffffffffffffffffffff.wav", "/page/page.js%00", "/api", "/api/",
    "/api/key", "/ratings.sqlite", "/site-private/ratings.sqlite", "//etc/passwd", "/audio//etc/passwd", "/index.html",
]  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_no_other_path_answers(served: Server, site: Path, method: str) -> None:
    token = build.read_lists(site)[0]["token"]
    for path in (*PATHS, f"/{token}.html", f"/lists/{token}.js"):
        answer = served.client.request(method, path)
        assert answer.status_code in (404, 405, 415), (method, path, answer.status_code)
        assert "Traceback" not in answer.text


def test_what_is_served_tells_no_condition_and_no_key(served: Server, site: Path) -> None:
    plan = planned.read(served.data)
    session, given = served.claim(served.links["km"][0])
    texts = [served.client.get("/").text, *(served.client.get(f"/page/{name}").text for name in server.PAGES)]
    texts += [json.dumps(given), json.dumps(served.call("state", None, session)[1])]
    for word in (*plan.conditions, "low-anchor", plan.salt, "km-002", *(f"km{number}" for number in range(7))):
        assert not [text for text in texts if f'"{word}"' in text or f"/{word}" in text], word
    assert "token" not in given


def test_pages_and_sounds_are_served_with_care(served: Server, site: Path) -> None:
    name = next((site / "audio").iterdir()).name
    whole = (site / "audio" / name).read_bytes()
    sound = served.client.get(f"/audio/{name}")
    assert (sound.status_code, sound.content, sound.headers["content-type"]) == (200, whole, "audio/wav")
    head = served.client.head(f"/audio/{name}")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(whole)))
    assert head.headers["accept-ranges"] == "bytes"  # without ranges Safari plays nothing
    part = served.client.get(f"/audio/{name}", headers={"Range": "bytes=0-1"})
    assert (part.status_code, part.content) == (206, whole[:2])
    assert part.headers["content-range"] == f"bytes 0-1/{len(whole)}"
    assert served.client.get(f"/audio/{name}", headers={"Range": "bytes=44-"}).content == whole[44:]
    assert served.client.get(f"/audio/{name}", headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
    for path in ("/", "/page/page.js", f"/audio/{name}", "/nothing"):
        headers = served.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]


def test_what_is_told_once_is_there_after_the_next_start(site: Path) -> None:
    first = Server(site)
    session, given = first.claim(first.links["km"][0])
    first.call("rating", rating(given["trials"][0]["id"], 3), session)
    again = Server(site)  # beside the first, which is never closed: as after a SIGKILL
    assert again.links == first.links
    assert again.call("state", None, session)[1]["rated"] == [given["trials"][0]["id"]]
    first.writer.close()
    again.writer.close()


def test_a_change_that_fails_takes_back_its_own_alone(tmp_path: Path) -> None:
    writer = store.Writer(tmp_path / "r.sqlite")

    def good(base: sqlite3.Connection) -> None:
        base.execute("INSERT INTO about VALUES ('good', '1')")

    def bad(base: sqlite3.Connection) -> None:
        base.execute("INSERT INTO about VALUES ('bad', '1')")
        raise store.Refused(409, "no")

    async def both() -> list[Any]:
        return await asyncio.gather(writer.do(good), writer.do(bad), return_exceptions=True)

    one, other = asyncio.run(both())
    assert one is None
    assert isinstance(other, store.Refused)
    writer.close()
    base = sqlite3.connect(tmp_path / "r.sqlite")
    assert base.execute("SELECT key FROM about").fetchall() == [("good",)]
    assert base.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    base.close()


def test_a_full_disk_is_no_acknowledgement(site: Path, full_disk: Callable) -> None:
    served = Server(site)
    session, given = served.claim(served.links["km"][0])
    with full_disk((served.data / "ratings.sqlite-wal").stat().st_size), pytest.raises(sqlite3.OperationalError):
        served.call("rating", rating(given["trials"][0]["id"]), session)
    assert served.call("rating", rating(given["trials"][0]["id"]), session)[0] == 200
    assert len(served.rows("SELECT * FROM ratings")) == 1
    served.writer.close()


def test_ratings_of_another_plan_and_a_broken_database_are_refused(site: Path, tmp_path: Path) -> None:
    data = build.private_folder(site)
    server.open_data(site, data, None)
    for path in [site / "test.json", *(site / "lists").iterdir()]:
        digest = build.read_test(site)["plan"] if path.name == "test.json" else digest  # noqa: F821
        path.write_text(path.read_text(encoding="utf-8").replace(digest, "e" * 64), encoding="utf-8")
    with pytest.raises(UserError, match="belong to another plan"):
        server.open_data(site, data, None)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "ratings.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(UserError, match="cannot be opened"):
        server.open_data(site, tmp_path / "other", None)


def test_more_links_are_added_to_those_there(site: Path) -> None:
    data = build.private_folder(site)
    before = {token for token, _, _ in server.open_data(site, data, None)}
    after = server.open_data(site, data, 5)
    assert before < {token for token, _, _ in after}
    assert [language for _, language, _ in after] == ["km"] * 5 + ["ko"] * 5
