"""A job that cannot reach the broker: what it commits is safe, what it would have sent is lost.

python -m tests.flows.cut_off degrade|roll_back MODEL_ID
"""

from __future__ import annotations

import sys

import django
from django.db import transaction
from django.utils import timezone


def degrade(model_id: str) -> None:
    """Keep a bad snapshot and ask for the rollback, in one transaction."""
    from monitoring import rollbacks, snapshots
    from monitoring.parsing import Snapshot
    from registry import entries

    version = entries.find(model_id)
    bad = Snapshot(timestamp=timezone.now(), num_requests=1000, error_rate=0.5)
    with transaction.atomic():
        snapshots.store(version, [bad])
        rollbacks.request_if_degraded(version, now=timezone.now())


def roll_back(model_id: str) -> None:
    """Roll back at once, as a person does; people are still to be told."""
    from monitoring import rollbacks
    from registry import actors, entries

    version = entries.find(model_id)
    rollbacks.roll_back(version, actor=actors.MONITOR, now=timezone.now(), reason="Cut off.")


if __name__ == "__main__":
    django.setup()
    {"degrade": degrade, "roll_back": roll_back}[sys.argv[1]](sys.argv[2])
