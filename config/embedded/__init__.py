"""Assay's own PostgreSQL and Valkey, and the supervisor behind `make up`.

As a library, without Django: ``with embedded.servers(home, durable=False) as servers: ...``.
"""

from __future__ import annotations

from config.embedded.errors import CannotRun
from config.embedded.servers import Servers, servers

__all__ = ["CannotRun", "Servers", "servers"]
