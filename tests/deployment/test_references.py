"""What one file of the deployment names, another has: stages, queues, variables, secrets, paths."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.urls import resolve

from config import gpus, heartbeats, metrics
from config.embedded import given
from config.embedded.locations import Home
from config.embedded.programs import Addresses, Programs
from tests.deployment import compose
from tests.deployment.dockerfile import ROOT, STAGES, context, line
from tests.deployment.secret_files import make_secrets

SERVICES = compose.services()
OURS = compose.ours()
DOCUMENT = compose.document()
THEIRS = {name: service for name, service in SERVICES.items() if name not in OURS}
LASTING = {name for name, service in SERVICES.items() if service["restart"] != "no"}
OF_THE_IMAGE = {"POSTGRES_PASSWORD_FILE", "POSTGRES_INITDB_ARGS"}
# Notes every variable that is asked for while the settings load and all of config.env is called.
WATCH = """
import inspect, json, os
asked = set()
class Watched(dict):
    def get(self, name, default=None):
        asked.add(name)
        return super().get(name, default)
    def __getitem__(self, name):
        asked.add(name)
        return super().__getitem__(name)
os.environ = Watched(os.environ)
from config import env, settings
for _, function in inspect.getmembers(env, inspect.isfunction):
    if not inspect.signature(function).parameters:
        function()
