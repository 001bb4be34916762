"""What the Co-Pilot understands: one table of phrases. Pure.

A phrase is written as people read it: ``{slot}``, ``[may be left out]``, ``(one|or other)``. It must
fit the whole request, so what is not foreseen is not understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cache

from governance.copilot import words


class Intent(StrEnum):
    """What somebody wants."""

    MOVE = "move"
    SHARE = "share"
    ROLL_BACK = "roll_back"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    READ = "mark_read"
    WHY = "why"
    GATES = "gates"
    HEALTH = "health"
    APPROVALS = "approvals"
    COMPARE = "compare"
    INCIDENTS = "incidents"
    INBOX = "inbox"
    LIST = "list"
    SHOW = "show"
    HELP = "help"


DEALING = frozenset({Intent.ACKNOWLEDGE, Intent.RESOLVE})
CHANGES = DEALING | {Intent.MOVE, Intent.SHARE, Intent.ROLL_BACK, Intent.READ}


@dataclass(frozen=True, slots=True)
class Phrase:
    """One way to ask for something, and what it settles without saying so."""

    intent: Intent
    text: str
    sets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the grammar reads it; names in its slots are still words."""

    intent: Intent
    slots: Mapping[str, str]

    @property
    def share(self) -> Decimal | None:
        """The percentage asked for."""
        said = self.slots.get("share")
        return None if said is None else Decimal(said)


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """A request that is left alone, and why; ``why`` is empty where no phrase fits."""

    why: str = ""


