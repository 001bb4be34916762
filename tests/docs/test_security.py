"""What docs/security.md says the database refuses, it refuses."""

from __future__ import annotations

import re

import pytest
from django.db import connection

from tests.running import ROOT

TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
# Both kinds of trigger that refuse, in force for replicas too.
GUARDED = """
select relname from pg_trigger join pg_class on pg_class.oid = tgrelid
where tgname in ('append_only', 'append_only_whole') and tgenabled = 'A'
group by relname having count(*) = 2
"""


@pytest.mark.django_db
def test_the_append_only_tables_are_those_on_the_page() -> None:
    listed = TEXT.partition("replicas too:")[2].partition("An approval")[0]

    with connection.cursor() as cursor:
        cursor.execute(GUARDED)
        guarded = {name for (name,) in cursor.fetchall()}

    assert set(re.findall(r"`(\w+)`", listed)) == guarded
