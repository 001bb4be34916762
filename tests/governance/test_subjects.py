"""The digest of what is approved: it moves with every part, and the part is named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from governance import constitution, subjects
from governance.models import Scope
from governance.subjects import PARTS, Subject
from monitoring.models import Evaluation, EvaluationKind
from registry.models import Artifact, ModelVersion, RiskTier

parts = st.fixed_dictionaries({part: st.text(max_size=5) for part in PARTS})


def test_a_version_without_anything_has_a_subject_of_nones(db: None, version: ModelVersion) -> None:
    rules = constitution.current()

    assert dict(subjects.of(version).parts) == {
        "artifact_sha256": "none",
        "training_data_hash": "none",
        "evidence_digest": "none",
        "constitution_version": rules.label(),
        "policy_version": rules.policy_label(RiskTier.MEDIUM),
        "scope": "serving",
    }


def test_the_digest_is_sha256_of_canonical_json() -> None:
    subject = Subject({"b": "é", "a": "1"})

    assert subject.digest == hashlib.sha256('{"a":"1","b":"é"}'.encode()).hexdigest()


def test_an_artifact_is_in_the_subject_by_its_digest(
    db: None, version: ModelVersion, upload: Callable[..., Artifact]
) -> None:
    before = subjects.of(version)

    upload(version, "b")

    after = subjects.of(version)
    assert after.parts["artifact_sha256"] == "b" * 64
    assert subjects.changes(before.parts, after.parts) == ["artifact"]


def test_a_declared_digest_stands_for_an_artifact_kept_elsewhere(
    db: None, make_version: Callable[..., ModelVersion]
) -> None:
    version = make_version(declared_sha256="c" * 64)

    assert subjects.of(version).parts["artifact_sha256"] == "c" * 64


def test_the_training_data_is_in_the_subject(
    db: None, make_version: Callable[..., ModelVersion]
) -> None:
    version = make_version(training_data_hash="abc123")

    assert subjects.of(version).parts["training_data_hash"] == "abc123"


def test_the_newest_gate_evaluation_is_the_evidence(
    db: None, version: ModelVersion, evaluate: Callable[..., Evaluation]
) -> None:
    evaluate(version, digit="1", finished_at=timezone.now() - timedelta(hours=1))
    evaluate(version, digit="2")

    assert subjects.of(version).parts["evidence_digest"] == "2" * 64


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": EvaluationKind.SCHEDULED},
        {"artifact_sha256": "b" * 64},
        {
            "state": "failed",
            "results": None,
            "evidence_digest": "",
            "error": "The data set has other features.",
        },
    ],
)
def test_only_finished_gate_evaluations_of_this_artifact_are_evidence(
    db: None,
    version: ModelVersion,
    evaluate: Callable[..., Evaluation],
    fields: dict[str, Any],
) -> None:
    evaluate(version, **fields)

    assert subjects.of(version).parts["evidence_digest"] == "none"


def test_another_tier_is_another_policy(
    db: None, version: ModelVersion, tier: Callable[[RiskTier], None]
) -> None:
    before = subjects.of(version)

    tier(RiskTier.LOW)

    assert subjects.changes(before.parts, subjects.of(version).parts) == ["policy or risk tier"]


def test_another_scope_is_another_subject(db: None, version: ModelVersion) -> None:
    canary = subjects.of(version, Scope.CANARY)

    assert canary.parts["scope"] == "canary"
    assert canary.digest != subjects.of(version, Scope.PRODUCTION).digest
    assert canary == subjects.of(version).scoped(Scope.CANARY)


def test_the_subjects_of_many_versions_take_two_queries(
    db: None,
    make_version: Callable[..., ModelVersion],
    evaluate: Callable[..., Evaluation],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(4):
        evaluate(make_version())
    versions = list(ModelVersion.objects.all())

    with django_assert_num_queries(2):
        found = subjects.of_many(versions)

    assert found[versions[0].pk] == subjects.of(versions[0])
    assert {subject.parts["evidence_digest"] for subject in found.values()} == {"e" * 64}


@given(parts, parts)
def test_subjects_have_one_digest_exactly_when_nothing_changed(
    then: dict[str, str], now: dict[str, str]
) -> None:
    same = Subject(then).digest == Subject(now).digest

    assert same == (subjects.changes(then, now) == [])


@given(parts)
def test_the_digest_does_not_depend_on_the_order_of_parts(found: dict[str, str]) -> None:
    turned = dict(reversed(found.items()))

    assert Subject(found).digest == Subject(turned).digest


def test_a_subject_survives_being_stored() -> None:
    subject = Subject({"artifact_sha256": "é", "scope": "serving"})

    assert Subject(json.loads(json.dumps(dict(subject.parts)))).digest == subject.digest
