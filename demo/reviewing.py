"""How the story's reviewers review: at the admin's own page, in its own form, as people do."""

from __future__ import annotations

from collections.abc import Mapping

from demo.browser import Browser, PageRefused
from demo.people import Cast, Person

CHECKS = ("constitutional_compliance", "bias")
NOTE = (
    "I have read the description and the measured evidence on this page. It is a demonstration on "
    "public data; nobody is decided about."
)
APPROVED = "approved"  # how the page says that the signature stands


def address(model_id: str) -> str:
    """The review page of a version."""
    return f"/admin/governance/review/{model_id}/"


def sign(cast: Cast, reviewer: Person, model_id: str, *, scope: str | None = None) -> None:
    """Settle both checks as passed and sign, with the password again.

    Args:
        scope: The stage that is signed for, at tier high; else the page offers one only.

    Raises:
        PageRefused: The page did not take it; the message is what it said.
    """
    browser = cast.browser(reviewer)
    given = {"note": NOTE, "password": cast.passwords[reviewer]}
    _send(browser, model_id, given | ({"scope": scope} if scope else {}))


def _send(browser: Browser, model_id: str, given: Mapping[str, str]) -> None:
    page = browser.get(address(model_id))
    form = page.form("password", *CHECKS)
    after = browser.submit(page, form, {**dict.fromkeys(CHECKS, "pass"), **given})
    said = " ".join(after.messages)
    if APPROVED not in said:
        raise PageRefused(f"{page.url} did not take the signature: {said}")
