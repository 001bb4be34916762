"""Calls of the HTTP contract over any transport: JSON, refusals as errors, pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO
from urllib.parse import quote, urlencode

from assay import errors, wire
from assay.awaiting import aside, loop_is_running
from assay.transport import Request, Response, Transport

ROOT = "/api/model-registry/"
PAGE = 200  # the most the registry gives at once
ACCEPTED = {"Accept": "application/json, application/problem+json"}


def path(*parts: str, **query: object) -> str:
    """The path of a resource; each part is one segment, and what is None is not asked for."""
    asked = urlencode({name: value for name, value in query.items() if value is not None})
    return ROOT + "/".join(quote(part, safe="") for part in parts) + (f"?{asked}" if asked else "")


class Session:
    """A caller's way to ask the registry, by way of ``transport``."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def send(self, request: Request, into: BinaryIO | None = None) -> Response:
        """Exchange ``request`` for its answer, in a helper thread if an event loop runs here.

        Raises:
            AssayError: The registry refused (by kind, see `assay.errors`) or is unavailable.
        """
        if loop_is_running():
            response = aside(self._exchange_and_release, request, into).result()
        else:
            response = self.transport.exchange(request, into)
        if response.status >= 300 and response.status != 304:
            raise errors.from_answer(response.status, response.headers, response.body)
        return response

    def get(self, *parts: str, **query: object) -> dict[str, Any]:
        """The JSON of the resource at ``parts``."""
        return wire.loads(self.send(Request("GET", path(*parts, **query), ACCEPTED)).body)

    def write(
        self,
        method: str,
        *parts: str,
        document: object = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
    ) -> dict[str, Any]:
        """Send ``document`` (default: an empty object) as JSON; gives the JSON of the answer."""
        body = wire.dumps({} if document is None else document)
        sent = {**ACCEPTED, "Content-Type": "application/json", **(headers or {})}
        request = Request(method, path(*parts), sent, body, repeatable)
        return wire.loads(self.send(request).body)

    def pages(self, *parts: str, key: str, **query: object) -> Iterator[Any]:
        """Each item of a list under ``key``, asking for pages as they are needed."""
        cursor: str | None = None
        while True:
            page = self.get(*parts, **query, limit=PAGE, cursor=cursor)
            yield from page[key]
            cursor = page.get("next")
            if cursor is None:
                return

    def _exchange_and_release(self, request: Request, into: BinaryIO | None) -> Response:
        try:
            return self.transport.exchange(request, into)
        finally:
            self.transport.release()
