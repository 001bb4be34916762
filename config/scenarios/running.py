"""Run one scenario in the database and on the broker that this process is connected to."""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.test import Client

from config.scenarios import arrivals, comparing, outcomes, series, world
from config.scenarios.arrivals import Arrival
from config.scenarios.comparing import Outcome
from config.scenarios.series import Scenario, Upload
from config.scenarios.workers import Workers, workers
from registry import clock

PLACE = "/api/model-registry/models/{}/performance"
BEFORE = 3600.0  # seconds between registration and the first arrival


@dataclass
class Clock:
    """What time it is in a scenario."""

    at: float  # seconds

    def now(self) -> datetime:
        return series.moment(self.at)


def differences(scenario: Scenario) -> list[str]:
    """Run it in a database without models; where what came of it differs from what it expects."""
    return comparing.differences(scenario, run(scenario))


def run(scenario: Scenario) -> Outcome:
    """Run it in a database without models, and give what came of it."""
    coming = arrivals.arrivals(scenario.versions)
    start = min([0.0, *(arrival.at for arrival in coming)]) - BEFORE
    with _telling(Clock(start)) as time, workers() as hands:
        return _Run(scenario, time, hands, world.populate(scenario)).through(coming)


@contextmanager
def _telling(time: Clock) -> Iterator[Clock]:
    with clock.telling(time.now):
        yield time


class _Run:
    """One run: what was answered and held so far."""

    def __init__(self, scenario: Scenario, time: Clock, hands: Workers, token: str) -> None:
        self.scenario, self.time, self.hands = scenario, time, hands
        self.client = Client(
            raise_request_exception=False,
            headers={"Authorization": f"Bearer {token}", "Host": "localhost"},
        )
        self.statuses: dict[int, list[int]] = {}
        self.verdicts: dict[float, dict[str, str]] = {}

    def through(self, coming: Sequence[Arrival]) -> Outcome:
        """Go step by step to the end.

        At each step all that has come by then is there before any decision is made.
        """
        before = [arrival for arrival in coming if arrival.at <= 0]
        for arrival in before:
            self._arrive(arrival)
        rest: list[tuple[float, Arrival | Upload]] = [
            *((arrival.at, arrival) for arrival in coming if arrival.at > 0),
            *((upload.received, upload) for upload in series.uploads(self.scenario)),
        ]
        happening = deque(sorted(rest, key=lambda timed: timed[0]))
        for step in series.steps(self.scenario):
            self._note_verdicts(until=step)
            while happening and happening[0][0] <= step:
                self._happen(happening.popleft()[1])
            self.time.at = step
            self.hands.work()
            self.hands.tick()
        self._note_verdicts(until=math.inf)
        return outcomes.look(self.verdicts, self.statuses)

    def _happen(self, one: Arrival | Upload) -> None:
        if isinstance(one, Arrival):
            self._arrive(one)
        else:
            self._deliver(one)

    def _arrive(self, arrival: Arrival) -> None:
        self.time.at = arrival.at
        world.move(arrival)

    def _deliver(self, upload: Upload) -> None:
        """Post it, as a serving job does, at the moment of its arrival."""
        self.time.at = upload.received
        answer = self.client.post(
            PLACE.format(upload.version),
            data=json.dumps(upload.snapshots),  # with NaN, where that is what is sent
            content_type="application/json",
        )
        self.statuses.setdefault(upload.series, []).append(answer.status_code)

    def _note_verdicts(self, *, until: float) -> None:
        """What is held at the times that are asked for, up to the next step."""
        asked = self.scenario.expected.verdict_at
        for at in sorted(at for at in asked if at < until and at not in self.verdicts):
            self.time.at = at
            self.verdicts[at] = {
                name: outcomes.verdict(name, now=self.time.now()) for name in asked[at]
            }
