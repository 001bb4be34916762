"""What monitoring keeps: measurements, verdicts, policies, incidents, evaluations."""

from __future__ import annotations

from monitoring.models.evaluation import Evaluation, EvaluationKind, EvaluationState
from monitoring.models.incidents import Incident, IncidentKind, Severity
from monitoring.models.policies import ModeOnBreach, RollbackPolicy, WithoutPredecessor
from monitoring.models.snapshots import PerformanceSnapshot
from monitoring.models.verdicts import RecordedVerdict

__all__ = [
    "Evaluation",
    "EvaluationKind",
    "EvaluationState",
    "Incident",
    "IncidentKind",
    "ModeOnBreach",
    "PerformanceSnapshot",
    "RecordedVerdict",
    "RollbackPolicy",
    "Severity",
    "WithoutPredecessor",
]
