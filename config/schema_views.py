"""The API's document for programs, and the page that shows it to people."""

from __future__ import annotations

import hashlib
import json
from functools import cache

import yaml
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from config import openapi

JSON, YAML = "application/vnd.oai.openapi+json", "application/vnd.oai.openapi"
OFFERED = [JSON, "application/json", YAML, "application/yaml", "text/yaml"]


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document, JSON unless the caller would rather have YAML; 304 if known."""
    media_type = request.get_preferred_type(OFFERED)
    if media_type is None:
        return HttpResponse(
            f"There are {', '.join(OFFERED)}.", status=406, content_type="text/plain"
        )
    body = _as_json() if media_type.endswith("json") else _as_yaml()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Vary": "Accept", "Cache-Control": "no-cache"}
    if etag in request.headers.get("If-None-Match", ""):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(body, content_type=media_type, headers=headers)


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The document to read and to try, by Swagger UI."""
    return render(request, "api_docs.html")


@cache
def _as_json() -> bytes:
    return json.dumps(openapi.document(), ensure_ascii=False, separators=(",", ":")).encode()


@cache
def _as_yaml() -> bytes:
    return yaml.dump(
        json.loads(_as_json()), Dumper=_Plain, allow_unicode=True, sort_keys=False
    ).encode()


class _Plain(yaml.CSafeDumper):
    """YAML without aliases, which readers of OpenAPI documents do not expect."""

    def ignore_aliases(self, data: object) -> bool:
        return True
