"""A browser of somebody who may look."""

from __future__ import annotations

from tests.monitoring.conftest import reviewer

__all__ = ["reviewer"]
