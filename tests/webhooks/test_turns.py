"""A webhook is sent one message at a time, however many workers would send it one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from registry.ledger import deliveries, events
from registry.models import Webhook
from registry.webhooks import endpoints
from tests.webhooks.conftest import NOTED
from tests.webhooks.receiver import receiving

pytestmark = pytest.mark.usefixtures("committed")


def take_turns(hook: Webhook) -> int:
    """What one thread of the worker does, on a connection of its own."""
    until = timezone.now() + timedelta(seconds=20)
    try:
        return deliveries.send_to_webhook(endpoints.subscriber(hook), now=timezone.now, until=until)
    finally:
        connection.close()


def test_many_tasks_for_one_webhook_take_one_thread(
    make_webhook: Callable[..., tuple[Webhook, str]],
) -> None:
    """A burst of commits starts a task each before the first message is on its way."""
    with receiving(pause=0.2) as receiver:
        hook, _ = make_webhook(receiver.url)
        told = [events.record(NOTED, actor="user:1", payload={"n": n}) for n in range(6)]

        with ThreadPoolExecutor(6) as threads:
            sent = sorted(threads.map(take_turns, [hook] * 6))

    assert receiver.most_at_once == 1
    assert receiver.ids == [f"msg_{event.pk}" for event in told]  # in order
    assert sent == [0, 0, 0, 0, 0, 6]
