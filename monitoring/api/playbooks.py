"""Playbooks and their runs, to read."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring.api import answers
from monitoring.models import PlaybookRun, PlaybookStep, RunState
from monitoring.playbooks import shelf
from monitoring.playbooks.definition import Playbook
from registry import tokens
from registry.api.describing import PAGE, WORDS, Parameter, describes
from registry.api.paging import check_query, page
from registry.errors import InvalidInput, NotFound

FILTERS = (
    Parameter("playbook", WORDS, "Only runs of this playbook."),
    Parameter("model_id", WORDS, "Only runs about this version."),
    Parameter("state", {"enum": list(RunState.values)}, "Only runs in this state."),
    *PAGE,
)


class PlaybooksView(APIView):
    """The playbooks there are."""

    scopes = {"GET": tokens.READ}

    @describes("List playbooks", answers={200: answers.Playbooks})
    def get(self, request: Request) -> Response:
        found = shelf.shelf()
        listed = [_playbook_json(b, ours=b.name in found.own) for b in found.playbooks.values()]
        return Response({"playbooks": listed})


class RunsView(APIView):
    """Runs, newest first."""

    scopes = {"GET": tokens.READ}

    @describes("List playbook runs", query=FILTERS, answers={200: answers.PlaybookRunPage})
    def get(self, request: Request) -> Response:
        check_query(request, {parameter.name for parameter in FILTERS})
        rows = PlaybookRun.objects.select_related("version")
        asked = request.query_params
        if state := asked.get("state"):
            if state not in RunState.values:
                raise InvalidInput.of("state", f"States are {', '.join(RunState.values)}.")
            rows = rows.filter(state=state)
        if name := asked.get("playbook"):
            rows = rows.filter(playbook=name)
        if model_id := asked.get("model_id"):
            rows = rows.filter(version__model_id=model_id)
        found, following = page(request, rows)
        return Response({"runs": [_run_json(row) for row in found], "next": following})


class RunView(APIView):
    """One run with its steps."""

    scopes = {"GET": tokens.READ}

    @describes("Read a playbook run", answers={200: answers.PlaybookRunDetail})
    def get(self, request: Request, pk: int) -> Response:
        rows = PlaybookRun.objects.select_related("version").filter(pk=pk)
        run = rows.first() if pk < 2**63 else None
        if run is None:
            raise NotFound(f"There is no playbook run {pk}.")
        steps = [_step_json(step) for step in run.steps.all()]
        return Response(_run_json(run) | {"definition": run.definition, "steps": steps})


def _playbook_json(book: Playbook, *, ours: bool) -> dict[str, Any]:
    return {
        "name": book.name,
        "description": book.description,
        "own": ours,
        "digest": book.digest,
        "event_type": book.event_type,
        "when": book.when.text or None,
        "steps": [{"name": step.name, "kind": step.kind} for step in book.steps],
    }


def _run_json(run: PlaybookRun) -> dict[str, Any]:
    return {
        "run_id": run.pk,
        "playbook": run.playbook,
        "digest": run.digest,
        "model_id": run.version.model_id if run.version else None,
        "event_id": run.event_id,
        "key": run.key,
        "state": run.state,
        "error": run.error or None,
        "started_at": run.started_at,
        "due_at": run.due_at if run.ended_at is None else None,
        "deadline_at": run.deadline_at,
        "ended_at": run.ended_at,
    }


def _step_json(step: PlaybookStep) -> dict[str, Any]:
    return {
        "position": step.position,
        "name": step.name,
        "kind": step.kind,
        "undoes": step.undoes,
        "state": step.state,
        "attempts": step.attempts,
        "result": step.result,
        "error": step.error or None,
        "settled_at": step.settled_at,
    }
