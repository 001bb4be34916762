"""The transport without a socket: the registry's own views, called in the caller's thread.

Inside the registry's Django project a call is part of the caller's transaction. Nothing of the
project is imported by name: its ``ROOT_URLCONF`` says which package it is.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Protocol, cast

from assay.transport import Request, Response


class Call(Protocol):
    """What ``<project>.inprocess.call`` is: the HTTP contract as a function."""

    def __call__(
        self, actor: str, method: str, path: str, headers: dict[str, str], body: bytes | None
    ) -> tuple[int, Mapping[str, str], bytes]: ...


@dataclass(frozen=True)
class InProcessTransport:
    """The registry that this process is part of, asked by the user ``actor``."""

    actor: str

    def exchange(self, request: Request, into: BinaryIO | None = None) -> Response:
        """See `assay.transport.Transport.exchange`; bodies are held in memory, nothing retried."""
        body = request.body
        if body is not None and not isinstance(body, bytes):
            body.seek(0)
            body = body.read()
        status, headers, answer = _call()(
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


def from_environment(actor: str | None, environ: Mapping[str, str]) -> InProcessTransport | None:
    """This process's project, asked by ``actor``, else ASSAY_ACTOR, else ``local``.

    None where the process is part of no project.
    """
    configuration = sys.modules.get("django.conf")
    configured = configuration is not None and configuration.settings.configured
    if not configured and not environ.get("DJANGO_SETTINGS_MODULE"):
        return None
    return InProcessTransport(actor or environ.get("ASSAY_ACTOR") or "local")


def _call() -> Call:
    if not importlib.import_module("django.apps").apps.ready:
        _set_up()
    settings = importlib.import_module("django.conf").settings
    project = settings.ROOT_URLCONF.rpartition(".")[0]
    return cast(Call, importlib.import_module(f"{project}.inprocess").call)


def _set_up() -> None:
    """Load the project, but keep this process's time zone, in which its naive times are meant."""
    zone = os.environ.get("TZ")
    importlib.import_module("django").setup()  # makes the project's zone that of the process
    if zone is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = zone
    time.tzset()
