"""What a step can do: each kind, what it needs to be told, and how it is done. Pure.

What each kind does stands in ``steps`` and ``effects``; a test holds the three together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Manner(StrEnum):
    """How a step is done."""

    TX = "tx"  # our own rows: effect, step row and event are one transaction
    EFFECT = "effect"  # the outside world: claimed with a lease, done, settled


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a step is told under ``with``."""

    says: str
    type: type = str
    required: bool = True
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None

    def fault(self, value: Any) -> str | None:
        """What is wrong with a value, as a sentence; None where nothing is."""
        if self.type is float:
            return self._number_fault(value)
        if not isinstance(value, self.type) or value == "":
            return f"Give {NAMES[self.type]}."
        if self.choices and value not in self.choices:
            return f"Give one of {', '.join(self.choices)}."
        return None

    def _number_fault(self, value: Any) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "Give a number."
        if self.least is not None and value < self.least:
            return f"Give at least {self.least:g}."
        if self.most is not None and value > self.most:
            return f"Give at most {self.most:g}."
        return None


NAMES: Mapping[type, str] = {str: "a text", dict: "a mapping", float: "a number"}


@dataclass(frozen=True, slots=True)
class StepKind:
    """One kind of step."""

    says: str  # what it does, for the documentation
    manner: Manner = Manner.TX
    fields: Mapping[str, Field] = field(default_factory=dict)
    about_a_version: bool = True  # the event must be about one


REASON = Field("The reason that goes on record.", required=False)

KINDS: Mapping[str, StepKind] = {
    "freeze": StepKind(
        "Hold promotions of the model's family until `thaw`, or until the run has ended. "
        "Rollbacks and withdrawals stay open.",
    ),
    "thaw": StepKind("Let promotions of the family through again."),
    "switch_stage": StepKind(
        "Carry out the rollback that the event asks for, and restore the predecessor. A rollback "
        "made by hand meanwhile is taken over; a request that was overtaken stops the run.",
    ),
    "publish_traffic": StepKind(
        "See that the family's traffic document is the one of the stages as they stand, and note "
        "its revision.",
    ),
    "open_rollback_incident": StepKind(
        "Open the incident of the rollback that `switch_stage` made, with its evidence."
    ),
    "notify_owners": StepKind(
        "Wait until the announcement of the run's incident has left by at least one channel.",
        manner=Manner.EFFECT,
    ),
    "verify_recovery": StepKind(
        "Judge the version that answers now, and put on record whether the family has recovered.",
    ),
    "open_incident": StepKind(
        "Open an incident of kind `playbook`, or count a repeat of the open one.",
        fields={
            "summary": Field("What people are told."),
            "severity": Field("How bad it is.", choices=("critical", "warning")),
        },
    ),
    "roll_back": StepKind("Roll the version back at once.", fields={"reason": REASON}),
    "set_canary_share": StepKind(
        "Give a canary another share. A larger one goes through the gate.",
        fields={
            "percentage": Field("Over 0 and under 100.", type=float, least=0.01, most=99.99),
            "reason": REASON,
        },
    ),
    "withdraw": StepKind(
        "Take a canary out of traffic without calling it a rollback.",
        fields={
            "to": Field("Where it goes.", choices=("sandbox", "development")),
            "reason": REASON,
        },
    ),
    "request_evaluation": StepKind(
        "Have the version's artifact measured on a data set.",
        fields={"dataset": Field("The name of the data set.")},
    ),
    "publish_event": StepKind(
        "Record an event of your own; subscriptions and webhooks hear of it.",
        fields={
            "type": Field("A dotted lower-case name that the product does not use itself."),
            "data": Field("What it says.", type=dict, required=False),
        },
        about_a_version=False,
    ),
    "notify": StepKind(
        "Tell people by a channel.",
        manner=Manner.EFFECT,
        fields={
            "channel": Field("By which.", choices=("log", "mail")),
            "message": Field("What they are told."),
        },
        about_a_version=False,
    ),
}
