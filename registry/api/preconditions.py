"""ETag, If-Match and If-None-Match: nobody overwrites what they have not read.

RFC 9110, section 13: tags are strong and compared as such, so no middleware may compress answers.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from registry.errors import PreconditionFailed


def of_revision(revision: int) -> str:
    """The tag of a row that counts its own changes."""
    return f'"{revision}"'


def of_body(body: Any) -> str:
    """The tag of an answer that is made of many rows: a digest of what it says."""
    text = json.dumps(body, sort_keys=True, cls=JSONEncoder)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def check(request: Request, etag: str | None, what: str) -> None:
    """Refuse a write whose If-Match or If-None-Match does not fit what there is now.

    Args:
        etag: Of the resource as it is, read under its lock; None where there is none.

    Raises:
        PreconditionFailed: Somebody else was faster.
    """
    wanted, unwanted = _tags(request, "If-Match"), _tags(request, "If-None-Match")
    if wanted is not None and (etag is None or not ({"*", etag} & wanted)):
        now = "is not there" if etag is None else f"is at revision {etag}"
        raise PreconditionFailed(f"{what} {now}; read it again before you change it.")
    if unwanted is not None and etag is not None and {"*", etag} & unwanted:
        raise PreconditionFailed(
            f"{what} is there already, as {etag}; read it before you change it."
        )


def answer(request: Request, body: Any, etag: str) -> Response:
    """``body`` with its tag, or a bodiless 304 for whoever has it already."""
    known = _tags(request, "If-None-Match")
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if known is not None and {"*", etag, f"W/{etag}"} & known:
        return Response(status=304, headers=headers)
    return Response(body, headers=headers)


def _tags(request: Request, header: str) -> set[str] | None:
    value = request.headers.get(header)
    return None if value is None else set(parse_etags(value))
