"""A version that misbehaves is pulled back by itself, and why can be read afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from tests.people import People, eventually, now

# What a serving process reports, and the one reason that follows. Expected p95: 100 ms.
BREACHES = {
    "error_rate": (0.051, "error rate 5.1 % > 5 % over 1,000 requests"),
    "latency_p95_ms": (151.0, "p95 latency 151 ms > 150 ms over 1,000 requests"),
    "ood_rate": (0.21, "out-of-distribution rate 21 % > 20 % over 1,000 requests"),
    "input_drift_score": (0.31, "input drift 0.31 > 0.3 over 1,000 requests"),
}


@pytest.mark.parametrize("metric", BREACHES)
def test_each_trigger_takes_a_canary_out(people: People, metric: str) -> None:
    value, reason = BREACHES[metric]
    model_id = people.in_canary()

    people.report(model_id, **{metric: value})
    why = people.rolled_back(model_id)

    assert (why["by"], why["reasons"]) == ("rollback monitor", [reason])
    breached = [t["metric"] for t in why["evidence"] if t["verdict"] == "rollback"]
    assert breached == [metric]
    assert people.stage(model_id) == "rollback"
    (incident,) = people.incidents(model_id)
    assert (incident["kind"], incident["severity"]) == ("rollback", "warning")


def test_the_canarys_share_returns_to_production(people: People) -> None:
    production = people.in_production("Returning Share")
    canary = people.in_canary("Returning Share", share=25)
    assert shares(people, "Returning Share") == {production: 7500, canary: 2500}

    people.report(canary, error_rate=0.5)
    people.rolled_back(canary)

    assert eventually(lambda: shares(people, "Returning Share") == {production: 10_000})
    assert people.stage(production) == "production"


def test_production_is_handed_back_to_its_predecessor(people: People) -> None:
    former = people.in_production("Handed Back")
    current = people.in_production("Handed Back")
    assert (people.stage(former), people.stage(current)) == ("archived", "production")

    people.report(current, timestamp=now(), source="later", error_rate=0.5)
    why = people.rolled_back(current)

    assert why["restored_model_id"] == former
    assert (people.stage(former), people.stage(current)) == ("production", "rollback")
    assert eventually(lambda: shares(people, "Handed Back") == {former: 10_000})
    (incident,) = people.incidents(current)
    assert (incident["severity"], incident["restored_model_id"]) == ("critical", former)
    assert happened(people, current)[:4] == [
        "incident.opened",
        "model.rolled_back",
        "playbook.started",
        "model.rollback.requested",
    ]
    assert happened(people, former)[0] == "model.restored"


def test_a_healthy_version_stays(people: People) -> None:
    model_id = people.in_canary()
    for second in range(5):
        people.report(model_id, source=f"replica {second}")
    healthy = people.ask("tom", "GET", f"models/{model_id}/rollback-check")

    people.report(other := people.in_canary(), error_rate=0.5)
    people.rolled_back(other)  # by then the checks of the healthy one have long been made

    assert (healthy["verdict"], healthy["should_rollback"]) == ("ok", False)
    assert people.stage(model_id) == "canary"
    assert people.incidents(model_id) == []


def shares(people: People, family: str) -> dict[str, int]:
    """What the traffic document gives to each version, in hundredths of a percent."""
    document: dict[str, Any] = people.ask(
        "otto", "GET", f"families/{family.replace(' ', '%20')}/traffic"
    )
    return {target["model_id"]: target["basis_points"] for target in document["targets"]}


def happened(people: People, model_id: str) -> list[str]:
    """The types of a version's events, newest first."""
    events = people.ask("tom", "GET", f"models/{model_id}/history")["events"]
    return [event["event_type"] for event in events]
