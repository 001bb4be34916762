"""Answer what is asked about models, from the record; nothing changes."""

from __future__ import annotations

from datetime import datetime

from governance import gates, subjects
from governance.copilot import choosing
from governance.copilot.changes import API
from governance.copilot.grammar import Asked
from governance.copilot.naming import Named
from governance.copilot.places import incident_record, of_version, quoted
from governance.copilot.replies import Call, Kind, Record, Reply, refusal
from governance.models import Approval
from monitoring import answers, assessments
from monitoring.models import Incident, IncidentKind
from registry import actors, lifecycle
from registry.errors import TransitionRefused
from registry.models import GATED_STAGES, DeploymentStage, ModelFamily, ModelVersion

Stage = DeploymentStage


def why(asked: Asked, named: Named, *, now: datetime) -> Reply:
    """Why it was rolled back, as the record has it."""
    thing = named.thing
    version = thing if isinstance(thing, ModelVersion) else choosing.last_rolled_back(thing)
    if version is None:
        return _answer(f"No version of {thing} was ever rolled back.", call=_family_call(thing))
    incident = _rollback_of(version)
    told = answers.why(incident) if incident else None
    if incident is None or told is None:
        said = f"{version} is in {version.stage}; no rollback of it is on record."
        return _answer(said, call=_call(version), records=(of_version(version),))
    back = told["restored_model_id"]
    return _answer(
        f"{version} was rolled back by {told['by']} at {told['at']:%Y-%m-%d %H:%M:%S} UTC: "
        f"{'; '.join(told['reasons']).rstrip('.')}.",
        *([f"{back} took its place."] if back else []),
        call=_call(version),
        records=(of_version(version), incident_record(incident)),
    )


def blocked(asked: Asked, named: Named, *, now: datetime) -> Reply:
    """What keeps it out of a stage."""
    version = _for_gate(named.thing, asked.slots.get("stage"))
    if version is None:
        return refusal(f"{named.thing} has no versions yet.")
    ahead = asked.slots.get("stage") or gates.AHEAD.get(version.stage)
    if ahead is None:
        return _answer(f"{version} is in production; no gate lies ahead.", call=_call(version))
    stage = Stage(ahead)
    blockers = _in_the_way(version, stage, now)
    said = f"{version} ({version.stage}) may enter {stage} now."
    if version.stage == stage:
        said = f"{version} is in {stage} already."
    elif blockers:
        said = f"{version} ({version.stage}) may not enter {stage} yet."
    return Reply(
        Kind.ANSWER,
        (said,),
        call=_call(version),
        blockers=tuple(blockers),
        records=(of_version(version),),
        choices=() if blockers or version.stage == stage else (f"move {version} to {stage}",),
    )


def health(asked: Asked, named: Named, *, now: datetime) -> Reply:
    """What the triggers say of the versions that answer requests."""
    versions = _meant(named.thing)
    if not versions:
        return refusal(f"{named.thing} has no versions yet.")
    said = []
    for version in versions:
        found = assessments.check(version, now=now)
        because = f": {'; '.join(found.reasons)}" if found.reasons else ""
        share = "" if version.canary_percentage is None else f" {version.canary_percentage:f} %"
        said.append(
            f"{version} ({version.stage}{share}): {found.verdict.replace('_', ' ')} on "
            f"{found.requests} requests in the last {found.window_minutes} minutes{because}."
        )
    path = f"{API}/models/{versions[0].model_id}/rollback-check"
    return _answer(*said, call=Call("GET", path), records=tuple(map(of_version, versions)))


def approvals(asked: Asked, named: Named, *, now: datetime) -> Reply:
    """Who signed, and whether the signature stands."""
    versions = _meant(named.thing)[:1]
    if not versions:
        return refusal(f"{named.thing} has no versions yet.")
    version = versions[0]
    signed = list(version.approvals.select_related("approver"))
    said = [_signature(approval, version, now) for approval in signed]
    return _answer(
        *(said or [f"Nobody has approved {version} yet."]),
        call=_call(version),
        records=(of_version(version),),
    )


