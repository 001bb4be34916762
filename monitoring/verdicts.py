"""Keep every change of verdict with its evidence."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from monitoring.assessments import Judged
from monitoring.models import RecordedVerdict
from monitoring.triggers import Assessment
from registry.models import ModelVersion

Key = tuple[str, str, str, frozenset[str]]


def keep_if_changed(version: ModelVersion, judged: Judged, *, now: datetime) -> RecordedVerdict:
    """The record of what holds now: the latest one, or a new one where the verdict differs.

    It differs where the overall verdict, the stage, the rule or the set of breaching triggers does.
    The caller holds the family's lock.
    """
    assessment, other = judged.both
    latest = version.verdicts.first()
    if latest is not None and _key(latest) == _new_key(version, assessment):
        return latest
    return RecordedVerdict.objects.create(
        version=version,
        verdict=assessment.verdict,
        stage=version.stage,
        rule=assessment.rule,
        window_minutes=assessment.window_minutes,
        window_end=now,
        reasons=list(assessment.reasons),
        triggers=[asdict(trigger) for trigger in assessment.triggers],
        other={
            "rule": other.rule,
            "verdict": other.verdict,
            "triggers": [asdict(trigger) for trigger in other.triggers],
        },
        newest_snapshot_at=judged.measured.newest_snapshot_at,
        decided_at=now,
    )


def latest_breach(version: ModelVersion) -> RecordedVerdict | None:
    """The last verdict that asked for a rollback."""
    return version.verdicts.filter(verdict=RecordedVerdict.Verdict.ROLLBACK).first()


def _key(kept: RecordedVerdict) -> Key:
    breaching = frozenset(t["metric"] for t in kept.triggers if t["verdict"] == "rollback")
    return kept.verdict, kept.stage, kept.rule, breaching


def _new_key(version: ModelVersion, found: Assessment) -> Key:
    breaching = frozenset(str(trigger.metric) for trigger in found.breaches)
    return str(found.verdict), version.stage, str(found.rule), breaching
