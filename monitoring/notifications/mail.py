"""Mail to the model's owner and to operations."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMessage

from monitoring.notifications import people
from registry.ledger import presentation
from registry.models import Event


def announce(event: Event) -> None:
    """Send an opened incident to the owner, the operators and the operations address."""
    facts = presentation.payload(event)
    message = EmailMessage(
        subject=f"[Assay] {facts['severity']}: {facts['model_id']} — {facts['kind']}",
        body=_body(facts),
        to=[settings.ASSAY_OPERATIONS_EMAIL],
        cc=sorted(_addresses(event)),
        # The same event sent twice is one message to a mail reader.
        headers={"Message-ID": f"<assay-event-{event.pk}@{settings.ASSAY_MAIL_DOMAIN}>"},
    )
    message.send()


def tell(about: str, message: str, key: str) -> None:
    """Send what a playbook has to say to the operations address.

    Args:
        key: Names the occasion: sent twice, it is one message to a mail reader.
    """
    EmailMessage(
        subject=f"[Assay] {about}",
        body=message,
        to=[settings.ASSAY_OPERATIONS_EMAIL],
        headers={"Message-ID": f"<assay-{key}@{settings.ASSAY_MAIL_DOMAIN}>"},
    ).send()


def _addresses(event: Event) -> set[str]:
    addressed = people.concerned(event).exclude(email="")
    return set(addressed.values_list("email", flat=True))


def _body(facts: dict[str, object]) -> str:
    reasons = facts.get("reasons")
    listed = [f"  - {reason}" for reason in reasons] if isinstance(reasons, list) else []
    address = f"{settings.ASSAY_BASE_URL}/incidents/{facts['incident_id']}/"
    return "\n".join([str(facts["summary"]), *listed, "", address])
