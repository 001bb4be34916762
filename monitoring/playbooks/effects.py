"""What steps do outside: no transaction and no lock is held meanwhile, and each may run twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Q

from monitoring.notifications import log, mail
from monitoring.playbooks.turns import NotYet, Turn
from registry.errors import Conflict
from registry.ledger import events
from registry.models import Delivery, DeliveryState

Result = dict[str, Any]
CHANNELS: Mapping[str, Callable[[str, str, str], None]] = {"log": log.tell, "mail": mail.tell}


def notify_owners(turn: Turn) -> Result:
    """The incident's announcement is owed to every channel already; see that one has carried it.

    Raises:
        NotYet: It is still on its way.
        Conflict: Every channel has given up, or there is none.
    """
    announced = Delivery.objects.filter(
        event__event_type="incident.opened",
        event__version=turn.version,
        event__payload__incident_id=turn.before.get("incident_id"),
    )
    # What programs subscribed to tells no owner.
    programs = Q(subscriber__startswith=events.PULLED) | Q(subscriber__startswith=events.WEBHOOK)
    owed = announced.exclude(programs | Q(subscriber__in=events.verbs()))
    channels = {_channel(path): state for path, state in owed.values_list("subscriber", "state")}
    carried = [name for name, state in channels.items() if state == DeliveryState.DONE]
    if carried:
        return {"channels": sorted(carried)}
    if DeliveryState.OWED in channels.values():
        raise NotYet("No channel has carried the announcement yet.")
    raise Conflict("No channel carried the announcement; retry the parked deliveries.")


def notify(turn: Turn) -> Result:
    """Tell people by one channel."""
    about = turn.run.version.model_id if turn.run.version else turn.run.playbook
    CHANNELS[turn.told["channel"]](about, turn.told["message"], turn.key)
    return {"channel": turn.told["channel"]}


DEEDS: Mapping[str, Callable[[Turn], Result]] = {
    deed.__name__: deed for deed in (notify_owners, notify)
}


def _channel(path: str) -> str:
    """``monitoring.notifications.mail.announce`` is the channel ``mail``."""
    return path.split(".")[-2]
