"""Kept-alive connections to one server, for whichever thread asks next."""

from __future__ import annotations

import contextlib
import os
import selectors
import ssl
import weakref
from collections import deque
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import SplitResult

from assay.errors import AssayError, NotSent

CONNECT_SECONDS = 5.0
KEPT = 8


class Connections:
    """Connections to ``server``, kept between calls and lent to one caller at a time.

    They are pooled and not one a thread: calls under an event loop each have a thread of their own.
    """

    def __init__(self, server: SplitResult) -> None:
        self._server = server
        self._idle: deque[tuple[int, HTTPConnection]] = deque()
        weakref.finalize(self, _close, self._idle)

    @contextlib.contextmanager
    def lend(self, seconds: float) -> Iterator[HTTPConnection]:
        """A live connection whose every wait ends after ``seconds``; kept if left in good order.

        Raises:
            NotSent: The server cannot be reached.
        """
        connection = self._kept() or self._opened(min(seconds, CONNECT_SECONDS))
        try:
            connection.sock.settimeout(seconds)
            yield connection
        except BaseException:
            connection.close()
            raise
        if connection.sock is None or len(self._idle) >= KEPT:
            connection.close()
        else:
            self._idle.append((os.getpid(), connection))

    def _kept(self) -> HTTPConnection | None:
        # deque.pop is atomic, so no lock is held at a fork; a parent's sockets are never used.
        with contextlib.suppress(IndexError):
            while True:
                owner, connection = self._idle.pop()
                if owner == os.getpid() and _is_quiet(connection):
                    return connection
                connection.close()
        return None

    def _opened(self, seconds: float) -> HTTPConnection:
        kind = HTTPSConnection if self._server.scheme == "https" else HTTPConnection
        connection = kind(self._server.hostname or "", self._server.port, timeout=seconds)
        try:
            connection.connect()
        except ssl.SSLCertVerificationError as error:
            raise AssayError(f"{self._server.netloc} is not to be trusted: {error}.") from error
        except (OSError, HTTPException) as error:
            raise NotSent(f"{self._server.netloc} cannot be reached: {error}.") from error
        return connection


def _close(idle: deque[tuple[int, HTTPConnection]]) -> None:
    for _, connection in idle:
        connection.close()


def _is_quiet(connection: HTTPConnection) -> bool:
    """Whether the server has neither closed nor said anything since the last answer."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection.sock, selectors.EVENT_READ)
        return not selector.select(timeout=0)
