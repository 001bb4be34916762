"""Model cards as rows: gathered, kept by revision, and read with people's names."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from markdown_it import MarkdownIt

from governance import cards, evidence, gates, subjects
from governance.cards import CardFacts
from governance.models import Approval, CheckResult, ModelCard
from governance.subjects import Subject
from monitoring.models import Evaluation
from registry import actors, canonical, clock, lifecycle
from registry.actors import actor_of
from registry.ledger import events
from registry.models import ModelVersion

USE_KEYS = ("intended_use", "out_of_scope")  # of the metadata, shown for what they are


@transaction.atomic
def generate(version: ModelVersion, *, actor: str) -> ModelCard:
    """The card of what is known now: a new revision, or the latest where nothing changed."""
    version = lifecycle.lock(version)
    content = cards.content(_gather(version, now=clock.now()))
    digest = canonical.sha256(content)
    latest = version.cards.first()
    if latest is not None and latest.content_sha256 == digest:
        return latest
    card = ModelCard.objects.create(
        version=version,
        revision=latest.revision + 1 if latest else 1,
        content=content,
        content_sha256=digest,
        generated_by=actor,
    )
    events.record(
        "model.card.generated",
        subject=version,
        actor=actor,
        payload={"revision": card.revision, "content_sha256": digest},
    )
    return card


def markdown(card: ModelCard) -> str:
    """The card as Markdown, with the names that its people go by now."""
    decided = [*card.content["governance"]["checks"], *card.content["governance"]["approvals"]]
    return cards.markdown(card.content, actors.names(one["by"] for one in decided))


def html(card: ModelCard) -> str:
    """The card as HTML. Markup in people's words is shown, not obeyed."""
    return str(MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown(card)))


def url_of(card: ModelCard) -> str:
    """The page that shows the card."""
    return f"/models/{card.version.model_id}/card/{card.revision}/"


def _gather(version: ModelVersion, *, now: datetime) -> CardFacts:
    evaluation = evidence.gate_evaluation(version)
    return CardFacts(
        model=_model(version),
        use=_use(version),
        training_data={
            "hash": version.training_data_hash or None,
            "rows": version.training_dataset_size,
            "trained_at": _iso(version.training_timestamp),
        },
        artifact=_artifact(version),
        declared_metrics=version.evaluation_metrics,
        evaluation=_evaluation(evaluation) if evaluation else None,
        results=evaluation.results if evaluation else None,
        principles=evidence.judge(evidence.facts_of(version, evaluation)),
        governance=_governance(version, now),
        deployment={
            "stage": version.stage,
            "canary_percentage": _number(version.canary_percentage),
            "since": _iso(version.stage_entered_at),
        },
    )


def _model(version: ModelVersion) -> dict[str, Any]:
    return {
        "model_id": version.model_id,
        "name": version.family.name,
        "version": version.version,
        "number": version.number,
        "framework": version.framework,
        "model_type": version.model_type,
        "owner": version.owner,
        "team": version.team,
        "risk_tier": version.family.risk_tier,
    }


def _use(version: ModelVersion) -> dict[str, Any]:
    said = {key: version.metadata.get(key) for key in USE_KEYS}
    return {"basis": "declared", "description": version.description or None, **said}


def _artifact(version: ModelVersion) -> dict[str, Any]:
    artifact = version.artifact
    basis = "measured" if artifact else "declared" if version.declared_sha256 else None
    return {
        "sha256": version.artifact_digest or None,
        "basis": basis,
        "format": artifact.format if artifact else None,
        "size": artifact.size if artifact else None,
        "path": version.artifact_path or None,
    }


def _evaluation(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "evaluation_id": evaluation.pk,
        "dataset": evaluation.dataset.name,
        "dataset_sha256": evaluation.dataset_sha256,
        "device": evaluation.device,
        "finished_at": _iso(evaluation.finished_at),
        "evidence_digest": evaluation.evidence_digest,
    }


def _governance(version: ModelVersion, now: datetime) -> dict[str, Any]:
    subject = subjects.of(version)
    results = gates.latest_results(version)
    approvals = version.approvals.select_related("approver")
    return {
        "risk_tier": version.family.risk_tier,
        "constitution_version": subject.parts["constitution_version"],
        "policy_version": subject.parts["policy_version"],
        "subject": dict(subject.parts),
        "subject_digest": subject.digest,
        "checks": [_check(result, subject) for result in results],
        "approvals": [_approval(approval, subject, now) for approval in approvals],
    }


def _check(result: CheckResult, subject: Subject) -> dict[str, Any]:
    return {
        "check": result.check_name,
        "verdict": result.verdict,
        "by": actor_of(result.reviewer),
        "at": _iso(result.settled_at),
        "of": "this" if result.subject_digest == subject.digest else "a former state",
    }


def _approval(approval: Approval, subject: Subject, now: datetime) -> dict[str, Any]:
    return {
        "by": actor_of(approval.approver),
        "role": approval.role,
        "scope": approval.scope,
        "at": _iso(approval.signed_at),
        "expires_at": _iso(approval.expires_at),
        "subject_digest": approval.subject_digest,
        "state": gates.state_of(approval, subject, now=now),
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
