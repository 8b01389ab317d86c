"""Each rating is collected once, with its condition, and what is not whole or not ours is told in one line."""

import csv
import hashlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import train.cli
from curate.errors import UserError
from tests.train.listen.test_server import ANSWERS, Server, rating
from train.listen import build, collect, design
from train.listen import plan as planned

AT = 1_700_000_000_000


def session(site: Path, listener: str, value: int = 4, **changes: Any) -> dict[str, Any]:
    """What the page of a listener has at the end."""
    own = next(each for each in build.read_lists(site) if each["listener"] == listener)
    ratings = [rating(trial["id"], value, at=AT + n) for n, trial in enumerate(own["trials"])]
    who = {key: own[key] for key in ("plan", "listener", "token")}
    events = [{"at": AT, "kind": "open", "item": "", "value": ""}]
    given = {"format": 1, "answers": ANSWERS, "consent": AT, "ratings": ratings, "events": events}
    return who | given | changes


def save(path: Path, content: dict[str, Any]) -> Path:
    """As the page writes its file."""
    body = json.dumps(content, ensure_ascii=False)
    path.write_text(
        json.dumps({"sha256": hashlib.sha256(body.encode()).hexdigest(), "content": body}), encoding="utf-8"
    )
    return path


def read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_every_rating_is_there_once_with_its_condition(site: Path, tmp_path: Path) -> None:
    files = [save(tmp_path / f"{name}.json", session(site, name, n + 1)) for n, name in enumerate(("km-001", "ko-002"))]
    facts = collect.collect(site, files, tmp_path / "r.csv")
    rows = read(tmp_path / "r.csv")
    plan = planned.read(build.private_folder(site))
    expected = []
    for name, value in (("km-001", 1), ("ko-002", 2)):
        trials = design.schedule(plan, name[:2], int(name[3:]))
        expected += [
            (name, trial.sentence, name[:2], trial.condition, str(value), trial.kind, str(at))
            for at, trial in enumerate(trials, start=1)
        ]
    assert [
        tuple(row[key] for key in ("listener", "sentence", "language", "condition", "rating", "kind", "trial"))
        for row in rows
    ] == expected
    assert facts == {"ratings": len(expected), "listeners": 2, "unfinished": 0, "notes": []}
    assert set(rows[0]) == set(collect.COLUMNS)
    assert {row["plan"] for row in rows} == {planned.digest(plan)}
    assert {(row["kind"], row["expected"]) for row in rows if row["expected"]} == {
        ("gold", "1..2"), ("gold", "4..5"), ("trap", "2"), ("trap", "4")
    }  # fmt: skip
    assert {row["headphones"] for row in rows} == {"passed"}
    assert rows[0]["given_at"].startswith("2023-11-14T22:13:20")
    assert read(tmp_path / "r.events.csv")[0] == {
        "listener": "km-001", "at": str(AT), "kind": "open", "item": "", "value": ""
    }  # fmt: skip


def serve(site: Path, value: int = 3, items: int | None = None) -> dict[str, Any]:
    """A session on the server; returns the listener's list."""
    served = Server(site)
    secret, given = served.claim(served.links["km"][0])
    served.call("answers", {"answers": ANSWERS}, secret)
    for n, trial in enumerate(given["trials"][:items]):
        assert served.call("rating", rating(trial["id"], value, at=AT + n), secret)[0] == 200
    served.client.close()
    served.writer.close()
    return given


def test_downloads_and_the_server_are_merged(site: Path, tmp_path: Path) -> None:
    serve(site)
    file = save(tmp_path / "ko.json", session(site, "ko-001"))
    facts = collect.collect(site, [file], tmp_path / "r.csv")
    assert facts["listeners"] == 2
    assert {row["listener"] for row in read(tmp_path / "r.csv")} == {"km-001", "ko-001"}


def test_the_server_is_collected_while_it_runs(site: Path, tmp_path: Path) -> None:
    served = Server(site)
    secret, given = served.claim(served.links["km"][0])
    served.call("rating", rating(given["trials"][0]["id"]), secret)
    facts = collect.collect(site, [], tmp_path / "r.csv")
    assert (facts["ratings"], facts["unfinished"]) == (1, 1)
    served.writer.close()


