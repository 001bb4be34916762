"""Each question is asked as the contract says, and its answer comes back typed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from assay import (
    DeploymentStage,
    EvaluationFailed,
    InvalidInput,
    PromotionBlocked,
    Registry,
    TimedOut,
)
from tests.client.edge import Answer, Asked, Edge
from tests.client.makers import ENTRY, STATS, an_entry, at_noon

EVALUATION = {
    "evaluation_id": 7,
    "model_id": "m",
    "kind": "bias",
    "state": "running",
    "progress": 0.5,
    "device": "cpu",
    "error": None,
    "results": None,
    "evidence_digest": None,
}
CARD = {"model_id": "m", "revision": 2, "markdown": "# m", "json": {"a": 1}, "html_url": "/c/2"}
MOVE = {
    "model_id": "m",
    "status": "canary",
    "previous_status": "sandbox",
    "canary_percentage": 10.0,
    "transition_id": 5,
}
ROLLED_BACK = {
    "model_id": "m",
    "status": "rollback",
    "reasons": ["High error rate detected"],
    "restored_model_id": "m0",
    "incident_id": 3,
}


@pytest.mark.parametrize(
    ("ask", "method", "path", "sent", "answer"),
    [
        (lambda r: r.get_model("m"), "GET", "models/m", None, ENTRY),
        (
            lambda r: r.register_model(an_entry(tags={"nlp": ""}, training_timestamp=at_noon())),
            "POST",
            "models",
            {
                "model_id": "m",
                "name": "Fraud Detector",
                "version": "1.0.0",
                "framework": "pytorch",
                "model_type": "classification",
                "owner": "ada",
                "team": "risk",
                "tags": {"nlp": ""},
                "training_timestamp": "2026-03-01T12:00:00+00:00",
            },
            ENTRY,
        ),
        (
            lambda r: r.update_model("m", metadata={"bias_check_passed": True}, owner="bob"),
            "PATCH",
            "models/m",
            {"metadata": {"bias_check_passed": True}, "owner": "bob"},
            ENTRY,
        ),
        (
            lambda r: r.update_model("m", expected_latency_p95_ms=None),
            "PATCH",
            "models/m",
            {"expected_latency_p95_ms": None},
            ENTRY,
        ),
        (
            lambda r: r.update_deployment_status("m", DeploymentStage.CANARY, 10.0),
            "PATCH",
            "models/m/deployment",
            {"status": "canary", "canary_percentage": 10.0},
            MOVE,
        ),
        (
            lambda r: r.update_deployment_status("m", "rollback", reason="slow"),
            "PATCH",
            "models/m/deployment",
            {"status": "rollback", "reason": "slow"},
            MOVE,
        ),
        (
            lambda r: r.rollback("m", "High error rate detected"),
            "POST",
            "models/m/rollback",
            {"reason": "High error rate detected"},
            ROLLED_BACK,
        ),
        (lambda r: r.generate_card("m"), "POST", "models/m/generate-card", {}, CARD),
        (
            lambda r: r.request_review("m", "please"),
            "POST",
            "models/m/review-request",
            {"note": "please"},
            {"model_id": "m", "requested_at": "2026-03-01T12:00:00Z"},
        ),
        (
            lambda r: r.request_evaluation(
                "m",
                dataset="employment 2016",
                protected_attributes=("RAC1P",),
                favourable_label="employed",
                gate=True,
            ),
            "POST",
            "models/m/evaluations",
            {
                "dataset": "employment 2016",
                "protected_attributes": ["RAC1P"],
                "favourable_label": "employed",
                "gate": True,
            },
            EVALUATION,
        ),
        (lambda r: r.evaluation("m", 7), "GET", "models/m/evaluations/7", None, EVALUATION),
        (lambda r: r.profile("m"), "GET", "models/m/profile", None, {"features": {}}),
        (
            lambda r: r.traffic("Fraud Détector"),
            "GET",
            "families/Fraud%20D%C3%A9tector/traffic",
            None,
            {"family": "Fraud Détector", "salt": "r1", "revision": 1, "targets": []},
        ),
        (lambda r: r.stats(), "GET", "stats", None, STATS),
    ],
)
def test_a_question_is_asked_as_the_contract_says(
    edge: Edge,
    registry: Registry,
    ask: Callable[[Registry], object],
    method: str,
    path: str,
    sent: object,
    answer: object,
) -> None:
    edge.answer(method, path, Answer(answer))

    ask(registry)

    (asked,) = edge.asked
    assert (asked.method, asked.path) == (method, f"/api/model-registry/{path}")
    assert (asked.document if asked.body else None) == sent


def test_a_name_cannot_reach_another_resource(edge: Edge, registry: Registry) -> None:
    edge.answer("GET", "models/a%2Fb%3Fc%23d", Answer(ENTRY))

    registry.get_model("a/b?c#d")

    assert len(edge.asked) == 1


def test_answers_are_typed(edge: Edge, registry: Registry) -> None:
    edge.answer("PATCH", "models/m/deployment", Answer(MOVE))
    edge.answer("POST", "models/m/rollback", Answer(ROLLED_BACK))
    edge.answer("POST", "models/m/review-request", Answer({"requested_at": "2026-03-01T12:00Z"}))
    edge.answer("GET", "stats", Answer(STATS))

    move = registry.update_deployment_status("m", DeploymentStage.CANARY)
    rolled_back = registry.rollback("m")

    assert move.status is DeploymentStage.CANARY
    assert move.previous_status is DeploymentStage.SANDBOX
    assert rolled_back.restored_model_id == "m0"
    assert rolled_back.status is DeploymentStage.ROLLBACK
    assert registry.stats().by_stage["production"] == 1


def test_a_closed_gate_gives_every_blocker(edge: Edge, registry: Registry) -> None:
    blockers = ["The bias check has not passed.", "No review."]
    edge.answer(
        "PATCH", "models/m/deployment", Answer({"title": "Closed", "blockers": blockers}, 409)
    )

    with pytest.raises(PromotionBlocked) as refusal:
        registry.update_deployment_status("m", DeploymentStage.CANARY)

    assert refusal.value.blockers == blockers


def test_a_number_that_is_none_is_refused_before_it_is_sent(edge: Edge, registry: Registry) -> None:
    with pytest.raises(InvalidInput, match="/evaluation_metrics/f1: nan is not a finite number"):
        registry.register_model(an_entry(evaluation_metrics={"f1": float("nan")}))

    assert edge.asked == []


def test_a_list_is_whole_however_many_pages_it_takes(edge: Edge, registry: Registry) -> None:
    def page(asked: Asked) -> Answer:
        cursor = int(parse_qs(urlsplit(asked.path).query).get("cursor", ["0"])[0])
        models = [{**ENTRY, "model_id": f"m{cursor}{n}"} for n in range(2)]
        return Answer({"models": models, "next": str(cursor + 1) if cursor < 2 else None})

    edge.answer("GET", "models", page)

    found = registry.list_models()

    assert [entry.model_id for entry in found] == ["m00", "m01", "m10", "m11", "m20", "m21"]


def test_a_list_asks_for_what_fits_and_for_nothing_else(edge: Edge, registry: Registry) -> None:
    edge.answer("GET", "models", Answer({"models": [], "next": None}))

    registry.list_models(
        deploy_status=DeploymentStage.CANARY, framework="pytorch", team="r&d", owner="ada", q="fra"
    )
    registry.list_models(tags=["nlp", "transformer"])
    registry.list_models(tags="nlp,transformer")

    queries = [parse_qs(urlsplit(asked.path).query) for asked in edge.asked]
    assert queries[0] == {
        "stage": ["canary"],
        "framework": ["pytorch"],
        "team": ["r&d"],
        "owner": ["ada"],
        "q": ["fra"],
        "limit": ["200"],
    }
    assert queries[1] == queries[2] == {"tags": ["nlp,transformer"], "limit": ["200"]}


def test_history_gives_events_and_incidents_give_objects(edge: Edge, registry: Registry) -> None:
    event = {
        "id": 1,
        "event_type": "model.registered",
        "source": "registry",
        "timestamp": "2026-03-01T12:00:00Z",
        "actor": "u-1",
        "payload": {"model_id": "m"},
    }
    edge.answer("GET", "models/m/history", Answer({"events": [event], "next": None}))
    edge.answer(
        "GET", "incidents?state=open&limit=200", Answer({"incidents": [{"incident_id": 3}]})
    )

    (happened,) = registry.history("m")
    (incident,) = registry.incidents("open")

    assert happened.event_type == "model.registered"
    assert happened.timestamp == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert incident["incident_id"] == 3


def test_waiting_for_an_evaluation_ends_when_it_is_done(edge: Edge, registry: Registry) -> None:
    done = {**EVALUATION, "state": "done", "results": {"accuracy": 0.82}}
    edge.answer("GET", "models/m/evaluations/7", Answer(EVALUATION), Answer(done))

    found = registry.wait_for_evaluation("m", 7, poll_seconds=0.01)

    assert found.results == {"accuracy": 0.82}


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_an_evaluation_without_results_says_why(edge: Edge, registry: Registry, state: str) -> None:
    ended = {**EVALUATION, "state": state, "error": "no such data set"}
    edge.answer("GET", "models/m/evaluations/7", Answer(ended))

    with pytest.raises(EvaluationFailed, match=f"Evaluation 7 {state}: no such data set"):
        registry.wait_for_evaluation("m", 7)


def test_waiting_ends_in_time(edge: Edge, registry: Registry) -> None:
    edge.answer("GET", "models/m/evaluations/7", Answer(EVALUATION))

    with pytest.raises(TimedOut, match="is running after 0.05 s"):
        registry.wait_for_evaluation("m", 7, timeout=0.05, poll_seconds=0.02)
