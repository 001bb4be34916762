"""Approvals as rows: written, and withdrawn. Who may give one is decided in reviews."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from governance import constitution, subjects
from governance.constitution import Tier
from governance.models import Approval, Scope
from governance.subjects import Subject
from registry import clock
from registry.actors import actor_of
from registry.errors import InvalidInput
from registry.ledger import events
from registry.models import ModelVersion
from registry.tokens import signing_roles


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """What a signature says beside whose it is."""

    printed_name: str
    meaning: str
    note: str = ""
    scope: Scope | None = None  # None: the only one the tier has
    role: str | None = None  # None: one the reviewer holds, best one that nobody signed in yet


def give(version: ModelVersion, reviewer: User, signing: Signing) -> Approval:
    """Write the reviewer's approval of what the version is now; a standing one is returned.

    The caller holds the family's lock and has checked that the reviewer may.

    Raises:
        InvalidInput: The scope, role, printed name or meaning does not fit.
    """
    _check_words(signing)
    tier, now = constitution.tier_of(version.family.risk_tier), clock.now()
    subject = subjects.of(version, _scope(tier, signing.scope))
    others, own = [], None
    for approval in _standing(version, subject):
        if approval.approver_id == reviewer.pk:
            own = approval
        else:
            others.append(approval.role)
    role = _role(tier, reviewer, signing.role, taken=others)
    if own is not None and not _expired(own, now):
        return own
    if own is not None:  # it makes room for the new one: one standing signature each
        take_back(own, "It expired and was signed anew.")
    return _write(version, reviewer, signing, role, subject, now + tier.max_age)


def take_back(approval: Approval, reason: str) -> None:
    """Withdraw a signature in the name of whoever gave it."""
    approval.withdrawn_at = clock.now()
    approval.withdrawn_by = actor_of(approval.approver)
    approval.save(update_fields=["withdrawn_at", "withdrawn_by"])
    events.record(
        "approval.withdrawn",
        subject=approval.version,
        actor=approval.withdrawn_by,
        remark=events.remark(reason),
        payload={"approval_id": approval.pk, "scope": approval.scope},
    )


def _standing(version: ModelVersion, subject: Subject) -> list[Approval]:
    """Approvals of this very subject, also expired ones, that nobody withdrew."""
    found = version.approvals.filter(subject_digest=subject.digest, withdrawn_at=None)
    return list(found.select_related("approver", "version"))


def _write(
    version: ModelVersion,
    reviewer: User,
    signing: Signing,
    role: str,
    subject: Subject,
    expires_at: datetime,
) -> Approval:
    remark = events.remark(signing.note)
    approval = Approval.objects.create(
        version=version,
        scope=subject.parts["scope"],
        subject_digest=subject.digest,
        subject=dict(subject.parts),
        approver=reviewer,
        role=role,
        printed_name=signing.printed_name.strip(),
        meaning=signing.meaning.strip(),
        remark=remark,
        expires_at=expires_at,
    )
    events.record(
        "approval.given",
        subject=version,
        actor=actor_of(reviewer),
        remark=remark,
        payload={
            "approval_id": approval.pk,
            "scope": approval.scope,
            "role": role,
            "subject_digest": subject.digest,
        },
    )
    return approval


def _scope(tier: Tier, asked: Scope | None) -> Scope:
    scopes = tier.scopes()
    if asked is None and len(scopes) == 1:
        return scopes[0]
    if asked not in scopes:
        raise InvalidInput.of("scope", f"At tier {tier.name} sign for {' or '.join(scopes)}.")
    return asked


def _role(tier: Tier, reviewer: User, asked: str | None, *, taken: Collection[str]) -> str:
    held = [role for role in signing_roles(reviewer) if role in tier.roles]
    if asked is None and held:
        return min(held, key=lambda role: role in taken)
    if asked not in held:
        able = " or ".join(held) or "no role that this tier takes"
        raise InvalidInput.of("role", f"{reviewer} may sign as {able}.")
    return asked


def _check_words(signing: Signing) -> None:
    for field in ("printed_name", "meaning"):
        if not getattr(signing, field).strip():
            raise InvalidInput.of(field, "A signature says who signs and what it means.")


def _expired(approval: Approval, now: datetime) -> bool:
    return approval.expires_at is not None and approval.expires_at <= now
