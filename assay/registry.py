"""The registry as one object, and where the one in force is found."""

from __future__ import annotations

import os
from collections.abc import Mapping

from assay import in_process
from assay.audits import Audits
from assay.decisions import Decisions
from assay.evaluations import Evaluations
from assay.in_process import InProcessTransport
from assay.measurements import Measurements
from assay.over_http import HttpTransport
from assay.records import Records
from assay.session import Session

WHERE = (
    "Where is the registry? Set ASSAY_URL (and ASSAY_TOKEN) to ask it over HTTP, or "
    "DJANGO_SETTINGS_MODULE to be part of it."
)

_registries: dict[HttpTransport | InProcessTransport, Registry] = {}


class Registry(Records, Measurements, Evaluations, Decisions, Audits):
    """Everything a caller may ask of the registry.

    Each call blocks until the registry has committed, in plain and in async code, and each result
    may be awaited. Refusals are raised, by kind: see `assay.errors`.
    """


def get_registry(actor: str | None = None) -> Registry:
    """The registry this process is set up to use, always the same object for the same caller.

    Over HTTP if ASSAY_URL is set, as the owner of ASSAY_TOKEN. Else inside the Django project of
    this process, as ``actor``, or the user ASSAY_ACTOR, or ``local``.

    Raises:
        ValueError: Neither is set up, or ``actor`` was named over HTTP, where the token decides.
    """
    transport = transport_for(actor, os.environ)
    # setdefault is atomic: threads that ask at once get the same object.
    return _registries.setdefault(transport, Registry(Session(transport)))


def transport_for(
    actor: str | None, environ: Mapping[str, str]
) -> HttpTransport | InProcessTransport:
    """The way to the registry that ``environ`` and this process's Django project describe."""
    url = environ.get("ASSAY_URL")
    if url:
        if actor is not None:
            raise ValueError(
                f"Over HTTP the token says who calls: give {actor}'s as ASSAY_TOKEN, and no actor."
            )
        return HttpTransport(url, environ.get("ASSAY_TOKEN"), _timeout(environ))
    inside = in_process.from_environment(actor, environ)
    if inside is None:
        raise ValueError(WHERE)
    return inside


def _timeout(environ: Mapping[str, str]) -> float:
    try:
        return float(environ.get("ASSAY_TIMEOUT") or 30)
    except ValueError as error:
        raise ValueError("ASSAY_TIMEOUT is a number of seconds.") from error
