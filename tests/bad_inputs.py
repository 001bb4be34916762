"""Every kind of bad input as tables: what is sent, and the status, field and words that refuse it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Row = tuple[str, Any, int, str | None, str]  # name, what is sent, status, pointer, words

TRIED, WATCHED = "tried_v1", "watched_v1"  # in sandbox, in canary
NAN, INFINITY = float("nan"), float("inf")  # written as NaN and Infinity, which are no JSON


def at(seconds: float) -> str:
    """A time so many seconds from now."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def nested(depth: int) -> dict[str, Any]:
    """So many objects in each other."""
    found: dict[str, Any] = {}
    for _ in range(depth - 1):
        found = {"in": found}
    return found


ENTRY = {
    "model_id": "new_v1",
    "name": "New",
    "version": "1.0.0",
    "framework": "pytorch",
    "model_type": "classification",
    "owner": "ml_team",
    "team": "fraud_prevention",
}
SNAPSHOT = {"timestamp": at(-5), "num_requests": 100, "error_rate": 0.01}

# What is wrong is laid over a good entry; bytes and lists are sent as they are.
REGISTRATIONS: list[Row] = [
    ("an unknown field", {"colour": "red"}, 400, "/colour", "no such field"),
    ("a field of the registry's own", {"number": 7}, 400, "/number", "no such field"),
    ("no team", {"team": None}, 400, "/team", ""),
    ("a number as text", {"training_dataset_size": "9"}, 400, "/training_dataset_size", "whole"),
    ("true as a number", {"training_dataset_size": True}, 400, "/training_dataset_size", "whole"),
    ("a negative size", {"training_dataset_size": -1}, 400, "/training_dataset_size", "from 0"),
    ("text as a number", {"team": 7}, 400, "/team", "string"),
    ("a metric in words", {"evaluation_metrics": {"f1": "x"}}, 400, "/evaluation_metrics", "'f1'"),
    (
        "NaN among metrics",
        {"evaluation_metrics": {"f1": NAN}},
        400,
        "/evaluation_metrics/f1",
        "fin",
    ),
    (
        "a metric no float holds",
        {"evaluation_metrics": {"f1": 10**400}},
        400,
        "/evaluation_metrics",
        "'f1'",
    ),
    ("a NUL", b'{"metadata": {"a": "\\u0000"}}', 400, "", "u0000"),
    ("NaN", {"expected_latency_p95_ms": NAN}, 400, "/expected_latency_p95_ms", "finite"),
    (
        "a number no float holds",
        {"expected_latency_p95_ms": 10**400},
        400,
        "/expected_latency_p95_ms",
        "finite",
    ),
    ("deep metadata", {"metadata": nested(65)}, 400, "/metadata", "at most 64 deep"),
    ("numbers as tags", {"tags": [1]}, 400, "/tags", "strings"),
    ("an unknown tier", {"risk_tier": "mild"}, 400, "/risk_tier", "mild"),
    ("a name with a slash", {"name": "a/b"}, 400, "/name", "neither"),
    ("a naive time", {"training_timestamp": "2026-01-31T12:00"}, 400, "/training_timestamp", "off"),
    ("a late stage", {"deploy_status": "canary"}, 422, "/deploy_status", "promote them"),
    (
        "a flag",
        {"metadata": {"bias_check_passed": True}},
        422,
        "/metadata/bias_check_passed",
        "Rev",
    ),
    ("a taken model_id", {"model_id": TRIED}, 409, None, "another model_id"),
    ("a taken version", {"name": "Tried"}, 409, None, "another version"),
    ("the tier of no family", {"name": "Tried", "risk_tier": "high"}, 422, "/risk_tier", "console"),
    ("a list", [ENTRY], 400, "", "object"),
    ("no JSON", b"{'a': 1}", 400, "", "not valid JSON"),
    ("a key given twice", b'{"team": "a", "team": "b"}', 400, "/team", "twice"),
    ("another alphabet", b"\xff", 400, "", "UTF-8"),
]

