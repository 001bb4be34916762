"""Read what a scenario expects, each field against what there is to expect. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from config.scenarios.fields import Fields, ScenarioRefused, listed, number, one_of, text
from config.scenarios.series import Expected, Raised, Rollback

T = TypeVar("T")
Read = Callable[[Any, str], T]

REASONS = {  # the format's name → the metric
    "error_rate": "error_rate",
    "latency_p95": "latency_p95_ms",
    "ood_rate": "ood_rate",
    "input_drift": "input_drift_score",
}
STAGES = ("development", "sandbox", "canary", "production", "archived", "rollback")
VERDICTS = ("rollback", "watch", "no_data", "ok")
KINDS = (
    "no_data",
    "rollback_suppressed_cooldown",
    "shared_cause",
    "rollback",
    "breach",
    "traffic_ignored",
)
ACTIONS = ("promote", "rollback", "restore", "archive", "withdraw")


def read(value: Any, where: str, versions: Collection[str], names: Collection[str]) -> Expected:
    """Read the expectations of one scenario.

    Args:
        versions: Those there are.
        names: The ids of the series, of which an http status may be expected.

    Raises:
        ScenarioRefused: Something else than a version, a stage, a verdict and so on is named.
    """
    fields, version = Fields(value, where), one_of(versions)
    found = Expected(
        rollbacks=fields.take("rollback", _rollbacks(version), None),
        final=fields.take("final", _by(version, one_of(STAGES)), {}),
        weight=fields.take("weight", _by(version, percent), {}),
        verdict_at=fields.take("verdict_at", _by(number, _by(version, one_of(VERDICTS))), {}),
        never=fields.take("never", _each(partial(_never, version=version)), []),
        incidents=fields.take("incident", partial(_incidents, version=version), []),
        http=fields.take("http", _by(one_of(names), _status), {}),
    )
    fields.end()
    return found


def percent(value: Any, where: str) -> Decimal:
    """A percentage, exactly as it is written."""
    number(value, where)
    return Decimal(str(value))


def _by(key: Read[Any], item: Read[T]) -> Read[Mapping[Any, T]]:
    """Reads a mapping, keys and values each in their way."""

    def read(value: Any, where: str) -> Mapping[Any, T]:
        if not isinstance(value, Mapping):
            raise ScenarioRefused(f"{where}: give a mapping, not {value!r}.")
        return {key(k, where): item(v, f"{where}.{k}") for k, v in value.items()}

    return read


def _each(item: Read[T]) -> Read[list[T]]:
    """Reads a list; one thing stands for a list of it."""
    return lambda value, where: [item(each, where) for each in _some(value)]


def _some(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _rollbacks(version: Read[str]) -> Read[list[Rollback] | None]:
    return lambda value, where: [
        _rollback(each, f"{where}[{place}]", version)
        for place, each in enumerate(listed(value, where))
    ]


def _rollback(value: Any, where: str, version: Read[str]) -> Rollback:
    fields = Fields(value, where)
    says_restores = "restores" in value
    found = Rollback(
        version=fields.need("version", version),
        between=fields.take("between", _interval, None),
        restores=fields.take("restores", or_none(version), None),
        says_restores=says_restores,
        reason=fields.take("reason", one_of(REASONS), None),
    )
    fields.end()
    return found


def _interval(value: Any, where: str) -> tuple[float, float] | None:
    bounds = [number(bound, where) for bound in listed(value, where)]
    if len(bounds) != 2 or bounds[0] > bounds[1]:
        raise ScenarioRefused(f"{where}: give [earliest, latest], not {value!r}.")
    return bounds[0], bounds[1]


def or_none(read: Read[str]) -> Read[str | None]:
    """Reads null as nothing."""
    return lambda value, where: None if value is None else read(value, where)


def _never(value: Any, where: str, version: Read[str]) -> tuple[str, str]:
    action, _, name = text(value, where).partition("_")
    return one_of(ACTIONS)(action, where), version(name, where)


def _incidents(value: Any, where: str, version: Read[str]) -> list[Raised]:
    return [raised for each in _some(value) for raised in _raised(each, where, version)]


def _raised(value: Any, where: str, version: Read[str]) -> Iterator[Raised]:
    """``{v1: no_data, by: 660}``: each version with its kind, and until when for all of them.

    Or ``{version: v1, kind: no_data, by: 660}``, as rollbacks are said.
    """
    fields = Fields(value, where)
    by = fields.take("by", _time, None)
    if isinstance(value, Mapping) and "kind" in value:
        yield Raised(
            version=fields.need("version", version), kind=fields.need("kind", one_of(KINDS)), by=by
        )
        fields.end()
        return
    for name, kinds in fields.rest().items():
        for kind in _some(kinds):
            yield Raised(
                version=version(name, where), kind=one_of(KINDS)(kind, fields.at(name)), by=by
            )


def _time(value: Any, where: str) -> float | None:
    return number(value, where)


def _status(value: Any, where: str) -> int:
    if not isinstance(value, int) or not 100 <= value <= 599:
        raise ScenarioRefused(f"{where}: give an HTTP status, not {value!r}.")
    return value
