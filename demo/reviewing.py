"""How a reviewer of the story reviews: at the admin's own page, form by form, as people do."""

from __future__ import annotations

from demo.people import Cast, Person


def sign(cast: Cast, reviewer: Person, model_id: str, *, scope: str | None = None) -> None:
    """Read the review page, settle both checks as passed and sign, with the password again."""
    browser = cast.browser(reviewer)
    page = browser.get(f"/admin/governance/review/{model_id}/")
    raise NotImplementedError(page.forms)