I, UP, DOWN = Intent, {"direction": "up"}, {"direction": "down"}
PHRASES = (
    Phrase(
        I.HELP,
        "(help|hello|hi|what can you do|what can i (say|ask|do)|how does this work|commands)",
    ),
    Phrase(I.INBOX, "[(show|open|read|check) [me ]][my |the ](inbox|notices|notifications)"),
    Phrase(I.INBOX, "([any ]unread[ notices]|what is new|what's new|any news)"),
    Phrase(
        I.READ, "mark (all|everything|all notices|[all ]my (inbox|notices)|the inbox) [as ]read"
    ),
    Phrase(I.ACKNOWLEDGE, "(acknowledge|ack) [the ]incident [#]{incident}"),
    Phrase(
        I.RESOLVE,
        "(resolve|close) [the ]incident [#]{incident}[[,] (because|note:|with note) {reason}]",
    ),
    Phrase(
        I.INCIDENTS,
        "[(list|show|display) [me ]][all ][the ][open ]incidents[ (of|for|about) {name}]",
    ),
    Phrase(I.INCIDENTS, "(what|which) incidents are open"),
    Phrase(
        I.MOVE,
        "(promote|push|advance|deploy|ship|release) {name} (to|into|in) {stage}[ (at|with|on) {share}[ of [the ](traffic|requests)]]",
        UP,
    ),
    Phrase(I.MOVE, "(promote|push|advance) {name} to {share} canary", {"stage": "canary", **UP}),
    Phrase(I.MOVE, "(promote|push|advance|deploy|ship|release) {name}", UP),
    Phrase(I.MOVE, "(withdraw|demote|step down) {name} (to|into) {stage}", DOWN),
    Phrase(
        I.MOVE,
        "(move|put|send|bring|take) {name} [back ](to|into|in) {stage}[ (at|with|on) {share}[ of [the ](traffic|requests)]]",
    ),
    Phrase(I.MOVE, "retry {name}", {"stage": "sandbox", "direction": "again"}),
    Phrase(I.MOVE, "(archive|retire) {name}", {"stage": "archived"}),
    Phrase(I.SHARE, "(set|change) [the ]canary[ share] of {name} to {share}"),
    Phrase(I.SHARE, "(set|change) {name}'s canary[ share] to {share}"),
    Phrase(I.SHARE, "(raise|increase|grow) [the ]canary[ share] of {name} to {share}", UP),
    Phrase(
        I.SHARE, "(lower|reduce|decrease|shrink) [the ]canary[ share] of {name} to {share}", DOWN
    ),
    Phrase(I.SHARE, "(raise|increase|grow) {name} to {share}", UP),
    Phrase(I.SHARE, "(lower|reduce|decrease|shrink) {name} to {share}", DOWN),
    Phrase(I.SHARE, "give {name} {share} of [the ](traffic|requests)"),
    Phrase(
        I.ROLL_BACK,
        "(roll back|rollback|roll-back|revert|pull back) {name}[[,] (because|because of|due to) {reason}]",
    ),
    Phrase(I.ROLL_BACK, "(roll|pull) {name} back[[,] (because|because of|due to) {reason}]"),
    Phrase(
        I.WHY,
        "why (was|has|is|did) {name} [been |get |got ](rolled back|roll back|pulled back|in rollback|taken out)",
    ),
    Phrase(I.WHY, "(what happened to|what went wrong with) {name}"),
    Phrase(
        I.GATES,
        "what (blocks|is blocking|stops|is stopping|keeps|is keeping) {name} from [(going|getting|moving|entering) ][(to|into|in) ]{stage}",
    ),
    Phrase(I.GATES, "what (blocks|is blocking|stops|is stopping) {name}"),
    Phrase(I.GATES, "(can|may|could) {name} (go|move|get|be promoted|be moved) (to|into) {stage}"),
    Phrase(I.GATES, "(can|may) {name} enter {stage}"),
    Phrase(I.GATES, "(can|may) i (promote|move) {name} (to|into) {stage}"),
    Phrase(I.GATES, "is {name} (ready|allowed|cleared) (for|in|into) {stage}"),
    Phrase(
        I.GATES, "why (can't|cannot|can not) {name} (go|move|get|be promoted) (to|into) {stage}"
    ),
    Phrase(I.GATES, "why isn't {name} in {stage}"),
    Phrase(I.GATES, "why is {name} not in {stage}"),
    Phrase(I.GATES, "what does {name} need (for|to enter|to go to|to get to) {stage}"),
    Phrase(I.GATES, "(explain|show) [the ]gate[s] of {name}"),
    Phrase(I.GATES, "(explain|show) [the ]{stage} gate of {name}"),
    Phrase(I.HEALTH, "(how is|how's|how are) {name}[ (doing|behaving|performing|going)]"),
    Phrase(I.HEALTH, "is {name} (healthy|ok|okay|fine|well)"),
    Phrase(I.HEALTH, "[(show|check) [the ]][the ](health|triggers) of {name}"),
    Phrase(I.HEALTH, "should {name} be rolled back"),
    Phrase(I.APPROVALS, "who (approved|has approved|signed|signed for|reviewed|signed off) {name}"),
    Phrase(I.APPROVALS, "[show [the ]]approvals (of|for) {name}"),
    Phrase(I.COMPARE, "compare {name} (and|with|to|against|vs|versus) {other}"),
    Phrase(I.COMPARE, "[what is the ]difference between {name} and {other}"),
    Phrase(I.COMPARE, "{name} (vs|versus) {other}"),
    Phrase(I.LIST, "(list|show|find|display) [me ][all ][the ]{stages}"),
    Phrase(
        I.LIST,
        "(list|show|find|display) [me ][all ][the ][{framework} ](models|versions)[ (in|from) {stage}][ (of|from|by) team {team}][ (owned by|of owner) {owner}]",
    ),
    Phrase(I.LIST, "(which|what) [{framework} ](models|versions) are (in|at) {stage}"),
    Phrase(I.LIST, "what is [running ]in {stage}"),
    Phrase(I.SHOW, "(show|describe|display|open) [me ]{name}"),
    Phrase(I.SHOW, "(tell me about|what is|what's|where is|where's|status of) {name}"),
    Phrase(I.SHOW, "(which|what) stage is {name} in"),
)
GROUPS = {
    "canaries": "canary",
    "production models": "production",
    "canary models": "canary",
    "sandbox models": "sandbox",
    "development models": "development",
    "archived models": "archived",
    "rolled back models": "rollback",
    "rolled-back models": "rollback",
}
SLOTS = {
    "stage": "|".join(words.STAGES),
    "stages": "|".join(GROUPS),
    "share": r"\d{1,3}(?:[.,]\d{1,2})? ?(?:%|percent|per cent)",
    "framework": r"[\w.+-]+",
    "reason": ".+",
    "incident": r"\d{1,18}",
}


