"""Send evaluations to a worker. The row is the truth; a message is a hint that may get lost."""

from __future__ import annotations

from django.db import transaction
from django.utils.module_loading import import_string

TASK = "monitoring.tasks.run_evaluation"  # CELERY_TASK_ROUTES says in which queue it waits


def send_after_commit(evaluation_id: int) -> None:
    """Tell a worker once the row is safe; what does not arrive is sent again by the sweeper."""

    # Not a partial: Django logs the __qualname__ of a robust callback, and a partial has none.
    def send() -> None:
        import_string(TASK).delay(evaluation_id)

    transaction.on_commit(send, robust=True)