# Laid over a good snapshot of the canary.
SNAPSHOTS: list[Row] = [
    ("an unknown field", {"p95": 9}, 400, "/p95", "no such field"),
    (
        "an unknown field in a list",
        [SNAPSHOT, SNAPSHOT | {"p95": 9}],
        400,
        "/1/p95",
        "no such field",
    ),
    ("no time", {"timestamp": None}, 400, "/timestamp", "offset"),
    ("a future time", {"timestamp": at(3600)}, 400, "/timestamp", "future"),
    ("a naive time", {"timestamp": "2026-01-31T12:00:00"}, 400, "/timestamp", "offset"),
    ("a time in words", {"timestamp": "noon"}, 400, "/timestamp", "2026-01-31T12:00:00Z"),
    ("a time long gone", {"timestamp": "2001-01-31T12:00:00Z"}, 400, "/timestamp", "older"),
    ("a negative count", {"num_requests": -1}, 400, "/num_requests", "from 0"),
    ("half a request", {"num_requests": 0.5}, 400, "/num_requests", "whole"),
    ("true requests", {"num_requests": True}, 400, "/num_requests", "whole"),
    ("NaN", {"error_rate": NAN}, 400, "/error_rate", "finite"),
    ("NaN in a list", [SNAPSHOT, SNAPSHOT | {"ood_rate": NAN}], 400, "/1/ood_rate", "finite"),
    ("an infinity", {"latency_p95_ms": INFINITY}, 400, "/latency_p95_ms", "finite"),
    ("a number beyond all", b'{"latency_p95_ms": 1e999}', 400, "/latency_p95_ms", "finite"),
    ("a share as text", {"error_rate": "0.1"}, 400, "/error_rate", "share"),
    ("a share over one", {"error_rate": 1.01}, 400, "/error_rate", "0 to 1"),
    ("a negative latency", {"latency_p95_ms": -0.1}, 400, "/latency_p95_ms", "from 0"),
    ("another model", {"model_id": TRIED}, 400, "/model_id", WATCHED),
    ("another version", {"version": "2.0.0"}, 400, "/version", "1.0.0"),
    ("none at all", [], 400, "", "at least one"),
    ("10,001 at once", [SNAPSHOT] * 10_001, 413, None, "at most 10000"),
]

# Moves of the model in sandbox, by its trainer.
SHARE = "/canary_percentage"
MOVES: list[Row] = [
    ("an unknown field", {"status": "development", "to": 1}, 400, "/to", "no such field"),
    ("no stage", {}, 400, "/status", "required"),
    ("an unknown stage", {"status": "live"}, 400, "/status", "Stages are"),
    ("a stage as a number", {"status": 1}, 400, "/status", "string"),
    ("a skipped stage", {"status": "production"}, 409, None, "may move to"),
    ("an unreviewed canary", {"status": "canary"}, 409, None, "signature"),
    ("a share as text", {"status": "canary", "canary_percentage": "9"}, 400, SHARE, "number"),
    ("no share", {"status": "canary", "canary_percentage": 0}, 400, SHARE, "over 0"),
    ("all", {"status": "canary", "canary_percentage": 100}, 400, SHARE, "under 100"),
    ("more than all", {"status": "canary", "canary_percentage": 100.5}, 400, SHARE, "under 100"),
    ("less than nothing", {"status": "canary", "canary_percentage": -1}, 400, SHARE, "over 0"),
    ("a splinter", {"status": "canary", "canary_percentage": 0.001}, 400, SHARE, "steps of 0.01"),
    ("NaN", {"status": "canary", "canary_percentage": NAN}, 400, SHARE, "finite"),
    ("a share elsewhere", {"status": "development", "canary_percentage": 9}, 400, SHARE, "Only"),
]

# Changes of the model in sandbox, by its reviewer.
FLAG = "/metadata/bias_check_passed"
CHANGES: list[Row] = [
    ("an unknown field", {"stage": "canary"}, 400, "/stage", "no such field"),
    ("a flag in words", {"metadata": {"bias_check_passed": "yes"}}, 400, FLAG, "true or false"),
    ("a flag as a number", {"metadata": {"bias_check_passed": 1}}, 400, FLAG, "true or false"),
    ("nothing", {}, 400, "", "at least one"),
    ("what the trainer declares", {"description": "Better."}, 403, None, "trainer"),
]


@dataclass(frozen=True, slots=True)
class Bad:
    """One bad call. ``pointer`` is the field that the refusal names, ``says`` part of its words."""

    name: str
    who: str  # a role, "" for nobody
    method: str
    path: str  # below /api/model-registry/
    body: Any  # JSON, or bytes as they are
    status: int
    pointer: str | None
    says: str