def understand(raw: str) -> Asked | NotUnderstood:
    """What somebody asked; whatever is not surely one request is not understood."""
    if not words.is_typed(raw):
        return NotUnderstood("it is too long, or has signs in it that nobody types")
    text = words.mend(words.clean(raw))
    for phrase in PHRASES:
        if found := _compiled(phrase.text).fullmatch(text):
            slots = {name: said for name, said in found.groupdict().items() if said}
            return _weighed(phrase, slots, text)
    return NotUnderstood(words.doubt(text))


def table() -> Iterator[tuple[Intent, list[str]]]:
    """The grammar by intent, for the documentation and the help."""
    for intent in Intent:
        yield intent, [phrase.text for phrase in PHRASES if phrase.intent is intent]


def _weighed(phrase: Phrase, slots: dict[str, str], text: str) -> Asked | NotUnderstood:
    reason = slots.get("reason", "")
    command = text[: len(text) - len(reason)] if reason else text
    if phrase.intent in CHANGES - {Intent.READ} and (doubt := words.doubt(command, reason)):
        return NotUnderstood(doubt)
    for name in ("name", "other"):
        if name in slots and (slots := slots | {name: _unquoted(slots[name])}) and not slots[name]:
            return NotUnderstood("it quotes somebody; say it in your own words")
    if (
        phrase.intent is Intent.MOVE
        and not {"stage"} & {*slots, *phrase.sets}
        and words.TAIL.search(command)
    ):
        return NotUnderstood("it names no stage that I know")
    if phrase.intent in CHANGES and words.MANY.search(slots.get("name", "")):
        return NotUnderstood("it does not name one model")
    slots = {name: _settled(name, said) for name, said in slots.items()}
    if "stages" in slots:
        slots["stage"] = slots.pop("stages")
    asked = Asked(phrase.intent, dict(phrase.sets) | slots)
    return _as_rollback(asked)


def _as_rollback(asked: Asked) -> Asked:
    """Moving to the stage ``rollback`` is rolling back."""
    if asked.intent is Intent.MOVE and asked.slots.get("stage") == "rollback":
        return Asked(Intent.ROLL_BACK, {"name": asked.slots["name"]})
    return asked


def _settled(slot: str, said: str) -> str:
    if slot == "stage":
        return words.STAGES[said.lower()]
    if slot == "stages":
        return GROUPS[said.lower()]
    if slot == "share":
        figure = re.match(r"[\d.,]+", said)
        return figure[0].replace(",", ".") if figure else said
    return said.strip()


def _unquoted(name: str) -> str:
    """A name without quotes around it; empty where quotes stand anywhere else."""
    if len(name) > 2 and name[0] == name[-1] and name[0] in "\"'`":
        name = name[1:-1]
    return "" if re.search("[\"`]|(?:^| )'|'(?: |$)", name) else name


@cache
def _compiled(phrase: str) -> re.Pattern[str]:
    pattern = phrase.replace("(", "(?:").replace("[", "(?:").replace("]", ")?")
    for slot in re.findall(r"\{(\w+)\}", pattern):
        inner = SLOTS.get(slot, ".+?")
        pattern = pattern.replace(f"{{{slot}}}", f"(?P<{slot}>{inner})", 1)
    return re.compile(pattern, re.IGNORECASE)
