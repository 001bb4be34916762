"""A small real HTTP server: it answers what a test tells it to, and remembers what was asked."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> object:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What to answer; ``cut`` bytes of the body are promised and never sent."""

    document: object = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0

    @property
    def body(self) -> bytes:
        return (
            self.document
            if isinstance(self.document, bytes)
            else json.dumps(self.document).encode()
        )


class HangUp:
    """Close the connection instead of answering."""


Plan = Answer | HangUp | Callable[[Asked], Answer]


class Edge:
    """The server, on a free port of the loopback."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.connections = 0
        self._plans: dict[tuple[str, str], list[Plan]] = {}
        self._start(0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, method: str, path: str, *plans: Plan) -> None:
        """Answer requests for ``path`` (below the API's root) in turn; the last plan repeats."""
        self._plans[method, f"/api/model-registry/{path}"] = list(plans)

    def plan(self, asked: Asked) -> Plan:
        """What to do about ``asked``; paths are matched with their query first, then without."""
        self.asked.append(asked)
        bare = asked.path.partition("?")[0]
        for path in (asked.path, bare):
            plans = self._plans.get((asked.method, path))
            if plans:
                return plans.pop(0) if len(plans) > 1 else plans[0]
        return Answer({"type": "/problems/not-found", "title": "No plan for this"}, 404)

    def stop(self) -> None:
        """Go down: nothing listens and no connection stays."""
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()

    def restart(self) -> None:
        """Come up again at the same port."""
        self._start(self.port)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _start(self, port: int) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.edge = self
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that server_close waits for them
    edge: Edge

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._open: set[socket.socket] = set()

    def get_request(self) -> tuple[socket.socket, Any]:
        accepted, address = super().get_request()
        self._open.add(accepted)
        self.edge.connections += 1
        return accepted, address

    def close_request(self, request: Any) -> None:
        self._open.discard(request)
        super().close_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a test's client may go away."""

    def hang_up(self) -> None:
        for accepted in list(self._open):
            with contextlib.suppress(OSError):
                accepted.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10
    disable_nagle_algorithm = True
    server: _Server

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        plan = self.server.edge.plan(Asked(self.command, self.path, headers, body))
        if isinstance(plan, HangUp):
            self.close_connection = True
            return
        answer = plan if isinstance(plan, Answer) else plan(self.server.edge.asked[-1])
        self._send(answer)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body) + answer.cut))
        self.end_headers()
        self.wfile.write(answer.body)
        if answer.cut:
            self.close_connection = True
