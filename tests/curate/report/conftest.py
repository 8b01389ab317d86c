"""A browser without a window, for the tests of the report's page; they are skipped where there is none."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")  # no longer: while it is open, this process has a running loop
def browser() -> Iterator[Any]:
    """One Chromium for all tests."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no {', no '.join(NAMES)}: install Chromium to test the page in a browser")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open a page from its file and wait until its scripts are done; at the end nothing may have gone wrong in it."""
    yield from _opener(browser)


@pytest.fixture(scope="module")
def opened_once(browser: Any) -> Iterator[Callable[..., Any]]:
    """The same for one page that several tests look at, and none changes."""
    yield from _opener(browser)


def _opener(browser: Any) -> Iterator[Callable[..., Any]]:
    contexts: list[Any] = []
    troubles: list[str] = []

    def show(path: Path, *, width: int = 1280, dark: bool = False, wait: bool = True, **options: Any) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 844}, color_scheme="dark" if dark else "light", **options
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda said: troubles.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
        page.on("request", lambda asked: _refuse_network(asked.url, troubles))
        page.goto(path.as_uri())
        if wait:
            page.wait_for_selector("html.ready", state="attached")
        return page

    yield show
    for context in contexts:
        context.close()
    assert troubles == []


def _refuse_network(url: str, troubles: list[str]) -> None:
    if not url.startswith(("file:", "data:", "blob:")):
        troubles.append(f"asked the network for {url}")
