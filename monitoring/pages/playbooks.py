"""Playbooks as operations staff see them: which there are, what ran, and how far it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitoring.models import PlaybookRun, PlaybookStep, RunState, StepState
from monitoring.pages.paging import Page, page
from monitoring.playbooks import runs, shelf
from monitoring.playbooks.definition import Playbook
from registry.errors import NotFound
from registry.models import ModelVersion

TONES: Mapping[str, str] = {
    RunState.DONE: "ok",
    RunState.FAILED: "fail",
    RunState.UNDOING: "fail",
    RunState.WAITING: "watch",
    RunState.RUNNING: "watch",
    StepState.SKIPPED: "",
}
SHOWN = 5  # runs on the page of a model


@dataclass(frozen=True, slots=True)
class Row:
    """A run or a step, with the colour it is seen in."""

    of: PlaybookRun | PlaybookStep
    tone: str
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Board:
    """The playbooks there are, and a page of runs."""

    playbooks: list[Playbook]
    own: frozenset[str]
    rows: list[Row]
    page: Page[PlaybookRun]


@dataclass(frozen=True, slots=True)
class Account:
    """One run, step by step."""

    run: PlaybookRun
    tone: str
    steps: list[Row]
    incident_id: int | None
    is_edited: bool  # the playbook reads otherwise by now, or is gone


def board(*, before: str) -> Board:
    """All playbooks, and the runs of one page, newest first."""
    found = shelf.shelf()
    listed = page(PlaybookRun.objects.select_related("version"), before=before)
    return Board(list(found.playbooks.values()), found.own, _rows(listed.rows), listed)


def of_version(version: ModelVersion) -> list[Row]:
    """The newest runs about a version."""
    return _rows(list(version.playbook_runs.order_by("-pk")[:SHOWN]))


def account(pk: int) -> Account:
    """The run of this number.

    Raises:
        NotFound: There is none.
    """
    rows = PlaybookRun.objects.select_related("version", "event").filter(pk=pk)
    run = rows.first() if pk < 2**63 else None
    if run is None:
        raise NotFound(f"There is no playbook run {pk}.")
    now_on_shelf = shelf.shelf().playbooks.get(run.playbook)
    return Account(
        run=run,
        tone=TONES.get(run.state, ""),
        steps=[Row(step, _tone(step), tuple(_facts(step))) for step in run.steps.all()],
        incident_id=runs.results(run).get("incident_id"),
        is_edited=now_on_shelf is None or now_on_shelf.digest != run.digest,
    )


def _rows(listed: list[PlaybookRun]) -> list[Row]:
    return [Row(run, TONES.get(run.state, "")) for run in listed]


def _tone(step: PlaybookStep) -> str:
    if step.state == StepState.PENDING:
        return "fail" if step.error else "watch"
    return TONES.get(step.state, "")


def _facts(step: PlaybookStep) -> list[tuple[str, str]]:
    return [
        (name.replace("_", " "), ", ".join(map(str, value)) if isinstance(value, list) else value)
        for name, value in step.result.items()
        if value not in (None, "", [], False)
    ]
