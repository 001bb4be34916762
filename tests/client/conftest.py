"""An edge to talk to, and a registry that talks to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assay.over_http import HttpTransport
from assay.registry import Registry
from assay.session import Session
from tests.client.edge import Edge


@pytest.fixture
def edge() -> Iterator[Edge]:
    with Edge() as running:
        yield running


@pytest.fixture
def registry(edge: Edge) -> Registry:
    return Registry(Session(HttpTransport(edge.url, "assay_secret", timeout=2)))
