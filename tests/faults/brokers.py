"""A Valkey of a test's own, which forgets everything when it stops."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis

from config.embedded.locations import valkey_binary
from tests.people import eventually

QUEUES = ("control", "outside", "webhooks", "cpu")


@dataclass
class Broker:
    """One Valkey on a socket, stopped and started as a test likes."""

    socket: Path
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def url(self) -> str:
        """As the product is told of it."""
        return f"redis+socket://{self.socket}"

    @property
    def client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket))

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        options = ("--port", "0", "--unixsocket", str(self.socket), "--save", "")
        self.process = subprocess.Popen(
            [str(valkey_binary()), *options, "--dir", str(self.socket.parent)],
            stdout=subprocess.DEVNULL,
        )
        eventually(self._answers)

    def stop(self) -> None:
        """End it; what it held is gone."""
        self.process.terminate()
        self.process.wait(10)

    def waiting(self) -> int:
        """How many tasks wait in all queues."""
        with self.client as client:
            return sum(int(client.llen(queue)) for queue in QUEUES)

    def _answers(self) -> bool:
        try:
            with self.client as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False


@contextmanager
def own_broker() -> Iterator[Broker]:
    """A running broker, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="assay-broker-") as place:
        broker = Broker(Path(place) / "valkey.sock")
        broker.start()
        try:
            yield broker
        finally:
            broker.stop()
