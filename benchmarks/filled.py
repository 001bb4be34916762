"""A registry of ten thousand versions, as the benchmarks of the API ask it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import django
import psycopg

from config.embedded.locations import Home
from tests.running import Running

if TYPE_CHECKING:  # models can be imported once Django is set up
    from registry.models import ModelVersion
    from registry.registration import Entry

FAMILIES = 500
EACH = 20  # versions of a family; every twentieth of all is in sandbox
BATCH = 500
TOLD = 2_000  # versions between two words of how far it is
PATIENCE = 120.0  # seconds
TASKS = ("classification", "regression", "ranking", "detection")
OWED = """
select (select count(*) from registry_delivery where state = 'owed')
     + (select count(*) from registry_pendingleaf)
"""
ALIASES = """
insert into registry_alias (family_id, name, version_id, revision, set_by, set_at)
select family_id, 'champion', id, 1, 'system:bench', now()
from registry_modelversion where number = 1
"""


def fill(assay: Running) -> None:
    """Register them in a process of its own, and wait until the workers are done."""
    home = {"ASSAY_HOME": str(assay.home), "DJANGO_SETTINGS_MODULE": "config.settings"}
    subprocess.run([sys.executable, "-m", "benchmarks.filled"], env=os.environ | home, check=True)
    print("  the workers write what follows from it", flush=True)
    with psycopg.connect(Home(assay.home).database_url("assay_migrator"), autocommit=True) as owner:
        _wait_for_workers(owner)
        owner.execute("vacuum analyze")


def main() -> None:
    """Register by the verb that everybody calls."""
    django.setup()
    from django.contrib.auth.models import User
    from django.db import connection

    from registry import registration

    local = User.objects.get(username="local")
    entries = list(_entries())
    for start in range(0, len(entries), BATCH):
        _sort_out(registration.register_all(entries[start : start + BATCH], registrant=local))
        if (start + BATCH) % TOLD == 0:
            print(f"  {start + BATCH:,} of {len(entries):,} versions registered", flush=True)
    with connection.cursor() as cursor:
        cursor.execute(ALIASES)


def model_id(family: int, number: int) -> str:
    """What a version is called; both count from 1."""
    return f"bench_{family}_v{number}"


def _entries() -> Iterator[Entry]:
    from registry.registration import Entry

    for number in range(1, EACH + 1):
        for family in range(1, FAMILIES + 1):
            yield Entry(
                model_id=model_id(family, number),
                name=f"bench {family}",
                version=f"{number}.0.0",
                framework="pytorch" if family % 2 else "sklearn",
                model_type=TASKS[family % len(TASKS)],
                owner="bench",
                team=f"team {family % 10}",
                description="Measured by make bench.",
                evaluation_metrics={"accuracy": 0.94, "auc": 0.97},
                metadata={"git": "0123456789abcdef", "layers": 12},
                tags={"task": TASKS[family % len(TASKS)], "nlp": "", "env": f"env{number % 4}"},
            )


def _sort_out(versions: Sequence[ModelVersion]) -> None:
    """Move every twentieth to sandbox."""
    from django.db import transaction

    from registry import lifecycle
    from registry.models import DeploymentStage

    with transaction.atomic():
        for version in versions[::20]:
            lifecycle.move(version, to=DeploymentStage.SANDBOX, actor="system:bench")


def _wait_for_workers(database: psycopg.Connection) -> None:
    deadline = time.monotonic() + PATIENCE
    while database.execute(OWED).fetchone() != (0,):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the workers still owe something after {PATIENCE:g} s")
        time.sleep(0.2)


if __name__ == "__main__":
    main()
