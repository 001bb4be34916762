"""Write and revoke the statements that let a version into a gated stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction

from registry import clock
from registry.ledger import events
from registry.models import Attestation, DeploymentStage, ModelVersion


def write(
    version: ModelVersion,
    stage: DeploymentStage,
    *,
    subject_digest: str,
    approved_by: Sequence[str],
    checks: Mapping[str, str],
) -> Attestation:
    """Keep a gate's statement. Only governance.gates, which weighs it, calls this.

    And scenarios (config.scenarios), for whose models nobody is to decide anything.
    """
    return Attestation.objects.create(
        version=version,
        stage=stage,
        subject_digest=subject_digest,
        artifact_sha256=version.artifact_digest,
        approved_by=list(approved_by),
        checks=dict(checks),
    )


@transaction.atomic
def revoke(attestation: Attestation, *, actor: str, reason: str) -> Attestation:
    """Take a statement back: it allows no further move and no restore. Twice changes nothing."""
    attestation = (
        Attestation.objects.select_for_update(of=("self",))
        .select_related("version")
        .get(pk=attestation.pk)
    )
    if attestation.revoked_at is not None:
        return attestation
    attestation.revoked_at, attestation.revoked_by = clock.now(), actor
    attestation.save(update_fields=["revoked_at", "revoked_by"])
    events.record(
        "attestation.revoked",
        subject=attestation.version,
        actor=actor,
        remark=events.remark(reason),
        payload={"attestation_id": str(attestation.pk), "stage": attestation.stage},
    )
    return attestation
