"""How measured values read: labels and units. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitoring.triggers import LABELS, Metric, TriggerResult

TITLES: Mapping[Metric, str] = {
    Metric.ERROR_RATE: "Error rate",
    Metric.LATENCY: "p95 latency",
    Metric.OOD_RATE: "Out of distribution",
    Metric.INPUT_DRIFT: "Input drift",
}
VERDICTS = {"rollback": "roll back", "watch": "watch", "ok": "ok", "no_data": "no data"}
ABSENT = "–"


@dataclass(frozen=True, slots=True)
class Figure:
    """One trigger's verdict, ready to be read."""

    metric: Metric
    title: str
    verdict: str
    value: str
    threshold: str
    requests: int
    snapshots: int
    reason: str

    @property
    def verdict_label(self) -> str:
        """The verdict in words."""
        return VERDICTS[self.verdict]


def figure(trigger: TriggerResult | Mapping[str, Any]) -> Figure:
    """A trigger as it was just judged, or as a recorded verdict kept it."""
    kept = _fields(trigger) if isinstance(trigger, TriggerResult) else trigger
    metric = Metric(kept["metric"])
    return Figure(
        metric=metric,
        title=TITLES[metric],
        verdict=str(kept["verdict"]),
        value=show(metric, kept["value"]),
        threshold=show(metric, kept["threshold"]),
        requests=kept["requests"],
        snapshots=kept["snapshots"],
        reason=kept["reason"],
    )


def show(metric: Metric, value: float | None) -> str:
    """A value with its unit; a dash where there is none."""
    return ABSENT if value is None else LABELS[metric][1](value)


def _fields(trigger: TriggerResult) -> dict[str, Any]:
    return {name: getattr(trigger, name) for name in TriggerResult.__slots__}
