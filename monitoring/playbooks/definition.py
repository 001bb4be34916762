"""What a playbook says: read strictly from YAML, each refusal with file and line. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from monitoring.playbooks import condition
from monitoring.playbooks.condition import Condition, ConditionRefused
from monitoring.playbooks.kinds import KINDS, Manner, StepKind
from registry.manifests import loading
from registry.manifests.loading import Loaded, Path
from registry.manifests.refusals import ManifestRefused

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
EVENT = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
FIELD = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z0-9_]+)*")
MOST_STEPS = 50
LONGEST_TITLE = 100  # characters of a step's name
PER = ("model", "family", "all")

# Every field there is, with what it means; the documentation prints these tables.
FIELDS: Mapping[str, str] = {
    "playbook": "The name, unique among all playbooks: lower-case letters, digits and `_`.",
    "description": "What it is for, in a sentence or two. Optional.",
    "on": "What starts it: `event` and `when`, see below.",
    "key": "Fields of the event that name the occasion. Two events with the same values are one "
    "occasion, answered by one run. Where it is left out, or the event has no such field, every "
    "event is an occasion of its own.",
    "throttle": "At most `runs` begun in `minutes`, `per` model. Further occasions are put on "
    "record as throttled, and nothing is done. Optional.",
    "concurrency": "At most `runs` unfinished at once, `per` model. Further ones wait. Optional.",
    "deadline_minutes": "When a run that has not ended fails (default 60).",
    "steps": "What is done, in this order; see below.",
}
ON_FIELDS: Mapping[str, str] = {
    "event": "The type of event, in full, such as `incident.opened`.",
    "when": "A condition over the event's data. Optional.",
}
LIMIT_FIELDS: Mapping[str, str] = {
    "runs": "How many, from 1.",
    "minutes": "In how long; throttle only.",
    "per": "`model` (default), `family` or `all`.",
}
STEP_FIELDS: Mapping[str, str] = {
    "name": "What people read in the run's history, unique in the playbook.",
    "do": "The kind of step.",
    "with": "What the kind needs to be told.",
    "after_minutes": "How long after the step before it is due (default 0).",
    "attempts": "How often it is tried, with growing pauses, before the run fails (default 10).",
    "compensate": "What to do, as `do` and `with`, if the step was done and the run fails later. "
    "Compensations run last to first.",
}
COMPENSATION_FIELDS = ("do", "with")


@dataclass(frozen=True, slots=True)
class Limit:
    """So many runs, counted for each model or family or all together."""

    runs: int
    per: str = "model"
    minutes: float = 0.0  # throttle only


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do."""

    name: str
    kind: str
    told: Mapping[str, Any] = field(default_factory=dict)
    after: timedelta = timedelta(0)
    attempts: int = 10
    compensation: Step | None = None

    @property
    def manner(self) -> Manner:
        return KINDS[self.kind].manner


