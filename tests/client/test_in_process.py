"""Inside a project the same calls are made without a socket, in the caller's own thread."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from assay import NotFound, Registry, Unavailable, get_registry
from tests.client.makers import STATS
from tests.client.shop import Shop

ROOT = Path(__file__).parents[2]
STORED = b'{"sha256": "x", "size": 5, "format": null}'

PROJECT = {
    "__init__.py": "",
    "urls.py": "urlpatterns = []",
    "settings.py": "SECRET_KEY = 'x'\nROOT_URLCONF = 'shop.urls'\nUSE_TZ = True\n",
    "inprocess.py": f"""
from django.apps import apps

def call(actor, method, path, headers, body):
    assert apps.ready
    print(actor, method, path)
    return 200, {{}}, b'{str(STATS).replace("'", '"')}'
""",
}


@pytest.fixture
def inside(shop: Shop) -> Registry:
    return get_registry(actor="ada")


def test_a_call_is_the_http_call_made_by_the_actor_in_this_thread(
    inside: Registry, shop: Shop
) -> None:
    shop.answer = (201, {}, STORED)

    inside.upload_artifact("m 1", io.BytesIO(b"hello"))

    actor, method, path, headers, body, thread = shop.asked[0]
    assert (actor, method, path) == ("ada", "PUT", "/api/model-registry/models/m%201/artifact")
    assert headers["Digest"].startswith("sha-256=2cf24dba")
    assert body == b"hello"
    assert thread == threading.get_ident()


def test_a_download_is_checked_as_over_http(inside: Registry, shop: Shop, tmp_path: Path) -> None:
    digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    shop.answer = (200, {"ETag": f'"{digest}"'}, b"hello")

    assert inside.download_artifact("m", tmp_path / "m").sha256 == digest

    assert (tmp_path / "m").read_bytes() == b"hello"


def test_a_refusal_is_the_same_error_as_over_http(inside: Registry, shop: Shop) -> None:
    shop.answer = (404, {}, b'{"title": "No such model"}')

    with pytest.raises(NotFound, match="No such model"):
        inside.get_model("m")


def test_nothing_is_repeated_inside_a_transaction(inside: Registry, shop: Shop) -> None:
    shop.answer = (503, {}, b"{}")

    with pytest.raises(Unavailable, match="503"):
        inside.stats()

    assert len(shop.asked) == 1


def test_actors_have_registries_of_their_own(inside: Registry, shop: Shop) -> None:
    assert get_registry(actor="ada") is inside
    assert get_registry(actor="bob") is not inside


@pytest.fixture
def a_script(tmp_path: Path) -> Callable[..., str]:
    """Run a script beside a project of its own: ``a_script(text, TZ="Asia/Tokyo")``."""
    package = tmp_path / "shop"
    package.mkdir()
    for name, text in PROJECT.items():
        (package / name).write_text(text)

    def run(script: str, **named: str) -> str:
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{tmp_path}:{ROOT}",
            "DJANGO_SETTINGS_MODULE": "shop.settings",
            **named,
        }
        ran = subprocess.run(
            [sys.executable, "-W", "error", "-c", script],
            check=False,
            env=environ,
            capture_output=True,
            text=True,
        )
        assert ran.stderr == ""
        return ran.stdout

    return run


def test_a_script_that_names_its_settings_needs_no_set_up(a_script: Callable[..., str]) -> None:
    script = """
import asyncio, assay

async def ask():
    return (await assay.get_registry().stats()).total_models

print(assay.get_registry().stats().total_models, asyncio.run(ask()))
"""

    printed = a_script(script, ASSAY_ACTOR="nightly")

    assert printed == "nightly GET /api/model-registry/stats\n" * 2 + "3 3\n"


@pytest.mark.parametrize(
    ("zone", "offset"), [({"TZ": "Asia/Tokyo"}, "+0900"), ({"TZ": "UTC"}, "+0000"), ({}, None)]
)
def test_loading_the_project_leaves_the_scripts_clock_alone(
    a_script: Callable[..., str], zone: dict[str, str], offset: str | None
) -> None:
    script = """
import assay, time
before = time.strftime("%z")
assay.get_registry().stats()
print(before, time.strftime("%z"))
"""

    before, after = a_script(script, **zone).splitlines()[-1].split()

    assert before == after
    assert offset in (None, after)
