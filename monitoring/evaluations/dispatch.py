"""Send evaluations to a worker. The row is the truth; a message is a hint that may get lost."""

from __future__ import annotations

from django.utils.module_loading import import_string

TASK = "monitoring.tasks.run_evaluation"  # CELERY_TASK_ROUTES says in which queue it waits


def send(evaluation_id: int) -> None:
    """Tell a worker; what does not arrive is sent again by the sweeper."""
    import_string(TASK).delay(evaluation_id)
