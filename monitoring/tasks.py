"""Entry points for Celery. Each reads the clock and calls one verb."""

from __future__ import annotations

from celery import Task, shared_task
from django.conf import settings

from monitoring import (
    assessments,
    obedience,
    rollbacks,
    rollups,
    scheduling,
    silence,
    snapshots,
)
from monitoring.decisions import Action
from monitoring.evaluations import run
from monitoring.playbooks import engine
from registry import clock
from registry.ledger import deliveries
from registry.models import ModelVersion

STALE = 10.0  # seconds; a later tick has sent the check anew, so that none piles up


@shared_task(bind=True)
def check_version(self: Task, version_pk: int) -> None:
    """Judge one version; sent when its snapshots arrive.

    What it asks for is done at once: a task of its own would wait for its turn.
    """
    if not self.request.called_directly:
        scheduling.let_more_arrive(version_pk)
    scheduling.clear_mark(version_pk)
    version = ModelVersion.objects.get(pk=version_pk)
    action = rollbacks.request_if_degraded(version, now=clock.now())
    if action is Action.ROLL_BACK:
        deliveries.deliver_to_verbs(now=clock.now)


@shared_task
def evaluate_rollback_triggers() -> None:
    """Find the serving versions that have changed for the worse or the better.

    Beat sends this every few seconds. Each is judged by a task of its own, so that trouble with
    one holds no other up.
    """
    for pk in assessments.check_serving(now=clock.now()):
        check_version.apply_async((pk,), expires=STALE)


@shared_task
def report_silence() -> None:
    """Open incidents for serving versions that report nothing."""
    silence.report(now=clock.now())


@shared_task
def report_disobedience() -> None:
    """Open incidents where requests do not go where they should."""
    obedience.report(now=clock.now())


@shared_task
def make_partitions() -> None:
    """Have the snapshot partitions of the next days ready."""
    snapshots.make_partitions_ahead(today=clock.now().date())


@shared_task
def roll_up_snapshots() -> None:
    """Add the last minutes' snapshots up, for charts and for keeping."""
    rollups.roll_up(now=clock.now())


@shared_task
def retire_snapshots() -> None:
    """Drop the days of snapshots that are older than what is kept."""
    rollups.retire(now=clock.now(), retention=settings.ASSAY_SNAPSHOT_RETENTION)


@shared_task
def run_evaluation(evaluation_id: int) -> None:
    """Measure one version; routed to the gpu queue where there is one."""
    run.run(evaluation_id, now=clock.now())


@shared_task
def resend_evaluations() -> None:
    """Send evaluations again whose worker went silent."""
    run.resend_expired(now=clock.now())


@shared_task
def carry_playbooks_on() -> None:
    """Do the due transactions of playbooks. Sent when one is due; beat sweeps."""
    while engine.carry_on_due(now=clock.now):
        pass


@shared_task
def do_playbook_effects() -> None:
    """Do the due steps of playbooks that leave the house, where they hold nothing else up."""
    while engine.do_due_effects(now=clock.now):
        pass
