"""The models of a scenario, made and moved by the verbs that everybody calls.

Their gates are taken for open: who approved them is no part of the story. This is the one other
place that writes attestations, and only of models in a scenario's own database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.contrib.auth.models import User

from config.scenarios.arrivals import Arrival
from config.scenarios.series import Scenario, Version
from monitoring import policies
from registry import actors, attestations, lifecycle, registration, tokens
from registry.models import GATED_STAGES, DeploymentStage, ModelFamily, ModelVersion
from registry.registration import Entry

FAMILY = "m"
EXPECTED_P95_MS = 100.0


def populate(scenario: Scenario) -> str:
    """Register all versions, and move them to where they begin.

    Returns:
        A serving job's token.
    """
    registrant = User.objects.create_user("scenario")
    registration.register_all(
        [_entry(version) for version in scenario.versions.values()], registrant=registrant
    )
    family, actor = ModelFamily.objects.get(name=FAMILY), actors.actor_of(registrant)
    policies.change(family, {"rule": scenario.rule}, actor=actor)
    _leave_development(scenario.versions, actor)
    return tokens.issue("scenario-serving", role=tokens.SERVING, family=family)


def move(arrival: Arrival) -> None:
    """Bring a version to its stage, now."""
    version = ModelVersion.objects.get(model_id=arrival.version)
    registrant = User.objects.get(username="scenario")
    for stage in map(DeploymentStage, arrival.through):
        attestation = None
        if stage in GATED_STAGES:
            attestation = attestations.write(
                version, stage, subject_digest="0" * 64, approved_by=[], checks={}
            )
        lifecycle.move(
            version,
            to=stage,
            actor=actors.actor_of(registrant),
            attestation=attestation,
            canary_percentage=arrival.weight if stage == DeploymentStage.CANARY else None,
        )
        version.refresh_from_db()


def _entry(version: Version) -> Entry:
    return Entry(
        model_id=version.name,
        name=FAMILY,
        version=version.name,
        framework="sklearn",
        model_type="classification",
        owner="scenario",
        team="scenario",
        expected_latency_p95_ms=EXPECTED_P95_MS,
    )


def _leave_development(versions: Mapping[str, Version], actor: str) -> None:
    started: Iterable[Version] = (v for v in versions.values() if v.stage != "development")
    for version in started:
        registered = ModelVersion.objects.get(model_id=version.name)
        lifecycle.move(registered, to=DeploymentStage.SANDBOX, actor=actor)
