"""Pages in a real browser, from file://: what plays, what the console says, what axe-core finds."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
SERIOUS = ("serious", "critical")


@contextlib.contextmanager
def opened(page: Path, *, width: int = 1200) -> Iterator[tuple[Any, list[str]]]:
    """A page, and what its console has said by now."""
    from playwright.sync_api import sync_playwright

    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": width, "height": 900}, bypass_csp=True)  # for axe's own script
        shown.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
        shown.on("pageerror", lambda error: said.append(str(error)))
        shown.on("requestfailed", lambda request: said.extend(_failed(request)))
        shown.goto(page.absolute().as_uri())
        yield shown, said
        browser.close()


def _failed(request: Any) -> list[str]:
    """A request that failed; one that the page itself gave up, such as a sound that it loads anew, is none."""
    return [] if request.failure == "net::ERR_ABORTED" else [f"{request.url}: {request.failure}"]


def findings(page: Any) -> list[str]:
    """What axe-core calls serious or critical."""
    from axe_playwright_python.sync_playwright import Axe

    violations = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['help']}" for each in violations if each["impact"] in SERIOUS]
