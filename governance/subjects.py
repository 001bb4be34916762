"""What an approval is about, as one digest: change any part, and the approval is of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import prefetch_related_objects

from governance import constitution
from governance.models import Scope
from monitoring.models import Evaluation
from registry import canonical
from registry.models import ModelVersion, RiskTier

NONE = "none"  # stands for an artifact, a hash or an evaluation that is not there

# How a part reads in "… changed since ada signed".
PARTS = {
    "artifact_sha256": "artifact",
    "training_data_hash": "training data",
    "evidence_digest": "gate evaluation",
    "constitution_version": "constitution",
    "policy_version": "policy or risk tier",
    "scope": "scope",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What is approved: its parts, and their sha256."""

    parts: Mapping[str, str]

    @property
    def digest(self) -> str:
        """sha256 of the parts as canonical JSON."""
        return canonical.sha256(dict(self.parts))

    def scoped(self, scope: Scope) -> Subject:
        """The same parts for another scope."""
        return Subject({**self.parts, "scope": str(scope)})


def of(version: ModelVersion, scope: Scope = Scope.SERVING) -> Subject:
    """What an approval of ``version`` for ``scope`` would be about now."""
    return of_many([version])[version.pk].scoped(scope)


def of_many(versions: Sequence[ModelVersion]) -> dict[int, Subject]:
    """The subjects of many versions by primary key, scope serving, in at most two queries."""
    prefetch_related_objects(versions, "family")
    evidence = _evidence_digests(versions)
    return {version.pk: _subject(version, evidence.get(version.pk, NONE)) for version in versions}


def changes(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Which parts of a subject differ, as words."""
    return [word for part, word in PARTS.items() if then.get(part) != now.get(part)]


def _subject(version: ModelVersion, evidence_digest: str) -> Subject:
    rules = constitution.current()
    return Subject(
        {
            "artifact_sha256": version.artifact_digest or NONE,
            "training_data_hash": version.training_data_hash or NONE,
            "evidence_digest": evidence_digest,
            "constitution_version": rules.label(),
            "policy_version": rules.policy_label(RiskTier(version.family.risk_tier)),
            "scope": str(Scope.SERVING),
        }
    )


def _evidence_digests(versions: Sequence[ModelVersion]) -> dict[int, str]:
    """The digest of each version's newest gate evaluation, where it has one."""
    newest = (
        Evaluation.objects.evidence()
        .filter(version__in=[version.pk for version in versions])
        .order_by("version_id", "-finished_at", "-pk")
        .distinct("version_id")
    )
    return dict(newest.values_list("version_id", "evidence_digest"))
