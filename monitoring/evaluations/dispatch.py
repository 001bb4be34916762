"""Send evaluations to a worker. The row is the truth; a message is a hint that may get lost."""

from __future__ import annotations

from django.conf import settings
from django.utils.module_loading import import_string

TASK = "monitoring.tasks.run_evaluation"


def queue() -> str:
    """The queue evaluations wait in: ``gpu`` where workers with a GPU serve it, else ``cpu``."""
    name: str = settings.ASSAY_EVALUATION_QUEUE
    return name


def send(evaluation_id: int) -> None:
    """Tell a worker; what does not arrive is sent again by the sweeper."""
    import_string(TASK).apply_async((evaluation_id,), queue=queue())