def show(asked: Asked, named: Named, *, now: datetime) -> Reply:
    """One version's entry in short, or a model's versions."""
    thing = named.thing
    if isinstance(thing, ModelFamily):
        versions = list(thing.versions.select_related("family").order_by("-number")[:20])
        return Reply(
            Kind.ANSWER,
            (f"{thing} of team {thing.team}, its newest versions:",),
            call=_family_call(thing),
            table=(
                ("model_id", "version", "stage"),
                *((v.model_id, v.version, _stage(v)) for v in versions),
            ),
            records=tuple(map(of_version, versions)),
        )
    return _answer(
        f"{thing} is {thing.family} {thing.version}, in {_stage(thing)} since "
        f"{thing.stage_entered_at:%Y-%m-%d %H:%M} UTC.",
        f"{thing.framework}, {thing.model_type}; team {thing.team}, owner {thing.owner}; "
        f"registered by {actors.name(thing.registered_by)}.",
        call=_call(thing),
        records=(of_version(thing),),
    )


def compare(one: Named, other: Named, *, now: datetime) -> Reply:
    """Two versions side by side."""
    pair = [_meant(named.thing)[:1] for named in (one, other)]
    if not all(pair):
        return refusal("One of them has no versions yet.")
    left, right = pair[0][0], pair[1][0]
    facts = [_facts(version, now) for version in (left, right)]
    rows = [
        (name, facts[0].get(name, "–"), facts[1].get(name, "–"))
        for name in {**facts[0], **facts[1]}
    ]
    return Reply(
        Kind.ANSWER,
        (f"{left} and {right}:",),
        call=_call(left),
        table=(("", left.model_id, right.model_id), *rows),
        records=(of_version(left), of_version(right)),
    )


def _facts(version: ModelVersion, now: datetime) -> dict[str, str]:
    found = assessments.check(version, now=now)
    facts = {
        "model": version.family.name,
        "version": version.version,
        "stage": _stage(version),
        "framework": version.framework,
        "verdict": f"{found.verdict.replace('_', ' ')} on {found.requests} requests",
    }
    return facts | {name: f"{value:.4g}" for name, value in version.evaluation_metrics.items()}


def _in_the_way(version: ModelVersion, stage: DeploymentStage, now: datetime) -> list[str]:
    """That there is no such move, and what the gate misses."""
    if version.stage == stage:
        return []
    found = []
    try:
        lifecycle.kind_of(version, stage)
    except TransitionRefused as no:
        found.append(str(no))
    return found + (gates.blockers(version, stage, now=now) if stage in GATED_STAGES else [])


def _for_gate(thing: ModelFamily | ModelVersion, stage: str | None) -> ModelVersion | None:
    """The version asked about; of a model, the newest that may move there, else the newest."""
    if isinstance(thing, ModelVersion):
        return thing
    versions = thing.versions.select_related("family", "artifact").order_by("-number")
    near = versions.filter(stage__in=choosing.sources(stage, "up")) if stage else versions.none()
    return near.first() or versions.first()


def _meant(thing: ModelFamily | ModelVersion) -> list[ModelVersion]:
    return [thing] if isinstance(thing, ModelVersion) else choosing.serving(thing)


def _rollback_of(version: ModelVersion) -> Incident | None:
    found = Incident.objects.filter(version=version, kind=IncidentKind.ROLLBACK)
    related = found.select_related("version", "transition__remark", "remark", "verdict", "restored")
    return related.order_by("-pk").first()


def _signature(approval: Approval, version: ModelVersion, now: datetime) -> str:
    state = gates.state_of(approval, subjects.of(version), now=now)
    return (
        f"{approval.printed_name} ({approval.role.replace('_', ' ')}) approved {version} for "
        f"{approval.scope} on {approval.signed_at:%Y-%m-%d %H:%M} UTC; the signature: {state}."
    )


def _stage(version: ModelVersion) -> str:
    share = version.canary_percentage
    return version.stage if share is None else f"{version.stage} {share:f} %"


def _call(version: ModelVersion) -> Call:
    return Call("GET", f"{API}/models/{version.model_id}")


def _family_call(thing: ModelFamily | ModelVersion) -> Call:
    name = thing.name if isinstance(thing, ModelFamily) else thing.family.name
    return Call("GET", f"{API}/families/{quoted(name)}")


def _answer(*says: str, call: Call, records: tuple[Record, ...] = ()) -> Reply:
    return Reply(Kind.ANSWER, says, call=call, records=records)
