"""The list of models and one model's page: what they say, and what they let people do."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from monitoring import incidents as incident_verbs
from monitoring import policies, rollbacks
from monitoring.models import Incident
from registry import aliases
from registry.models import ModelVersion
from tests.monitoring.browsing import open_incident, text
from tests.monitoring.makers import report

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db


def test_a_newcomer_is_told_how_to_register_the_first_model(reviewer: Client) -> None:
    said = text(reviewer.get("/models/"))

    assert "Nothing is registered yet" in said
    assert "curl -X POST http://testserver/api/model-registry/models" in said
    assert '"model_id": "fraud_detector_v1"' in said


def test_aliases_stand_beside_the_version_they_mean(reviewer: Client, make_version: Maker) -> None:
    version = make_version()
    aliases.put(version.family, "champion", version, actor="user:1")

    pages = [text(reviewer.get(page)) for page in ("/models/", f"/models/{version.model_id}/")]

    assert ["@champion" in page for page in pages] == [True, True]


def test_filters_that_leave_nothing_say_so(reviewer: Client, make_version: Maker) -> None:
    make_version()

    said = text(reviewer.get("/models/?stage=canary"))

    assert "No model passes these filters" in said
    assert "curl" not in said


def test_a_row_says_stage_share_verdict_and_open_incidents(
    reviewer: Client, make_version: Maker
) -> None:
    open_incident(make_version("canary", model_id="scorer", share=25))

    said = text(reviewer.get("/models/"))

    assert "scorer Fraud Detector · 1.0.0 canary 25 % no data 1 open" in said


def test_the_list_page_takes_a_fixed_number_of_queries(
    reviewer: Client, make_version: Maker
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            reviewer.get("/models/")
        return len(captured)

    make_version("canary", name="A", tags={"nlp": ""})
    few = queries()
    for name in "BCDEF":
        open_incident(make_version("canary", name=name, tags={"nlp": ""}))

    assert queries() == few <= 15


def test_a_models_page_says_where_it_stands_and_how_it_behaves(
    reviewer: Client, make_version: Maker
) -> None:
    canary = make_version("canary", model_id="scorer", expected_latency_p95_ms=100.0)
    report(canary, at=timezone.now(), error_rate=0.2)

    said = text(reviewer.get("/models/scorer/"))

    assert "scorer canary 10 % roll back" in said
    assert "20 % limit 5 % · 1,000 requests" in said
    assert "90 ms limit 150 ms" in said


def test_the_rule_that_is_not_acted_on_is_shown_too(reviewer: Client, make_version: Maker) -> None:
    canary = make_version("canary")
    policies.change(canary.family, {"rule": "evidence"}, actor="user:1")
    report(canary, at=timezone.now(), num_requests=1000, error_rate=0.06)

    said = text(reviewer.get(f"/models/{canary.model_id}/"))

    assert "1,000 requests, by the evidence rule" in said
    assert "more like these would settle it" in said
    assert "The threshold rule, which is not acted on, says roll back" in said
    assert "error rate 6 % > 5 % over 1,000 requests" in said


def test_a_rolled_back_model_says_why_before_anything_else(
    reviewer: Client, make_version: Maker
) -> None:
    make_version("production", model_id="former")
    make_version("production", model_id="sick")
    rollbacks.roll_back(
        ModelVersion.objects.get(model_id="sick"),
        actor="user:404",
        now=timezone.now(),
        reason="wrong <b>labels</b>",
    )

    page = reviewer.get("/models/sick/")

    said = text(page)
    assert said.index("Why it was rolled back") < said.index("Behaviour")
    assert "Taken out of production" in said
    assert "Answers instead former" in said
    assert "wrong &lt;b&gt;labels&lt;/b&gt;" in page.content.decode()


def test_a_model_that_never_served_shows_no_empty_charts(
    reviewer: Client, make_version: Maker
) -> None:
    make_version(model_id="draft")

    page = reviewer.get("/models/draft/")

    assert "verdicts and charts begin in canary" in text(page)
    assert b'class="chart"' not in page.content


def test_the_traffic_of_the_family_is_shown_with_what_nobody_answers(
    reviewer: Client, make_version: Maker
) -> None:
    make_version("canary", model_id="alone", share=10)

    said = text(reviewer.get("/models/alone/"))

    assert "no version 90 %" in said


def test_long_histories_go_on_over_pages(reviewer: Client, make_version: Maker) -> None:
    canary = make_version("canary", model_id="busy")
    for _ in range(20):
        incident_verbs.resolve(open_incident(canary), actor="user:404", now=timezone.now())

    page = reviewer.get("/models/busy/").content.decode()

    older = re.search(r'href="(/models/busy/history/\?before=\d+)"', page)
    assert older is not None
    said = text(reviewer.get(older[1]))
    assert "Registered" in said
    assert "← Newest" in said


def test_those_who_may_roll_back_are_offered_it(operator: Client, make_version: Maker) -> None:
    make_version("canary", model_id="scorer")
    make_version(model_id="draft")

    assert b"/models/scorer/rollback/" in operator.get("/models/scorer/").content
    assert b"/models/draft/rollback/" not in operator.get("/models/draft/").content


def test_those_who_may_not_are_not_offered_it_and_are_refused(
    reviewer: Client, make_version: Maker
) -> None:
    canary = make_version("canary", model_id="scorer")

    assert b"rollback/" not in reviewer.get("/models/scorer/").content
    assert reviewer.post("/models/scorer/rollback/").status_code == 403
    canary.refresh_from_db()
    assert canary.stage == "canary"


def test_asking_changes_nothing_and_says_what_would_happen(
    operator: Client, make_version: Maker
) -> None:
    make_version("production", model_id="former")
    current = make_version("production", model_id="current")

    said = text(operator.get("/models/current/rollback/"))

    assert "former takes production over at once" in said
    current.refresh_from_db()
    assert current.stage == "production"


def test_a_version_without_a_predecessor_warns_before_it_is_rolled_back(
    operator: Client, make_version: Maker
) -> None:
    make_version("production", model_id="only")

    said = text(operator.get("/models/only/rollback/"))

    assert "There is no earlier version to hand production back to" in said


def test_confirming_rolls_back_in_the_readers_name_with_their_reason(
    operator: Client, make_version: Maker
) -> None:
    canary = make_version("canary", model_id="scorer")

    answer = operator.post("/models/scorer/rollback/", {"reason": " seen by support "}, follow=True)

    canary.refresh_from_db()
    incident = Incident.objects.get()
    assert canary.stage == "rollback"
    assert incident.remark is not None
    assert incident.remark.text == "seen by support"
    said = text(answer)
    assert "scorer was rolled back." in said
    assert "by olga" in said


def test_what_serves_nothing_cannot_be_rolled_back(operator: Client, make_version: Maker) -> None:
    make_version(model_id="draft")

    assert "nothing to roll back" in text(operator.get("/models/draft/rollback/"))
    assert operator.post("/models/draft/rollback/").status_code == 409


def test_rolling_back_needs_the_token_of_the_form(
    user_with: Callable[..., User], make_version: Maker
) -> None:
    canary = make_version("canary", model_id="scorer")
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user_with("operator"))

    assert browser.post("/models/scorer/rollback/").status_code == 403
    canary.refresh_from_db()
    assert canary.stage == "canary"


def test_a_stranger_who_confirms_is_sent_to_sign_in_and_back_to_the_question(
    client: Client, make_version: Maker
) -> None:
    make_version("canary", model_id="scorer")

    answer = client.post("/models/scorer/rollback/")

    assert answer["Location"] == "/login/?next=/models/scorer/rollback/"
