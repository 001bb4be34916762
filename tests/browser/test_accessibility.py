"""axe-core finds nothing serious on any kind of page, light or dark, on a desktop or a phone."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.steps import sign_in
from tests.people import People

SERIOUS = {"serious", "critical"}
PAGES = (
    "/models/",
    "/models/?stage=production",
    "/models/{rolled_back}/",
    "/models/{rolled_back}/history/",
    "/models/{canary}/",
    "/models/{canary}/rollback/",
    "/models/{canary}/card/",
    "/copilot/?ask=promote+{canary}+to+production",
    "/copilot/?ask=compare+{canary}+and+{rolled_back}",
    "/copilot/?ask=what+is+this",
    "/copilot/inbox/",
    "/incidents/",
    "/incidents/{incident}/",
    "/statistics/",
    "/admin/",
    "/admin/governance/review/",
    "/admin/governance/review/{canary}/",
    "/admin/governance/review/{canary}/promote/?to=production",
    "/admin/registry/event/",
    "/nothing/here/",
)


@pytest.fixture(scope="module")
def places(people: People) -> dict[str, object]:
    """A canary, one that was rolled back, and its incident."""
    rolled_back = people.in_canary()
    people.report(rolled_back, error_rate=0.2)
    people.rolled_back(rolled_back)
    canary = people.in_canary()
    people.report(canary)
    people.ask("tom", "POST", f"models/{canary}/generate-card", expect=201)
    incident = people.incidents(rolled_back)[0]["incident_id"]
    return {"rolled_back": rolled_back, "canary": canary, "incident": incident}


BY_SOAK = {("desktop", "dark"), ("phone", "light")}


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_no_page_has_a_serious_issue(
    window: Callable[..., Page],
    people: People,
    places: dict[str, object],
    screen: str,
    colours: str,
) -> None:
    if (screen, colours) in BY_SOAK and "ASSAY_SOAK" not in os.environ:
        pytest.skip("each screen and each set of colours is looked at once: set ASSAY_SOAK=1")
    page = window(screen, color_scheme=colours)
    found = issues(page, "/login/")
    sign_in(page, people, "rita")

    for path in PAGES:
        found += issues(page, path.format(**places))

    assert not found, "\n".join(found)


def issues(page: Page, path: str) -> list[str]:
    """What axe finds on a page, a line each: the page, the rule, and the first place.

    A page that is wider than its screen is an issue too.
    """
    page.goto(path)
    assert page.viewport_size
    # Not innerWidth: a phone makes that as wide as what does not fit, and shows all of it smaller.
    wide: int = page.evaluate("document.documentElement.scrollWidth")
    wider = wide - page.viewport_size["width"]
    too_wide = [f"{path}: {wider} px wider than the screen"] if wider > 0 else []
    answer = Axe().run(page).response
    return too_wide + [
        f"{path}: {issue['id']} at {issue['nodes'][0]['target']}: {issue['nodes'][0]['html'][:120]}"
        for issue in answer["violations"]
        if issue["impact"] in SERIOUS
    ]