def test_the_same_file_twice_counts_once(site: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    content = session(site, "km-001")
    for name in ("ratings.json", "ratings (1).json"):  # as browsers name a second download
        save(tmp_path / "in" / name, content)
    facts = collect.collect(site, [tmp_path / "in"], tmp_path / "r.csv")
    assert facts["listeners"] == 1
    assert "counted once" in facts["notes"][0]
    assert len(read(tmp_path / "r.csv")) == facts["ratings"] == len(content["ratings"])


def test_who_withdrew_or_left_is_left_out_and_told(site: Path, tmp_path: Path) -> None:
    served = Server(site, abandoned=60)
    one, given = served.claim(served.links["km"][0])
    served.call("rating", rating(given["trials"][0]["id"]), one)
    served.call("withdraw", None, one)
    two, given = served.claim(served.links["km"][1])
    served.call("rating", rating(given["trials"][0]["id"], 2), two)
    base = sqlite3.connect(served.data / "ratings.sqlite")
    base.execute("UPDATE sessions SET state = 'abandoned' WHERE state = 'active'")
    base.commit()
    base.close()
    three, given = served.claim(served.links["km"][2])
    served.call("rating", rating(given["trials"][0]["id"], 5), three)
    facts = collect.collect(site, [], tmp_path / "r.csv")
    assert [row["rating"] for row in read(tmp_path / "r.csv")] == ["5"]
    assert sorted(facts["notes"]) == [
        "1 listener left, and the place went to another: left out",
        "1 listener withdrew: left out",
    ]
    served.writer.close()


def test_what_could_not_be_played_has_no_rating(site: Path, tmp_path: Path) -> None:
    content = session(site, "km-001")
    item = content["ratings"][2]["item"]
    content["ratings"][2] = rating(item, None)
    facts = collect.collect(site, [save(tmp_path / "a.json", content)], tmp_path / "r.csv")
    assert facts["notes"] == ["1 item could not be played: no rating"]
    assert facts["ratings"] == len(content["ratings"]) - 1
    assert facts["unfinished"] == 0


def refused(site: Path, tmp_path: Path, *files: Path, **options: Any) -> str:
    with pytest.raises(UserError) as error:
        collect.collect(site, files, tmp_path / "r.csv", **options)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "r.csv").exists()
    return str(error.value)


def test_a_listener_with_two_sets_of_ratings_is_told_with_both_places(site: Path, tmp_path: Path) -> None:
    one = save(tmp_path / "one.json", session(site, "km-001", 3))
    two = save(tmp_path / "two.json", session(site, "km-001", 4))
    said = refused(site, tmp_path, one, two)
    assert "km-001 is in" in said
    assert "one.json" in said
    assert "two.json" in said
    serve(site)
    assert "ratings.sqlite" in refused(site, tmp_path, two)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.update(plan="e" * 64), "has ratings of another plan (eeeeeeeeeeee)"),
        (lambda c: c.update(token="f" * 32), "is of no listener of this plan"),
        (lambda c: c.update(token=None), "is of no listener of this plan"),
        (lambda c: c["ratings"][0].update(rating=6), "rating 6 is not on the scale 1, 2, 3, 4, 5"),
        (lambda c: c["ratings"][0].update(rating=3.5), "rating 3.5 is not on the scale"),
        (lambda c: c["ratings"][0].update(item="ffffffffffff"), "rates ffffffffffff, which km-001 does not hear"),
        (lambda c: c["ratings"].append(c["ratings"][0]), "rates one item twice"),
        (lambda c: c["ratings"][0].update(at=-1), "at is no count"),
        (lambda c: c.update(ratings=None), "there are no ratings"),
        (lambda c: c.update(answers=None), "answers are native"),
        (lambda c: c.update(events=[1]), "an event is an object"),
    ],
)
def test_a_file_that_no_page_of_this_test_wrote_is_told(
    site: Path, tmp_path: Path, change: Callable, said: str
) -> None:
    content = session(site, "km-001")
    change(content)
    assert said in refused(site, tmp_path, save(tmp_path / "a.json", content))


def test_half_a_file_and_a_changed_one_are_told(site: Path, tmp_path: Path) -> None:
    file = save(tmp_path / "a.json", session(site, "km-001"))
    whole = file.read_text(encoding="utf-8")
    for cut in (0, 1, len(whole) // 2, len(whole) - 1):
        file.write_text(whole[:cut], encoding="utf-8")
        assert "is not a whole file of ratings" in refused(site, tmp_path, file)
    file.write_text(whole.replace('\\"rating\\": 4', '\\"rating\\": 5', 1), encoding="utf-8")
    assert "was changed since the page wrote it" in refused(site, tmp_path, file)
    for other in ("[1]", "3", '"x"', '{"sha256": 1, "content": 2}', "{}", "[" * 100_000):
        file.write_text(other)
        assert "is not a whole file of ratings" in refused(site, tmp_path, file)
    file.write_bytes(b"\xff\xfe\x00")
    assert "is not a whole file of ratings" in refused(site, tmp_path, file)


def test_what_is_not_there_is_told(site: Path, tmp_path: Path, built: Path) -> None:
    assert "there are no ratings yet" in refused(site, tmp_path)
    assert "no .json file" in refused(site, tmp_path, built / "audio")
    assert "cannot be read: No such file" in refused(site, tmp_path, tmp_path / "none.json")
    assert "was not made by `train listen build`" in refused(tmp_path, tmp_path)
    assert "there is no" in refused(site, tmp_path, plan=tmp_path / "none.json")


def test_a_server_of_another_plan_is_told(site: Path, tmp_path: Path) -> None:
    serve(site)
    base = sqlite3.connect(build.private_folder(site) / "ratings.sqlite")
    base.execute("UPDATE about SET value = 'other'")
    base.commit()
    base.close()
    assert "has ratings of another plan" in refused(site, tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ratings.sqlite").write_bytes(b"nothing of the kind" * 100)
    assert "cannot be read as the ratings of a server" in refused(site, tmp_path, data=tmp_path / "data")


def test_the_command_says_what_it_wrote(site: Path, tmp_path: Path) -> None:
    save(tmp_path / "a.json", session(site, "km-002"))
    words = ["listen", "collect", str(site), str(tmp_path / "a.json"), "--into", str(tmp_path / "r.csv"), "--json"]
    ran = CliRunner().invoke(train.cli.app, words, catch_exceptions=False)
    assert json.loads(ran.stdout)["listeners"] == 1
