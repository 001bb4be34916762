"""The Co-Pilot in a browser: by keyboard, with JavaScript and without."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import sign_in
from tests.people import People

Window = Callable[..., Page]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_an_operator_tells_it_to_roll_back(
    window: Window, people: People, screen: str, scripts: bool
) -> None:
    canary = people.in_canary()
    page = window(screen, java_script_enabled=scripts)
    sign_in(page, people, "otto")

    if scripts:
        page.keyboard.press("/")
    else:
        page.get_by_label("Ask or tell the Co-Pilot").focus()
    page.keyboard.type(f"roll back {canary} because it is slow")
    page.keyboard.press("Enter")
    expect(page.locator("#copilot-reply")).to_contain_text(f"Plan: roll {canary} back from canary")
    assert people.stage(canary) == "canary"
    assert (
        page.url.endswith("/models/") is scripts
    )  # the reply comes to the page, or the reader to it

    page.get_by_role("button", name="Confirm").click()

    expect(page.locator("#copilot-reply")).to_contain_text(f"{canary} is now in rollback")
    assert people.entry(canary)["rollback"]["reasons"] == ["it is slow"]
