"""The stories of reviewers and operators, lived through in a browser, on a desktop and a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import move, sign_in, tick_and_sign
from tests.people import People, eventually

Window = Callable[..., Page]


def test_a_reviewer_signs_and_the_model_goes_to_canary(
    window: Window, people: People, screen: str
) -> None:
    model_id = people.register()
    people.move(model_id, "sandbox")
    page = window(screen)
    sign_in(page, people, "rita")

    tick_and_sign(page, people, "rita", model_id)
    move(page, model_id, "canary")

    assert people.stage(model_id) == "canary"
    page.goto(f"/models/{model_id}/")
    expect(page.locator(".title-line")).to_contain_text("canary")


def test_one_of_the_models_own_people_cannot_sign(
    window: Window, people: People, screen: str
) -> None:
    people.password("ruth")
    model_id = people.register(owner="ruth")
    page = window(screen)
    sign_in(page, people, "ruth")

    page.goto(f"/admin/governance/review/{model_id}/")

    expect(page.locator("#refusal")).to_contain_text("own people")
    expect(page.get_by_role("button", name="Settle and sign")).to_be_disabled()


def test_a_wrong_password_records_nothing(window: Window, people: People, screen: str) -> None:
    model_id = people.register()
    page = window(screen)
    sign_in(page, people, "rita")
    page.goto(f"/admin/governance/review/{model_id}/")

    for check in ("Constitutional compliance", "Bias"):
        page.get_by_role("radiogroup", name=check).locator("label", has_text="pass").first.click()
    page.get_by_label("Your password, again").fill("not it")
    page.get_by_role("button", name="Settle and sign").click()

    expect(page.get_by_role("alert").first).to_be_visible()
    assert people.entry(model_id)["bias_check_passed"] is False


def test_an_operator_rolls_a_canary_back(window: Window, people: People, screen: str) -> None:
    model_id = people.in_canary()
    page = window(screen)
    sign_in(page, people, "otto")

    page.goto(f"/models/{model_id}/rollback/")
    page.get_by_label("Reason").fill("Customers complain.")
    page.get_by_role("button", name="Roll back now").click()

    expect(page.locator("body")).to_contain_text("Customers complain.")
    assert people.stage(model_id) == "rollback"


@pytest.mark.parametrize("screen", ["desktop"])
def test_the_page_fills_by_itself_when_a_canary_is_taken_out(
    window: Window, people: People, screen: str
) -> None:
    model_id = people.in_canary()
    page = window(screen)
    sign_in(page, people, "otto")
    page.goto(f"/models/{model_id}/")
    expect(page.locator(".title-line")).to_contain_text("canary")

    people.report(model_id, error_rate=0.2)

    eventually(lambda: people.stage(model_id) == "rollback")
    expect(page.locator("body")).to_contain_text("Why it was rolled back")
    expect(page.locator("body")).to_contain_text("error rate 20 % > 5 %")


@pytest.mark.parametrize("screen", ["phone"])
def test_an_operator_deals_with_an_incident_from_bed(
    window: Window, people: People, screen: str
) -> None:
    model_id = people.in_canary()
    people.report(model_id, error_rate=0.2)
    people.rolled_back(model_id)
    number = people.incidents(model_id)[0]["incident_id"]
    page = window(screen)
    sign_in(page, people, "otto")

    page.goto(f"/incidents/{number}/")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".title-line")).to_contain_text("otto is at it")
    page.get_by_label("What you see, or did").fill("The feed sends nulls.")
    page.get_by_role("button", name="Comment").click()
    expect(page.locator("#timeline")).to_contain_text("The feed sends nulls.")
    page.get_by_role("button", name="Resolve").click()

    expect(page.locator(".messages")).to_contain_text(f"Incident {number} is resolved.")
    expect(page.locator(".title-line")).to_contain_text("resolved")
