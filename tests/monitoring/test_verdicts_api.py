"""Every change of verdict can be read, with what it rests on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from monitoring import policies, rollbacks
from registry.models import ModelVersion
from tests.conftest import NOW
from tests.monitoring.makers import enter, report

pytestmark = pytest.mark.django_db


def test_changes_of_verdict_are_listed_newest_first_with_their_evidence(
    make_version: Callable[..., ModelVersion], api: Callable[..., APIClient]
) -> None:
    canary = enter(make_version("canary"))
    policies.change(canary.family, {"dry_run": True}, actor="user:1")
    rollbacks.request_if_degraded(canary, now=NOW)
    for seconds, rate in ((10, 0.0), (20, 0.01), (30, 0.4)):
        at = NOW + timedelta(seconds=seconds)
        report(canary, at=at, error_rate=rate)
        rollbacks.request_if_degraded(canary, now=at)
    reader, place = api("trainer"), f"/api/model-registry/models/{canary.model_id}/verdicts"

    found = reader.get(place).json()
    first = reader.get(place, {"limit": 2}).json()
    rest = reader.get(place, {"limit": 2, "cursor": first["next"]}).json()

    assert [kept["verdict"] for kept in found["verdicts"]] == ["rollback", "ok", "no_data"]
    assert first["verdicts"] + rest["verdicts"] == found["verdicts"]
    assert (found["next"], rest["next"]) == (None, None)
    breach = found["verdicts"][0]
    assert breach["decided_at"] == breach["window_end"] == "2026-01-31T12:00:30Z"
    assert breach["reasons"] == ["error rate 13.7 % > 5 % over 3,000 requests"]
    assert [t["verdict"] for t in breach["triggers"]] == ["rollback", "no_data", "ok", "ok"]
    assert breach["other_rule"]["rule"] == "evidence"
    assert len(breach["other_rule"]["triggers"]) == 4


def test_nothing_is_passed_over_silently(
    make_version: Callable[..., ModelVersion], api: Callable[..., APIClient]
) -> None:
    place = f"/api/model-registry/models/{make_version().model_id}/verdicts"

    assert api("trainer").get(place).json() == {"verdicts": [], "next": None}
    assert api("operator").get(place, {"stage": "canary"}).status_code == 400
    assert api("serving").get("/api/model-registry/models/nobody/verdicts").status_code == 404
