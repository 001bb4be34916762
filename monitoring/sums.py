"""Add up what the evidence rule weighs, for many versions in one query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache

from django.db import connection

from monitoring import weighing
from monitoring.parsing import SKEW
from monitoring.triggers import Thresholds
from monitoring.weighing import WHOLE, WIDTHS, Evidence, LatencySums, Sums
from registry.models import ModelVersion

# A line for each version and width. Latency and drift are added up over the whole window only. The
# share of slow requests is weighing.slow_fraction, which a test holds this against.
SUMS = """
with asked (version_id, width, since, max_error, max_ood, max_drift, drift_sample, limit_ms) as (
    select * from unnest(%(versions)s::bigint[], %(widths)s::float8[], %(since)s::timestamptz[],
        %(max_error)s::float8[], %(max_ood)s::float8[], %(max_drift)s::float8[],
        %(drift_sample)s::int[], %(limit_ms)s::float8[])
), rows as (
    select asked.*, s.num_requests as n, s.error_rate, s.ood_rate,
        case when asked.width = 1 then s.latency_p95_ms end as p95,
        case when asked.width = 1 and s.num_requests >= asked.drift_sample
            then s.input_drift_score end as drift,
        case when asked.width = 1 and s.num_requests >= %(slow_sample)s
            and s.latency_p50_ms <= s.latency_p95_ms and s.latency_p95_ms <= s.latency_p99_ms
            then case
                when %(slow)s * limit_ms <= s.latency_p50_ms then 0.5
                when %(slow)s * limit_ms >= s.latency_p99_ms then 0.01
                when %(slow)s * limit_ms <= s.latency_p95_ms then 0.5 - 0.45
                    * ln(%(slow)s * limit_ms / greatest(s.latency_p50_ms, 1e-9))
                    / ln(s.latency_p95_ms / greatest(s.latency_p50_ms, 1e-9))
                else 0.05 - 0.04
                    * ln(%(slow)s * limit_ms / s.latency_p95_ms)
                    / ln(s.latency_p99_ms / s.latency_p95_ms)
            end
        end as slow
    from asked join memory_model_performance s using (version_id)
    where s.timestamp > %(earliest)s and s.timestamp <= %(latest)s
        and s.timestamp >= asked.since and s.num_requests > 0
)
select version_id, width,
    count(error_rate), coalesce(sum(n) filter (where error_rate is not null), 0),
    coalesce(sum(n * error_rate), 0), coalesce(sum(n * error_rate * error_rate), 0),
    count(*) filter (where error_rate > max_error + 1e-9),
    count(ood_rate), coalesce(sum(n) filter (where ood_rate is not null), 0),
    coalesce(sum(n * ood_rate), 0), coalesce(sum(n * ood_rate * ood_rate), 0),
    count(*) filter (where ood_rate > max_ood + 1e-9),
    count(drift), coalesce(sum(n) filter (where drift is not null), 0),
    coalesce(sum(n * drift), 0), coalesce(sum(n * drift * drift), 0),
    count(*) filter (where drift > max_drift + 1e-9),
    count(slow), coalesce(sum(n) filter (where slow is not null), 0),
    coalesce(sum(n * slow), 0), coalesce(sum(n * slow * slow), 0),
    count(*) filter (where slow > %(slow_share)s + 1e-9),
    count(p95), count(*) filter (where p95 > limit_ms + 1e-9),
    coalesce(avg((%(chances)s::float8[])[least(n, %(longest)s)]) filter (where p95 is not null), 0)
from rows group by version_id, width
"""
SLOTS = 5  # sums of each metric


def add_up(
    versions: Sequence[ModelVersion],
    limits: Mapping[int, Thresholds],
    baselines: Mapping[int, float | None],
    *,
    now: datetime,
) -> dict[int, Evidence]:
    """The evidence of each version's WIDTHS, none reaching before its stage entry.

    Args:
        limits: By version pk.
        baselines: Expected p95 in milliseconds by version pk; without one no latency is slow.
    """
    if not versions:
        return {}
    asked = [(version, width) for version in versions for width in WIDTHS]
    starts = [_start(limits[v.pk], width, now) for v, width in asked]
    with connection.cursor() as cursor:
        cursor.execute(
            SUMS,
            {
                "versions": [v.pk for v, _ in asked],
                "widths": [width for _, width in asked],
                "since": [
                    max(v.stage_entered_at, start)
                    for (v, _), start in zip(asked, starts, strict=True)
                ],
                "max_error": [limits[v.pk].max_error_rate for v, _ in asked],
                "max_ood": [limits[v.pk].max_ood_rate for v, _ in asked],
                "max_drift": [limits[v.pk].max_input_drift for v, _ in asked],
                "drift_sample": [limits[v.pk].min_requests_drift for v, _ in asked],
                "limit_ms": [_limit_ms(limits[v.pk], baselines[v.pk]) for v, _ in asked],
                "earliest": min(starts),
                "latest": now + SKEW,
                "slow": weighing.SLOW,
                "slow_share": weighing.SLOW_SHARE,
                "slow_sample": weighing.SMALLEST_SLOW_SAMPLE,
                "chances": _chances(),
                "longest": weighing.LONGEST_TABLE,
            },
        )
        rows = {(row[0], row[1]): row[2:] for row in cursor.fetchall()}
    return {v.pk: _evidence([rows.get((v.pk, width)) for width in WIDTHS]) for v in versions}


@cache
def _chances() -> str:
    """The table of chances as the database reads it, written once and not for each query."""
    return f"{{{','.join(map(repr, weighing.chances()))}}}"


def _start(limits: Thresholds, width: float, now: datetime) -> datetime:
    return now - timedelta(minutes=width * limits.window_minutes)


def _limit_ms(limits: Thresholds, expected_p95_ms: float | None) -> float | None:
    return None if expected_p95_ms is None else limits.max_latency_factor * expected_p95_ms


def _evidence(by_width: Sequence[tuple | None]) -> Evidence:
    whole = by_width[WHOLE]
    return Evidence(
        error_rate=[_sums(row, 0) for row in by_width],
        ood_rate=[_sums(row, 1) for row in by_width],
        latency=LatencySums() if whole is None else _latency(whole),
        input_drift=_sums(whole, 2),
    )


def _latency(row: tuple) -> LatencySums:
    rows, over, chance = row[-3:]
    return LatencySums(rows, over, float(chance), slow=_sums(row, 3))


def _sums(row: tuple | None, place: int) -> Sums:
    if row is None:
        return Sums()
    rows, requests, events, squares, over = row[SLOTS * place : SLOTS * (place + 1)]
    return Sums(rows, int(requests), float(events), float(squares), over)
