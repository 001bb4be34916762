"""The record, to be read: approvals, attestations, transitions, events, deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User

from governance import reviews
from governance.console import webhooks
from governance.console.decisions import DecidingAdmin
from governance.console.record import RecordAdmin
from governance.models import Approval
from registry import actors, attestations, clock, tokens
from registry.actors import actor_of
from registry.ledger import deliveries
from registry.models import Attestation, Delivery, DeliveryState


class NoReasonForm(forms.Form):
    """A decision that speaks for itself."""


class ApprovalAdmin(DecidingAdmin):
    """Signatures; one's own can be withdrawn."""

    verb = "withdraw"
    list_display = [
        "version",
        "scope",
        "printed_name",
        "role",
        "signed_at",
        "expires_at",
        "withdrawn_at",
        "decision",
    ]
    list_filter = ["scope", "role"]
    list_select_related = ["version"]
    search_fields = ["version__model_id", "printed_name"]

    def is_open(self, row: Approval) -> bool:
        return row.withdrawn_at is None

    def refusal(self, user: User, row: Approval) -> str | None:
        own = row.approver_id == user.pk
        return None if own else f"Only {row.printed_name} may withdraw this signature."

    def question(self, row: Approval) -> str:
        return (
            f"Your signature under {row.version} for {row.scope} will open no further gate. "
            "Traffic it already let in stays."
        )

    def carry_out(self, row: Approval, *, user: User, reason: str) -> str:
        reviews.withdraw(row, reviewer=user, reason=reason)
        return f"Your signature under {row.version} is withdrawn."


class AttestationAdmin(DecidingAdmin):
    """What gates stated; a statement can be taken back."""

    verb = "revoke"
    list_display = [
        "version",
        "stage",
        "attested_at",
        "approvers",
        "subject",
        "revoked_at",
        "decision",
    ]
    list_filter = ["stage"]
    list_select_related = ["version"]
    search_fields = ["version__model_id", "subject_digest"]
    ordering = ["-attested_at"]

    def decorate(self, rows: Sequence[Any]) -> None:
        called = actors.names(actor for row in rows for actor in row.approved_by)
        for row in rows:
            row.called = [called[actor] for actor in row.approved_by]

    @admin.display(description="Approved by")
    def approvers(self, row: Any) -> str:
        return ", ".join(row.called)

    @admin.display(description="Subject")
    def subject(self, row: Attestation) -> str:
        return f"{row.subject_digest[:12]}…"

    def is_open(self, row: Attestation) -> bool:
        return row.revoked_at is None

    def refusal(self, user: User, row: Attestation) -> str | None:
        able = user.is_superuser or tokens.signing_roles(user)
        return None if able else "Reviewers and risk officers revoke attestations."

    def question(self, row: Attestation) -> str:
        serving = (
            f" {row.version} is in {row.version.stage} now and stays there until it is rolled "
        )
        return (
            f"Nothing will let {row.version} into {row.stage} on the strength of this any more, and "
            "no rollback will restore it there."
        ) + (f"{serving}back." if row.version.is_serving else "")

    def carry_out(self, row: Attestation, *, user: User, reason: str) -> str:
        attestations.revoke(row, actor=actor_of(user), reason=reason)
        return f"The attestation of {row.version} for {row.stage} is revoked."


class DeliveryAdmin(DecidingAdmin):
    """What is owed to subscribers; what was given up can be tried again."""

    verb = "retry"
    form_class = NoReasonForm
    list_display = ["event", "receiver", "state", "attempts", "due_at", "last_error", "decision"]
    fields = [
        "event", "receiver", "state", "attempts", "due_at", "leased_until", "last_error",
        "settled_at",
    ]  # fmt: skip
    readonly_fields = ["receiver"]
    list_filter = ["state"]
    list_select_related = ["event"]
    ordering = ["-pk"]

    def decorate(self, rows: Sequence[Any]) -> None:
        called = webhooks.called(row.subscriber for row in rows)
        for row in rows:
            row.called = called[row.subscriber]

    @admin.display(description="Subscriber", ordering="subscriber")
    def receiver(self, row: Any) -> str:
        """Who is owed it; a webhook by where it is."""
        return getattr(row, "called", None) or webhooks.called([row.subscriber])[row.subscriber]

    def is_open(self, row: Delivery) -> bool:
        return row.state == DeliveryState.PARKED

    def refusal(self, user: User, row: Delivery) -> str | None:
        able = tokens.ROLL_BACK in tokens.scopes_of(user)
        return None if able else "Operators retry deliveries."

    def question(self, row: Delivery) -> str:
        return (
            f"{row.event} will be delivered to {self.receiver(row)} again, from the first attempt. The "
            f"last one failed: {row.last_error}"
        )

    def carry_out(self, row: Delivery, *, user: User, reason: str) -> str:
        deliveries.retry(row, now=clock.now())
        return f"{row.event} is owed to {self.receiver(row)} again."


class CheckResultAdmin(RecordAdmin):
    """Every verdict of a reviewer."""

    list_display = ["version", "check_name", "verdict", "reviewer", "settled_at"]
    list_filter = ["check_name", "verdict"]
    list_select_related = ["version", "reviewer"]
    search_fields = ["version__model_id"]


class ActorAdmin(RecordAdmin):
    """A record of what somebody did, by the name they go by now."""

    def decorate(self, rows: Sequence[Any]) -> None:
        called = actors.names(row.actor for row in rows)
        for row in rows:
            row.called = called[row.actor]

    @admin.display(description="By")
    def by(self, row: Any) -> str:
        return str(row.called)


class TransitionAdmin(ActorAdmin):
    """Every move of every version."""

    list_display = ["version", "kind", "from_stage", "to_stage", "by", "at"]
    list_filter = ["kind", "to_stage"]
    list_select_related = ["version"]
    search_fields = ["version__model_id"]


class EventAdmin(ActorAdmin):
    """The record itself, newest first."""

    list_display = ["id", "event_type", "version", "by", "timestamp"]
    list_select_related = ["version"]
    search_fields = ["version__model_id"]
    ordering = ["-pk"]
