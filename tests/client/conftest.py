"""An edge to talk to, and a registry that talks to it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType

import pytest
from django.conf import settings

from assay.over_http import HttpTransport
from assay.registry import Registry
from assay.session import Session
from tests.client.edge import Edge
from tests.client.shop import Shop


@pytest.fixture
def edge() -> Iterator[Edge]:
    with Edge() as running:
        yield running


@pytest.fixture
def registry(edge: Edge) -> Registry:
    return Registry(Session(HttpTransport(edge.url, "assay_secret", timeout=2)))


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop, module = Shop(), ModuleType("shop.inprocess")
    module.__dict__["call"] = shop.call
    monkeypatch.setitem(sys.modules, "shop.inprocess", module)
    monkeypatch.delenv("ASSAY_URL", raising=False)
    monkeypatch.setattr(settings, "ROOT_URLCONF", "shop.urls")
    return shop
