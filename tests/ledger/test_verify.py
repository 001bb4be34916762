"""Whatever is changed behind the product's back is found, and named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command

from config import env
from registry.ledger import checkpoints, events, keys, leaves, sequencer, verify
from registry.ledger.verify import Report
from registry.models import Event

Happen = Callable[..., list[Event]]
NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
CHANGES = {
    "event_type": "event_type = 'team.other'",
    "source": "source = 'elsewhere'",
    "version_id": "version_id = null",
    "actor": "actor = 'user:2'",
    "payload": "payload = payload || '{\"number\": 99}'",
    "remark_id": "remark_id = null",
    "format": "format = 2",
    "timestamp": "timestamp = timestamp + interval '1 microsecond'",
}
GUARDS = """
select tgrelid::regclass::text, tgname from pg_trigger
where not tgisinternal and tgrelid::regclass::text = any(%s)
"""
TABLES = (
    "registry_event",
    "registry_ledgerleaf",
    "registry_ledgernode",
    "registry_ledgercheckpoint",
)


@pytest.fixture
def ledger(
    committed: None, place: Path, make_version: Callable[..., object], happen: Happen
) -> list[Event]:
    """Twelve or more events in the tree, signed half way and at the end, and kept outside."""
    make_version(stage="canary")
    happen(5)
    events.record("team.said", actor="user:1", remark=events.remark("Looks fine."))
    grow(NOW)
    happen(4)
    grow(NOW + timedelta(minutes=1))
    return list(Event.objects.order_by("leaf__index"))


def grow(now: datetime) -> None:
    while sequencer.sequence():
        pass
    checkpoints.sign(now=now)
    checkpoints.publish()


def tamper(*statements: str) -> None:
    """Change rows as the owner of the tables, with every trigger out of the way."""
    with psycopg.connect(env.owner_database_url()) as owner:
        guards = owner.execute(GUARDS, [list(TABLES)]).fetchall()
        for table, guard in guards:
            owner.execute(f"alter table {table} disable trigger {guard}".encode())
        for statement in statements:
            owner.execute(statement.encode())
        owner.execute(b"set constraints all immediate")
        for table, guard in guards:
            owner.execute(f"alter table {table} enable always trigger {guard}".encode())


def checked() -> Report:
    copies = list(checkpoints.copies(checkpoints.outside_file()))
    return verify.verify(copies, progress=lambda done, total: None)


def found() -> list[str]:
    return [finding.what for finding in checked().findings]


def test_an_honest_record_is_as_it_was(ledger: list[Event]) -> None:
    report = checked()

    assert report.sound
    assert (report.leaves, report.pending) == (len(ledger), 0)
    assert (report.checkpoints, report.copies) == (2, 2)


@pytest.mark.parametrize("column", CHANGES)
def test_a_changed_column_of_any_event_is_found_and_located(
    ledger: list[Event], column: str
) -> None:
    victim = next(e for e in ledger if getattr(e, column) is not None and _has(e, column))

    tamper(f"update registry_event set {CHANGES[column]} where id = {victim.pk}")

    report = checked()
    assert report.findings[0].event_id == victim.pk
    said = f"Event {victim.pk} ({Event.objects.get(pk=victim.pk).event_type}) was changed"
    assert said in report.findings[0].what


def _has(event: Event, column: str) -> bool:
    return column != "payload" or event.event_type == "team.noted"


@pytest.mark.django_db
def test_every_column_of_an_event_is_in_its_leaf(happen: Happen) -> None:
    columns = {field.attname for field in Event._meta.concrete_fields}
    (event,) = happen()

    spelled = json.loads(leaves.of([event.pk])[event.pk])

    assert columns == {"id", *CHANGES}
    assert set(CHANGES) | {"id", "leaf"} == set(spelled)
    assert spelled["timestamp"] == event.timestamp.isoformat(timespec="microseconds")


# What Python would read as the same number, or could not read at all.
HARD_TO_SEE = [
    """payload = '{"number": 0.10000000000000000001}'""",
    """payload = '{"number": 1e400}'""",
    f"""payload = '{{"number": {"9" * 5000}}}'""",
    "timestamp = 'infinity'",
    "timestamp = '2026-01-31 12:00:00 BC'",
]


@pytest.mark.parametrize("change", HARD_TO_SEE)
def test_a_change_that_python_cannot_see_is_found_and_located(
    ledger: list[Event], change: str
) -> None:
    fraction = events.record("team.noted", actor="user:1", payload={"number": 0.1})
    grow(NOW + timedelta(minutes=2))
    assert found() == []

    tamper(f"update registry_event set {change} where id = {fraction.pk}")

    assert found() == [
        f"Event {fraction.pk} (team.noted) was changed: it is not what entered the tree."
    ]


def test_a_change_that_is_covered_up_inside_is_found_by_what_was_signed(
    ledger: list[Event],
) -> None:
    """Leaf and nodes are made to fit the change; the checkpoints cannot be."""
    victim = ledger[-1]
    tamper(
        f"update registry_event set actor = 'user:2' where id = {victim.pk}",
        "delete from registry_ledgernode",
        "delete from registry_ledgerleaf",
        "insert into registry_pendingleaf select id from registry_event",
    )
    while sequencer.sequence():
        pass

    said = found()

    assert len(said) == 2  # the second checkpoint, inside and outside; the first still fits
    assert all(f"The first {len(ledger)} events are not those of the" in line for line in said)


@pytest.mark.parametrize("index", [0, 3, -2, -1])
def test_a_removed_event_is_found_and_located(ledger: list[Event], index: int) -> None:
    victim = ledger[index].pk
    place = index % len(ledger)
    tamper(
        f"delete from registry_delivery where event_id = {victim}",
        f"delete from registry_ledgerleaf where event_id = {victim}",
        f"delete from registry_event where id = {victim}",
    )

    said = found()

    assert any(line.startswith(f"Leaf {place} is missing") for line in said)
    assert not any(line.startswith("Event") for line in said)  # nobody else is accused


def test_an_event_removed_from_under_its_leaf_is_named(ledger: list[Event]) -> None:
    victim = ledger[3].pk
    with psycopg.connect(env.owner_database_url()) as owner:
        (name,) = owner.execute(FOREIGN_KEY).fetchone() or ("",)
        owner.execute(f"alter table registry_ledgerleaf drop constraint {name}".encode())
    try:
        tamper(
            f"delete from registry_delivery where event_id = {victim}",
            f"delete from registry_event where id = {victim}",
        )

        assert found() == [f"Leaf 3 is missing: event {victim} was removed."]
    finally:
        with psycopg.connect(env.owner_database_url()) as owner:
            owner.execute(
                f"alter table registry_ledgerleaf add constraint {name} foreign key (event_id)"
                " references registry_event (id) deferrable initially deferred not valid".encode()
            )


FOREIGN_KEY = b"""
select conname from pg_constraint
where conrelid = 'registry_ledgerleaf'::regclass and contype = 'f'
"""


def test_an_event_removed_while_it_waits_is_found(ledger: list[Event], happen: Happen) -> None:
    (victim,) = happen()
    tamper(f"delete from registry_event where id = {victim.pk}")

    assert found() == [f"Event {victim.pk} was removed before it entered the tree."]
    happen()
    assert sequencer.sequence(limit=1) == 1  # it keeps nobody else waiting


def test_a_copy_that_cannot_be_read_is_found(ledger: list[Event]) -> None:
    file = checkpoints.outside_file()
    first, *rest = file.read_text().splitlines(keepends=True)
    file.write_text("".join([first.replace("{", "?"), *rest]))

    (said,) = found()

    assert "(line 1) is not genuine" in said


def test_the_newest_events_removed_with_their_checkpoints_are_found_outside(
    ledger: list[Event],
) -> None:
    first = len(ledger) - 4
    pks = ", ".join(str(event.pk) for event in ledger[first:])
    tamper(
        f"delete from registry_delivery where event_id in ({pks})",
        f"delete from registry_ledgerleaf where event_id in ({pks})",
        f"delete from registry_event where id in ({pks})",
        f"delete from registry_ledgernode where (index + 1) << level > {first}",
        f"delete from registry_ledgercheckpoint where tree_size > {first}",
    )

    (said,) = found()

    assert (
        f"speaks of {len(ledger)} events, and the tree has {first}: the newest 4 are gone" in said
    )
    assert said.startswith("The outside copy of 2026-01-31 12:01:00 UTC (line 2)")


def test_without_the_outside_copies_nobody_could_say(ledger: list[Event]) -> None:
    first = len(ledger) - 4
    pks = ", ".join(str(event.pk) for event in ledger[first:])
    tamper(
        f"delete from registry_delivery where event_id in ({pks})",
        f"delete from registry_ledgerleaf where event_id in ({pks})",
        f"delete from registry_event where id in ({pks})",
        f"delete from registry_ledgernode where (index + 1) << level > {first}",
        f"delete from registry_ledgercheckpoint where tree_size > {first}",
    )
    checkpoints.outside_file().unlink()

    with pytest.raises(CommandError, match="the newest events are all there cannot be shown"):
        call_command("verify_ledger", stdout=StringIO())


@pytest.mark.django_db
def test_a_record_that_was_never_signed_needs_no_copy(place: Path, happen: Happen) -> None:
    happen()
    said = StringIO()

    call_command("verify_ledger", stdout=said)

    assert "1 wait for it; 0 checkpoints and 0 outside copies" in said.getvalue()


ZEROS = "decode(repeat('00', 32), 'hex')"
UNSEQUENCED = """
insert into registry_event (event_type, source, actor, payload, format, timestamp)
values ('team.noted', 'test', 'user:1', '{}', 1, now())
"""
IN_THE_TREE = {
    f"update registry_ledgernode set hash = {ZEROS} where level = 0 and index = 2": "was changed",
    "delete from registry_ledgernode where level = 1 and index = 1": "Node 1/1 of the tree is miss",
    f"update registry_ledgernode set hash = {ZEROS} where level = 2 and index = 0": "Node 2/0 of",
    f"update registry_ledgercheckpoint set root = {ZEROS}": "says something else than its note",
    "update registry_ledgercheckpoint set note = replace(note, '— ', '— x')": "is not genuine",
    UNSEQUENCED: "never entered the tree",
}


@pytest.mark.parametrize(("statement", "words"), IN_THE_TREE.items())
def test_what_is_changed_in_the_tree_itself_is_found(
    ledger: list[Event], statement: str, words: str
) -> None:
    tamper(statement)

    assert any(words in line for line in found())


def test_a_copy_signed_by_another_key_is_not_believed(ledger: list[Event], place: Path) -> None:
    file = checkpoints.outside_file()
    file.write_text(file.read_text().replace(keys.signing(make=False).verifier.name, "assay/else"))

    assert all("is not genuine" in line for line in found())


def test_the_command_names_each_finding_and_ends_with_1(ledger: list[Event]) -> None:
    tamper(f"update registry_event set actor = 'user:2' where id = {ledger[2].pk}")
    errors = StringIO()

    with pytest.raises(CommandError, match="the record is not as it was") as refusal:
        call_command("verify_ledger", stdout=StringIO(), stderr=errors)

    assert refusal.value.returncode == 1
    assert f"Event {ledger[2].pk} (" in errors.getvalue()


def test_the_command_says_what_it_looked_at(ledger: list[Event]) -> None:
    said = StringIO()

    call_command("verify_ledger", stdout=said)

    assert f"{len(ledger)} events are in the tree and 0 wait for it" in said.getvalue()
    assert "The record is as it was." in said.getvalue()


@pytest.fixture(autouse=True)
def guards_stand() -> Iterator[None]:
    """No test leaves a guard down."""
    yield
    with psycopg.connect(env.owner_database_url()) as owner:
        down = owner.execute(
            b"select tgname from pg_trigger where not tgisinternal and tgenabled <> 'A'"
            b" and tgname like 'append_only%'"
        ).fetchall()
    assert down == []
