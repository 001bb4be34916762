"""What people do in the windows, step by step."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.people import People


def sign_in(page: Page, people: People, who: str) -> None:
    """Sign in on the product's own page, by keyboard."""
    page.goto("/login/")
    page.get_by_label("Name").fill(who)
    page.get_by_label("Password").fill(people.password(who))
    page.keyboard.press("Enter")
    expect(page.locator(".sidebar-foot")).to_contain_text(who)


def tick_and_sign(page: Page, people: People, who: str, model_id: str) -> None:
    """Tick both checks as passed and sign with the password."""
    page.goto(f"/admin/governance/review/{model_id}/")
    for check in ("Constitutional compliance", "Bias"):
        group = page.get_by_role("radiogroup", name=check)
        group.locator("label", has_text="pass").first.click()
    page.get_by_label("Note").fill("I have read the card and the figures.")
    page.get_by_label("Your password, again").fill(people.password(who))
    page.get_by_role("button", name="Settle and sign").click()
    expect(page.locator(".messages")).to_contain_text(f"You approved {model_id}")


def move(page: Page, model_id: str, button: str) -> None:
    """Go through the gate on the review page, and confirm."""
    page.goto(f"/admin/governance/review/{model_id}/")
    page.get_by_role("button", name=button).click()
    page.get_by_role("button", name="Move it now").click()
