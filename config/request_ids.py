"""One id for all that one request causes: its log lines, its answer, its tasks and theirs.

Logging is set up before Django's apps are there, so nothing of theirs is imported here.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import Any

from celery import Task

TASK_HEADER = "assay_request_id"

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


class RequestIdFilter(logging.Filter):
    """Puts the id of the request at work on every log line."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get() or "-"
        return True


class TracedTask(Task):
    """A task that goes on under the id of the request that caused it, however indirectly."""

    abstract = True

    def apply_async(self, *args: Any, **options: Any) -> Any:
        if caused_by := request_id.get():
            options["headers"] = {TASK_HEADER: caused_by, **(options.get("headers") or {})}
        return super().apply_async(*args, **options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        token = request_id.set(getattr(self.request, TASK_HEADER, None))
        try:
            return super().__call__(*args, **kwargs)
        finally:
            request_id.reset(token)
