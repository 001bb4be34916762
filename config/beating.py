"""Beat, which says in one line what it could not send while the broker is away."""

from __future__ import annotations

import logging
from typing import Any

from celery.beat import PersistentScheduler, ScheduleEntry, SchedulingError

log = logging.getLogger(__name__)


class Scheduler(PersistentScheduler):
    """Celery's, without the traces of each tick's failure: those were a megabyte a minute."""

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        """Send what is due; what cannot be sent now is sent when it is due again."""
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except SchedulingError as error:
            log.warning("%s", error)
