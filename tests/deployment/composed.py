"""The composition without an engine: every service's own command and environment, as a process.

What differs is written here and nowhere else: names of hosts, ports and folders of containers
become ones of this machine, and the images of PostgreSQL and Valkey are the programs that Assay
brings along. The commands, variables, secrets, order and health checks are the file's own.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import redis

from config.embedded import identities
from config.embedded.locations import Home, postgres_binary, valkey_binary
from config.embedded.processes import Child, Identity, Program, Tier
from config.embedded.tenancy import Tenancy, occupy
from tests.deployment import compose
from tests.deployment.dockerfile import ROOT
from tests.running import free_port

STARTS_WITHIN = 90.0  # seconds
SECRETS = "/run/secrets"
ENV = "/usr/bin/env"  # finds a program on the path, as an engine does


@dataclass
class Composed:
    """The running services."""

    place: Path
    tenancy: Tenancy
    ports: dict[str, int]
    children: dict[str, Child]

    @property
    def url(self) -> str:
        return f"http://localhost:{self.ports['8000']}"

    def here(self, text: str) -> str:
        """A word of the composition, as this machine has to spell it."""
        for there, named in (
            ("postgres:5432", f"127.0.0.1:{self.ports['5432']}"),
            ("valkey:6379", f"127.0.0.1:{self.ports['6379']}"),
            ("localhost:8000", f"localhost:{self.ports['8000']}"),
            ("0.0.0.0", "127.0.0.1"),
            (SECRETS, str(self.place / "secrets")),
            ("/var/lib/assay", str(self.place / "home")),
            ("/run/counts", str(self.place / "counts")),
        ):
            text = text.replace(there, named)
        return str(self.ports["8000"]) if text == "8000" else text

    def environment(self, service: dict[str, Any]) -> dict[str, str]:
        """What the service's container would see, and where this machine's programs are."""
        given = {name: self.here(str(said)) for name, said in service["environment"].items()}
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOSTNAME": socket.gethostname(),
            "PYTHONUTF8": "1",
            "ASSAY_HOME": str(self.place / "home"),
            **given,
        }

    def start(self, name: str) -> None:
        """Start a service; one that ends by itself has ended well when this returns."""
        service = compose.services()[name]
        words = [self.here(word) for word in compose.command(service)]
        program = Program(name, (ENV, *words), self.environment(service))
        if service["restart"] == "no":
            self.tenancy.finish(program, seconds=STARTS_WITHIN)
        else:
            self.children[name] = self.tenancy.start(program)

    def manage(self, *arguments: str) -> str:
        """What ``docker compose run --rm manage ARGUMENTS`` prints."""
        service = compose.services()["manage"]
        words = [self.here(word) for word in (*service["entrypoint"], *arguments)]
        return self._run(words, service).stdout.strip()

    def problem(self, name: str) -> str | None:
        """What the service's own health check says against it."""
        service = compose.services()[name]
        done = self._run([self.here(w) for w in compose.healthcheck(service)], service, check=False)
        return None if done.returncode == 0 else done.stdout + done.stderr

    def _run(
        self, words: list[str], service: dict[str, Any], *, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            cwd=ROOT,
            env=self.environment(service),
            check=check,
            capture_output=True,
            text=True,
            timeout=STARTS_WITHIN,
        )

    def await_health(self, name: str) -> None:
        """Wait until the service's own health check is content."""
        deadline = time.monotonic() + STARTS_WITHIN
        while problem := self.problem(name):
            child = self.children.get(name)
            if time.monotonic() > deadline or (child and not child.running):
                raise AssertionError(f"{name}: {problem}\n{child.last_words(30) if child else ''}")
            time.sleep(0.5)


@contextmanager
def composition(place: Path) -> Iterator[Composed]:
    """PostgreSQL and Valkey as the file wants them, running; the rest is started by the test.

    ``place`` holds the folder ``secrets``, as docs/deployment.md has people make it.
    """
    for folder in ("home", "counts"):
        (place / folder).mkdir()
    ports = {name: free_port() for name in ("5432", "6379", "8000")}
    with occupy(Home(place / "servers")) as tenancy:
        composed = Composed(place, tenancy, ports, {})
        _start_postgres(composed)
        _start_valkey(composed)
        yield composed


def _start_postgres(composed: Composed) -> None:
    service, home = compose.services()["postgres"], composed.tenancy.home
    password = Path(composed.here(service["environment"]["POSTGRES_PASSWORD_FILE"]))
    identity = identities.settle(home)
    identities.make_folder(home.postgres, identity)
    initdb = (
        *(str(postgres_binary("initdb")), "-D", str(home.postgres), "-U", "postgres"),
        *("--auth=scram-sha-256", "--pwfile", str(password)),
        *service["environment"]["POSTGRES_INITDB_ARGS"].split(),
    )
    composed.tenancy.finish(_server("initdb", initdb, identity), seconds=STARTS_WITHIN)
    _, *options = compose.command(service)
    here = ("-D", str(home.postgres), "-h", "127.0.0.1", "-p", str(composed.ports["5432"]))
    command = (str(postgres_binary("postgres")), *options, *here, "-k", str(home.run))
    child = composed.tenancy.start(_server("postgres", command, identity))
    secret, port = password.read_text(), composed.ports["5432"]
    composed.tenancy.wait_until(lambda: _answers(port, secret), child, seconds=STARTS_WITHIN)


def _server(name: str, command: tuple[str, ...], identity: Identity) -> Program:
    environment = {"PATH": os.defpath, "LC_ALL": "C"}
    return Program(name, command, environment, Tier.DATABASE, signal.SIGINT, identity)


def _start_valkey(composed: Composed) -> None:
    service, port = compose.services()["valkey"], composed.ports["6379"]
    programs, data = composed.place / "programs", composed.place / "valkey"
    programs.mkdir()
    data.mkdir()
    (programs / "valkey-server").symlink_to(valkey_binary())
    shell, flag, script = compose.command(service)
    script = composed.here(script).replace("dir /data", f"dir {data}\nbind 127.0.0.1\nport {port}")
    environment = {"PATH": f"{programs}:{os.defpath}"}
    program = Program("valkey", (ENV, shell, flag, script), environment, Tier.BROKER)
    child = composed.tenancy.start(program)
    composed.tenancy.wait_until(lambda: _pings(composed), child, seconds=STARTS_WITHIN)


def _answers(port: int, password: str) -> bool:
    try:
        psycopg.connect(host="127.0.0.1", port=port, user="postgres", password=password).close()
    except psycopg.OperationalError:
        return False
    return True


def _pings(composed: Composed) -> bool:
    password = (composed.place / "secrets" / "broker_password").read_text().strip()
    try:
        with redis.Redis(port=composed.ports["6379"], password=password) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False
