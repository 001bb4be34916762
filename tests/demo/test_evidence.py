from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from assay import Registry
from assay.session import Session
from assay.transport import Request, Response
from demo import evidence
from demo.evidence import Decision, NotMeasured

ANSWER: dict[str, Any] = {
    "at": "2026-11-23T15:30:26.809038Z",
    "by": "rollback monitor",
    "reasons": ["input drift 0.687 > 0.3 over 231 requests"],
    "window": {"minutes": 10, "newest_snapshot_at": "2026-11-23T15:30:26.609038Z"},
    "evidence": [
        {
            "metric": "error_rate",
            "verdict": "ok",
            "value": 0.0,
            "threshold": 0.05,
            "requests": 2968,
            "reason": "error rate 0 % over 2,968 requests",
        },
        {
            "metric": "input_drift_score",
            "verdict": "rollback",
            "value": 0.6874,
            "threshold": 0.3,
            "requests": 231,
            "reason": "input drift 0.687 > 0.3 over 231 requests",
        },
    ],
    "restored_model_id": None,
    "incident_id": 7,
}


@pytest.fixture
def decision() -> Decision:
    return Decision.read("v2", ANSWER)


def test_a_decision_names_what_breached(decision: Decision) -> None:
    assert decision.breached == {"input_drift_score": 0.6874}
    assert decision.reasons == ("input drift 0.687 > 0.3 over 231 requests",)
    assert decision.incident_id == 7


def test_time_runs_from_the_deciding_snapshot(decision: Decision) -> None:
    assert decision.seconds_to_commit == pytest.approx(0.2)


def test_time_to_the_last_answer_may_be_unknown(decision: Decision) -> None:
    answered = datetime(2026, 11, 23, 15, 30, 27, 609038, tzinfo=UTC).timestamp()

    assert decision.seconds_to_last_answer(answered) == pytest.approx(1.0)
    assert decision.seconds_to_last_answer(None) is None


def test_what_a_person_did_is_no_measured_decision() -> None:
    by_hand = ANSWER | {"by": "max", "window": None, "evidence": None}

    with pytest.raises(NotMeasured, match="rolled back by max"):
        Decision.read("v2", by_hand)


def test_the_answer_is_shown_as_the_json_it_is(decision: Decision) -> None:
    shown = json.loads("\n".join(decision.answer_lines()))

    brief = [{k: v for k, v in each.items() if k != "reason"} for each in ANSWER["evidence"]]
    assert shown == {**ANSWER, "evidence": brief}


def test_each_trigger_has_a_line_of_its_own(decision: Decision) -> None:
    lines = [line.strip(" ,") for line in decision.answer_lines() if "metric" in line]

    assert [json.loads(line)["metric"] for line in lines] == ["error_rate", "input_drift_score"]


class Snapshots:
    """A transport that answers with three snapshots, not in order."""

    path = ""

    def exchange(self, request: Request, into: object = None) -> Response:
        self.path = request.path
        scores = [("15:30:02", 0.5), ("15:30:01", 0.4), ("15:30:03", None)]
        rows = [
            {"timestamp": f"2026-11-23T{at}Z", "input_drift_score": score} for at, score in scores
        ]
        return Response(200, {}, json.dumps({"snapshots": rows, "next": None}).encode())

    def release(self) -> None:
        pass


@pytest.mark.parametrize(("second", "score"), [(0, None), (1, 0.4), (2, 0.5), (59, 0.5)])
def test_the_drift_at_a_moment_is_the_last_one_told(second: int, score: float | None) -> None:
    moment = datetime(2026, 11, 23, 15, 30, second, tzinfo=UTC)

    assert evidence.drift_at(Registry(Session(Snapshots())), "v1", moment) == score


def test_only_snapshots_up_to_the_moment_are_asked_for() -> None:
    snapshots = Snapshots()

    evidence.drift_at(
        Registry(Session(snapshots)), "v1", datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
    )

    assert snapshots.path == (
        "/api/model-registry/models/v1/performance?until=2026-11-23T15%3A30%3A00%2B00%3A00"
    )
