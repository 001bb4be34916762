"""Days of simulated traffic, judged with every snapshot by the evidence rule, many at once.

``python -m tests.monitoring.simulation`` prints the table of docs/rollback-decisions.md. The sums of
all windows of a day come from cumulative sums; what they weigh is computed for all moments at once,
and wherever that is close to a breach the product's own code decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitoring import evidence, weighing
from monitoring.triggers import Pooled, Thresholds, Verdict, Window
from monitoring.weighing import WHOLE, WIDTHS, Evidence, Sums

DAY = 24 * 3600  # seconds
LIMITS = Thresholds()
RATES = (1, 10, 100, 1000)  # requests a second
NEAR = 0.9 * evidence.SURE  # nats from which on the product's own code is asked
Floats = npt.NDArray[np.float64]
Rows = tuple[Floats, Floats]  # requests and failures of each snapshot


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is simulated."""

    per_second: int  # requests
    rate: float  # true share that fails
    every: int = 10  # seconds between snapshots
    seconds: int = DAY

    @property
    def rows(self) -> int:
        """Snapshots in all."""
        return self.seconds // self.every

    @property
    def requests(self) -> int:
        """Expected in each snapshot."""
        return self.per_second * self.every


Kind = Callable[[np.random.Generator, Traffic], Rows]


def steady(draw: np.random.Generator, asked: Traffic) -> Rows:
    """Independent requests at one true rate."""
    n = draw.poisson(asked.requests, asked.rows)
    return n.astype(float), draw.binomial(n, asked.rate).astype(float)


def seasonal(draw: np.random.Generator, asked: Traffic) -> Rows:
    """Traffic that swells and ebbs by nine tenths over the day; the true rate stays."""
    swell = 1 + 0.9 * np.sin(2 * np.pi * np.arange(asked.rows) * asked.every / DAY)
    n = draw.poisson(asked.requests * swell)
    return n.astype(float), draw.binomial(n, asked.rate).astype(float)


def correlated(draw: np.random.Generator, asked: Traffic) -> Rows:
    """A true rate that wanders about its mean by a fifth (sd), forgetting over ten minutes."""
    keep = np.exp(-asked.every / 600)
    steps = draw.normal(0, np.sqrt(1 - keep**2), asked.rows)
    wander = np.empty(asked.rows)
    at = draw.normal()
    for index, step in enumerate(steps):
        at = keep * at + step
        wander[index] = at
    n = draw.poisson(asked.requests, asked.rows)
    return n.astype(float), draw.binomial(n, np.clip(asked.rate * (1 + wander / 5), 0, 1)).astype(
        float
    )


def bursts(draw: np.random.Generator, asked: Traffic) -> Rows:
    """Failures that come in bursts: one snapshot in twenty has them all."""
    n = draw.poisson(asked.requests, asked.rows)
    hit = draw.random(asked.rows) < 0.05
    return n.astype(float), draw.binomial(n, np.where(hit, min(1.0, 20 * asked.rate), 0.0)).astype(
        float
    )


def caught_after(rows: Rows, every: int) -> float | None:
    """Seconds until a canary with these rows is rolled back; None where it never is."""
    sums = list(rolling(rows, every))
    near = np.zeros(len(rows[0]), dtype=bool)
    for found in sums:
        near |= nats(found) >= NEAR
    for index in np.flatnonzero(near):
        if _verdict([at(found, int(index)) for found in sums]) is Verdict.ROLLBACK:
            return float((index + 1) * every)
    return None


@dataclass(frozen=True, slots=True)
class Rolling:
    """The sums of one width at every moment."""

    rows: Floats
    requests: Floats
    events: Floats
    squares: Floats
    over: Floats


