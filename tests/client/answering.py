"""A handler as the seed writes one: async, and calling the registry without awaiting it."""

from __future__ import annotations

import os

from assay import Event, get_registry


async def note_registration(event: Event) -> None:
    """Note on the model which worker process saw it."""
    registry = get_registry()
    registry.update_model(event.payload["model_id"], metadata={"noted_by_a_worker": os.getpid()})
