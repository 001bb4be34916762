"""The API's page is dark where the reader's system is, and asks no other server for anything."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

SEEN = [".opblock-tag", ".opblock-summary-path", ".opblock-summary-description", ".info p"]
BRIGHTNESS = """([path, property]) => {
  let at = document.querySelector(path);
  let colour = getComputedStyle(at)[property];
  while (property === "backgroundColor" && colour === "rgba(0, 0, 0, 0)") {
    at = at.parentElement;
    colour = getComputedStyle(at)[property];
  }
  const [red, green, blue] = colour.match(/[0-9.]+/g).map(Number);
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}"""


def brightness(page: Page, path: str, part: str) -> float:
    """From 0, black, to 1, white."""
    found: float = page.evaluate(BRIGHTNESS, [path, part])
    return found


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_it_follows_the_system_s_colours(window: Callable[..., Page], colours: str) -> None:
    page = window("desktop", color_scheme=colours)
    page.goto("/api/docs/")
    page.wait_for_selector(".opblock-summary-path")

    for path in SEEN:
        text, ground = (brightness(page, path, part) for part in ("color", "backgroundColor"))
        assert (text > ground) is (colours == "dark"), f"{path}: {text} on {ground}"
        assert abs(text - ground) > 0.4, f"{path}: {text} on {ground}"


def test_it_turns_while_it_is_read(window: Callable[..., Page]) -> None:
    page = window("desktop", color_scheme="light")
    page.goto("/api/docs/")
    page.wait_for_selector(".opblock-summary-path")

    page.emulate_media(color_scheme="dark")

    page.wait_for_selector("html.dark-mode")
    assert brightness(page, "#api-docs", "backgroundColor") < 0.3
