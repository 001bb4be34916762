"""Answer a command with a plan, and a confirmed plan with what was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from governance.copilot import changes, choosing, naming
from governance.copilot.askers import Asker
from governance.copilot.changes import Change, Done
from governance.copilot.choosing import Chosen
from governance.copilot.grammar import Asked, Intent
from governance.copilot.naming import Named
from governance.copilot.places import history_of, incident_record, of_version
from governance.copilot.replies import Kind, Record, Reply, question, refusal
from registry.errors import NotAllowed, PromotionBlocked, RegistryError
from registry.models import DeploymentStage, ModelFamily, ModelVersion, StageTransition

Stage = DeploymentStage
UPWARDS = {
    Stage.DEVELOPMENT: Stage.SANDBOX,
    Stage.SANDBOX: Stage.CANARY,
    Stage.CANARY: Stage.PRODUCTION,
}
SHOWN = 5  # versions named where none fits
DONE_BY = {
    "up": "promote {} to {}",
    "down": "withdraw {} to {}",
    "again": "retry {}",
    "": "move {} to {}",
}


@dataclass(frozen=True, slots=True)
class Target:
    """The version that a command is about, and why it is this one; empty where it was named."""

    version: ModelVersion
    why: str = ""


def propose(asked: Asked, named: Named, asker: Asker, *, now: datetime) -> Reply:
    """The plan of what was asked; nothing changes."""
    if asked.intent is Intent.MOVE and "stage" not in asked.slots:
        return _where_to(named)
    target = _target(asked, named)
    if isinstance(target, Reply):
        return target
    if contradiction := _contradiction(asked, target.version):
        return contradiction
    notes = tuple(_notes(asked, named, target))
    planned = _planned(_change(asked, target.version), notes, asker, now)
    return replace(planned, exact=named.exact)


def confirm(plan: Mapping[str, Any], asker: Asker, *, now: datetime) -> Reply:
    """Carry out what was planned.

    Raises:
        RegistryError: As ``changes.carry_out``.
    """
    change, done = changes.carry_out(plan, asker, now=now)
    said = [f"{sentence}." for sentence in _sentences(done, "is now in")]
    records = [of_version(move.version) for move in done.moves]
    said += _aftermath(change, done)
    records += [Record(f"event {e.pk} {e.event_type}", history_of(e)) for e in done.events]
    if done.incident is not None:
        records.append(incident_record(done.incident))
    return Reply(
        Kind.ANSWER, ("Done.", *said, *done.warnings), call=change.call, records=tuple(records)
    )


def _planned(change: Change, notes: tuple[str, ...], asker: Asker, now: datetime) -> Reply:
    """The plan's reply: what would happen, or all that is in the way."""
    version, blockers = change.version, tuple[str, ...]()
    if version.stage == change.to and change.share is None:
        return refusal(f"{version} is in {version.stage} already; nothing would change.")
    done = Done((), ())
    try:
        done = changes.rehearse(change, asker, now=now)
    except NotAllowed as no:
        return refusal(str(no))
    except PromotionBlocked as closed:
        blockers = tuple(closed.blockers)
    except RegistryError as no:
        blockers = (str(no),)
    effects = [f"{sentence}." for sentence in _sentences(done, "goes to")]
    effects += _aftermath(change, done)
    return Reply(
        Kind.PLAN,
        (_headline(change), *notes, *effects, *done.warnings),
        call=change.call,
        blockers=blockers,
        records=(of_version(version),),
        confirmation="" if blockers else changes.sealed(change, asker, now=now),
    )


def _change(asked: Asked, version: ModelVersion) -> Change:
    if asked.intent is Intent.ROLL_BACK:
        return Change(version, Stage.ROLLBACK, reason=asked.slots.get("reason", ""))
    if asked.intent is Intent.SHARE:
        return Change(version, Stage.CANARY, asked.share)
    return Change(version, Stage(asked.slots["stage"]), asked.share)


def _headline(change: Change) -> str:
    version = change.version
    if change.is_rollback:
        because = f" because: {change.reason}" if change.reason else ""
        return f"Plan: roll {version} back from {version.stage}{because}."
    share = f" with {change.share:f} % of live traffic" if change.share is not None else ""
    if change.to == version.stage == Stage.CANARY and change.share is not None:
        return f"Plan: set the canary share of {version} to {change.share:f} %."
    return f"Plan: move {version} from {version.stage} to {change.to}{share}."


def _notes(asked: Asked, named: Named, target: Target) -> Sequence[str]:
    """What was read into the words."""
    notes = []
    if not named.exact:
        notes.append(
            f"You wrote {asked.slots['name']!r}; I take it for {naming.label(named.thing)}."
        )
    if target.why:
        notes.append(f"{target.version} is {target.why}.")
    return notes


