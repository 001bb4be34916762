"""A real HTTP server that receives webhooks, and answers as it is told."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """What it got so far, and how it answers: one status a request, the last one for ever."""

    port: int = 0
    statuses: list[int] = field(default_factory=lambda: [204])
    headers: Mapping[str, str] = field(default_factory=dict)
    pause: float = 0.0  # seconds before it answers
    tls: ssl.SSLContext | None = None
    drip: bool = False  # send the answer byte by byte, for ever
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    at_once: int = 0  # messages it is answering now
    most_at_once: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The bodies, read."""
        return [json.loads(body) for _, body in self.got]

    @property
    def ids(self) -> list[str]:
        """The ids of the messages, in order of arrival."""
        return [headers["webhook-id"] for headers, _ in self.got]


@contextmanager
def receiving(**how: Any) -> Iterator[Receiver]:
    """A receiver on loopback, until the block ends."""
    receiver = Receiver(**how)
    counted = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            with counted:
                receiver.at_once += 1
                receiver.most_at_once = max(receiver.most_at_once, receiver.at_once)
            time.sleep(receiver.pause)
            with counted:
                receiver.at_once -= 1
            statuses = receiver.statuses
            self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.end_headers()
            while receiver.drip:
                self.wfile.write(b".")
                self.wfile.flush()
                time.sleep(0.1)

        def log_message(self, *args: object) -> None:
            """Tests need no log."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args: object) -> None:
            """A sender that hung up is what some tests are about."""

    with Server(("127.0.0.1", receiver.port), Handler) as server:
        receiver.port = server.server_port
        if receiver.tls is not None:
            server.socket = receiver.tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.drip = False
            server.shutdown()
            thread.join()
