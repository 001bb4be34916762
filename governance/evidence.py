"""Gather what is known of a version, for the automatic checks, reviewers and cards."""

from __future__ import annotations

from django.contrib.auth.models import Group, User

from governance import constitution
from governance.checks import CHECKS, Facts, Judged
from monitoring.models import Evaluation
from registry.models import ModelVersion


def gate_evaluation(version: ModelVersion) -> Evaluation | None:
    """The newest finished gate evaluation of the artifact the version has now."""
    found = Evaluation.objects.evidence().filter(version=version)
    return found.select_related("dataset").first()


def facts_of(version: ModelVersion, evaluation: Evaluation | None) -> Facts:
    """What was declared of ``version``, and what ``evaluation`` measured."""
    artifact = version.artifact
    return Facts(
        description=version.description,
        owner=version.owner,
        owner_is_known=_is_known(version.owner),
        artifact_digest=version.artifact_digest,
        artifact_format=artifact.format if artifact else None,
        artifact_detected=artifact.detected if artifact else "",
        training_data_hash=version.training_data_hash,
        training_dataset_size=version.training_dataset_size,
        declared_metrics=version.evaluation_metrics,
        expected_latency_p95_ms=version.expected_latency_p95_ms,
        results=evaluation.results if evaluation else None,
    )


def judge(facts: Facts) -> tuple[Judged, ...]:
    """What the automatic checks find of each principle of the constitution in force."""
    return tuple(
        Judged(
            id=principle.id,
            tick=principle.tick,
            statement=principle.statement,
            question=principle.question,
            findings=tuple((name, CHECKS[name](facts)) for name in principle.checks),
        )
        for principle in constitution.current().principles
    )


def _is_known(name: str) -> bool:
    return User.objects.filter(username=name).exists() or Group.objects.filter(name=name).exists()