def _sentences(done: Done, verb: str) -> list[str]:
    return [_sentence(move, verb) for move in done.moves]


def _sentence(move: StageTransition, verb: str) -> str:
    points = move.canary_basis_points
    share = "" if points is None else f" with {points / 100:g} % of live traffic"
    return f"{move.version} {verb} {move.to_stage}{share}"


def _aftermath(change: Change, done: Done) -> list[str]:
    """What a rollback leaves behind."""
    if not change.is_rollback:
        return []
    alone = change.version.stage == Stage.PRODUCTION and len(done.moves) == 1
    fallback = ["There is no version to hand production back to: the callers' fallback answers."]
    return fallback * alone + ["An incident tells whom it concerns."]


def _target(asked: Asked, named: Named) -> Target | Reply:
    if isinstance(named.thing, ModelVersion):
        return Target(named.thing)
    chosen = _chosen(asked, named.thing)
    if chosen.version is not None:
        return Target(chosen.version, chosen.why)
    if chosen.others:
        return question(
            f"Which version of {named.thing}? Say it by its own id.",
            choices=tuple(_again(asked, version) for version in chosen.others),
        )
    return _none_fits(asked, named.thing)


def _chosen(asked: Asked, family: ModelFamily) -> Chosen:
    if asked.intent is Intent.ROLL_BACK:
        return choosing.to_roll_back(family)
    if asked.intent is Intent.SHARE:
        return choosing.to_share(family)
    stage, direction = Stage(asked.slots["stage"]), asked.slots.get("direction", "")
    return choosing.to_move(family, stage, direction)


def _none_fits(asked: Asked, family: ModelFamily) -> Reply:
    wanted = {
        Intent.ROLL_BACK: "answers requests, so there is nothing to roll back",
        Intent.SHARE: "is in canary",
    }.get(asked.intent, f"can be moved like that to {asked.slots.get('stage')}")
    newest = family.versions.order_by("-number")[:SHOWN]
    stages = ", ".join(f"{v.model_id} is in {v.stage}" for v in newest)
    return refusal(f"No version of {family} {wanted}.", *([f"{stages}."] if stages else []))


def _where_to(named: Named) -> Reply:
    """Ask for the stage, offering the next one up."""
    thing = named.thing
    if isinstance(thing, ModelFamily):
        return question(
            "To which stage?",
            choices=tuple(f"promote {thing} to {stage}" for stage in UPWARDS.values()),
        )
    above = UPWARDS.get(Stage(thing.stage))
    if above is None:
        return refusal(
            f"{thing} is in {thing.stage}; there is nothing to promote it to from there."
        )
    return question(
        f"{thing} is in {thing.stage}. To which stage?", choices=(f"promote {thing} to {above}",)
    )


def _contradiction(asked: Asked, version: ModelVersion) -> Reply | None:
    """A command whose verb says another direction than its stage or share: better asked again."""
    direction = asked.slots.get("direction", "")
    if asked.intent is Intent.SHARE and direction and version.stage == Stage.CANARY:
        return _share_contradiction(asked, version, direction)
    if asked.intent is not Intent.MOVE or not direction:
        return None
    stage = asked.slots["stage"]
    fitting = choosing.sources(stage, direction)
    adjusts = stage == version.stage == Stage.CANARY and asked.share is not None
    if version.stage in fitting or adjusts or version.stage not in choosing.sources(stage, ""):
        return None
    return question(
        f"{version} is in {version.stage}, so {stage} is no step {direction}.",
        choices=(f"move {version} to {stage}",),
    )


def _share_contradiction(asked: Asked, version: ModelVersion, direction: str) -> Reply | None:
    held, share = version.canary_percentage, asked.share
    if held is None or share is None or (share > held if direction == "up" else share < held):
        return None
    return question(
        f"{version} has {held:f} % of live traffic, so {share:f} % is no step {direction}.",
        choices=(f"set canary of {version} to {share:f} %",),
    )


def _again(asked: Asked, version: ModelVersion) -> str:
    """The same command, about this version."""
    if asked.intent is Intent.ROLL_BACK:
        reason = asked.slots.get("reason")
        return f"roll back {version}" + (f" because {reason}" if reason else "")
    if asked.intent is Intent.SHARE:
        return f"set canary of {version} to {asked.share:f} %"
    said = DONE_BY[asked.slots.get("direction", "")].format(version, asked.slots["stage"])
    return said + (f" at {asked.share:f} %" if asked.share is not None else "")
