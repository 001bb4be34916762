"""What a step is given when its turn has come, and what it may say instead of a result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitoring.models import PlaybookRun, PlaybookStep
from registry.models import Event, ModelVersion


class NothingToDo(Exception):
    """What the run was to mend is not so any more: the run stops, and nothing failed."""


class NotYet(Exception):
    """What the step waits for has not happened; it is tried again."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One attempt at one step."""

    run: PlaybookRun
    step: PlaybookStep
    told: Mapping[str, Any]  # what the playbook says under ``with``
    before: Mapping[str, Any]  # the results of the steps before
    now: datetime

    @property
    def event(self) -> Event:
        return self.run.event

    @property
    def version(self) -> ModelVersion:
        """The version the event is about.

        Raises:
            LookupError: It is about none; a run that needs one does not begin without.
        """
        if self.run.version is None:
            raise LookupError(f"{self.event} is about no version.")
        return self.run.version

    @property
    def key(self) -> str:
        """Names this step of this run to the outside, however often it is tried."""
        return f"playbook-run-{self.run.pk}-step-{self.step.position}"
