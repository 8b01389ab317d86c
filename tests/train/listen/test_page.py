"""The page in a real browser: by finger and by keyboard, from a folder and from the server, and its mishaps."""

import csv
import hashlib
import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.train.listen import browser as browsing
from tests.train.listen.browser import DESKTOP, PHONE, Listener, Process, serious
from tests.train.listen.conftest import tone
from train.listen import build, collect, design, planning
from train.listen import plan as planned

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browsing.CHROMIUM is None, reason="there is no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        made = started.chromium.launch(executable_path=browsing.CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


def make_site(place: Path, **changes: Any) -> Path:
    """A test of few and very short items."""
    rows = ["id\tlanguage\ttext"]
    for language in ("km", "ko"):
        for number in range(3):
            rows.append(f"{language}{number}\t{language}\tx")
            for k, condition in enumerate(("zero-shot", "r8")):
                tone(place / "stimuli" / condition / f"{language}{number}.wav", 200 + 30 * k + number, 0.1, 0.15)
        tone(place / "traps" / language / "2.wav", 400, 0.1, 0.15)
    (place / "stimuli" / "sentences.tsv").write_text("\n".join(rows), encoding="utf-8")
    options: dict[str, Any] = {"training": 1, "anchors": 0, "gold": 0, "repeats": 1, **changes}
    choices = planning.Choices(baseline="zero-shot", listeners={"": 2}, **options)
    plan = planning.make(place / "stimuli", place / "plan", choices, trap_audio=place / "traps")
    planned.write(plan, place / "plan")
    build.build(place / "plan", place / "site")
    return place / "site"