TICK = {"metadata": {"bias_check_passed": True}}
TYPES = {"event_types": ["model.*"]}
LATENCY = f"models/{WATCHED}/rollback-check?window_minutes=ten"
OTHERS = [
    Bad("nobody", "", "POST", "models", ENTRY, 401, None, "credentials"),
    Bad("a reading nobody", "", "GET", "models", None, 401, None, "credentials"),
    Bad("a wrong token", "assay_wrong", "POST", "models", ENTRY, 401, None, "issue_token"),
    Bad("the wrong role", "serving", "POST", "models", ENTRY, 403, None, "trainer"),
    Bad("a trainer", "trainer", "POST", f"models/{WATCHED}/rollback", {}, 403, None, "operator"),
    Bad("a trainer's tick", "trainer", "PATCH", f"models/{TRIED}", TICK, 403, None, "reviewer"),
    Bad("an owner's tick", "owner", "PATCH", f"models/{TRIED}", TICK, 403, None, "its own people"),
    Bad("no model", "trainer", "GET", "models/nothing_v1", None, 404, None, "GET models lists"),
    Bad("no card", "trainer", "POST", "models/no_v1/generate-card", {}, 404, None, "no_v1"),
    Bad("no home", "serving", "POST", "models/no_v1/performance", SNAPSHOT, 404, None, "no_v1"),
    Bad("no family", "trainer", "GET", "families/Nothing/traffic", None, 404, None, "Nothing"),
    Bad("a NUL in a path", "trainer", "GET", "models/a%00", None, 404, None, "NUL"),
    Bad("a NUL among families", "trainer", "GET", "families/%00/traffic", None, 404, None, "NUL"),
    Bad("a NUL to remove", "trainer", "DELETE", "subscriptions/%00", None, 404, None, "NUL"),
    Bad("a NUL as team", "trainer", "GET", "families?team=%00", None, 400, "/team", "printable"),
    Bad("a NUL as tag", "trainer", "GET", "models?tags=a,%00", None, 400, "/tags", "printable"),
    Bad("a NUL as word", "trainer", "GET", "models?q=%00", None, 400, "/q", "printable"),
    Bad("a NUL as model", "trainer", "GET", "incidents?model_id=%00", None, 400, "/model_id", "printable"),
    Bad("a NUL as playbook", "trainer", "GET", "playbook-runs?playbook=%00", None, 400, "/playbook", "printable"),
    Bad("two teams", "trainer", "GET", "models?team=a&team=b", None, 400, "/team", "once"),
    Bad("a long name", "trainer", "PUT", f"subscriptions/{'a' * 201}", TYPES, 400, "/name", "200"),
    Bad("a broken name", "trainer", "PUT", "subscriptions/a%0Ab", TYPES, 400, "/name", "printable"),
    Bad("a handler", "trainer", "PUT", "subscriptions/a", TYPES | {"handler": "os.x"}, 422, "/handler", "'os'"),
    Bad("a number as token", "trainer", "POST", "subscriptions/a/settle", {"delivery_id": 1, "token": 0}, 400, "/token", "UUID"),
    Bad("a bare token", "trainer", "POST", "subscriptions/a/settle", {"delivery_id": 1, "token": "0" * 32}, 400, "/token", "UUID"),
    Bad("no confirmation", "trainer", "POST", "copilot/confirm", {"confirmation": "0"}, 422, "/confirmation", "ask again"),
    Bad("a filter", "trainer", "GET", "models?colour=red", None, 400, "/colour", "no such"),
    Bad("a stage", "trainer", "GET", "models?stage=live", None, 400, "/stage", "Stages"),
    Bad("a page", "trainer", "GET", "models?cursor=x", None, 400, "/cursor", "next"),
    Bad("a window", "trainer", "GET", LATENCY, None, 400, "/window_minutes", "whole number"),
    Bad("a card", "trainer", "POST", f"models/{TRIED}/generate-card", {"a": 1}, 400, "/a", "no such"),
    Bad("a why", "operator", "POST", f"models/{WATCHED}/rollback", {"why": ""}, 400, "/why", "no such"),
    Bad("nothing live", "operator", "POST", f"models/{TRIED}/rollback", {}, 409, None, "may move to"),
    Bad("no bytes", "trainer", "PUT", f"models/{TRIED}/artifact", b"", 422, "", "empty"),
    Bad("late bytes", "trainer", "PUT", f"models/{WATCHED}/artifact", b"x", 409, None, "before canary"),
    Bad("no data", "trainer", "POST", f"models/{TRIED}/evaluations", {"dataset": "a"}, 404, None, "PUT"),
    Bad("our event", "trainer", "POST", "events", {"event_type": "model.promoted"}, 409, None, "own"),
]  # fmt: skip


def calls() -> Iterator[Bad]:
    """Every row of every table as a call."""
    for who, method, path, good, rows in (
        ("trainer", "POST", "models", ENTRY, REGISTRATIONS),
        ("serving", "POST", f"models/{WATCHED}/performance", SNAPSHOT, SNAPSHOTS),
        ("trainer", "PATCH", f"models/{TRIED}/deployment", {}, MOVES),
        ("reviewer", "PATCH", f"models/{TRIED}", {}, CHANGES),
    ):
        for name, wrong, status, pointer, says in rows:
            body = good | wrong if isinstance(wrong, dict) else wrong
            yield Bad(name, who, method, path, body, status, pointer, says)
    yield from OTHERS
