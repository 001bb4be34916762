"""Add rates up over windows of hours, from the minutes that their snapshots were added up into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from monitoring.arithmetic import squared
from monitoring.parsing import SKEW
from monitoring.triggers import Thresholds
from monitoring.weighing import Sums
from registry.models import ModelVersion

# A line for each version and width. In the midst of a window minutes stand in for snapshots: from the
# first whole one, as far as every snapshot that is visible now is surely among them. That ends where
# the next roll-up begins anew, and at the first minute that a late snapshot has left its mark on.
SUMS = f"""
with reach (at) as materialized (
    select redo_from from monitoring_rolluprun order by id desc limit 1
), late as materialized (
    select model_version_id as version_id, min(first) - interval '1 microsecond' as at
    from monitoring_latesnapshots where model_version_id = any(%(versions)s)
    group by model_version_id
), asked as materialized (
    select given.*,
        date_bin('1 minute', since + interval '59.999999 s', timestamptz 'epoch') as whole_from,
        case when reach.at is not null then
            date_bin('1 minute', least(reach.at, late.at), timestamptz 'epoch') end as whole_until
    from unnest(%(versions)s::bigint[], %(widths)s::float8[], %(since)s::timestamptz[])
        as given (version_id, width, since)
    left join reach on true left join late using (version_id)
), stretches as (
    select version_id, width, since as low,
        case when whole_until > whole_from then whole_from else %(latest)s end as high
    from asked
    union all
    select version_id, width, whole_until + interval '1 microsecond', %(latest)s
    from asked where whole_until > whole_from
), parts as (
    select version_id, width, rows.*
    from stretches cross join lateral (
        select count(error_rate) as error_rows,
            sum(num_requests) filter (where error_rate is not null) as error_requests,
            sum(num_requests * error_rate) as error_sum,
            sum({squared("error_rate")}) as error_squares,
            count(ood_rate) as ood_rows,
            sum(num_requests) filter (where ood_rate is not null) as ood_requests,
            sum(num_requests * ood_rate) as ood_sum,
            sum({squared("ood_rate")}) as ood_squares
        from memory_model_performance
        where version_id = stretches.version_id and timestamp >= low and timestamp <= high
            and timestamp >= %(earliest)s and timestamp <= %(latest)s and num_requests > 0
    ) as rows
    union all
    select version_id, width, minutes.*
    from asked cross join lateral (
        select sum(error_rows), sum(error_requests), sum(error_sum), sum(error_squares),
            sum(ood_rows), sum(ood_requests), sum(ood_sum), sum(ood_squares)
        from monitoring_minuterollup
        where version_id = asked.version_id and start >= whole_from and start < whole_until
            and error_squares is not null
    ) as minutes
    where whole_until > whole_from
)
select version_id, width,
    coalesce(sum(error_rows), 0), coalesce(sum(error_requests), 0), coalesce(sum(error_sum), 0),
    coalesce(sum(error_squares), 0), coalesce(sum(ood_rows), 0), coalesce(sum(ood_requests), 0),
    coalesce(sum(ood_sum), 0), coalesce(sum(ood_squares), 0)
from parts group by version_id, width
"""


@dataclass(frozen=True, slots=True)
class Wide:
    """What one version's window adds up to; which rows are over by themselves is not counted."""

    error_rate: Sums
    ood_rate: Sums


def windows(
    versions: Sequence[ModelVersion],
    limits: Mapping[int, Thresholds],
    widths: Sequence[float],
    *,
    now: datetime,
) -> dict[str, Any]:
    """What a query is told of the windows: for each version one of each width, in this order."""
    asked = [(version, width) for version in versions for width in widths]
    starts = [limits[v.pk].since(now, width) for v, width in asked]
    return {
        "versions": [v.pk for v, _ in asked],
        "widths": [width for _, width in asked],
        "since": [
            max(v.stage_entered_at, start) for (v, _), start in zip(asked, starts, strict=True)
        ],
        "earliest": min(starts),
        "latest": now + SKEW,
    }


def add_up(
    versions: Sequence[ModelVersion],
    limits: Mapping[int, Thresholds],
    widths: Sequence[float],
    *,
    now: datetime,
) -> dict[int, list[Wide]]:
    """Each version's windows of so many times its policy's, none reaching before its stage entry.

    Args:
        limits: By version pk.
    """
    with connection.cursor() as cursor:
        cursor.execute(SUMS, windows(versions, limits, widths, now=now))
        rows = {(row[0], row[1]): row[2:] for row in cursor.fetchall()}
    return {v.pk: [_wide(rows[v.pk, width]) for width in widths] for v in versions}


def _wide(row: tuple) -> Wide:
    return Wide(_sums(row[:4]), _sums(row[4:]))


def _sums(row: tuple) -> Sums:
    rows, requests, events, squares = row
    return Sums(int(rows), int(requests), float(events), float(squares))
