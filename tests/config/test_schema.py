"""A start migrates what has something to be migrated, and only that."""

from __future__ import annotations

import pytest

from config import env
from config.embedded import schema

pytestmark = pytest.mark.usefixtures("django_db_setup")


def test_a_database_with_every_migration_is_current() -> None:
    assert schema.is_current(env.owner_database_url())


def test_one_that_lacks_some_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "APPLIED", f"{schema.APPLIED} where app <> 'governance'")

    assert not schema.is_current(env.owner_database_url())


@pytest.mark.parametrize("away", ["postgresql:///nothing?host=/nowhere", "not a URL"])
def test_one_that_does_not_say_is_not(away: str) -> None:
    assert not schema.is_current(away)
