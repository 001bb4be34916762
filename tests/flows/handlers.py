"""A handler as a user of the product writes it: it leaves a file that tells of the event."""

from __future__ import annotations

import json
import os
from pathlib import Path

from assay import Event, get_event_bus

FOLDER = Path(os.environ.get("ASSAY_HOME", "")) / "told"


def tell(event: Event) -> None:
    """Leave a file named for the model, with what the event says."""
    FOLDER.mkdir(exist_ok=True)
    told = {"event_type": event.event_type, **event.payload}
    (FOLDER / f"{event.payload['model_id']}.{event.event_type}").write_text(json.dumps(told))


def subscribe() -> None:
    """Ask for every rollback that is asked for."""
    get_event_bus().subscribe("model.rollback.requested", tell)
