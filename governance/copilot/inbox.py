"""The inbox in the Co-Pilot's words: what is unread, and marking it read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.urls import reverse

from governance.copilot import seals
from governance.copilot.askers import Asker
from governance.copilot.changes import API
from governance.copilot.replies import Call, Kind, Record, Reply
from monitoring import notices

SHOWN = 20  # notices; the page shows the rest
READ = f"{API}/copilot/inbox/read"


def show(user: User) -> Reply:
    """The unread notices, newest first."""
    found = [notices.told(notice) for notice in notices.unread(user)[:SHOWN]]
    said = [f"{n.sent_at:%Y-%m-%d %H:%M} UTC, {n.severity}: {n.summary}" for n in found]
    incidents = [
        Record(f"incident {n.incident_id}", reverse("incident", args=[n.incident_id]))
        for n in found
    ]
    return Reply(
        Kind.ANSWER,
        (f"{notices.unread_count(user)} unread.", *said) if said else ("Nothing is unread.",),
        call=Call("GET", f"{API}/copilot/inbox"),
        records=(_page(), *incidents),
        choices=("mark all as read",) if said else (),
    )


def propose(asker: Asker, *, now: datetime) -> Reply:
    """Mark as read what is unread now, once that is confirmed."""
    newest = notices.unread(asker.user).first()
    if newest is None:
        return show(asker.user)
    return Reply(
        Kind.PLAN,
        (f"Plan: mark {notices.unread_count(asker.user)} notices as read.",),
        call=Call("POST", READ, {"up_to": newest.pk}),
        records=(_page(),),
        confirmation=seals.seal({"read_up_to": newest.pk}, asker, now=now),
    )


def confirm(plan: Mapping[str, Any], asker: Asker, *, now: datetime) -> Reply:
    """Mark them; those that came meanwhile stay unread."""
    read = notices.mark_read(asker.user, up_to=plan["read_up_to"], now=now)
    call = Call("POST", READ, {"up_to": plan["read_up_to"]})
    return Reply(Kind.ANSWER, (f"Done. {read} notices are read.",), call=call, records=(_page(),))


def _page() -> Record:
    return Record("inbox", reverse("copilot-inbox"))
