"""The registry in figures: what there is, what moved each day, and how fast rollbacks follow.

Nothing here looks at snapshots, and what it reads grows with the days shown or stands in an index.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Count

from monitoring import rollbacks
from monitoring.bars import count_bar
from monitoring.columns import Columns, column_chart
from monitoring.models import Incident, Severity
from registry import actors, statistics
from registry.ledger import tree
from registry.models import (
    SERVING_STAGES,
    Delivery,
    DeliveryState,
    LedgerCheckpoint,
    TransitionKind,
)

DAYS = 30  # today among them
SHOWN = 8  # frameworks or teams, the largest; the rest are added up
MOVES = {
    TransitionKind.REGISTERED: "Registrations",
    TransitionKind.PROMOTED: "Promotions",
    TransitionKind.ROLLED_BACK: "Rollbacks",
}

# A rollback answers the first request that was made about the same deployment of its version: the
# one that names the transition before it.
REACTIONS = """
select asked.actor = %(monitor)s, count(*),
    percentile_cont(0.5) within group (order by made.at - asked.timestamp),
    max(made.at - asked.timestamp),
    (array_agg(version.model_id order by made.at - asked.timestamp desc))[1]
from registry_stagetransition made
join registry_modelversion version on version.id = made.version_id
cross join lateral (
    select id from registry_stagetransition
    where version_id = made.version_id and id < made.id order by id desc limit 1
) deployed
cross join lateral (
    select actor, timestamp from registry_event
    where version_id = made.version_id and event_type = %(requested)s
        and (payload ->> 'transition_id')::bigint = deployed.id
    order by id limit 1
) asked
where made.kind = %(kind)s and made.at >= %(since)s
group by 1 order by 1 desc
"""


@dataclass(frozen=True, slots=True)
class Group:
    """The versions that have one value in common."""

    name: str
    count: int
    bar: str  # SVG
    query: str = ""  # what asks the list of models for them; "" where nothing does


@dataclass(frozen=True, slots=True)
class Reaction:
    """How long rollbacks took from the request on."""

    asked_by: str
    rollbacks: int
    median: float  # seconds
    worst: float  # seconds
    slowest: str  # model_id


@dataclass(frozen=True, slots=True)
class Ledger:
    """How large the tree of events is, and what its newest checkpoint covers."""

    size: int
    checkpoint: LedgerCheckpoint | None

    @property
    def uncovered(self) -> int:
        """Events that entered the tree after the newest checkpoint."""
        return self.size - (self.checkpoint.tree_size if self.checkpoint else 0)


@dataclass(frozen=True, slots=True)
class Statistics:
    """Everything the page shows."""

    by_stage: Mapping[str, int]
    groupings: list[tuple[str, list[Group]]]  # with a heading each
    moves: list[Columns]
    reactions: list[Reaction]
    open_incidents: Mapping[str, int]  # by severity
    parked: int  # deliveries
    ledger: Ledger

    @property
    def versions(self) -> int:
        """How many are registered."""
        return sum(self.by_stage.values())

    @property
    def serving(self) -> int:
        """How many answer requests now."""
        return sum(self.by_stage[stage] for stage in SERVING_STAGES)

    @property
    def charts(self) -> list[tuple[Columns, str]]:
        """The moves of each kind, with their columns as SVG."""
        return [(columns, column_chart(columns)) for columns in self.moves]

    @property
    def busy_days(self) -> list[tuple[date, list[int]]]:
        """The days on which something moved, newest first, with how many of each kind."""
        counts = zip(*(columns.counts for columns in self.moves), strict=True)
        days = zip(self.moves[0].days, map(list, counts), strict=True)
        return [(day, row) for day, row in days if any(row)][::-1]

    @property
    def incidents(self) -> int:
        """How many are open."""
        return sum(self.open_incidents.values())


def read(*, now: datetime) -> Statistics:
    """All figures, in a number of queries that does not depend on what there is."""
    first = now.astimezone(UTC).date() - timedelta(days=DAYS - 1)
    since = datetime.combine(first, time.min, UTC)
    by_stage = statistics.count_by_stage()
    return Statistics(
        by_stage=by_stage,
        groupings=[
            ("By stage", _groups("stage", by_stage)),
            ("By framework", _largest(_groups("framework", statistics.count_by("framework")))),
            ("By team", _largest(_groups("team", statistics.count_by("team")))),
        ],
        moves=_moves(first, since),
        reactions=reactions(since),
        open_incidents=_open_incidents(),
        parked=Delivery.objects.filter(state=DeliveryState.PARKED).count(),
        ledger=Ledger(tree.size(), LedgerCheckpoint.objects.order_by("-tree_size").first()),
    )


def reactions(since: datetime) -> list[Reaction]:
    """How long the rollbacks from ``since`` on took: the monitor's first, then people's."""
    asked: dict[str, str | datetime] = {
        "monitor": actors.MONITOR,
        "requested": rollbacks.REQUESTED,
        "kind": TransitionKind.ROLLED_BACK.value,
        "since": since,
    }
    with connection.cursor() as cursor:
        cursor.execute(REACTIONS, asked)
        return [
            Reaction(
                "the monitor" if by_monitor else "people",
                count,
                median.total_seconds(),
                worst.total_seconds(),
                slowest,
            )
            for by_monitor, count, median, worst, slowest in cursor.fetchall()
        ]


def _groups(field: str, counts: Mapping[str, int]) -> list[Group]:
    """The counts as bars, each painted by its name where that is a stage."""
    most = max(counts.values(), default=0)
    return [
        Group(
            name,
            count,
            count_bar(count, most, name if field == "stage" else ""),
            urlencode({field: name}),
        )
        for name, count in counts.items()
    ]


def _largest(groups: list[Group]) -> list[Group]:
    """The largest groups first; those beyond SHOWN are added up."""
    ranked = sorted(groups, key=lambda group: (-group.count, group.name))
    rest = ranked[SHOWN:]
    if len(rest) < 2:
        return ranked
    count = sum(group.count for group in rest)
    most = max(count, ranked[0].count)
    return [*ranked[:SHOWN], Group(f"{len(rest)} others", count, count_bar(count, most))]


def _moves(first: date, since: datetime) -> list[Columns]:
    made = statistics.moves_by_day(list(MOVES), since)
    days = [first + timedelta(days=n) for n in range(DAYS)]
    return [
        Columns(title=title, kind=kind, first=first, counts=[made[kind][day] for day in days])
        for kind, title in MOVES.items()
    ]


def _open_incidents() -> dict[str, int]:
    """Open incidents by severity, the worse first."""
    rows = Incident.objects.filter(resolved_at=None).order_by().values_list("severity")
    return dict.fromkeys(Severity.values, 0) | dict(rows.annotate(n=Count("*")))
