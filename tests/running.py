"""The whole product in processes of its own: supervisor, servers, web, workers, beat."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.embedded.locations import Home
from tests import migrated
from tests.addresses import Addresses, given, next_ones

GIVEN = ("DATABASE_URL", "ASSAY_OWNER_DATABASE_URL", "REDIS_URL")
UP = "Ctrl-C stops everything."
ISSUE = """
from registry import tokens
for name, role in {roles}.items(): print(tokens.issue(name, role=role))
"""
ROLES = {
    "tom": "trainer",
    "rita": "reviewer",
    "ruth": "reviewer",
    "rob": "risk_officer",
    "otto": "operator",
}
ROOT = Path(__file__).resolve().parent.parent
STARTS_WITHIN = 90.0  # seconds
STOPS_WITHIN = 15.0


@dataclass
class Running:
    """One running product and how to talk to it."""

    home: Path
    port: int
    environment: dict[str, str]
    said: Path  # what it prints
    addresses: Addresses | None = None  # of servers that the run was given
    tokens: dict[tuple[str, ...], str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] = field(init=False)

    def database_url(self, role: str) -> str:
        """Its database, as one of Assay's roles."""
        return self.addresses.url(role) if self.addresses else Home(self.home).database_url(role)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def manage(self, *arguments: str) -> str:
        """Run a management command against it and give what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout.strip()

    def token(self, username: str, role: str, *bound: str) -> str:
        """A token of ``username``, issued once; ``bound`` is how the command is to bind it.

        Those of ROLES are issued at once, since a process of the product's takes a second to begin.
        """
        key = (username, role, *bound)
        if key not in self.tokens:
            if ROLES.get(username) == role and not bound:
                self._issue()
            else:
                self.tokens[key] = self.manage("issue_token", username, "--role", role, *bound)
        return self.tokens[key]

    def _issue(self) -> None:
        """Issue the tokens of all of ROLES.

        Whoever may review before the first administrator is made would be taken for them.
        """
        deadline = time.monotonic() + STARTS_WITHIN
        while UP not in self.said.read_text(errors="replace"):
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)
        issued = self.manage("shell", "-c", ISSUE.format(roles=ROLES)).split()
        self.tokens |= dict(zip(ROLES.items(), issued[-len(ROLES) :], strict=True))

    def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = None
    ) -> tuple[int, Any]:
        """One API call below /api/model-registry/; status and parsed answer."""
        request = urllib.request.Request(
            f"{self.url}/api/model-registry/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.loads(refusal.read() or b"null")

    def wait_until_ready(self) -> None:
        """Wait until /readyz says that everything works."""
        deadline = time.monotonic() + STARTS_WITHIN
        said = "nothing yet"
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"it ended with {self.process.returncode}:\n{self.log()}")
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=5):
                    return
            except urllib.error.HTTPError as answer:
                said = answer.read().decode()
            except OSError as error:
                said = str(error)
            time.sleep(0.2)
        raise AssertionError(f"not ready: {said}\n{self.log()}")

    def start(self, **environment: str) -> None:
        """Start everything, or start it again; with more in its environment, from now on."""
        self.environment |= environment
        with self.said.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )

    def log(self) -> str:
        """What it has printed so far."""
        return self.said.read_text(errors="replace")[-5000:]

    def stop(self) -> None:
        """End it as Ctrl-C would."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(STOPS_WITHIN)


@contextmanager
def run_assay(home: Path | None = None, **environment: str) -> Iterator[Running]:
    """Start everything in a fresh home, wait until it is ready, and stop it at the end.

    A home with servers of its own begins as a copy of one that is migrated, which is quicker;
    tests/config begins with nothing.

    Args:
        home: A home that is there already, brings its own servers, and stays.
    """
    own = next_ones() if given() and home is None else None
    place = Path(tempfile.mkdtemp(prefix="assay-run-"))
    if home is None and own is None:
        migrated.copy_home(place / "home")
    home, port = home or place / "home", free_port()
    inherited = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    if own:
        own.make()
    servers = own.environment if own else dict.fromkeys(GIVEN, "")
    names = inherited | servers | environment | {"ASSAY_HOME": str(home), "ASSAY_PORT": str(port)}
    running = Running(home, port, names, place / "up.log", own)
    running.start()
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.stop()
        if own:
            own.drop()
        shutil.rmtree(place, ignore_errors=True)


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
