"""Self-healing playbooks: what to do when an event asks for help.

Each may run twice, and must then change nothing the second time.
"""

from __future__ import annotations

from django.utils import timezone

from monitoring import rollbacks
from monitoring.models import RecordedVerdict
from registry import lifecycle
from registry.models import Event


def model_rollback(event: Event) -> None:
    """Answer ``model.rollback.requested``: switch stage and traffic, restore, open the incident.

    A request that an earlier rollback, a promotion or a withdrawal has overtaken is stale and
    changes nothing: the version is not where it was when the request was made.
    """
    if event.version is None:
        return
    version = lifecycle.lock(event.version)
    now_standing = version.transitions.order_by("-pk").values_list("pk", flat=True)[0]
    if not version.is_serving or now_standing != event.payload["transition_id"]:
        return
    rollbacks.carry_out(
        version,
        actor=event.actor,
        now=timezone.now(),
        verdict=RecordedVerdict.objects.filter(pk=event.payload.get("verdict_id")).first(),
    )
