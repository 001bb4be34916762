"""An incident's timeline and post-mortem: everything on record, in order, and nothing but text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from monitoring import incidents, post_mortem, rollbacks
from monitoring.models import Incident, PlaybookRun
from monitoring.pages import chronicle
from monitoring.pages import incidents as pages
from registry.ledger import deliveries
from registry.models import Delivery, ModelVersion
from tests.conftest import take
from tests.monitoring.browsing import open_incident
from tests.monitoring.makers import enter, report

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db


@pytest.fixture
def rolled_back(make_version: Maker) -> Incident:
    """A canary that the monitor took out, by the playbook, and whose incident was dealt with."""
    canary = enter(make_version("canary", model_id="slow"), ago=timedelta(days=400))
    at = timezone.now()
    report(canary, at=at, error_rate=0.2)
    rollbacks.request_if_degraded(canary, now=at)
    while deliveries.deliver_to_verbs(now=timezone.now):
        pass
    while deliveries.send_outside(now=timezone.now):
        pass
    incident = Incident.objects.get()
    incidents.acknowledge(incident, actor="user:404", now=timezone.now())
    incidents.comment(incident, "The feed | is *late*.\n# Really", actor="user:404")
    incidents.resolve(incident, actor="user:404", now=timezone.now(), note="It is back.")
    return incident


def titles(incident: Incident) -> list[str]:
    return [line.title for line in chronicle.of(incidents.find(incident.pk)).lines]


def test_the_timeline_has_everything_in_order(rolled_back: Incident) -> None:
    said = titles(rolled_back)

    wanted = [
        "Verdict: roll back",
        "Rollback requested",
        "Playbook started",
        "Rolled back",
        "Playbook step: switch stage",
        "Incident opened",
        "Playbook step: open incident",
        "Told by mail",
        "Incident acknowledged",
        "Comment",
        "Incident resolved",
    ]
    assert [title for title in said if title in wanted] == wanted


def test_who_was_told_is_named(rolled_back: Incident) -> None:
    told = chronicle.of(incidents.find(rolled_back.pk)).lines

    (inbox,) = [line for line in told if line.title == "Told by inbox"]
    assert dict(inbox.facts)["to"] == "local"  # an operator: who is at the machine itself


def test_an_announcement_that_did_not_arrive_stands_out(make_version: Maker) -> None:
    incident = open_incident(make_version("canary"))
    Delivery.objects.filter(subscriber__endswith="mail.announce").update(
        state="parked", attempts=10, last_error="Connection refused"
    )

    told = chronicle.of(incidents.find(incident.pk)).lines

    (mail,) = [line for line in told if "mail" in line.title]
    assert (mail.title, mail.tone) == ("Could not be told by mail", "bad")
    assert mail.words == ("Connection refused",)
    assert "Not told yet by log" in titles(incident)


def test_moves_of_the_model_s_other_versions_are_told(make_version: Maker) -> None:
    incident = open_incident(make_version("canary", model_id="slow"))
    other = make_version("sandbox", model_id="other")
    take(other, "canary")

    lines = chronicle.of(incidents.find(incident.pk)).lines

    promoted = [line for line in lines if line.title == "Promoted"]
    assert ("model", "other") in promoted[-1].facts
    assert not any(("model", "slow") in line.facts for line in lines)


def test_what_there_is_no_room_for_is_counted(
    make_version: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = open_incident(make_version("canary"))
    for _ in range(5):
        incidents.comment(incident, "Again.", actor="user:404")
    monkeypatch.setattr(chronicle, "MOST", 3)

    told = chronicle.of(incidents.find(incident.pk))

    assert told.left_out > 0
    said = post_mortem.written(pages.story(incident.pk), "http://assay")
    assert f"{told.left_out} more events are in [its history]" in said


def test_a_post_mortem_tells_all_that_is_on_record(rolled_back: Incident) -> None:
    out = StringIO()

    call_command("post_mortem", str(rolled_back.pk), stdout=out)

    said = out.getvalue()
    run = PlaybookRun.objects.get()
    assert [line for line in said.splitlines() if line.startswith("#")] == [
        "# Post-mortem: rolled back, slow",
        "## What happened",
        "## Rollback",
        "## Figures at the decision",
        "## Snapshots it rests on",
        "## Timeline",
        "## Playbooks",
        "## Comments",
        "## Resolution",
        "## Left to write",
    ]
    assert "- error rate 20 % > 5 % over 1,000 requests" in said
    assert "| Error rate | 20 % | 5 % | 1,000 | 1 | roll back |" in said
    assert "- Its share returned to production." in said
    assert f"[model_rollback, run {run.pk}](" in said
    assert "user:404 at it" not in said


def test_people_s_words_are_text_and_nothing_else(rolled_back: Incident) -> None:
    said = post_mortem.written(pages.story(rolled_back.pk), "http://assay")

    assert "> The feed \\| is \\*late\\*.\n> \\# Really\n" in said
    assert "· The feed \\| is \\*late\\*. # Really |" in said


def test_a_post_mortem_of_what_is_open_says_so(make_version: Maker) -> None:
    incident = open_incident(make_version("canary"))

    said = post_mortem.written(pages.story(incident.pk), "http://assay")

    assert "| Acknowledged | no |" in said
    assert "It is open still." in said
    assert "## Rollback" not in said


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("fraud_detector_v2", "fraud_detector_v2"),
        ("_so_", "\\_so\\_"),
        ("<b>a|b</b>", "\\<b>a\\|b\\</b>"),
        ("[a](b)\n# c", "\\[a\\](b) # c"),
        ("# c", "\\# c"),
        ("- 5 > 4", "\\- 5 > 4"),
        ("`x` ~~y~~", "\\`x\\` \\~~y\\~~"),
    ],
)
def test_text_is_escaped_where_markdown_would_read_it(text: str, plain: str) -> None:
    assert post_mortem.plain(text) == plain


def test_the_command_names_what_is_not_there() -> None:
    with pytest.raises(CommandError, match="There is no incident 9"):
        call_command("post_mortem", "9")
