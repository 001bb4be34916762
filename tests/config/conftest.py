"""Homes for the tests of the embedded servers and their supervisor."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config import embedded
from config.embedded.locations import Home
from config.embedded.stopping import StopSwitch
from config.embedded.tenancy import Tenancy, occupy
from tests.config.supervised import Supervised, supervised


@contextmanager
def temporary_home() -> Iterator[Path]:
    """A folder with a path short enough for sockets, which pytest's own may not have."""
    path = Path(tempfile.mkdtemp(prefix="assay-"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty home."""
    with temporary_home() as path:
        yield path


@pytest.fixture(scope="module")
def shared_home() -> Iterator[Path]:
    """One home for all tests of a module."""
    with temporary_home() as path:
        yield path


@pytest.fixture
def switch() -> StopSwitch:
    """Not entered, so that only the test throws it."""
    return StopSwitch()


@pytest.fixture
def tenancy(home: Path, switch: StopSwitch) -> Iterator[Tenancy]:
    """The sole use of an empty home."""
    with occupy(Home(home), switch=switch) as tenancy:
        yield tenancy


@pytest.fixture(scope="package")
def assay() -> Iterator[Supervised]:
    """One Assay, up, for the tests that leave it up."""
    with temporary_home() as home, supervised(home) as assay:
        yield assay.wait()


@pytest.fixture(scope="module")
def servers(shared_home: Path) -> Iterator[embedded.Servers]:
    """Running servers, which the tests share: each uses a table of its own."""
    with embedded.servers(shared_home, durable=False) as servers:
        yield servers
