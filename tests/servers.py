"""The real PostgreSQL and Valkey of a test run, and how to empty the database between tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config import embedded, env
from config.scenarios import emptying
from tests import addresses, migrated


@contextmanager
def running() -> Iterator[None]:
    """Servers for the run, migrated: a database on those it was given, else embedded ones."""
    if addresses.given():
        mine = addresses.of_this_process()
        mine.make()
        try:
            yield
        finally:
            mine.drop()
        return
    home = Path(os.environ["ASSAY_HOME"])
    migrated.copy_home(home)
    with embedded.servers(home, durable=False):
        yield


def empty() -> None:
    """Remove what a test committed, as the owner: the product itself cannot."""
    emptying.empty(env.owner_database_url(), env.redis_client_url())
