"""One request in, one reply out: what every face of the Co-Pilot calls."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from governance.copilot import (
    dealing,
    grammar,
    inbox,
    lists,
    naming,
    plans,
    questions,
    seals,
    words,
)
from governance.copilot.askers import Asker
from governance.copilot.grammar import Asked, Intent, NotUnderstood
from governance.copilot.naming import Unclear
from governance.copilot.replies import Reply, question, refusal

ABOUT_ONE: dict[Intent, Callable[..., Reply]] = {
    Intent.WHY: questions.why,
    Intent.GATES: questions.blocked,
    Intent.HEALTH: questions.health,
    Intent.APPROVALS: questions.approvals,
    Intent.SHOW: questions.show,
}


def ask(text: str, asker: Asker, *, now: datetime) -> Reply:
    """Answer a question, or answer a command with its plan. Nothing changes."""
    asked = grammar.understand(text)
    if isinstance(asked, NotUnderstood):
        why = f": {asked.why}" if asked.why else ""
        return refusal(f"I did not take that for a request of mine{why}.", choices=lists.EXAMPLES)
    if asked.intent is Intent.READ:
        return inbox.propose(asker, now=now)
    if asked.intent in grammar.DEALING:
        return dealing.propose(asked, asker, now=now)
    if asked.intent not in NEEDS_NO_NAME:
        return _about_models(asked, text, asker, now)
    if asked.intent is Intent.INCIDENTS and "name" in asked.slots:
        named = naming.find(asked.slots["name"])
        return _say_which(named, text) if isinstance(named, Unclear) else lists.incidents(named)
    return NEEDS_NO_NAME[asked.intent](asked, asker)


NEEDS_NO_NAME: dict[Intent, Callable[[Asked, Asker], Reply]] = {
    Intent.HELP: lambda asked, asker: lists.help_(),
    Intent.INBOX: lambda asked, asker: inbox.show(asker.user),
    Intent.LIST: lambda asked, asker: lists.models(asked),
    Intent.INCIDENTS: lambda asked, asker: lists.incidents(None),
}


def confirm(confirmation: str, asker: Asker, *, now: datetime) -> Reply:
    """Carry out a plan that was shown.

    Raises:
        InvalidInput: It is no confirmation of ours, or too old.
        NotAllowed: It is somebody else's.
        RegistryError: As ``plans.confirm``.
    """
    plan = seals.opened(confirmation, asker, now=now)
    if "read_up_to" in plan:
        return inbox.confirm(plan, asker, now=now)
    if "incident" in plan:
        return dealing.confirm(plan, asker, now=now)
    return plans.confirm(plan, asker, now=now)


def _about_models(asked: Asked, text: str, asker: Asker, now: datetime) -> Reply:
    named = naming.find(asked.slots["name"])
    if isinstance(named, Unclear):
        return _say_which(named, text)
    if asked.intent in grammar.CHANGES:
        return plans.propose(asked, named, asker, now=now)
    if asked.intent is Intent.COMPARE:
        other = naming.find(asked.slots["other"])
        if isinstance(other, Unclear):
            return _say_which(other, text)
        return questions.compare(named, other, now=now)
    return ABOUT_ONE[asked.intent](asked, named, now=now)


def _say_which(unclear: Unclear, text: str) -> Reply:
    """Ask which of several, or whether one that comes near was meant."""
    said = unclear.said
    again = tuple(
        words.clean(text).replace(said, name, 1)
        for name in unclear.candidates or unclear.suggestions
    )
    if unclear.candidates:
        return question(f"{said!r} could be several. Which?", choices=again)
    if again:
        return question(f"I know no model {said!r}. Is it one of these?", choices=again)
    return refusal(f"I know no model {said!r}.", choices=("list models",))
