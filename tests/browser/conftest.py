"""A real Chromium in front of the running product, as a desktop and as a phone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.people import People

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = (  # it asks nobody for anything but the page
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "is_mobile": True,
        "has_touch": True,
        "device_scale_factor": 2,
    },
}


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for all; its contexts share nothing.

    As long as it lives an event loop runs in this thread: no test of this package may use the ORM.
    """
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(params=SCREENS)
def screen(request: pytest.FixtureRequest) -> str:
    """The screens that each story is lived through on."""
    name: str = request.param
    return name


@pytest.fixture
def window(chromium: Browser, people: People) -> Iterator[Callable[..., Page]]:
    """Open a window: ``window("phone", color_scheme="dark")``.

    At the end no window may have asked another server for anything, nor complained of a script.
    """
    contexts: list[BrowserContext] = []
    asked: list[str] = []
    complaints: list[str] = []

    def open_one(screen: str, **more: Any) -> Page:
        context = chromium.new_context(base_url=people.running.url, **SCREENS[screen], **more)
        context.set_default_timeout(10_000)  # milliseconds
        contexts.append(context)
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: _note(complaints, said.type, said.text))
        return page

    yield open_one
    for context in contexts:
        context.close()
    ours = (f"{people.running.url}/", "data:", "blob:")
    assert [url for url in asked if not url.startswith(ours)] == []
    assert complaints == []


def _note(complaints: list[str], kind: str, text: str) -> None:
    # A refusal that a test provokes is no complaint: its status stands on the page.
    if kind == "error" and "the server responded with a status of 4" not in text:
        complaints.append(text)
