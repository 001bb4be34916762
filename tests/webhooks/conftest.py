"""Webhooks to receivers on loopback, which these tests allow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from registry.models import Webhook
from registry.webhooks import endpoints

NOTED = "team.noted"


@pytest.fixture
def loopback(settings: Any) -> None:
    settings.ASSAY_WEBHOOK_ALLOW = ["127.0.0.0/8"]


@pytest.fixture
def make_webhook(loopback: None) -> Callable[..., tuple[Webhook, str]]:
    """A webhook and its secret: ``make_webhook(receiver.url)``."""

    def make(url: str, *event_types: str) -> tuple[Webhook, str]:
        return endpoints.create(url=url, event_types=event_types or (NOTED,), actor="user:1")

    return make