ITEMS = 5  # training, two sentences, a trap and a repeat


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_site(tmp_path_factory.mktemp("short"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    started = Process(make_site(tmp_path_factory.mktemp("served")))
    yield started
    started.kill()


@pytest.fixture
def listener(chromium: Any) -> Iterator[Callable[..., Listener]]:
    made: list[Listener] = []

    def make(device: dict[str, Any], **options: Any) -> Listener:
        made.append(Listener(chromium, device, **options))
        return made[-1]

    yield make
    for each in made:
        each.context.close()


def own_page(site: Path, name: str) -> str:
    """The address of a listener's page in the folder."""
    lines = (build.private_folder(site) / "links.tsv").read_text(encoding="utf-8").splitlines()
    return f"file://{site}/" + next(line.split("\t")[2] for line in lines if line.startswith(name))


def test_by_finger_from_a_folder_closed_and_opened_again_to_the_file(
    short: Path, listener: Callable[..., Listener], tmp_path: Path
) -> None:
    one, address = listener(PHONE), own_page(short, "km-001")
    page = one.open(address)
    assert page.evaluate("document.documentElement.lang") == "km"
    found = serious(page)
    one.press("main > button")  # without agreeing
    assert page.locator(".notice[role=status] >> visible=true").count()
    one.arrive("ភ្នំពេញ")
    found += serious(page) + page.evaluate(browsing.SMALL_TARGETS)
    assert page.locator("fieldset input").first.is_disabled()
    assert page.locator("legend").inner_text() == "តើសំឡេងនិយាយនេះស្តាប់ទៅធម្មជាតិកម្រិតណា?"
    one.hear()
    one.press("label[for=rating_3]")
    found += serious(page)
    one.press("button[type=submit]")
    one.press("main > button")  # the practice is over
    one.rate(5)
    page.close()  # a closed tab
    page = one.open(address)
    assert "2" in page.locator("h1").inner_text()
    assert one.rate_all(2) == ITEMS - 2
    found += serious(page)
    with page.expect_download() as saved:
        one.press("main > button")
    file = tmp_path / saved.value.suggested_filename
    saved.value.save_as(file)
    assert found == []
    assert one.complaints == []

    facts = collect.collect(short, [file], tmp_path / "ratings.csv")
    assert (facts["ratings"], facts["unfinished"], facts["notes"]) == (ITEMS, 0, [])
    rows = list(csv.DictReader((tmp_path / "ratings.csv").read_text(encoding="utf-8").splitlines()))
    plan = planned.read(build.private_folder(short))
    assert [row["kind"] for row in rows] == [trial.kind for trial in design.schedule(plan, "km", 1)]
    assert [row["rating"] for row in rows] == ["3", "5", "2", "2", "2"]
    assert {(row["device"], row["native"], row["headphones"], row["region"]) for row in rows} == {
        ("phone", "yes", "no", "ភ្នំពេញ")
    }
    assert all(row["heard_to_end"] == "yes" and float(row["seconds_to_rate"]) >= 0 for row in rows)
    events = (tmp_path / "ratings.events.csv").read_text(encoding="utf-8")
    assert all(f",{kind}," in events for kind in ("open", "play", "playing", "ended", "choose"))


def agree_and_answer_by_keys(page: Any) -> None:
    """From the first screen to the button that starts the check of headphones."""
    page.focus("#agree")
    for name in ("Space", "Tab", "Enter"):
        page.keyboard.press(name)
    page.wait_for_selector("#native")
    for name in ("Tab", "Space", "Tab"):
        page.keyboard.press(name)
    assert page.evaluate("document.activeElement.id") == "region"
    page.keyboard.type("서울")
    for name in ("Tab", "Tab", "Space", "Tab"):  # the computer is chosen already
        page.keyboard.press(name)
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"  # the focus is seen


def check_headphones_by_keys(page: Any) -> None:
    """All three rounds, answered rightly; the tones are looked at instead of played."""
    page.evaluate("() => { Samsori.playTones = (context, tones, during, done) => { window.tones = tones; done(); }; }")
    page.keyboard.press("Enter")
    for round_ in range(3):
        page.wait_for_selector(f".hint >> text=/{round_ + 1}회$/")
        page.focus("main .play")
        page.keyboard.press("Space")
        page.wait_for_selector("input[name=quietest]:focus")
        quiet = page.evaluate("window.tones.indexOf('quiet')")
        page.keyboard.press("Space")
        for _ in range(quiet):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")


def test_by_keyboard_from_the_server_killed_and_started_again(
    server: Process, listener: Callable[..., Listener]
) -> None:
    link, other = server.links("ko")[:2]
    one, two = listener(DESKTOP), listener(PHONE)
    page = one.open(link)
    page.wait_for_selector("#agree")
    two.open(other).wait_for_selector("#agree")
    two.arrive("부산")  # two at once
    key = page.keyboard.press
    agree_and_answer_by_keys(page)
    check_headphones_by_keys(page)
    page.wait_for_selector(".keys")
    assert serious(page) == []
    page.focus("main > button")
    key("Enter")
    for number in range(ITEMS):
        if number == 1:
            page.focus("main > button")
            key("Enter")
        page.wait_for_selector("form.item .play:not(.heard)")
        if number == 2:
            server.kill()
        assert page.evaluate("document.activeElement.className") == "play"
        if number != 2:
            key("Space")
        else:  # its sound was fetched ahead, or will be asked for again
            server.start()
            key("Space")
        page.wait_for_selector("input[name=rating]:focus")
        if number == 3:  # the server is away while a rating is given, and the next is heard
            server.kill()
        key("Space")
        key("ArrowDown")
        key("Enter")
        if number == 3:
            page.wait_for_selector("footer .notice >> visible=true")
            page.wait_for_selector("form.item .play:not(.heard)")
            server.start()
    page.wait_for_selector(".code", timeout=30_000)
    code = page.locator(".code").inner_text()
    base = sqlite3.connect(build.private_folder(server.folder) / "ratings.sqlite")
    kept = base.execute(
        "SELECT rating FROM ratings JOIN sessions ON id = session WHERE code = ? AND state = 'finished'",
        (code,),
    ).fetchall()
    assert kept == [(4,)] * ITEMS
    assert base.execute("SELECT json_extract(answers, '$.check') FROM sessions WHERE code = ?", (code,)).fetchone() == (
        "passed",
    )
    assert base.execute("SELECT count(*) FROM events WHERE kind = 'ended'").fetchone()[0] >= ITEMS - 1
    base.close()
    assert two.rate_all(5) == ITEMS
    page.reload()
    page.wait_for_selector(".code")
    assert page.locator(".code").inner_text() == code
    stranger = listener(DESKTOP)
    stranger.open(link).wait_for_selector("text=/이미 사용된|already/")
    assert [text for text in one.complaints if "Failed to load" not in text] == []  # but for the server's absence
    assert two.complaints == []


def test_the_server_says_what_is_wrong_with_a_link_and_a_place_is_given_back(
    server: Process, listener: Callable[..., Listener]
) -> None:
    link = server.links("km")[0]
    one = listener(PHONE, locale="en-GB")
    address = link.partition("#")[0]
    said = one.open(address).locator("main").inner_text().split("\n\n")
    assert said == ["Listening test", "Please open the link that you were given."]  # and nothing below it
    page = one.open(f"{address}#{'x' * 24}")
    page.wait_for_selector("h1")
    assert "not known" in page.locator("main").inner_text()
    page = one.open(link)
    one.press("button[lang=en]")
    assert page.evaluate("document.documentElement.lang") == "en"
    one.arrive("Kep")
    one.press("summary")
    assert serious(page) == []
    one.press("details button")
    page.wait_for_selector("text=have been deleted")
    page = one.open(link)
    page.wait_for_selector("text=used already")


def test_a_sound_that_does_not_start_is_told_and_can_be_left_out(
    short: Path, server: Process, listener: Callable[..., Listener]
) -> None:
    one = listener(DESKTOP, locale="en-GB")
    page = one.open(server.links("km")[1])
    one.press("button[lang=en]")
    one.arrive("Kep")
    waiting: list[Any] = []
    page.route("**/audio/*", lambda route: waiting.append(route))  # never answered
    page.reload()
    page.wait_for_selector("form.item")
    one.press(".play")
    page.wait_for_selector("text=has not started yet", timeout=6_000)
    page.unroute("**/audio/*")
    page.route("**/audio/*", lambda route: route.abort())
    one.press(".play")
    page.wait_for_selector("text=cannot be played", timeout=6_000)
    page.unroute("**/audio/*")
    one.press(".play")  # and then it can
    page.wait_for_selector(".heard")
    assert not page.locator("fieldset input").first.is_disabled()
    assert page.locator(".skip").is_visible()
    one.press(".skip")
    page.wait_for_selector("form.item, main > button")
    base = sqlite3.connect(build.private_folder(server.folder) / "ratings.sqlite")
    for _ in range(100):
        if base.execute("SELECT count(*) FROM ratings WHERE rating IS NULL AND heard = 0").fetchone() == (1,):
            break
        page.wait_for_timeout(50)
    else:
        pytest.fail("what was left out is not kept")
    base.close()


def test_who_jumps_to_the_end_has_not_heard_it(short: Path, listener: Callable[..., Listener]) -> None:
    one = listener(DESKTOP, locale="en-GB")
    page = one.open(own_page(short, "ko-001"))
    one.press("button[lang=en]")
    one.arrive("Seoul")
    page.evaluate(
        """() => { const play = HTMLMediaElement.prototype.play;
        HTMLMediaElement.prototype.play = function () {
            const jump = () => { this.currentTime = this.duration - 0.02; };
            this.addEventListener("playing", jump, {once: true});
            return play.call(this); }; }"""
    )
    one.press(".play")
    page.wait_for_selector("text=stopped before its end")
    assert page.locator("fieldset input").first.is_disabled()
    assert page.locator("button[type=submit]").is_disabled()
    page.reload()
    one.hear()
    assert not page.locator("fieldset input").first.is_disabled()
    one.press(".play")
    page.keyboard.press("3")
    one.press("button[type=submit]")  # while it plays again: nothing sounds on
    assert page.evaluate("JSON.parse(Object.values(localStorage)[0]).ratings") != {}
    assert one.complaints == []


def test_a_comparison_is_heard_on_both_sides(tmp_path: Path, listener: Callable[..., Listener]) -> None:
    site = make_site(tmp_path, method="cmos", traps=0, repeats=0, count=2)
    one = listener(PHONE)
    page = one.open(own_page(site, "ko-002"))
    one.arrive("대구")
    assert page.locator(".play").count() == 2
    one.press(".player:nth-child(1) .play")
    page.wait_for_selector(".heard")
    assert page.locator("fieldset input").first.is_disabled()
    assert serious(page) == []
    assert page.evaluate(browsing.SMALL_TARGETS) == []
    one.rate(-2)
    assert one.rate_all(3) == 2
    with page.expect_download() as saved:
        one.press("main > button")
    saved.value.save_as(tmp_path / "r.json")
    collect.collect(site, [tmp_path / "r.json"], tmp_path / "r.csv")
    for row in csv.DictReader((tmp_path / "r.csv").read_text(encoding="utf-8").splitlines()):
        given = -2 if row["kind"] == "training" else 3
        assert int(row["rating"]) == (given if row["first"] == "zero-shot" else -given)
    assert one.complaints == []


def test_the_page_orders_as_python_does(short: Path, listener: Callable[..., Listener]) -> None:
    page = listener(DESKTOP).open(own_page(short, "km-002"))
    plan = planned.read(build.private_folder(short))
    own = next(each for each in build.read_lists(short) if each["listener"] == "km-002")
    ordered = page.evaluate("list => Samsori.ordered(list).map(trial => trial.id)", own)
    assert ordered == [trial.id for trial in design.schedule(plan, "km", 2)]
    rng = random.Random(0)
    words = ["", "ភាសាខ្មែរ", "한국어 😀", *("x" * n for n in (54, 55, 56, 63, 64, 65, 119, 120, 128))]
    words += ["".join(chr(rng.randrange(32, 0xD7FF)) for _ in range(rng.randrange(200))) for _ in range(50)]
    hashes = page.evaluate("texts => texts.map(text => Samsori.sha256(text))", words)
    assert hashes == [hashlib.sha256(word.encode()).hexdigest() for word in words]
    square = ["a", "b", "c", "d", "e"]
    pairs = [(j, n) for j in range(12) for n in range(12)]
    got = page.evaluate("([square, pairs]) => pairs.map(([j, n]) => Samsori.latin(square, j, n))", [square, pairs])
    assert got == [design.latin(square, j, n) for j, n in pairs]


def test_khmer_is_shaped_by_the_letters_that_the_page_brings(short: Path, listener: Callable[..., Listener]) -> None:
    one = listener(PHONE)
    page = one.open(own_page(short, "km-001"))
    page.evaluate("document.fonts.ready")
    widths = page.evaluate(
        """() => { const pen = document.createElement("canvas").getContext("2d"); pen.font = '40px "Samsori Khmer"';
        return ["ក", "កក", "ក្ក", "ស្រ", "ស", "រ"].map(text => pen.measureText(text).width); }"""
    )
    ka, two, stacked, sra, sa, ro = widths
    assert two == pytest.approx(2 * ka)
    assert stacked == pytest.approx(ka, abs=1)  # the second stands below the first
    assert sa < sra < sa + ro  # and this one is written before it, in its short form
    tools = one.context.new_cdp_session(page)
    tools.send("DOM.enable")
    tools.send("CSS.enable")
    root = tools.send("DOM.getDocument")["root"]["nodeId"]
    node = tools.send("DOM.querySelector", {"nodeId": root, "selector": "h1"})["nodeId"]
    fonts = tools.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
    assert [font["familyName"] for font in fonts] == ["Noto Sans Khmer"]
    assert page.locator("button[lang=en]").count() == 1
    lines = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert lines  # nothing is wider than the phone


def test_the_tones_of_the_headphone_check_are_what_they_say(short: Path, listener: Callable[..., Listener]) -> None:
    page = listener(DESKTOP).open(own_page(short, "km-001"))
    tones = page.evaluate(
        """async () => { const rate = 8000, context = new OfflineAudioContext(2, rate * 4, rate);
        Samsori.playTones(context, ["plain", "quiet", "opposite"], () => {}, () => {});
        const made = await context.startRendering(), left = made.getChannelData(0), right = made.getChannelData(1);
        return [0, 1.1, 2.2].map(at => { let power = 0, same = 0, opposite = 0;
            for (let i = at * rate; i < (at + 0.8) * rate; i++) { const k = Math.round(i);
                power += left[k] ** 2; same += (left[k] - right[k]) ** 2; opposite += (left[k] + right[k]) ** 2; }
            return [power, same, opposite]; }); }"""
    )
    (plain, same, _), (quiet, _, _), (opposite, _, cancelled) = tones
    assert 10 * np.log10(quiet / plain) == pytest.approx(-6, abs=0.1)
    assert opposite == pytest.approx(plain, rel=0.01)
    assert same == cancelled == 0
    rounds = page.evaluate("[1, 2, 3, 4].map(n => [0, 1, 2].map(r => Samsori.tones(r, n)))")
    assert all(sorted(tone) == ["opposite", "plain", "quiet"] for own in rounds for tone in own)
    assert len({tuple(own[0]) for own in rounds[:3]}) == 3
