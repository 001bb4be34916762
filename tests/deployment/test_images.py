"""The Dockerfile's steps, run for real: the quick ones always, those that install with `make soak`."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from collections.abc import Iterator

import pytest

from tests.config.conftest import temporary_home
from tests.deployment.dockerfile import STAGES
from tests.deployment.images import Builder, Image, cannot_mount

pytestmark = pytest.mark.skipif(bool(cannot_mount()), reason=cannot_mount())
soak = pytest.mark.skipif(
    os.environ.get("ASSAY_SOAK") != "1", reason="installs torch: run it with `make soak`"
)
ASSAY = 10001
# Starts $1, asks $2 until it is content, then the rest, and ends it.
SERVE = """
set -u
sh -c "exec $1" >&2 & server=$!
trap 'kill $server' EXIT
tries=0
until sh -c "$2"; do
  tries=$((tries + 1))
  [ $tries -lt 60 ] || exit 70
  sleep 0.5
done
shift
for question in "$@"; do sh -c "$question" || exit 71; done
"""
GET = "import sys, urllib.request as u; print(u.urlopen('http://localhost:8000' + sys.argv[1]).status)"


@pytest.fixture(scope="module")
def builder() -> Iterator[Builder]:
    with temporary_home() as place:
        yield Builder(place)


def test_whoever_runs_it_owns_two_folders_and_nothing_else(builder: Builder) -> None:
    base = builder.build("base")

    owned = [path for path in base.files.rglob("*") if path.lstat().st_uid == ASSAY]
    assert owned == [base.files / "backups", base.files / "var/lib/assay"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in owned] == [0o700, 0o700]
    (user,) = (line for line in passwd(base) if line.startswith("assay:"))
    assert user == f"assay:x:{ASSAY}:{ASSAY}::/var/lib/assay:/usr/sbin/nologin"


def test_the_image_holds_the_code_compiled_and_nothing_beside_it(builder: Builder) -> None:
    app = builder.build("code").files / "app"

    assert {path.name for path in app.iterdir()} == {
        *("assay", "config", "governance", "manage.py", "monitoring", "registry"),
        *("__pycache__", "requirements", "static", "templates"),
    }
    sources = list(app.rglob("*.py"))
    compiled = {path.name.partition(".")[0] for path in app.rglob("*.pyc")}
    assert len(sources) > 200
    assert {path.stem for path in sources} == compiled
    assert {path.lstat().st_uid for path in app.rglob("*")} == {0}


def test_the_version_of_python_is_the_one_that_was_tried() -> None:
    assert STAGES["base"].parent.startswith("python:3.11.")


@soak
@pytest.mark.parametrize("name", ["web", "worker"])
def test_every_step_runs_and_the_code_finds_its_packages(builder: Builder, name: str) -> None:
    image = builder.build(name)

    for words in (["check"], ["migrate", "--help"]):
        done = image.run("python", "manage.py", *words)
        assert done.returncode == 0, done.stderr
    assert image.run("id", "-u").stdout.strip() == str(ASSAY)
    assert image.run("touch", "/app/new").returncode != 0
    assert image.run("pg_dump").returncode != 0


@soak
def test_torch_is_in_the_worker_alone(builder: Builder) -> None:
    found = {
        name: builder.build(name).run("python", "-c", "import torch, numpy, safetensors").returncode
        for name in ("web", "worker")
    }

    assert found == {"web": 1, "worker": 0}


@soak
def test_the_web_image_serves_pages_and_passes_its_own_health_check(builder: Builder) -> None:
    image, stage = builder.build("web"), STAGES["web"]
    serve = shlex.join(stage.last("CMD").command)
    healthy = shlex.join(stage.last("HEALTHCHECK").command)
    static = [shlex.join(["python", "-c", GET, f"/static/{name}"]) for name in STATIC]

    done = serve_in(image, serve, healthy, *static)

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["200"] * len(STATIC)


STATIC = (
    "assay/base.css",
    "admin/css/base.css",
    "drf_spectacular_sidecar/swagger-ui-dist/swagger-ui.css",
)


def serve_in(image: Image, *lines: str) -> subprocess.CompletedProcess[str]:
    return image.run("sh", "-c", SERVE, "sh", *lines, alone=True)


def passwd(image: Image) -> list[str]:
    return (image.files / "etc/passwd").read_text().splitlines()
