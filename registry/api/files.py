"""Artifacts and data sets: raw bytes in, raw bytes out."""

from __future__ import annotations

import re
from typing import Any

from django.db import transaction
from django.http import HttpResponseBase, StreamingHttpResponse
from rest_framework import parsers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry import artifacts, entries, lifecycle, permissions, tokens
from registry.api import answers, preconditions
from registry.api.describing import BYTES, Parameter, describes
from registry.errors import InvalidInput
from registry.models import DataSet

DIGEST = re.compile(r"sha-256=([0-9a-f]{64})")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
EXPECTED = Parameter(
    "Digest",
    {"type": "string", "pattern": "^sha-256=[0-9a-f]{64}$"},
    "The file's sha256; refused if another arrives.",
    place="header",
)


class RawParser(parsers.BaseParser):
    """Hands the stream on unread, whatever the content type: uploads are never in memory."""

    media_type = "*/*"

    def parse(self, stream: Any, *_: Any, **__: Any) -> Any:
        return stream


class ArtifactView(APIView):
    """PUT uploads a version's artifact; GET downloads it."""

    scopes = {"GET": tokens.READ, "PUT": tokens.MODELS_WRITE}
    parser_classes = [RawParser]

    @describes("Download a version's artifact", answers={200: BYTES}, etag=True)
    def get(self, request: Request, model_id: str) -> HttpResponseBase:
        version = entries.find(model_id)
        response = StreamingHttpResponse(
            artifacts.chunks(version), content_type="application/octet-stream"
        )
        if version.artifact is not None:
            response["Content-Length"] = version.artifact.size
            response["ETag"] = f'"{version.artifact.sha256}"'
        return response

    @describes(
        "Upload a version's artifact",
        body=BYTES,
        headers=[EXPECTED],
        answers={201: answers.KeptArtifact},
        refuses=(409, 422),
        if_match=True,
    )
    def put(self, request: Request, model_id: str) -> Response:
        version = entries.find(model_id)
        permissions.check_reach(request, version.family, tokens.MODELS_WRITE)
        received = artifacts.receive(request._request, expected_sha256=_digest(request))
        try:
            with transaction.atomic():
                version = lifecycle.lock(version)
                etag = preconditions.of_revision(version.revision)
                preconditions.check(request, etag, model_id)
                artifact = artifacts.attach(version, received, uploader=permissions.caller(request))
        finally:
            received.path.unlink(missing_ok=True)  # kept files have moved on
        body = {"sha256": artifact.sha256, "size": artifact.size, "format": artifact.format}
        return Response(body, status=201)


class DataSetsView(APIView):
    """The data sets that evaluations may use."""

    scopes = {"GET": tokens.READ}

    @describes("List the data sets", answers={200: answers.DataSets})
    def get(self, request: Request) -> Response:
        rows = DataSet.objects.select_related("artifact")[:1000]
        return Response({"datasets": [_data_set(row) for row in rows]})


class DataSetView(APIView):
    """PUT keeps a data set under a name."""

    scopes = {"PUT": tokens.MODELS_WRITE}
    path_schemas = {"name": {"type": "string", "pattern": f"^{NAME.pattern}$"}}
    parser_classes = [RawParser]

    @describes(
        "Keep a data set",
        body=BYTES,
        headers=[EXPECTED],
        answers={201: answers.KeptDataSet},
        refuses=(409, 422),
    )
    def put(self, request: Request, name: str) -> Response:
        if not NAME.fullmatch(name):
            raise InvalidInput.of("name", "Use letters, digits, '.', '_' and '-', at most 200.")
        received = artifacts.receive(request._request, expected_sha256=_digest(request))
        try:
            data_set = artifacts.keep_data_set(name, received, uploader=permissions.caller(request))
        finally:
            received.path.unlink(missing_ok=True)
        return Response(_data_set(data_set), status=201)


def _digest(request: Request) -> str | None:
    """The sha256 the caller expects, in hex, from the Digest header."""
    header = request.headers.get("Digest")
    if header is None:
        return None
    found = DIGEST.fullmatch(header.strip().lower())
    if found is None:
        raise InvalidInput.of("Digest", "Give `sha-256=` and 64 hex digits.")
    return found[1]


def _data_set(row: DataSet) -> dict[str, object]:
    return {"name": row.name, "sha256": row.artifact.sha256, "size": row.artifact.size}
