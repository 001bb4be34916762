"""The transport over a socket: bearer token, retries, streamed bodies."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import BinaryIO
from urllib.parse import urlsplit

from assay import errors
from assay.connections import Connections
from assay.errors import NotSent, Unavailable
from assay.transport import Request, Response

CHUNK = 1 << 20  # bytes
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0  # seconds


@dataclass(frozen=True)
class HttpTransport:
    """The registry at ``url`` (scheme and host), asked as the owner of ``token``.

    ``timeout`` is in seconds: no attempt starts later, and no single wait for the network is
    longer. A transfer that keeps moving may take as long as it takes.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    timeout: float = 30.0
    connections: Connections = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse what is not the address of a web server.

        Raises:
            ValueError: The url is not http(s)://host[:port].
        """
        server = urlsplit(self.url)
        if server.scheme not in ("http", "https") or not server.hostname or "@" in server.netloc:
            raise ValueError(f"ASSAY_URL is http(s)://host[:port], not {self.url!r}.")
        object.__setattr__(self, "connections", Connections(server))

    def exchange(self, request: Request, into: BinaryIO | None = None) -> Response:
        """See `assay.transport.Transport.exchange`; retried where that cannot do harm."""
        patience = self.timeout if request.patience is None else request.patience
        deadline = time.monotonic() + patience
        waits = pauses()
        while True:
            pause = next(waits)
            try:
                return self._attempt(request, into, patience)
            except Unavailable as error:
                harmless = request.may_repeat or isinstance(error, NotSent)
                if not harmless or time.monotonic() + pause > deadline:
                    raise
            time.sleep(pause)

    def release(self) -> None:
        """Nothing: connections are kept for whichever thread is next."""

    def _attempt(self, request: Request, into: BinaryIO | None, seconds: float) -> Response:
        with self.connections.lend(seconds) as connection:
            with self._unanswered():
                answer = self._ask(connection, request)
            headers = {name.lower(): value for name, value in answer.getheaders()}
            response = Response(answer.status, headers, self._body(answer, into))
            if answer.will_close:
                connection.close()
        if errors.BY_STATUS.get(response.status) is Unavailable:
            raise errors.from_answer(response.status, response.headers, response.body)
        return response

    def _body(self, answer: HTTPResponse, into: BinaryIO | None) -> bytes:
        if into is None or answer.status != 200:
            return b"".join(self._chunks(answer))
        into.seek(0)
        into.truncate()
        for chunk in self._chunks(answer):
            into.write(chunk)
        return b""

    def _chunks(self, answer: HTTPResponse) -> Iterator[bytes]:
        with self._unanswered():
            while chunk := answer.read(CHUNK):
                yield chunk
            if answer.length:
                # read(n) is silent where a connection ends early; what is still owed tells.
                raise HTTPException(f"{answer.length} bytes are missing")

    @contextlib.contextmanager
    def _unanswered(self) -> Iterator[None]:
        try:
            yield
        except (OSError, HTTPException) as error:
            raise Unavailable(f"{self.url} does not answer: {error!r}.") from error

    def _ask(self, connection: HTTPConnection, request: Request) -> HTTPResponse:
        headers = dict(request.headers)
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        prefix = urlsplit(self.url).path.rstrip("/")
        if request.body is not None and not isinstance(request.body, bytes):
            request.body.seek(0)
        try:
            connection.request(request.method, prefix + request.path, request.body, headers)
        except (BrokenPipeError, ConnectionResetError):
            # A server that refuses an upload answers before it has read it all, then closes.
            refusal = connection.getresponse()
            refusal.will_close = True
            return refusal
        return connection.getresponse()


def pauses() -> Iterator[float]:
    """Seconds to wait before each next attempt: doubling, capped, spread so that clients differ."""
    longest = FIRST_PAUSE
    while True:
        yield longest * random.uniform(0.5, 1)
        longest = min(2 * longest, LONGEST_PAUSE)
