"""get_registry reads the environment, and says what to set where it finds nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assay import get_event_bus, get_registry
from assay.in_process import InProcessTransport
from assay.registry import transport_for
from tests.client.edge import Answer, Edge
from tests.client.makers import STATS


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ASSAY_URL", "ASSAY_TOKEN", "ASSAY_ACTOR", "ASSAY_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)


def test_the_url_decides_for_http(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    edge.answer("GET", "stats", Answer(STATS))
    monkeypatch.setenv("ASSAY_URL", edge.url)
    monkeypatch.setenv("ASSAY_TOKEN", "assay_ada")

    assert get_registry().stats().total_models == 3

    assert edge.asked[0].headers["authorization"] == "Bearer assay_ada"


def test_the_same_caller_gets_the_same_object_in_every_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ASSAY_URL", "http://assay.example")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: get_registry(), range(64)))
    bus = get_event_bus()

    assert len({id(registry) for registry in found}) == 1
    assert bus is get_event_bus()

    monkeypatch.setenv("ASSAY_TOKEN", "assay_bob")
    assert get_registry() is not found[0]
    assert get_event_bus() is not bus


def test_an_actor_over_http_is_refused_since_the_token_decides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ASSAY_URL", "http://assay.example")

    with pytest.raises(ValueError, match="give ada's as ASSAY_TOKEN"):
        get_registry(actor="ada")


@pytest.mark.parametrize(
    ("actor", "named", "found"),
    [
        (None, {}, "local"),
        ("ada", {}, "ada"),
        (None, {"ASSAY_ACTOR": "job"}, "job"),
        ("ada", {"ASSAY_ACTOR": "job"}, "ada"),
    ],
)
def test_in_a_project_the_actor_is_named_by_the_call_then_the_environment_then_local(
    actor: str | None, named: dict[str, str], found: str
) -> None:
    environ = {"DJANGO_SETTINGS_MODULE": "shop.settings", **named}

    assert transport_for(actor, environ) == InProcessTransport(found)


def test_a_project_that_is_configured_needs_no_variable() -> None:
    assert transport_for(None, {}) == InProcessTransport("local")


def test_the_url_wins_over_a_project() -> None:
    both = {"ASSAY_URL": "http://assay.example", "DJANGO_SETTINGS_MODULE": "shop.settings"}

    assert getattr(transport_for(None, both), "url", None) == "http://assay.example"


def test_a_timeout_is_a_number() -> None:
    with pytest.raises(ValueError, match="ASSAY_TIMEOUT is a number of seconds"):
        transport_for(None, {"ASSAY_URL": "http://x", "ASSAY_TIMEOUT": "soon"})


def test_without_any_place_the_remedy_is_named() -> None:
    bare = {"PATH": os.environ["PATH"]}
    script = "import assay; assay.get_registry()"
    root = Path(__file__).parents[2]

    ran = subprocess.run(
        [sys.executable, "-c", script],
        check=False,
        env=bare,
        cwd=root,
        capture_output=True,
        text=True,
    )

    assert ran.returncode == 1
    assert "ValueError: Where is the registry? Set ASSAY_URL" in ran.stderr
