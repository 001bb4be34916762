"""What the registry recorded of a rollback, read back by way of its API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from assay import Registry

DRIFT = "input_drift_score"


class NotMeasured(Exception):
    """A rollback does not rest on measurements: a person asked for it."""


@dataclass(frozen=True)
class Decision:
    """An automatic rollback: on which snapshot it was decided, and when it was done."""

    model_id: str
    decided_on: datetime  # the end of the interval that the deciding snapshot covers
    committed: datetime
    reasons: tuple[str, ...]
    breached: Mapping[str, float]  # metric → measured value
    incident_id: int | None
    answer: Mapping[str, Any]  # ``rollback`` of the model's detail, as it came

    @classmethod
    def read(cls, model_id: str, answer: Mapping[str, Any]) -> Self:
        """Read the ``rollback`` part of a model's detail.

        Raises:
            NotMeasured: A person rolled it back.
        """
        if answer["window"] is None or answer["evidence"] is None:
            raise NotMeasured(f"{model_id} was rolled back by {answer['by']}, not for what it did.")
        return cls(
            model_id=model_id,
            decided_on=datetime.fromisoformat(answer["window"]["newest_snapshot_at"]),
            committed=datetime.fromisoformat(answer["at"]),
            reasons=tuple(answer["reasons"]),
            breached={
                trigger["metric"]: float(trigger["value"])
                for trigger in answer["evidence"]
                if trigger["verdict"] == "rollback"
            },
            incident_id=answer["incident_id"],
            answer=answer,
        )

    @property
    def seconds_to_commit(self) -> float:
        """From the deciding snapshot to the committed rollback."""
        return (self.committed - self.decided_on).total_seconds()

    def seconds_to_last_answer(self, last_answered: float | None) -> float | None:
        """From the deciding snapshot to the version's last answer (POSIX seconds)."""
        if last_answered is None:
            return None
        return (datetime.fromtimestamp(last_answered, UTC) - self.decided_on).total_seconds()

    def answer_lines(self) -> list[str]:
        """The answer as JSON, one line for each field and each trigger of the evidence."""
        lines = []
        for name, value in self.answer.items():
            if name == "evidence":
                triggers = ",\n    ".join(json.dumps(_brief(each)) for each in value)
                lines.append(f'"evidence": [\n    {triggers}\n  ]')
            else:
                lines.append(f"{json.dumps(name)}: {json.dumps(value)}")
        return ["{", *("  " + ",\n  ".join(lines)).splitlines(), "}"]


def drift_at(registry: Registry, model_id: str, moment: datetime) -> float | None:
    """The last drift score a version reported up to ``moment``; None: it reported none."""
    answer = registry.session.get("models", model_id, "performance", until=moment.isoformat())
    scored = [
        (datetime.fromisoformat(snapshot["timestamp"]), float(snapshot[DRIFT]))
        for snapshot in answer["snapshots"]
        if snapshot[DRIFT] is not None
    ]
    before = [score for score in sorted(scored) if score[0] <= moment]
    return before[-1][1] if before else None


def _brief(trigger: Mapping[str, Any]) -> dict[str, Any]:
    """A trigger without the sentence that the reasons give already."""
    return {name: trigger[name] for name in ("metric", "verdict", "value", "threshold", "requests")}
