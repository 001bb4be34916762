"""A ledger of its own for each test: key, outside file, and events that really commit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from registry.ledger import events
from registry.models import Event


@pytest.fixture
def place(tmp_path: Path, settings: Any) -> Path:
    """Where key and outside copies are kept."""
    settings.ASSAY_LEDGER_DIR = tmp_path / "ledger"
    return tmp_path / "ledger"


@pytest.fixture
def happen() -> Callable[..., list[Event]]:
    """Record some events: ``happen(5)``."""

    def record(count: int = 1, **payload: object) -> list[Event]:
        return [
            events.record("team.noted", actor="user:1", payload={"number": n, **payload})
            for n in range(count)
        ]

    return record
