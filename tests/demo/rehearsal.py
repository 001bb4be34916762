"""A rehearsal: the story against a registry whose answers the test decides."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay import Registry
from assay.session import Session
from assay.transport import Request, Response
from demo.console import Console
from demo.installation import Installation
from demo.people import EVERYBODY, Cast, Person
from demo.story import Story

Json = dict[str, Any]


@dataclass
class Prompter:
    """A transport that answers as a registry would, and notes what was asked by whom."""

    verdicts: dict[str, str] = field(default_factory=dict)  # model_id → verdict on bias
    blockers: dict[str, list[str]] = field(default_factory=dict)  # model_id → why not canary
    stages: dict[str, str] = field(default_factory=dict)  # model_id → where it stands at last
    triggers: dict[str, str] = field(default_factory=dict)  # model_id → verdict at last
    incidents: list[str] = field(default_factory=list)  # model_ids
    asked: list[tuple[str, str, str]] = field(default_factory=list)  # person, method, path

    def registry(self, person: Person) -> Registry:
        """The registry as ``person`` sees it."""
        return Registry(Session(_As(person.username, self)))

    def answer(self, person: str, request: Request) -> tuple[int, Json]:
        """Answer by the last part of the path."""
        path = request.path.removeprefix("/api/model-registry/").split("?")[0]
        self.asked.append((person, request.method, path))
        parts = path.split("/")
        answers: dict[str, Callable[[Request, list[str]], tuple[int, Json]]] = {
            "deployment": self._deployment,
            "evaluations": self._evaluation,
            "incidents": self._incidents,
            "rollback-check": self._check,
        }
        for part, answered in answers.items():
            if part in parts:
                return answered(request, parts)
        if request.method == "PUT":
            return 201, {"name": parts[-1], "sha256": "0" * 64, "size": 1}
        if request.method == "POST":
            return 201, _body(request)
        return 200, self._entry(parts[-1]) if len(parts) > 1 else {"models": [], "next": None}

    def _entry(self, model_id: str) -> Json:
        names = ("name", "version", "framework", "model_type", "owner", "team")
        return {
            "model_id": model_id,
            "deploy_status": self.stages[model_id],
            **dict.fromkeys(names, ""),
        }

    def _incidents(self, request: Request, parts: list[str]) -> tuple[int, Json]:
        return 200, {"incidents": [{"model_id": each} for each in self.incidents], "next": None}

    def _check(self, request: Request, parts: list[str]) -> tuple[int, Json]:
        verdict = self.triggers[parts[1]]
        return 200, {"verdict": verdict, "reasons": [], "triggers": []} | {
            "should_rollback": verdict == "rollback",
            "window_minutes": 10,
        }

    def _deployment(self, request: Request, parts: list[str]) -> tuple[int, Json]:
        model_id, to = parts[1], _body(request)["status"]
        if to == "canary" and (missing := self.blockers.get(model_id, [])):
            return 409, {"title": "The gate is closed", "blockers": missing}
        return 200, {"model_id": model_id, "status": to, "previous_status": "sandbox"}

    def _evaluation(self, request: Request, parts: list[str]) -> tuple[int, Json]:
        verdict = self.verdicts[parts[1]]
        return 202, {"evaluation_id": 1, "state": "done", "results": results(verdict)}


@dataclass
class _As:
    """One person's transport."""

    person: str
    prompter: Prompter

    def exchange(self, request: Request, into: object = None) -> Response:
        status, answer = self.prompter.answer(self.person, request)
        return Response(status, {}, json.dumps(answer).encode())

    def release(self) -> None:
        pass


@dataclass(frozen=True)
class Rehearsed(Cast):
    """Everybody, before a prompter instead of a server."""

    prompter: Prompter

    def registry(self, person: Person) -> Registry:
        return self.prompter.registry(person)


def rehearse(prompter: Prompter, home: Path, out: io.StringIO) -> Story:
    """A story that is told to ``out``."""
    nobody = dict.fromkeys(EVERYBODY, "")
    cast = Rehearsed(Installation(home, 8123), tokens=nobody, passwords={}, prompter=prompter)
    return Story(Console(out), cast, home, seed=0)


def results(verdict: str) -> Json:
    """What a measurement finds, as far as the story reads it."""
    ratio = {"value": 0.7, "lower": 0.65, "upper": 0.75, "verdict": verdict}
    groups = [
        {"key": "1", "gates": True, "impact_ratio": None},
        {"key": "2", "gates": True, "impact_ratio": ratio | {"value": 0.9}},
        {"key": "3", "gates": False, "impact_ratio": ratio | {"value": 0.1}},
        {"key": "9", "gates": True, "impact_ratio": ratio},
    ]
    return {
        "metrics": {"figures": {"accuracy": 0.82, "auroc": 0.89}},
        "bias": {"verdict": verdict, "reasons": ["because"], "sections": [{"groups": groups}]},
    }


def _body(request: Request) -> Json:
    assert isinstance(request.body, bytes)
    told: Json = json.loads(request.body)
    return told