print(json.dumps(sorted(asked)))
"""


def test_every_target_is_a_stage_of_the_dockerfile() -> None:
    assert {compose.target(service) for service in OURS.values()} == {"web", "worker"}
    assert {"web", "worker"} <= set(STAGES)


def test_the_web_target_installs_no_torch() -> None:
    web, worker = (compose.requirements(name) for name in ("web", "worker"))

    assert web == {"requirements/web.txt"}
    assert worker == {"requirements/web.txt", "requirements/evaluation.txt"}
    assert [name for name in sorted(worker) if "torch==" in (ROOT / name).read_text()] == [
        "requirements/evaluation.txt"
    ]


def test_only_who_evaluates_has_torch() -> None:
    found = {name for name, service in OURS.items() if compose.target(service) == "worker"}

    assert found == {"cpu", "gpu-worker"}


@pytest.mark.parametrize("name", context())
def test_what_is_let_into_the_build_is_there(name: str) -> None:
    assert (ROOT / name).exists()


def test_what_is_copied_is_let_into_the_build() -> None:
    copied = [
        source
        for stage in STAGES.values()
        for step in stage.steps
        if step.word == "COPY" and not step.source
        for source in step.words[:-1]
        if source != "."
    ]

    assert copied == ["requirements/web.txt", "requirements/evaluation.txt"]
    assert all((ROOT / source).is_file() for source in copied)
    assert {Path(source).parts[0] for source in copied} <= set(context())


def test_every_package_of_ours_is_let_into_the_build() -> None:
    packages = {app.partition(".")[0] for app in settings.INSTALLED_APPS} | {"assay", "config"}

    assert {name for name in packages if (ROOT / name).is_dir()} <= set(context())


def test_every_queue_has_a_worker_and_every_worker_a_queue() -> None:
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    known = {settings.CELERY_TASK_DEFAULT_QUEUE, *routed, *heartbeats.QUEUES, *metrics.QUEUES}
    taken = [queue for service in OURS.values() for queue in compose.queues(service)]

    assert sorted(taken) == sorted(known)
    assert "gpu" in gpus.worker(0)


def test_the_commands_are_those_of_make_up() -> None:
    programs = Programs(Home(Path("/var/lib/assay")), 8000, Addresses("", "", ""))
    here = {program.name: words(program.command) for program in programs.background.values()}
    here |= {"web": words(programs.web.command), "migrate": words(programs.migrate.command)}
    here["web"][here["web"].index("127.0.0.1")] = (
        "0.0.0.0"  # a container's own loopback is no one's
    )
    here["cpu"][here["cpu"].index("cpu,gpu")] = "cpu"  # the other queue has a worker of its own

    assert {name: compose.command(OURS[name]) for name in here} == here


def test_what_the_worker_image_runs_by_itself_is_the_service_cpu() -> None:
    stage = STAGES["worker"]

    assert stage.last("CMD").command == compose.command(OURS["cpu"])
    assert stage.last("HEALTHCHECK").command == compose.healthcheck(OURS["cpu"])


def test_every_variable_is_one_that_is_read(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    named: dict[str, str] = {}
    for service in OURS.values():
        named |= {
            name: str(said).replace("/run/secrets", str(tmp_path / "secrets"))
            for name, said in service["environment"].items()
        }

    done = subprocess.run(
        [sys.executable, "-c", WATCH], cwd=ROOT, env=named, capture_output=True, check=True
    )

    assert set(named) - set(json.loads(done.stdout)) == {metrics.FILES}


def test_the_servers_are_told_nothing_but_what_their_images_read() -> None:
    named = {name for service in THEIRS.values() for name in service.get("environment", {})}

    assert named == OF_THE_IMAGE


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_given_the_secrets_that_it_names_and_no_others(name: str) -> None:
    service = SERVICES[name]
    said = [*map(str, service.get("environment", {}).values()), *compose.command(service)]
    named = set(re.findall(r"/run/secrets/(\w+)", " ".join(said)))

    assert named == set(service["secrets"])


def test_every_secret_is_declared_and_made_and_used(tmp_path: Path) -> None:
    declared = {name: Path(said["file"]) for name, said in DOCUMENT["secrets"].items()}
    made = {path.name for path in make_secrets(tmp_path).iterdir()}
    used = {name for service in SERVICES.values() for name in service["secrets"]}

    assert set(declared) == made == used
    assert all(path == Path("secrets", name) for name, path in declared.items())


def test_no_secret_stands_in_the_composition() -> None:
    for service in SERVICES.values():
        for name, said in service.get("environment", {}).items():
            assert not re.search(r"://[^@/]*:[^@/]+@", str(said)), name
            assert name.endswith("_FILE") or not re.search("PASSWORD|SECRET|TOKEN", name)


def test_every_volume_and_network_is_declared_and_used() -> None:
    volumes = {
        mount.partition(":")[0] for service in SERVICES.values() for mount in service["volumes"]
    }
    networks = {name for service in SERVICES.values() for name in service["networks"]}

    assert volumes == set(DOCUMENT["volumes"])
    assert networks == set(DOCUMENT["networks"])


def test_what_is_waited_for_is_there_and_ends_as_it_is_expected_to() -> None:
    for service in SERVICES.values():
        for name, awaited in service.get("depends_on", {}).items():
            ends = SERVICES[name]["restart"] == "no"
            expected = "service_completed_successfully" if ends else "service_healthy"
            assert awaited["condition"] == expected


def test_who_stays_has_a_health_check() -> None:
    found = {name for name, service in SERVICES.items() if "test" in service["healthcheck"]}

    assert found == LASTING


@pytest.mark.parametrize(
    "words",
    [
        compose.healthcheck(OURS["web"]),
        STAGES["web"].last("HEALTHCHECK").command,
    ],
    ids=["compose", "image"],
)
def test_a_health_check_asks_an_address_that_there_is(words: list[str]) -> None:
    (path,) = re.findall(r"http://localhost:8000(/\w+)", words[-1])

    assert resolve(path).func.__name__ in {"healthz", "readyz"}


def test_a_workers_health_check_asks_for_its_own_queue() -> None:
    for name in heartbeats.QUEUES:
        assert compose.healthcheck(OURS[name])[-2:] == ["config.alive", name]
    assert compose.healthcheck(OURS["beat"])[-1] == "config.alive"
    assert compose.healthcheck(OURS["cpu"])[-1].endswith("cpu@$HOSTNAME")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_confined(name: str) -> None:
    service = SERVICES[name]
    limits = service["deploy"]["resources"]["limits"]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert set(limits) == {"memory", "pids"}
    assert user(service) not in {"", "0", "root"}


def test_only_the_web_server_is_reached_from_outside_and_from_this_machine_alone() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert published == {"web": ["127.0.0.1:8000:8000"]}
    assert DOCUMENT["networks"]["servers"] == {"internal": True}
    assert {name for name, s in SERVICES.items() if s["networks"] != ["servers"]} == {
        *("web", "outside", "webhooks"),
    }


def test_only_who_needs_it_may_become_owner_or_superuser() -> None:
    assert holders("superuser_password") == {"postgres", "roles"}
    assert holders("owner_password") == {"roles", "migrate", "manage"}


def test_the_database_is_new_enough_and_every_image_pinned() -> None:
    image = str(SERVICES["postgres"]["image"])
    images = [image, SERVICES["valkey"]["image"], STAGES["base"].parent]

    assert int(re.findall(r"postgres:(\d+)\.\d+-", image)[0]) >= given.OLDEST
    assert all(re.search(r":\d+\.\d+(\.\d+)?(-\w+)*$", str(said)) for said in images)


def test_the_gpu_is_asked_for_in_its_profile_alone() -> None:
    reserved = {name for name, s in SERVICES.items() if "reservations" in s["deploy"]["resources"]}

    assert reserved == {"gpu-worker"} == {n for n, s in SERVICES.items() if profiles(s) == ["gpu"]}
    assert "TORCH_INDEX" in {
        step.text.partition("=")[0] for step in line("worker-packages")[-1].steps
    }
    assert set(OURS["gpu-worker"]["build"]["args"]) == {"TORCH_INDEX"}


def words(command: tuple[str, ...]) -> list[str]:
    return ["python" if word == sys.executable else word for word in command]


def profiles(service: dict[str, Any]) -> list[str]:
    return list(service.get("profiles", []))


def holders(secret: str) -> set[str]:
    return {name for name, service in SERVICES.items() if secret in service["secrets"]}


def user(service: dict[str, Any]) -> str:
    if "build" in service:
        return STAGES[compose.target(service)].last("USER").text.partition(":")[0]
    return str(service.get("user", ""))
