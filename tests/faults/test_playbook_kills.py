"""SIGKILL inside each step of ``model_rollback`` and between them: everything is done, once.

A trigger of the tests' own makes the database stand still at the marked place, as its owner, so
that the product needs no hook. ``ASSAY_KILL_ROUNDS`` repeats all places so many times.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.people import People, eventually
from tests.processes import kill, needs_proc
from tests.running import run_assay

pytestmark = needs_proc

RECOVERY = 60.0  # seconds; a few are usual
STEPS = 7
NOTIFY = 5  # the position of the step that leaves the house
HOLD = """
create or replace function stand_still() returns trigger language plpgsql as $$
declare place integer := tg_argv[0]; passed integer;
begin
    if tg_table_name = 'monitoring_playbookstep' then
        passed := case when new.state = 'done' then new.position end;
    elsif new.event_type = 'playbook.step.done' then
        select position into passed from monitoring_playbookstep
        where run_id = (new.payload ->> 'run_id')::bigint and name = new.payload ->> 'step';
    end if;
    if passed = place then perform pg_advisory_xact_lock(4711); end if;
    return new;
end $$;
create or replace trigger stand_still before {moment} on {table}
for each row execute function stand_still({position})
"""
FREE = "drop trigger if exists stand_still on {table}"
HELD_UP = "select pid from pg_locks where locktype = 'advisory' and objid = 4711 and not granted"
RUNS = """
select r.id, r.state, array_agg(s.state::text order by s.position) as steps
from monitoring_playbookrun r join monitoring_playbookstep s on s.run_id = r.id
join registry_modelversion v on v.id = r.version_id
where v.model_id = %s group by r.id
"""
HURRY = """
update monitoring_playbookrun set due_at = now(), leased_until = null where id = (
    select id from monitoring_playbookrun where id = %s and ended_at is null
    for update skip locked -- whoever stands still holds it
)
"""
ROLLED_BACK = """
select t.id from registry_stagetransition t join registry_modelversion v on v.id = t.version_id
where v.model_id = %s and t.to_stage = 'rollback'
"""
TOLD = """
select d.id from registry_delivery d join registry_event e on e.id = d.event_id
where e.payload ->> 'model_id' = %s and e.event_type = 'incident.opened' and d.state = 'done'
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Inside a step: done and not yet settled. After it: settled, and its event being written."""

    position: int
    inside: bool

    @property
    def table(self) -> str:
        return "monitoring_playbookstep" if self.inside else "registry_event"

    @property
    def moment(self) -> str:
        return "update" if self.inside else "insert"

    @property
    def worker(self) -> str:
        return "-Q outside" if self.position == NOTIFY else "-Q control"

    def __str__(self) -> str:
        return f"{'inside' if self.inside else 'after'} step {self.position}"


EVERY = [Place(position, inside) for position in range(STEPS) for inside in (True, False)]
USUAL = [place for place in EVERY if place.inside or place.position in (1, 3, 5)]
ROUNDS = int(os.environ.get("ASSAY_KILL_ROUNDS") or "0")
CHOSEN = EVERY * ROUNDS if ROUNDS else USUAL
# The supervisor gives a worker up that dies five times in a row within half a minute each.
BATCHES = [CHOSEN[first : first + 4] for first in range(0, len(CHOSEN), 4)]


@pytest.mark.parametrize("places", BATCHES, ids=lambda places: ", ".join(map(str, places)))
def test_a_rollback_killed_anywhere_is_done_once(places: list[Place]) -> None:
    with run_assay() as running:
        for place in places:
            killed_and_done_once(People(running), place)


def killed_and_done_once(people: People, place: Place) -> None:
    """One rollback whose worker is killed at the place, and what became of it."""
    model_id = people.in_canary()

    with standing_still(people, place):
        people.report(model_id, error_rate=0.5)
        eventually(lambda: has_come_to(people, model_id, place), seconds=RECOVERY)
        kill(people.running, place.worker)

    run = eventually(lambda: ended(people, model_id), seconds=RECOVERY)
    assert (run["state"], run["steps"]) == ("done", ["done"] * STEPS)
    assert people.stage(model_id) == "rollback"
    assert len(people.rows(ROLLED_BACK, model_id)) == 1
    assert [incident["kind"] for incident in people.incidents(model_id)] == ["rollback"]
    assert people.rows(TOLD, model_id)


@contextmanager
def standing_still(people: People, place: Place) -> Iterator[None]:
    """Whoever comes to the place stands still as long as this holds."""
    owner = "assay_migrator"
    hold = HOLD.format(table=place.table, moment=place.moment, position=place.position)
    people.execute(hold, role=owner)
    connection = people.database()
    try:
        connection.execute("select pg_advisory_lock(4711)")
        yield
    finally:
        connection.close()
        people.execute(FREE.format(table=place.table), role=owner)


def has_come_to(people: People, model_id: str, place: Place) -> bool:
    """Whether the run stands at the place; what would wait some minutes is due at once."""
    if place.position >= NOTIFY:
        hurry(people, model_id)
    return bool(people.rows(HELD_UP))


def ended(people: People, model_id: str) -> dict[str, Any] | None:
    """The one run, once it has ended; what would wait some minutes is due at once."""
    hurry(people, model_id)
    found = people.rows(RUNS, model_id)
    assert len(found) <= 1
    return found[0] if found and found[0]["state"] not in ("running", "undoing") else None


def hurry(people: People, model_id: str) -> None:
    """Pauses and leases have run out."""
    for run in people.rows(RUNS, model_id):
        if run["steps"][NOTIFY] == "done" or run["steps"][NOTIFY - 1] == "done":
            people.execute(HURRY, run["id"])
