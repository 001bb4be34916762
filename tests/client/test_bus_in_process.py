"""In process the registry's workers call the handler, so they must be able to find it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from assay import Event, get_event_bus
from assay.bus import WorkerBus
from tests.client.handlers import HERE, handled, on_rollback, on_rollback_async
from tests.client.shop import Shop


@pytest.fixture(autouse=True)
def nothing_handled() -> None:
    handled.clear()


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HANDLER_MODULES", f"shop.handlers, {HERE}")


@pytest.mark.parametrize("handler", [on_rollback, on_rollback_async])
def test_a_handler_is_subscribed_by_its_dotted_path(
    shop: Shop, handler: Callable[[Event], object]
) -> None:
    bus = get_event_bus(actor=handler.__name__)

    bus.subscribe("model.rollback.requested", handler)

    dotted = f"{HERE}.{handler.__name__}"
    _, method, path, _, body, _ = shop.asked[0]
    assert (method, path) == ("PUT", f"/api/model-registry/subscriptions/{dotted}")
    assert body == (
        f'{{"event_types": ["model.rollback.requested"], "keep": true, "handler": "{dotted}"}}'.encode()
    )


def test_a_module_that_workers_may_not_import_is_refused(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_HANDLER_MODULES", "shop.handlers")

    with pytest.raises(ValueError, match="add it to ASSAY_HANDLER_MODULES.*shop.handlers"):
        get_event_bus().subscribe("model.rollback.requested", on_rollback)

    assert shop.asked == []


class Handlers:
    """Handlers that are methods, which have no dotted path of their own."""

    def a_method(self, event: Event) -> None:
        handled.append(event)


def test_a_function_that_workers_cannot_find_is_refused(shop: Shop) -> None:
    def nested(event: Event) -> None:
        handled.append(event)

    for handler in (nested, Handlers().a_method, on_rollback.__class__):
        with pytest.raises(ValueError, match="Workers"):
            get_event_bus().subscribe("model.rollback.requested", handler)

    assert shop.asked == []


def test_a_name_of_its_own_is_refused(shop: Shop) -> None:
    with pytest.raises(ValueError, match="dotted path"):
        get_event_bus().subscribe("model.promoted", on_rollback, name="mine")


def test_there_is_nothing_to_run(shop: Shop) -> None:
    with pytest.raises(ValueError, match="workers call the handlers"):
        get_event_bus().run()


def test_the_bus_in_process_is_the_workers(shop: Shop) -> None:
    assert isinstance(get_event_bus(), WorkerBus)
