"""The HTTP API without the socket: how the `assay` client works inside a Django process."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache
from urllib.parse import unquote, urlsplit

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db import close_old_connections, connections

from config.access import IN_PROCESS


def call(
    actor: str, method: str, path: str, headers: Mapping[str, str], body: bytes | None
) -> tuple[int, dict[str, str], bytes]:
    """Answer one API call in the name of ``actor``, in the caller's thread and transaction.

    The real views, permissions and problems, so both ways of calling cannot differ.

    Returns:
        Status, headers and body.
    """
    request = WSGIRequest(_environ(actor, method, path, headers, body))
    response = _handler().get_response(request)
    content = b"".join(response)  # a streamed body and a whole one read alike
    # Not response.close(): it ends the database connection, and the caller's transaction with it.
    request.close()
    if not any(each.in_atomic_block for each in connections.all(initialized_only=True)):
        close_old_connections()
    return response.status_code, dict(response.items()), content


@cache
def _handler() -> WSGIHandler:
    return WSGIHandler()


def _environ(
    actor: str, method: str, path: str, headers: Mapping[str, str], body: bytes | None
) -> dict[str, object]:
    address = urlsplit(path)
    content = body or b""
    named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    return named | {
        IN_PROCESS: actor,
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote(address.path).encode().decode("latin-1"),
        "QUERY_STRING": address.query,
        "CONTENT_TYPE": named.get("HTTP_CONTENT_TYPE", "application/json"),
        "CONTENT_LENGTH": str(len(content)),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "",
        "wsgi.input": io.BytesIO(content),
        "wsgi.url_scheme": "http",
    }