def rolling(rows: Rows, every: int) -> Iterator[Rolling]:
    n, k = rows
    seen = n > 0
    r = np.divide(k, n, out=np.zeros_like(k), where=seen)
    parts = [seen.astype(float), n, k, k * r, (r > LIMITS.max_error_rate) & seen]
    totals = [np.concatenate([[0.0], np.cumsum(part.astype(float))]) for part in parts]
    for width in WIDTHS:
        length = round(width * LIMITS.window_minutes * 60 / every)
        ends = np.arange(1, len(n) + 1)
        starts = np.maximum(0, ends - length)
        yield Rolling(*(total[ends] - total[starts] for total in totals))


def nats(sums: Rolling) -> Floats:
    """`weighing.nats` at every moment."""
    p = LIMITS.max_error_rate
    with np.errstate(divide="ignore", invalid="ignore"):
        q = np.where(sums.requests > 0, sums.events / sums.requests, 0.0)
        hit = np.where(q > 0, q * np.log(q / p), 0.0)
        miss = np.where(q < 1, (1 - q) * np.log((1 - q) / (1 - p)), 0.0)
        scatter = np.maximum(0.0, sums.squares - sums.events * q) / (q * (1 - q)) / (sums.rows - 1)
        bursty = np.where((q > 0) & (q < 1), np.maximum(1.0, scatter), 1.0)
        bursty = np.where(sums.rows < weighing.FEW_ROWS, weighing.ASSUMED_BURSTINESS, bursty)
        return np.where(q > p, sums.requests * (hit + miss) / bursty, 0.0)


def at(sums: Rolling, index: int) -> Sums:
    return Sums(
        rows=int(sums.rows[index]),
        requests=int(sums.requests[index]),
        events=float(sums.events[index]),
        squares=float(sums.squares[index]),
        over=int(sums.over[index]),
    )


def _verdict(by_width: list[Sums]) -> Verdict:
    """What the product says of a canary at this moment."""
    whole = by_width[WHOLE]
    pooled = Pooled(whole.requests, whole.rows, whole.rate if whole.requests else None)
    window = Window(error_rate=pooled, requests=whole.requests)
    weighed = Evidence(error_rate=by_width)
    return evidence.assess(window, weighed, LIMITS, in_production=False).verdict


def alarms(kind: Kind, asked: Traffic, days: int) -> int:
    """On how many of so many days a canary is rolled back."""
    drawn = (kind(np.random.default_rng([day, asked.per_second]), asked) for day in range(days))
    return sum(caught_after(rows, asked.every) is not None for rows in drawn)


def median_catch(asked: Traffic, runs: int) -> float:
    """The median of the seconds until a canary that is bad from its first request is out."""
    drawn = (steady(np.random.default_rng([run, asked.per_second]), asked) for run in range(runs))
    times = [caught_after(rows, asked.every) for rows in drawn]
    return float(np.median([np.inf if found is None else found for found in times]))


HEALTHY: tuple[tuple[str, Kind, float], ...] = (
    ("4.9 %, steady", steady, 0.049),
    ("4.9 %, traffic that swells and ebbs", seasonal, 0.049),
    ("4 % that wanders by a fifth", correlated, 0.04),
    ("4 %, all of it in one snapshot of twenty", bursts, 0.04),
)


def table(days: int) -> str:
    """Markdown: days with a rollback of so many, and the seconds until a bad canary is out."""
    lines = [
        f"| true rate | snapshots | {' | '.join(f'{rate} req/s' for rate in RATES)} |",
        f"|---|---|{'---|' * len(RATES)}",
    ]
    for every in (10, 5):
        for name, kind, rate in HEALTHY:
            found = [alarms(kind, Traffic(n, rate, every), days) for n in RATES]
            lines.append(f"| {name} | {every} s | {' | '.join(map(str, found))} |")
    for every in (10, 5):
        for rate in (0.1, 0.2):
            asked = [Traffic(n, rate, every, DAY // 12) for n in RATES]
            out = [f"{median_catch(traffic, days):.0f} s" for traffic in asked]
            lines.append(
                f"| {rate:.0%} from the first request: out after | {every} s | {' | '.join(out)} |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(200))
