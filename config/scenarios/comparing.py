"""Where what came of a scenario differs from what it expects, a sentence each. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest

from config.scenarios.expectations import REASONS
from config.scenarios.series import Expected, Rollback, Scenario, Series

SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Made:
    """One rollback that was made."""

    version: str
    at: float
    restores: str | None  # who answers in its place
    breached: frozenset[str]  # the metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How it ended, and what happened on the way. Times are in seconds."""

    rollbacks: Sequence[Made]
    stages: Mapping[str, str]
    weights: Mapping[str, Decimal]  # percent of traffic
    verdicts: Mapping[float, Mapping[str, str]]  # by the times that were asked for
    actions: Sequence[tuple[str, str, float]]  # action, version, time
    incidents: Sequence[tuple[str, str, float]]  # version, kind, time
    statuses: Mapping[int, Sequence[int]]  # of the uploads, by the place of their series


def differences(scenario: Scenario, outcome: Outcome) -> list[str]:
    """All of them; none where it came as expected."""
    expected = scenario.expected
    return [
        *_rollbacks(expected.rollbacks, outcome.rollbacks),
        *_ends(expected, outcome),
        *_verdicts(expected, outcome),
        *_forbidden(expected, outcome),
        *_incidents(expected, outcome),
        *_statuses(expected, scenario.series, outcome),
    ]


def _rollbacks(expected: Sequence[Rollback] | None, made: Sequence[Made]) -> Iterator[str]:
    """Each version's in the order in which they happened."""
    if expected is None:
        return
    for version in dict.fromkeys([*(e.version for e in expected), *(m.version for m in made)]):
        wanted = [e for e in expected if e.version == version]
        found = [m for m in made if m.version == version]
        for want, have in zip_longest(wanted, found):
            yield from _rollback(want, have)


def _rollback(want: Rollback | None, have: Made | None) -> Iterator[str]:
    if have is None and want is not None:
        yield f"{want.version} was not rolled back{_within(want)}"
    elif want is None and have is not None:
        why = " and ".join(sorted(have.breached)) or "no breach"
        yield f"{have.version} was rolled back at {have.at:g}, for {why}; it was not expected"
    elif want is not None and have is not None:
        if want.between and not want.between[0] <= have.at <= want.between[1]:
            yield f"{want.version} was rolled back at {have.at:g}, not{_within(want)}"
        if want.says_restores and have.restores != want.restores:
            yield f"{want.version} gave way to {have.restores}, not to {want.restores}"
        if want.reason and REASONS[want.reason] not in have.breached:
            why = " and ".join(sorted(have.breached)) or "no breach"
            yield f"{want.version} was rolled back for {why}, not for {want.reason}"


def _within(want: Rollback) -> str:
    return f" between {want.between[0]:g} and {want.between[1]:g}" if want.between else ""


def _ends(expected: Expected, outcome: Outcome) -> Iterator[str]:
    for version, stage in expected.final.items():
        if outcome.stages[version] != stage:
            yield f"{version} ended in {outcome.stages[version]}, not in {stage}"
    for version, weight in expected.weight.items():
        if (found := outcome.weights.get(version, Decimal(0))) != weight:
            yield f"{version} ended with {found:g} % of traffic, not with {weight:g} %"


def _verdicts(expected: Expected, outcome: Outcome) -> Iterator[str]:
    for at, wanted in expected.verdict_at.items():
        for version, verdict in wanted.items():
            found = outcome.verdicts[at][version]
            if found != verdict:
                yield f"the verdict on {version} at {at:g} was {found}, not {verdict}"


def _forbidden(expected: Expected, outcome: Outcome) -> Iterator[str]:
    for action, version, at in outcome.actions:
        if (action, version) in expected.never:
            yield f"{action}_{version} happened at {at:g}; it must never"


def _incidents(expected: Expected, outcome: Outcome) -> Iterator[str]:
    for want in expected.incidents:
        times = [at for v, kind, at in outcome.incidents if (v, kind) == (want.version, want.kind)]
        if not times:
            yield f"no incident {want.kind} of {want.version} was opened"
        elif want.by is not None and times[0] > want.by:
            yield f"the incident {want.kind} of {want.version} was opened at {times[0]:g}, not by {want.by:g}"


def _statuses(expected: Expected, series: Sequence[Series], outcome: Outcome) -> Iterator[str]:
    for place, item in enumerate(series):
        name = item.id or f"series[{place}]"
        found = sorted(set(outcome.statuses.get(place, ())))
        want = expected.http.get(item.id) if item.id else None
        if want is not None and found != [want]:
            said = " and ".join(map(str, found)) or "nothing"
            yield f"uploads of {name} were answered {said}, not {want}"
        elif want is None and any(status >= SERVER_ERROR for status in found):
            yield f"uploads of {name} were answered {found[-1]}"
