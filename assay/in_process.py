"""The transport without a socket: the registry's own views, called in the caller's thread.

Inside the registry's Django project a call is part of the caller's transaction. Nothing of the
project is imported by name: its settings package says where its ``inprocess`` module is.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Protocol, cast

from assay.transport import Request, Response


class Call(Protocol):
    """What ``<settings package>.inprocess.call`` is: the HTTP contract as a function."""

    def __call__(
        self, actor: str, method: str, path: str, headers: dict[str, str], body: bytes | None
    ) -> tuple[int, Mapping[str, str], bytes]: ...


def settings_module(environ: Mapping[str, str]) -> str | None:
    """The settings module of this process's Django project; None where there is no project."""
    configuration = sys.modules.get("django.conf")
    if configuration is not None and configuration.settings.configured:
        named = getattr(configuration.settings, "SETTINGS_MODULE", None)
        return named or environ.get("DJANGO_SETTINGS_MODULE")
    return environ.get("DJANGO_SETTINGS_MODULE")


@dataclass(frozen=True)
class InProcessTransport:
    """The registry whose settings are in ``package``, asked by the user ``actor``."""

    package: str
    actor: str

    def exchange(self, request: Request, into: BinaryIO | None = None) -> Response:
        """See `assay.transport.Transport.exchange`; bodies are held in memory, nothing retried."""
        body = request.body
        if body is not None and not isinstance(body, bytes):
            body.seek(0)
            body = body.read()
        status, headers, answer = self._call()(
            self.actor, request.method, request.path, dict(request.headers), body
        )
        lowered = {name.lower(): value for name, value in headers.items()}
        if into is None or status != 200:
            return Response(status, lowered, answer)
        into.write(answer)
        return Response(status, lowered, b"")

    def release(self) -> None:
        """Close this thread's database connections, which no other thread can use."""
        importlib.import_module("django.db").connections.close_all()

    def _call(self) -> Call:
        django = importlib.import_module("django")
        if not importlib.import_module("django.apps").apps.ready:
            django.setup()
        return cast(Call, importlib.import_module(f"{self.package}.inprocess").call)


def from_environment(actor: str | None, environ: Mapping[str, str]) -> InProcessTransport | None:
    """The project of this process, asked by ``actor``, else ASSAY_ACTOR, else ``local``."""
    settings = settings_module(environ)
    if settings is None:
        return None
    asked_by = actor or environ.get("ASSAY_ACTOR") or "local"
    return InProcessTransport(settings.rpartition(".")[0], asked_by)
