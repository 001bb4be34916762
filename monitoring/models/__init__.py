"""What monitoring keeps: measurements, verdicts, policies, incidents, notices, evaluations, runs."""

from __future__ import annotations

from monitoring.models.evaluation import Evaluation, EvaluationKind, EvaluationState
from monitoring.models.followings import Following
from monitoring.models.incidents import Incident, IncidentKind, Severity
from monitoring.models.listening import Listening
from monitoring.models.notices import Notice
from monitoring.models.playbooks import (
    UNFINISHED,
    PlaybookRun,
    PlaybookStep,
    RunState,
    StepState,
)
from monitoring.models.policies import (
    LONGEST_WINDOW_MINUTES,
    ModeOnBreach,
    RollbackPolicy,
    RuleInForce,
    WithoutPredecessor,
)
from monitoring.models.rollups import (
    DayRollUp,
    HourRollUp,
    LateSnapshots,
    MinuteRollUp,
    RollUpRun,
)
from monitoring.models.snapshots import PerformanceSnapshot
from monitoring.models.verdicts import RecordedVerdict

__all__ = [
    "LONGEST_WINDOW_MINUTES",
    "UNFINISHED",
    "DayRollUp",
    "Evaluation",
    "EvaluationKind",
    "EvaluationState",
    "Following",
    "HourRollUp",
    "Incident",
    "IncidentKind",
    "LateSnapshots",
    "Listening",
    "MinuteRollUp",
    "ModeOnBreach",
    "Notice",
    "PerformanceSnapshot",
    "PlaybookRun",
    "PlaybookStep",
    "RecordedVerdict",
    "RollUpRun",
    "RollbackPolicy",
    "RuleInForce",
    "RunState",
    "Severity",
    "StepState",
    "WithoutPredecessor",
]
