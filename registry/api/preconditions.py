"""ETag, If-Match and If-None-Match: nobody overwrites what they have not read.

RFC 9110, section 13: tags are strong and compared as such, so no middleware may compress answers.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from django.http import HttpResponse
from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from registry.errors import PreconditionFailed

OF_A_ROW = re.compile(r'(?:W/)?"([0-9]{1,18})-([0-9]{1,18})"')


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
    if _is_known(request, etag):
        return Response(status=304, headers=_tagged(etag))
    return Response(body, headers=_tagged(etag))


def answer_bytes(request: Request, body: bytes, etag: str) -> Response | HttpResponse:
    """The same, of JSON that is written out already."""
    if _is_known(request, etag):
        return Response(status=304, headers=_tagged(etag))
    return HttpResponse(body, content_type="application/json", headers=_tagged(etag))


def knows_newer(request: Request, row: int, revision: int) -> bool:
    """Whether the caller has had a later revision of this row, by a tag ``"row-revision"``."""
    tags = (OF_A_ROW.fullmatch(tag) for tag in _tags(request, "If-None-Match") or ())
    return any(tag and int(tag[1]) == row and int(tag[2]) > revision for tag in tags)


def _is_known(request: Request, etag: str) -> bool:
    known = _tags(request, "If-None-Match")
    return known is not None and bool({"*", etag, f"W/{etag}"} & known)


def _tagged(etag: str) -> dict[str, str]:
    return {"ETag": etag, "Cache-Control": "private, no-cache"}


def _tags(request: Request, header: str) -> set[str] | None:
    value = request.headers.get(header)
    return None if value is None else set(parse_etags(value))
