"""The Celery app, its queues and the schedule: everything that happens without a request."""

from __future__ import annotations

import os

from celery import Celery

from config import heartbeats, reconnecting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Migrating runs the system checks; in each worker they would only import every page.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("assay", task_cls="config.request_ids:TracedTask", amqp=reconnecting.AMQP)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Beat only ticks: each task takes the due rows itself, so two beats at once are harmless.
app.conf.beat_schedule = {
    "deliver what is owed": {"task": "registry.tasks.deliver_owed", "schedule": 5.0},
    "send what is owed": {"task": "registry.tasks.send_owed", "schedule": 5.0},
    "send webhooks": {"task": "registry.tasks.send_webhooks", "schedule": 5.0},
    "republish traffic": {"task": "registry.tasks.republish_traffic", "schedule": 5.0},
    "sequence events": {"task": "registry.tasks.sequence_events", "schedule": 5.0},
    "evaluate rollback triggers": {
        "task": "monitoring.tasks.evaluate_rollback_triggers",
        "schedule": 5.0,
    },
    "carry playbooks on": {"task": "monitoring.tasks.carry_playbooks_on", "schedule": 5.0},
    "do playbook effects": {"task": "monitoring.tasks.do_playbook_effects", "schedule": 5.0},
    "advance canaries": {"task": "governance.tasks.advance_canaries", "schedule": 5.0},
    "report silent versions": {"task": "monitoring.tasks.report_silence", "schedule": 30.0},
    "report disobedient traffic": {
        "task": "monitoring.tasks.report_disobedience",
        "schedule": 15.0,
    },
    "make partitions ahead": {"task": "monitoring.tasks.make_partitions", "schedule": 3600.0},
    "roll snapshots up": {"task": "monitoring.tasks.roll_up_snapshots", "schedule": 60.0},
    "retire snapshots": {"task": "monitoring.tasks.retire_snapshots", "schedule": 3600.0},
    "resend expired evaluations": {
        "task": "monitoring.tasks.resend_evaluations",
        "schedule": 15.0,
    },
    "forget expired answers": {"task": "registry.tasks.forget_answers", "schedule": 3600.0},
} | {
    f"{queue} is alive": {
        "task": "config.tasks.note_beat",
        "schedule": 5.0,
        "args": (queue,),
        "options": {"queue": queue},
    }
    for queue in heartbeats.QUEUES
}
for entry in app.conf.beat_schedule.values():
    # A tick that waited longer than this is stale: the next one does its work.
    entry["options"] = {"expires": 2 * entry["schedule"], **entry.get("options", {})}
