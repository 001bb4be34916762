"""Reading pages as a person would."""

from __future__ import annotations

import re
from html import unescape
from typing import Protocol

from django.utils import timezone

from monitoring import incidents
from monitoring.models import Incident, IncidentKind, Severity
from registry.models import ModelVersion


class Answer(Protocol):
    """A response of the test client."""

    @property
    def content(self) -> bytes: ...


def text(answer: Answer) -> str:
    """What a page says, without its markup."""
    body = re.sub(r"<(script|style)\b.*?</\1>", "", answer.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def open_incident(version: ModelVersion) -> Incident:
    """Have something for people to look at."""
    return incidents.open_for(
        version,
        IncidentKind.BREACH,
        severity=Severity.CRITICAL,
        summary="p95 latency is over its limit",
        actor="user:404",
        now=timezone.now(),
        reasons=["p95 latency 431 ms > 390 ms"],
    )
