"""Tokens of before get the scope that their role has been given since, and no others do."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.db import connection

from registry import tokens
from registry.models import ApiToken
from tests.conftest import fraud_detector

MIGRATION = import_module("registry.migrations.0012_operators_and_reviewers_settle_incidents")


@pytest.mark.django_db
def test_tokens_of_those_who_settle_incidents_may_go_on() -> None:
    for role in tokens.SCOPES:
        tokens.issue(f"{role}-of-before", role=role, family=fraud_detector())
    with connection.cursor() as cursor:
        cursor.execute(MIGRATION.TAKE)
        taken = [t.role for t in ApiToken.objects.all() if tokens.INCIDENTS in t.scopes]
        for _ in range(2):
            cursor.execute(MIGRATION.GIVE)

    given = {token.role: tuple(sorted(token.scopes)) for token in ApiToken.objects.all()}

    assert taken == []
    assert given == {role: tuple(sorted(scopes)) for role, scopes in tokens.SCOPES.items()}
