"""Add up what the evidence rule weighs, for many versions in two queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection

from monitoring import weighing, wide_sums
from monitoring.arithmetic import log_ratio, squared
from monitoring.triggers import Thresholds
from monitoring.weighing import WHOLE, WIDTHS, Evidence, LatencySums, Sums
from registry.models import ModelVersion

KINDS = ("rows", "requests", "events", "squares", "over")  # of Sums, in their order
NARROW = tuple(width for width in WIDTHS if width <= 1)
WIDE = tuple(width for width in WIDTHS if width > 1)


def _added(rate: str, threshold: str) -> str:
    """What one rate's rows add up to, as Sums has it; the requests of each are n."""
    return f"""count({rate}), coalesce(sum(n) filter (where {rate} is not null), 0),
        coalesce(sum(n * {rate}), 0), coalesce(sum({squared(rate, "n")}), 0),
        count(*) filter (where {rate} > {threshold} + 1e-9)"""


# A line for each version and narrow width. Latency and drift are added up over the whole window only.
# The share of slow requests is weighing.slow_fraction, which a test holds this against.
SUMS = f"""
select version_id, width, found.*
from unnest(%(versions)s::bigint[], %(widths)s::float8[], %(since)s::timestamptz[],
    %(max_error)s::float8[], %(max_ood)s::float8[], %(max_drift)s::float8[],
    %(drift_sample)s::int[], %(limit_ms)s::float8[])
    as asked (version_id, width, since, max_error, max_ood, max_drift, drift_sample, limit_ms)
cross join lateral (
    select {_added("error_rate", "max_error")}, {_added("ood_rate", "max_ood")},
        {_added("drift", "max_drift")}, {_added("slow", "%(slow_share)s")},
        count(*) filter (where p95 > limit_ms + 1e-9),
        array_agg(least(n, %(longest)s)) filter (where p95 is not null)
    from (
        select num_requests as n, error_rate, ood_rate,
            case when width = 1 then latency_p95_ms end as p95,
            case when width = 1 and num_requests >= drift_sample
                then input_drift_score end as drift,
            case when width = 1 and num_requests >= %(slow_sample)s
                and latency_p50_ms <= latency_p95_ms and latency_p95_ms <= latency_p99_ms
                then case
                    when %(slow)s * limit_ms <= latency_p50_ms then 0.5
                    when %(slow)s * limit_ms >= latency_p99_ms then 0.01
                    when %(slow)s * limit_ms <= latency_p95_ms then 0.5 - 0.45
                        * coalesce({log_ratio("%(slow)s * limit_ms", "latency_p50_ms")}, 0)
                        / {log_ratio("latency_p95_ms", "latency_p50_ms")}
                    else 0.05 - 0.04
                        * coalesce({log_ratio("%(slow)s * limit_ms", "latency_p95_ms")}, 0)
                        / {log_ratio("latency_p99_ms", "latency_p95_ms")}
                end
            end as slow
        from memory_model_performance
        where version_id = asked.version_id and timestamp >= since
            and timestamp >= %(earliest)s and timestamp <= %(latest)s and num_requests > 0
    ) as rows
) as found
"""


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
    wide = wide_sums.add_up(versions, limits, WIDE, now=now)
    each = [version for version in versions for _ in NARROW]
    with connection.cursor() as cursor:
        cursor.execute(
            SUMS,
            {
                **wide_sums.windows(versions, limits, NARROW, now=now),
                "max_error": [limits[v.pk].max_error_rate for v in each],
                "max_ood": [limits[v.pk].max_ood_rate for v in each],
                "max_drift": [limits[v.pk].max_input_drift for v in each],
                "drift_sample": [limits[v.pk].min_requests_drift for v in each],
                "limit_ms": [_limit_ms(limits[v.pk], baselines[v.pk]) for v in each],
                "slow": weighing.SLOW,
                "slow_share": weighing.SLOW_SHARE,
                "slow_sample": weighing.SMALLEST_SLOW_SAMPLE,
                "longest": weighing.LONGEST_TABLE,
            },
        )
        rows = {(row[0], row[1]): row[2:] for row in cursor.fetchall()}
    return {v.pk: _evidence([rows[v.pk, width] for width in NARROW], wide[v.pk]) for v in versions}


def _limit_ms(limits: Thresholds, expected_p95_ms: float | None) -> float | None:
    return None if expected_p95_ms is None else limits.max_latency_factor * expected_p95_ms


def _evidence(narrow: Sequence[tuple], wide: Sequence[wide_sums.Wide]) -> Evidence:
    whole = narrow[WHOLE]
    return Evidence(
        error_rate=[*(_sums(row, 0) for row in narrow), *(each.error_rate for each in wide)],
        ood_rate=[*(_sums(row, 1) for row in narrow), *(each.ood_rate for each in wide)],
        latency=_latency(whole),
        input_drift=_sums(whole, 2),
    )


def _latency(row: tuple) -> LatencySums:
    over, requests = row[-2:]
    return LatencySums(
        rows=len(requests or ()),
        over=over,
        chance=weighing.mean_chance_over(requests or ()),
        slow=_sums(row, 3),
    )


def _sums(row: tuple, place: int) -> Sums:
    first = len(KINDS) * place
    rows, requests, events, squares, over = row[first : first + len(KINDS)]
    return Sums(rows, int(requests), float(events), float(squares), over)
