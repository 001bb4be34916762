"""What the database refuses, whoever asks: each constraint has a test that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from config import env
from registry import attestations, tokens
from registry.models import Attestation, Event, ModelFamily, ModelVersion, StageTransition

Maker = Callable[..., ModelVersion]

RECORD = ["registry_event", "registry_stagetransition"]
INSERT_UNBOUND = """
insert into registry_apitoken (user_id, digest, role, scopes, team, created_at)
select user_id, 'another', role, scopes, team, created_at from registry_apitoken
"""


def run(statement: str, *parameters: int | str | UUID | None) -> None:
    """One statement in a transaction of its own, with deferred triggers checked at its end."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        cursor.execute("set constraints all immediate")


@pytest.mark.django_db
@pytest.mark.parametrize("table", RECORD)
@pytest.mark.parametrize(
    "statement", ["update {} set actor = 'user:666'", "delete from {}", "truncate {} cascade"]
)
def test_the_record_cannot_be_changed(make_version: Maker, table: str, statement: str) -> None:
    make_version("canary")

    with pytest.raises(DatabaseError, match="append-only|permission denied|must be owner"):
        run(statement.format(table))


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("table", RECORD)
@pytest.mark.parametrize(
    "statement", ["update {} set actor = 'user:666'", "delete from {}", "truncate {} cascade"]
)
def test_not_even_by_the_owner_or_as_a_replica(
    make_version: Maker, table: str, statement: str
) -> None:
    make_version("canary")

    with (
        psycopg.connect(env.owner_database_url()) as owner,
        pytest.raises(psycopg.Error, match="append-only"),
    ):
        owner.execute(statement.format(table))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "update registry_attestation set approved_by = '[]'",
        "update registry_attestation set revoked_at = now(), revoked_by = 'user:1', stage = 'canary'",
        "update registry_attestation set checks = '[1]', revoked_at = now(), revoked_by = 'user:1'",
        "delete from registry_attestation",
        "truncate registry_attestation cascade",
    ],
)
def test_an_attestation_stays_as_it_was_stated(make_version: Maker, statement: str) -> None:
    make_version("production")

    with pytest.raises(DatabaseError, match="only ever revoked|permission denied"):
        run(statement)


@pytest.mark.django_db
@pytest.mark.parametrize("again", ["null", "now()"])
def test_an_attestation_is_revoked_once(make_version: Maker, again: str) -> None:
    proof = Attestation.objects.get(version=make_version("canary"))
    attestations.revoke(proof, actor="user:1", reason="Wrong data.")

    with pytest.raises(DatabaseError, match="only ever revoked, once"):
        run(f"update registry_attestation set revoked_at = {again}")

    revoked = Attestation.objects.get(pk=proof.pk)
    assert attestations.revoke(revoked, actor="user:2", reason="Again.") == revoked
    assert revoked.revoked_by == "user:1"


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["family_id = null", "role = 'serving', family_id = null"])
def test_no_serving_token_is_without_its_model(make_version: Maker, change: str) -> None:
    tokens.issue("job", role="serving", family=make_version().family)

    with pytest.raises(DatabaseError, match="names its model"):
        run(f"update registry_apitoken set {change}")
    with pytest.raises(DatabaseError, match="names its model"):
        run(INSERT_UNBOUND)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        "stage = 'production', canary_basis_points = null",
        "stage = 'sandbox', canary_basis_points = null",
        "canary_basis_points = 5000",
    ],
)
def test_a_stage_cannot_change_without_its_transition(make_version: Maker, change: str) -> None:
    version = make_version("canary")

    with pytest.raises(DatabaseError, match="not that of its latest transition"):
        run(f"update registry_modelversion set {change} where id = %s", version.pk)


@pytest.mark.django_db
def test_a_version_cannot_be_inserted_in_a_stage_it_never_moved_to(make_version: Maker) -> None:
    version = make_version()
    copied = [
        str(field.column)
        for field in ModelVersion._meta.local_concrete_fields
        if field.column not in {"id", "model_id", "version", "number", "stage", "search"}
    ]
    columns = ", ".join(copied)

    with pytest.raises(DatabaseError, match="not that of its latest transition"):
        run(
            f"insert into registry_modelversion (model_id, version, number, stage, {columns})"
            f" select 'smuggled', '9', 9, 'production', {columns} from registry_modelversion"
            " where id = %s",
            version.pk,
        )


@pytest.mark.django_db
@pytest.mark.parametrize("stage", ["canary", "production"])
def test_a_gated_transition_needs_an_attestation(make_version: Maker, stage: str) -> None:
    version = make_version("sandbox")
    share = 1000 if stage == "canary" else None

    with pytest.raises(DatabaseError, match="gated_stage_needs_attestation"):
        run(
            "insert into registry_stagetransition"
            " (version_id, kind, from_stage, to_stage, canary_basis_points, actor, at)"
            " values (%s, 'promoted', 'sandbox', %s, %s, 'user:1', now())",
            version.pk,
            stage,
            share,
        )


@pytest.mark.django_db
def test_an_attestation_of_another_version_does_not_carry_a_transition(
    make_version: Maker,
) -> None:
    version, other = make_version("sandbox"), make_version("canary")
    foreign = Attestation.objects.get(version=other)

    with pytest.raises(DatabaseError, match="attestation_fits_the_move"):
        run(
            "insert into registry_stagetransition (version_id, kind, from_stage, to_stage,"
            " canary_basis_points, attestation_id, actor, at)"
            " values (%s, 'promoted', 'sandbox', 'canary', 1000, %s, 'user:1', now())",
            version.pk,
            foreign.pk,
        )


@pytest.mark.django_db
def test_a_transition_without_its_stage_change_is_refused(make_version: Maker) -> None:
    version = make_version()

    with pytest.raises(DatabaseError, match="not that of its latest transition"):
        run(
            "insert into registry_stagetransition"
            " (version_id, kind, from_stage, to_stage, actor, at)"
            " values (%s, 'promoted', 'development', 'sandbox', 'user:1', now())",
            version.pk,
        )


@pytest.mark.django_db
def test_a_family_has_one_production_version(make_version: Maker) -> None:
    make_version("production")
    second = make_version("canary")

    with pytest.raises(DatabaseError, match="one_production_a_family"):
        run(
            "update registry_modelversion set stage = 'production', canary_basis_points = null"
            " where id = %s",
            second.pk,
        )


@pytest.mark.django_db
def test_the_family_keeps_the_sum_of_its_canaries(make_version: Maker) -> None:
    version = make_version("canary", share=60)
    make_version("canary", share=30)

    assert ModelFamily.objects.get(pk=version.family_id).canary_basis_points == 9000


@pytest.mark.django_db
def test_canaries_cannot_reach_100_percent(make_version: Maker) -> None:
    version = make_version("canary", share=60)

    with pytest.raises(DatabaseError, match="canaries_leave_room_for_production"):
        run(
            "update registry_modelfamily set canary_basis_points = 10000 where id = %s",
            version.family_id,
        )


@pytest.mark.django_db
def test_the_application_owns_no_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*), count(*) filter (where tableowner = current_user)"
            " from pg_tables where schemaname = 'public'"
        )
        tables, owned = cursor.fetchone()

    assert tables > 20
    assert owned == 0


@pytest.mark.django_db
def test_numbers_and_ids_are_never_given_twice(make_version: Maker) -> None:
    numbers = [make_version().number for _ in range(3)]

    assert numbers == [1, 2, 3]
    assert Event.objects.count() == StageTransition.objects.count() == 3
