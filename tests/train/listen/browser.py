"""A listener in Chromium: what the tests of the page have in common."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from train.listen import build

ROOT = Path(__file__).resolve().parents[3]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
SMALL_TARGETS = """() => [...document.querySelectorAll("button, summary, input[type=text], label.option")]
    .filter(e => e.offsetParent).map(e => [e.tagName, e.textContent, e.getBoundingClientRect()])
    .filter(([, , box]) => box.width < 24 || box.height < 24).map(([tag, text]) => tag + " " + text)"""


class Listener:
    """One listener with a browser of their own: a page, and what it complained of."""

    def __init__(self, browser: Any, device: dict[str, Any], **options: Any) -> None:
        self.context = browser.new_context(**device, **options)
        self.complaints: list[str] = []
        self.touch = bool(device.get("has_touch"))
        self.page: Any = None

    def open(self, address: str) -> Any:
        """A new tab."""
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.page.on("console", lambda m: m.type in ("error", "warning") and self.complaints.append(m.text))
        self.page.on("pageerror", lambda problem: self.complaints.append(str(problem)))
        self.page.goto(address)
        return self.page

    def press(self, what: str) -> None:
        """A finger's tap, or a click."""
        (self.page.tap if self.touch else self.page.click)(what)

    def arrive(self, region: str, headphones: str = "no") -> None:
        """From the welcome to the first item."""
        self.press("#agree")
        self.press("main > button")
        self.press("label[for=native_yes]")
        self.page.fill("#region", region)
        self.press(f"label[for=headphones_{headphones}]")
        self.press("button[type=submit]")
        self.press("main > button")
        self.page.wait_for_selector("form.item")

    def hear(self) -> None:
        """Every recording of the item, to its end."""
        for at in range(self.page.locator(".play").count()):
            self.press(f".player:nth-child({at + 1}) .play")
            self.page.wait_for_selector(f".player:nth-child({at + 1}) .heard")

    def rate(self, value: int) -> None:
        """Hear, choose and go on."""
        self.hear()
        self.press(f"label[for='rating_{value}']")
        self.press("button[type=submit]")

    def rate_all(self, value: int, each: Callable[[], None] = lambda: None) -> int:
        """Rate what is left; returns how many that was."""
        number = 0
        while True:
            self.page.wait_for_selector("form.item, .code, main > button")
            if self.page.locator("form.item").count():
                each()
                self.rate(value)
                number += 1
            elif self.page.locator(".code").count():
                return number
            else:  # the practice is over
                self.press("main > button")


def serious(page: Any) -> list[str]:
    """What axe-core finds that is serious or worse."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"preload": False}).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found if each["impact"] in ("serious", "critical")]


class Process:
    """`train listen serve` as a process of its own, on a port that it keeps when it is started again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, 0
        self.log = folder.with_name("server.log")
        self.start()

    def start(self) -> None:
        """Start it, and wait until it serves."""
        words = [sys.executable, "-m", "train", "listen", "serve", str(self.folder), "--port", str(self.port)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log, env=environment, cwd=ROOT)
        until = time.monotonic() + 60
        while "serving on" not in (said := self.log.read_text()):
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the server did not start: {said}")
            time.sleep(0.05)
        self.port = int(said.split("serving on http://127.0.0.1:")[1].split(";")[0])

    def kill(self) -> None:
        """SIGKILL."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def links(self, language: str) -> list[str]:
        """The links of a language."""
        lines = (build.private_folder(self.folder) / "server-links.tsv").read_text(encoding="utf-8").splitlines()[1:]
        return [link for of, link, _ in (line.split("\t") for line in lines) if of == language]