@dataclass(frozen=True, slots=True)
class Playbook:
    """A whole playbook, with the text it was read from."""

    name: str
    event_type: str
    steps: tuple[Step, ...]
    text: str
    description: str = ""
    when: Condition = condition.ALWAYS
    key: tuple[str, ...] = ()
    throttle: Limit | None = None
    concurrency: Limit | None = None
    deadline: timedelta = timedelta(minutes=60)

    @property
    def digest(self) -> str:
        """The sha256 of its text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def is_about_a_version(self) -> bool:
        """Whether a step needs an event that is about one."""
        every = (*self.steps, *(s.compensation for s in self.steps if s.compensation))
        return any(KINDS[step.kind].about_a_version for step in every)


def parse(content: bytes, *, file: str) -> Playbook:
    """Read a playbook.

    Args:
        file: What to call it in refusals.

    Raises:
        ManifestRefused: It is no playbook; file and line are named.
    """
    return _Reader(loading.load(content, file=file)).playbook(content.decode())


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the parts of one file, and knows where they stand."""

    loaded: Loaded

    def playbook(self, text: str) -> Playbook:
        top = self.loaded.value
        self._known(top, (), FIELDS)
        on = self._mapping(top, ("on",))
        self._known(on, ("on",), ON_FIELDS)
        steps = tuple(self._steps(top))
        event_type = self._text(on, ("on", "event"), EVENT)
        self._no_circle(event_type, steps)
        return Playbook(
            name=self._text(top, ("playbook",), NAME),
            event_type=event_type,
            steps=steps,
            text=text,
            description=self._text(top, ("description",)) if "description" in top else "",
            when=self._condition(on),
            key=tuple(self._key(top)),
            throttle=self._limit(top, "throttle", ("runs", "minutes", "per")),
            concurrency=self._limit(top, "concurrency", ("runs", "per")),
            deadline=timedelta(
                minutes=self._number(top, ("deadline_minutes",), 60, least=0.1, most=10_080)
            ),
        )

    def _steps(self, top: Mapping[str, Any]) -> Iterator[Step]:
        listed = top.get("steps")
        if not isinstance(listed, list) or not 0 < len(listed) <= MOST_STEPS:
            raise self._fault(("steps",), f"Give a list of 1 to {MOST_STEPS} steps.")
        names: set[str] = set()
        for number, given in enumerate(listed):
            path = ("steps", str(number))
            if not isinstance(given, dict):
                raise self._fault(path, "A step is a mapping: name, do, with, ….")
            step = self._step(given, path)
            if step.name in names:
                raise self._fault((*path, "name"), f"{step.name!r} is the name of two steps.")
            names.add(step.name)
            yield step

    def _step(self, given: Mapping[str, Any], path: Path) -> Step:
        self._known(given, path, STEP_FIELDS)
        name = self._text(given, (*path, "name"))
        if len(name) > LONGEST_TITLE:
            raise self._fault((*path, "name"), f"At most {LONGEST_TITLE} characters.")
        kind, told = self._deed(given, path)
        compensation = None
        if "compensate" in given:
            below = (*path, "compensate")
            instead = self._mapping(given, below)
            self._known(instead, below, COMPENSATION_FIELDS)
            undo, undo_told = self._deed(instead, below)
            compensation = Step(f"undo: {name}", undo, undo_told)
        minutes = self._number(given, (*path, "after_minutes"), 0, least=0, most=10_080)
        attempts = self._number(given, (*path, "attempts"), 10, least=1, most=100, whole=True)
        return Step(name, kind, told, timedelta(minutes=minutes), int(attempts), compensation)

    def _deed(self, given: Mapping[str, Any], path: Path) -> tuple[str, Mapping[str, Any]]:
        kind = given.get("do")
        if not isinstance(kind, str) or kind not in KINDS:
            known = ", ".join(KINDS)
            raise self._fault((*path, "do"), f"There is no such kind of step; there are {known}.")
        told = self._mapping(given, (*path, "with")) if "with" in given else {}
        self._check_told(KINDS[kind], told, (*path, "with"))
        return kind, told

    def _check_told(self, kind: StepKind, told: Mapping[str, Any], path: Path) -> None:
        self._known(told, path, kind.fields)
        for name, needed in kind.fields.items():
            if name not in told and needed.required:
                raise self._fault((*path, name), "It is missing.")
            if name in told and (fault := needed.fault(told[name])):
                raise self._fault((*path, name), fault)

    def _no_circle(self, event_type: str, steps: tuple[Step, ...]) -> None:
        for number, step in enumerate(steps):
            if step.kind == "publish_event" and step.told["type"] == event_type:
                path = ("steps", str(number), "with", "type")
                raise self._fault(path, "It would start the playbook again; name another type.")

    def _condition(self, on: Mapping[str, Any]) -> Condition:
        if "when" not in on:
            return condition.ALWAYS
        try:
            return condition.read(self._text(on, ("on", "when")))
        except ConditionRefused as refusal:
            raise self._fault(("on", "when"), f"It is no condition: {refusal}.") from refusal

    def _key(self, top: Mapping[str, Any]) -> list[str]:
        names = top.get("key", [])
        fit = isinstance(names, list) and all(
            isinstance(name, str) and FIELD.fullmatch(name) for name in names
        )
        if not fit or ("key" in top and not names):
            raise self._fault(("key",), "Give a list of names of fields, such as [model_id].")
        return list(names)

    def _limit(self, top: Mapping[str, Any], name: str, fields: Collection[str]) -> Limit | None:
        if name not in top:
            return None
        given = self._mapping(top, (name,))
        self._known(given, (name,), fields)
        runs = self._number(given, (name, "runs"), None, least=1, most=10_000, whole=True)
        minutes = 0.0
        if "minutes" in fields:
            minutes = self._number(given, (name, "minutes"), None, least=0.1, most=10_080)
        per = given.get("per", "model")
        if per not in PER:
            raise self._fault((name, "per"), f"Give one of {', '.join(PER)}.")
        return Limit(int(runs), per, minutes)

    def _known(self, given: Mapping[str, Any], path: Path, known: Collection[str]) -> None:
        for name in given:
            if name not in known:
                there = f"there are {', '.join(known)}" if known else "it takes none"
                raise self._fault((*path, name), f"There is no such field; {there}.")

    def _mapping(self, given: Mapping[str, Any], path: Path) -> dict[str, Any]:
        found = given.get(path[-1])
        if not isinstance(found, dict):
            raise self._fault(path, "Give a mapping.")
        return found

    def _text(
        self, given: Mapping[str, Any], path: Path, pattern: re.Pattern[str] | None = None
    ) -> str:
        found = given.get(path[-1])
        if not isinstance(found, str) or not found.strip():
            raise self._fault(path, "Give a text.")
        if pattern and not pattern.fullmatch(found):
            raise self._fault(path, f"Give a name that fits {pattern.pattern}.")
        return found

    def _number(
        self,
        given: Mapping[str, Any],
        path: Path,
        default: float | None,
        *,
        least: float,
        most: float,
        whole: bool = False,
    ) -> float:
        found = given.get(path[-1], default)
        fits = isinstance(found, int) if whole else isinstance(found, int | float)
        if isinstance(found, bool) or not fits or not least <= found <= most:
            sort = "whole number" if whole else "number"
            raise self._fault(path, f"Give a {sort} from {least:g} to {most:g}.")
        return float(found)

    def _fault(self, path: Path, sentence: str) -> ManifestRefused:
        return self.loaded.refusal(path, sentence)
