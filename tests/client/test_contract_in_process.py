"""What only holds inside the process: the caller's transaction, and handlers run by workers."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from assay import Conflict, ModelRegistryEntry, NotFound, Registry, get_event_bus
from assay.events import Handler
from registry.ledger import deliveries
from tests.client.doors import As, inside
from tests.client.handlers import HERE, handled, on_rollback, on_rollback_async


class Undone(Exception):
    """Raised to undo a transaction."""


@pytest.fixture
def as_(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> As:
    return inside(request, monkeypatch)


def test_a_call_is_undone_with_the_callers_transaction(
    trainer: Registry, entry: ModelRegistryEntry
) -> None:
    @transaction.atomic
    def undo() -> None:
        trainer.register_model(entry)
        assert trainer.get_model(entry.model_id).name == entry.name
        raise Undone

    with pytest.raises(Undone):
        undo()

    with pytest.raises(NotFound):
        trainer.get_model(entry.model_id)


def test_a_refusal_leaves_the_callers_transaction_as_it_was(
    trainer: Registry, entry: ModelRegistryEntry
) -> None:
    with transaction.atomic():
        trainer.register_model(entry)
        with pytest.raises(Conflict):
            trainer.register_model(entry)
        trainer.update_deployment_status(entry.model_id, "sandbox")

    assert trainer.get_model(entry.model_id).deploy_status == "sandbox"


@pytest.mark.parametrize("handler", [on_rollback, on_rollback_async])
def test_a_worker_finds_the_handler_by_its_path_and_calls_it(
    as_: As,
    trainer: Registry,
    entry: ModelRegistryEntry,
    handler: Handler,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ASSAY_HANDLER_MODULES", HERE)
    monkeypatch.setattr(settings, "ASSAY_HANDLER_MODULES", [HERE])
    handled.clear()
    get_event_bus(actor="tom").subscribe("model.registered", handler)
    trainer.register_model(entry)

    deliveries.send_outside(now=timezone.now)

    (event,) = handled
    assert event.event_type == "model.registered"
    assert event.payload["model_id"] == entry.model_id
    assert event.timestamp.tzinfo is not None
