"""Webhooks of the running product: real workers, a real receiver, and a worker that is killed."""

from __future__ import annotations

import time

from assay import webhooks as standard
from tests.people import People, eventually
from tests.processes import kill, needs_proc
from tests.webhooks.receiver import receiving

RUN_OUT = (
    "update registry_delivery set leased_until = now() where event_id = %s and lease is not null"
)


def test_a_rollback_reaches_a_webhook_at_once_signed_and_with_its_reasons(people: People) -> None:
    with receiving() as receiver:
        asked = {"url": receiver.url, "event_types": ["model.rolled_back", "incident.opened"]}
        hook = people.ask("otto", "POST", "webhooks", asked, expect=201)
        model_id = people.in_canary()
        people.report(model_id, error_rate=0.2)

        eventually(lambda: len(receiver.got) == 2)
        people.ask("otto", "DELETE", f"webhooks/{hook['webhook_id']}", expect=204)

    for headers, body in receiver.got:
        standard.verify(hook["secret"], headers, body)
    told = {message["type"]: message["data"] for message in receiver.messages}
    assert told["incident.opened"]["reasons"] == ["error rate 20 % > 5 % over 1,000 requests"]
    assert {data["model_id"] for data in told.values()} == {model_id}


def test_a_slow_receiver_holds_neither_another_nor_mail_nor_a_rollback_up(people: People) -> None:
    with receiving(pause=10.0) as slow, receiving() as quick:
        hooks = [
            people.ask(
                "otto",
                "POST",
                "webhooks",
                {"url": receiver.url, "event_types": ["incident.opened"]},
                expect=201,
            )
            for receiver in (slow, slow, slow, quick)
        ]
        model_id = people.in_canary()
        began = time.monotonic()
        people.report(model_id, error_rate=0.2)
        people.rolled_back(model_id)
        eventually(lambda: quick.got)
        eventually(lambda: _mailed(people, model_id))

        assert time.monotonic() - began < 8.0
        for hook in hooks:
            people.ask("otto", "DELETE", f"webhooks/{hook['webhook_id']}", expect=204)


def _mailed(people: People, model_id: str) -> bool:
    folder = people.running.home / "mail"
    return any(model_id in mail.read_text(errors="replace") for mail in folder.glob("*"))


@needs_proc
def test_a_worker_killed_between_send_and_settle_loses_nothing(people: People) -> None:
    """The receiver has the message and is still answering when the worker dies."""
    with receiving(pause=3.0) as receiver:
        asked = {"url": receiver.url, "event_types": ["team.noted"]}
        hook = people.ask("otto", "POST", "webhooks", asked, expect=201)
        told = {"event_type": "team.noted", "payload": {"number": 1}}
        event = people.ask("tom", "POST", "events", told, expect=201)
        eventually(lambda: receiver.got)

        kill(people.running, "webhooks@")
        receiver.pause = 0.0

        # The lease of the dead would run out after a minute; then it is sent again.
        people.execute(RUN_OUT, event["id"])
        eventually(lambda: len(receiver.got) >= 2, seconds=30)
        path = f"webhooks/{hook['webhook_id']}/deliveries"
        eventually(lambda: _states(people, path) == ["done"])

    assert set(receiver.ids) == {f"msg_{event['id']}"}


def _states(people: People, path: str) -> list[str]:
    return [row["state"] for row in people.ask("otto", "GET", path)["deliveries"]]
