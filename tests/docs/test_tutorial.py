"""The tutorial, word for word: its programs are saved, its commands run, its people sign."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests import markdown
from tests.docs.workshop import Workshop
from tests.people import People, eventually
from tests.running import ROOT

TEXT = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
MODEL = "loan_approval_v1"
REVIEW = f"/admin/governance/review/{MODEL}/"

Act = Callable[[Workshop, People], None]


def test_the_tutorial_goes_as_it_says(people: People, tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, people.running)
    start, *blocks = markdown.blocks(TEXT)
    done: list[Act] = []

    for block in blocks:
        for act in (act for commands, act in BY_HAND.items() if block.text.startswith(commands)):
            done.append(act)
            act(workshop, people)
        workshop.do(block)

    assert start.text == "make up"  # under which the product of this test runs
    assert done == list(BY_HAND.values())
    assert people.stage(MODEL) == "rollback"


def sign_for_canary(workshop: Workshop, people: People) -> None:
    _, listed = workshop.sign_in("rea", "/admin/governance/review/")
    rows = re.findall(r'href="(/admin/governance/review/[^"/]+/)"', listed.text)

    sign(workshop, "rea", "reviewer", "canary")
    sign(workshop, "roy", "risk officer", "canary")

    assert rows[0] == REVIEW  # at the top, since its review was asked for


def sign_for_production(workshop: Workshop, people: People) -> None:
    sign(workshop, "rea", "reviewer", "production")
    sign(workshop, "roy", "risk officer", "production")


def sign(workshop: Workshop, who: str, role: str, scope: str) -> None:
    """Choose Pass twice on the review page, and sign with the password."""
    browser, page = workshop.sign_in(who, REVIEW)
    form = page.form("constitutional_compliance", "bias", "note", "scope", "password")
    ticks = {"constitutional_compliance": "pass", "bias": "pass", "note": "Read."}
    given = {**ticks, "scope": scope, "password": workshop.passwords[who]}

    assert browser.submit(page, form, given).messages == [
        f"You approved {MODEL} for {scope} as {role}."
    ]


def watch(workshop: Workshop, people: People) -> None:
    """Look at the page until it says that the model is out."""
    browser, page = workshop.sign_in("oscar", f"/models/{MODEL}/")

    eventually(lambda: "Why it was rolled back" in browser.get(page.url).text or None)


def resolve(workshop: Workshop, people: People) -> None:
    """Read the incident and close it."""
    (incident,) = people.incidents(MODEL)
    browser, page = workshop.sign_in("oscar", f"/incidents/{incident['incident_id']}/")
    (dealing,) = [form for form in page.forms if form.action.endswith("/comment/")]
    closing = replace(dealing, action=dealing.action.replace("/comment/", "/resolve/"))

    after = browser.submit(page, closing, {})

    assert "input drift" in page.text
    assert f"Incident {incident['incident_id']} is resolved." in after.messages


# What people do in the browser before they run these.
BY_HAND: dict[str, Act] = {
    'python manage.py ask "promote loan_approval_v1 to canary"': sign_for_canary,
    'python manage.py ask "promote loan_approval_v1 to production"': sign_for_production,
    'python manage.py ask "why was': watch,
    "python manage.py verify_ledger": resolve,
}
