"""Times get an offset, numbers stay numbers, and what cannot be sent is named."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType

import numpy as np
import pytest
import torch

from assay import AssayError, DeploymentStage, InvalidInput, ModelRegistryEntry
from assay.awaiting import Settled
from assay.wire import aware, declared, dumps, loads, read
from tests.client.makers import ENTRY, an_entry, at_noon


@pytest.fixture
def in_zone(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("in_zone", "sent"),
    [
        ("UTC", "2026-07-01T12:00:00+00:00"),
        ("Asia/Tokyo", "2026-07-01T12:00:00+09:00"),
        ("America/Los_Angeles", "2026-07-01T12:00:00-07:00"),
    ],
    indirect=["in_zone"],
)
@pytest.mark.usefixtures("in_zone")
def test_a_naive_time_is_local_and_sent_with_its_offset(sent: str) -> None:
    naive = datetime(2026, 7, 1, 12)  # noqa: DTZ001 - the case under test

    assert json.loads(dumps({"at": naive})) == {"at": sent}


@pytest.mark.parametrize("in_zone", ["America/Los_Angeles"], indirect=True)
@pytest.mark.usefixtures("in_zone")
def test_the_hour_that_comes_twice_is_told_apart_by_its_fold() -> None:
    first = datetime(2026, 11, 1, 1, 30)  # noqa: DTZ001 - the case under test

    assert aware(first).utcoffset() == timedelta(hours=-7)
    assert aware(replace_fold(first)).utcoffset() == timedelta(hours=-8)


def replace_fold(moment: datetime) -> datetime:
    return moment.replace(fold=1)


def test_a_time_with_an_offset_is_sent_as_it_is() -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=5, minutes=45)))

    assert dumps(moment) == b'"2026-03-01T12:00:00+05:45"'


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (np.float32(0.5), 0.5),
        (np.float64(0.25), 0.25),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (torch.tensor(0.5), 0.5),
        (torch.tensor(3), 3),
    ],
)
def test_a_scalar_of_numpy_or_torch_is_a_number(value: object, number: float) -> None:
    sent = json.loads(dumps({"accuracy": value}))["accuracy"]

    assert sent == number
    assert type(sent) is type(number)


def test_read_only_mappings_and_sets_have_a_form() -> None:
    assert dumps({"a": MappingProxyType({"b": 1}), "c": {"z", "y"}}) == (
        b'{"a": {"b": 1}, "c": ["y", "z"]}'
    )


@pytest.mark.parametrize(
    ("document", "pointer", "detail"),
    [
        ({"metrics": {"f1": float("nan")}}, "/metrics/f1", "nan is not a finite number"),
        ([{"error_rate": 0.1}, {"error_rate": float("inf")}], "/1/error_rate", "inf is not"),
        ({"a/b": {"c~d": float("-inf")}}, "/a~1b/c~0d", "-inf is not"),
        ({"a": (1, object())}, "/a/1", "object has no JSON form"),
        ({"a": np.array([1.0, 2.0])}, "/a", "ndarray has no JSON form"),
        ({"m": {"x": np.float32("nan")}}, "/m/x", "nan is not a finite number"),
        ({"n": MappingProxyType({"x": float("nan")})}, "/n/x", "nan is not a finite number"),
    ],
)
def test_what_json_has_no_word_for_is_refused_where_it_stands(
    document: object, pointer: str, detail: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        dumps(document)

    assert [error.pointer for error in refusal.value.errors] == [pointer]
    assert detail in str(refusal.value)


def test_a_key_that_is_no_text_is_refused_as_well() -> None:
    with pytest.raises(InvalidInput):
        dumps({(1, 2): 3})


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[1]", b"null"])
def test_an_answer_that_is_no_json_object_is_no_registrys(body: bytes) -> None:
    with pytest.raises(AssayError, match="is ASSAY_URL that of a registry"):
        loads(body)


def test_an_entry_is_read_with_times_and_stage_and_without_what_is_newer() -> None:
    entry = read(ModelRegistryEntry, ENTRY)

    assert entry.deploy_status is DeploymentStage.CANARY
    assert entry.training_timestamp == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert entry.tags == {"nlp": "", "task": "fraud"}
    assert entry.rollback is None
    assert entry.revision == 4


def test_text_that_looks_like_a_time_stays_text_in_a_text_field() -> None:
    entry = read(ModelRegistryEntry, {**ENTRY, "version": "2026-03-01"})

    assert entry.version == "2026-03-01"


def test_an_answer_that_lacks_a_field_names_it() -> None:
    with pytest.raises(AssayError, match="no ModelRegistryEntry: it lacks version, owner"):
        read(ModelRegistryEntry, {k: v for k, v in ENTRY.items() if k not in ("version", "owner")})


def test_what_is_at_its_default_is_not_sent() -> None:
    assert declared(an_entry()) == {
        "model_id": "m",
        "name": "Fraud Detector",
        "version": "1.0.0",
        "framework": "pytorch",
        "model_type": "classification",
        "owner": "ada",
        "team": "risk",
    }


def test_what_only_the_registry_may_set_is_sent_so_that_it_can_be_refused() -> None:
    entry = an_entry(constitutional_compliance=True, deploy_status=DeploymentStage.PRODUCTION)

    assert declared(entry)["constitutional_compliance"] is True
    assert json.loads(dumps(declared(entry)))["deploy_status"] == "production"


def test_a_declared_entry_reads_back_the_same() -> None:
    entry = an_entry(
        training_timestamp=at_noon(),
        evaluation_metrics={"f1": 0.94},
        tags={"nlp": ""},
        metadata={"nested": {"a": [1, 2]}},
        risk_tier="high",
    )

    assert read(ModelRegistryEntry, loads(dumps(declared(entry)))) == entry
    assert replace(entry, name="Other") != entry


def test_a_required_field_is_sent_whatever_its_value() -> None:
    @dataclass(frozen=True)
    class Count(Settled):
        n: int

    assert declared(Count(0)) == {"n": 0}
