"""What versions report of intervals that lie wholly after a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from monitoring.parsing import SKEW

LOOK_BACK = timedelta(minutes=10)  # for the row before the first, which says when that began

# A snapshot says when its interval ended. It began where the same source's one before ended, else
# as long ago as its requests take at its rate; where neither is known it proves nothing.
REPORTED = """
with asked (version_id, since) as (
    select * from unnest(%(versions)s::bigint[], %(since)s::timestamptz[])
), rows as (
    select version_id, since, s.num_requests, s.timestamp, coalesce(
        lag(s.timestamp) over (partition by version_id, s.source order by s.timestamp),
        s.timestamp - make_interval(secs => case when s.requests_per_second > 0
            then least(s.num_requests / greatest(s.requests_per_second, 1e-6), 86400) end)
    ) as began
    from asked join memory_model_performance s using (version_id)
    where s.timestamp > %(earliest)s and s.timestamp <= %(latest)s
        and s.timestamp > asked.since - %(look_back)s
)
select version_id, count(*), sum(num_requests) from rows where began >= since
group by version_id
"""


@dataclass(frozen=True, slots=True)
class Reported:
    """Of one version."""

    intervals: int = 0
    requests: int = 0


def reported(since: Mapping[int, datetime], *, now: datetime) -> dict[int, Reported]:
    """What each version reports of intervals that began at its time or later, in one query.

    Args:
        since: By version pk.
    """
    if not since:
        return {}
    asked: dict[str, Any] = {
        "versions": list(since),
        "since": list(since.values()),
        "earliest": min(since.values()) - LOOK_BACK,
        "latest": now + SKEW,
        "look_back": LOOK_BACK,
    }
    with connection.cursor() as cursor:
        cursor.execute(REPORTED, asked)
        found = {pk: Reported(rows, int(requests)) for pk, rows, requests in cursor.fetchall()}
    return {pk: found.get(pk, Reported()) for pk in since}
