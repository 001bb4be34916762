"""Keep every change of verdict with its evidence."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from monitoring.models import RecordedVerdict
from monitoring.triggers import Assessment
from registry.models import ModelVersion


def keep_if_changed(
    version: ModelVersion,
    assessment: Assessment,
    *,
    newest_snapshot_at: datetime | None,
    now: datetime,
) -> RecordedVerdict:
    """The record of what holds now: the latest one, or a new one where the verdict differs.

    It differs where the overall verdict, the stage or the set of breaching triggers does.
    The caller holds the family's lock.
    """
    latest = version.verdicts.first()
    if latest is not None and _key(latest) == _new_key(version, assessment):
        return latest
    return RecordedVerdict.objects.create(
        version=version,
        verdict=assessment.verdict,
        stage=version.stage,
        window_minutes=assessment.window_minutes,
        window_end=now,
        reasons=list(assessment.reasons),
        triggers=[asdict(trigger) for trigger in assessment.triggers],
        newest_snapshot_at=newest_snapshot_at,
        decided_at=now,
    )


def latest_breach(version: ModelVersion) -> RecordedVerdict | None:
    """The last verdict that asked for a rollback."""
    return version.verdicts.filter(verdict=RecordedVerdict.Verdict.ROLLBACK).first()


def _key(kept: RecordedVerdict) -> tuple[str, str, frozenset[str]]:
    breaching = frozenset(t["metric"] for t in kept.triggers if t["verdict"] == "rollback")
    return kept.verdict, kept.stage, breaching


def _new_key(version: ModelVersion, found: Assessment) -> tuple[str, str, frozenset[str]]:
    breaching = frozenset(str(trigger.metric) for trigger in found.breaches)
    return str(found.verdict), version.stage, breaching
