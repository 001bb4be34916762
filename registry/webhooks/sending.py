"""One signed request to one checked address, bounded in time and size."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass

from registry.webhooks.addresses import Target

CONNECT_SECONDS = 5.0
WHOLE_SECONDS = 15.0  # Standard Webhooks suggests 15 to 30
ANSWER_BYTES = 2_000  # read of an answer, and no more


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said."""

    status: int
    retry_after: str | None
    body: bytes
    duration_ms: int


class NoAnswer(Exception):
    """The receiver could not be reached, or did not answer in time."""


def post(target: Target, headers: Mapping[str, str], body: bytes) -> Answer:
    """POST ``body``; redirects are answers like others and are not followed.

    Raises:
        NoAnswer: None came within WHOLE_SECONDS.
    """
    began = time.monotonic()
    connection = _connection(target)
    # Timeouts of the socket bound each step; this one bounds a receiver that drips.
    limit = threading.Timer(WHOLE_SECONDS, _cut, args=(connection,))
    limit.daemon = True
    limit.start()
    try:
        with closing(connection):
            connection.request("POST", target.path, body, dict(headers))
            response = connection.getresponse()
            said = response.read(ANSWER_BYTES)
            return Answer(
                response.status,
                response.getheader("Retry-After"),
                said,
                round((time.monotonic() - began) * 1000),
            )
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(_sentence(error, time.monotonic() - began)) from error
    finally:
        limit.cancel()


def _connection(target: Target) -> _PinnedHTTP:
    return _PinnedHTTPS(target) if target.secure else _PinnedHTTP(target)


def _cut(connection: _PinnedHTTP) -> None:
    if connection.wire is not None:
        with suppress(OSError):  # it has ended by itself
            connection.wire.shutdown(socket.SHUT_RDWR)


def _sentence(error: Exception, seconds: float) -> str:
    if seconds >= WHOLE_SECONDS:
        return f"There was no whole answer within {WHOLE_SECONDS:g} s."
    return f"{type(error).__name__}: {error}"


class _PinnedHTTP(http.client.HTTPConnection):
    """Connects to the address that was checked, whatever its name says by now."""

    def __init__(self, target: Target) -> None:
        super().__init__(target.host, target.port, timeout=WHOLE_SECONDS)
        self._address = target.address
        self.wire: socket.socket | None = None  # http.client forgets it before the answer is read

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), CONNECT_SECONDS)
        self.sock.settimeout(WHOLE_SECONDS)
        self.wire = self.sock


class _PinnedHTTPS(_PinnedHTTP):
    """The same with TLS, whose certificate must be the name's."""

    default_port = http.client.HTTPS_PORT

    def connect(self) -> None:
        super().connect()
        context = ssl.create_default_context()
        self.sock = self.wire = context.wrap_socket(self.sock, server_hostname=self.host)
