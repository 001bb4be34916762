"""What must hold before a version enters a gated stage. Pure: a situation in, blockers out.

Each condition is a function that yields one sentence for all that it misses, and the sentence
says what to do. Conditions do not know of each other, so people see every blocker at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from governance.measured import Bias


@dataclass(frozen=True, slots=True)
class Settled:
    """The latest verdict on one check."""

    verdict: str  # pass | fail | unknown | not_applicable
    by: str  # username
    changes: tuple[str, ...] = ()  # what changed since, as words; empty: it is of this subject
    own_person: bool = False  # whoever settled it is one of the model's own people now


@dataclass(frozen=True, slots=True)
class Signature:
    """One person's approval for the scope the gate asks for."""

    by: str  # username
    actor: str
    role: str
    expires_at: datetime | None = None
    withdrawn: bool = False
    changes: tuple[str, ...] = ()
    own_person: bool = False

    def flaw(self, now: datetime) -> str | None:
        """Why it does not count; None where it does."""
        if self.withdrawn:
            return f"{self.by} has withdrawn the signature"
        if self.own_person:
            return f"{self.by} is one of the model's own people now"
        if self.changes:
            return f"the {_listed(self.changes)} changed since {self.by} signed"
        if self.expires_at is not None and self.expires_at <= now:
            return f"the signature of {self.by} expired on {self.expires_at:%Y-%m-%d}"
        return None


@dataclass(frozen=True, slots=True)
class Health:
    """How a canary did over its bake time."""

    verdict: str  # rollback | watch | ok | no_data
    requests: int
    min_requests: int
    minutes: int
    reasons: tuple[str, ...] = ()
    jobs_only: bool = False  # the requests are those that serving tokens reported


@dataclass(frozen=True, slots=True)
class Demands:
    """What the risk tier asks of signatures and evidence."""

    tier: str
    quorum: int
    roles: tuple[str, ...]
    distinct_roles: bool
    artifact_required: bool
    evidence_required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that a gate weighs at one moment."""

    stage: str  # the one to be entered
    now: datetime
    demands: Demands
    checks: Mapping[str, Settled | None]  # each check → its latest verdict
    signatures: tuple[Signature, ...]  # the latest of each person and role
    artifact_digest: str  # "": none
    bias: Bias
    canary: Health | None  # None: the move does not ask for it
    frozen_by: str = ""  # the playbook run that holds promotions of the family; "": none


def checks_passed(situation: Situation) -> Iterator[str]:
    """Both checks passed, as the latest verdict, of this very subject."""
    for check, settled in situation.checks.items():
        label = check.replace("_", " ")
        if settled is None:
            yield f"The {label} check is not settled: a reviewer settles it on the review page."
        elif settled.verdict != "pass":
            yield (
                f"The {label} check is {settled.verdict.replace('_', ' ')}, says {settled.by}: "
                "mend what was found and have it settled again."
            )
        elif settled.own_person:
            yield (
                f"The {label} check was settled by {settled.by}, one of the model's own people "
                "now: another reviewer settles it."
            )
        elif settled.changes:
            yield (
                f"The {_listed(settled.changes)} changed since {settled.by} settled the {label} "
                "check: a reviewer settles it again."
            )


def signatures_given(situation: Situation) -> Iterator[str]:
    """Enough people signed, each in a fitting role, and every signature still counts."""
    demands, signed = situation.demands, counted(situation)
    if len(signed) >= demands.quorum:
        return
    flaws = [flaw for s in situation.signatures if (flaw := s.flaw(situation.now))]
    because = f" ({'; '.join(flaws)})" if flaws else ""
    yield (
        f"{len(signed)} of {demands.quorum} signatures for {situation.stage}{because}: "
        f"{_who_signs(demands, signed)} on the review page."
    )


def bias_not_failed(situation: Situation) -> Iterator[str]:
    """No measured bias stands against it; a tick cannot override a measurement."""
    if situation.bias.verdict == "fail":
        yield (
            f"Measured bias fails: {situation.bias.summary} A tick cannot override it: "
            "register a version that treats the groups alike."
        )


def artifact_held(situation: Situation) -> Iterator[str]:
    """The bytes are known by digest, where the tier asks for it."""
    if situation.demands.artifact_required and not situation.artifact_digest:
        yield f"Tier {situation.demands.tier} needs the artifact: upload it."


def evidence_measured(situation: Situation) -> Iterator[str]:
    """A gate evaluation passed on bias, where the tier asks for measurements."""
    needed = situation.demands.evidence_required
    if needed and situation.bias.verdict not in ("pass", "fail"):
        yield (
            f"Tier {situation.demands.tier} needs bias measured as pass, and it is "
            f"{situation.bias.verdict}: {situation.bias.summary} Run a gate evaluation "
            "with protected attributes on enough rows."
        )


def canary_healthy(situation: Situation) -> Iterator[str]:
    """Before production: the canary did well, on enough requests."""
    health = situation.canary
    if health is None:
        return
    if health.requests < health.min_requests or health.verdict != "ok":
        because = f": {'; '.join(health.reasons)}" if health.reasons else ""
        counted = " that serving tokens reported" if health.jobs_only else ""
        yield (
            f"The canary has not proven itself: {health.verdict.replace('_', ' ')} on "
            f"{health.requests} requests{counted} in the last {health.minutes} minutes, where ok on "
            f"{health.min_requests} is needed{because}. Keep it in canary and record how it does."
        )


def not_frozen(situation: Situation) -> Iterator[str]:
    """No playbook is in the middle of changing who serves."""
    if situation.frozen_by:
        yield (
            f"The playbook run {situation.frozen_by} holds promotions of this model until it is "
            "through: wait for it, or see on its page what it waits for."
        )


CONDITIONS: tuple[Callable[[Situation], Iterator[str]], ...] = (
    checks_passed,
    signatures_given,
    bias_not_failed,
    artifact_held,
    evidence_measured,
    canary_healthy,
    not_frozen,
)


def blockers(situation: Situation) -> list[str]:
    """Everything that keeps the gate closed; empty where it is open."""
    return [sentence for condition in CONDITIONS for sentence in condition(situation)]


def counted(situation: Situation) -> list[Signature]:
    """The signatures that count: valid ones of different people and, where asked, roles."""
    demands = situation.demands
    taken: dict[str, Signature] = {}
    for signature in situation.signatures:
        role_taken = any(s.role == signature.role for s in taken.values())
        fits = signature.role in demands.roles and not (demands.distinct_roles and role_taken)
        if fits and signature.actor not in taken and signature.flaw(situation.now) is None:
            taken[signature.actor] = signature
    return list(taken.values())


def _who_signs(demands: Demands, signed: list[Signature]) -> str:
    roles = [f"a {role.replace('_', ' ')}" for role in demands.roles]
    if not demands.distinct_roles:
        return f"{' or '.join(roles)} signs"
    held = {signature.role for signature in signed}
    wanted = [role for role, name in zip(roles, demands.roles, strict=True) if name not in held]
    other = " other than " + " and ".join(s.by for s in signed) if signed else ""
    return f"{' and '.join(wanted)}{other} {'sign' if len(wanted) > 1 else 'signs'}"


def _listed(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
