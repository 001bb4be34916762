"""The traffic of a family as other programs' configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import renderers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry import tokens
from registry.api import preconditions
from registry.api.describing import IF_NONE_MATCH, TEXT, describes
from registry.exports import rendering


class TextRenderer(renderers.JSONRenderer):
    """Text as it is; refusals as JSON, which they say themselves."""

    media_type = "text/plain"
    format = "txt"
    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if isinstance(data, str):
            return data.encode()
        return super().render(data, "application/json", renderer_context)


class TrafficExportView(APIView):
    """The desired traffic of one family, in the words of a gateway or serving platform."""

    scopes = {"GET": tokens.READ}
    renderer_classes = [TextRenderer]
    path_schemas = {"kind": {"type": "string", "enum": list(rendering.KINDS)}}

    @describes(
        "Read a family's traffic as a gateway's configuration",
        headers=[IF_NONE_MATCH],
        answers={200: TEXT, 304: None},
        refuses=(409,),
        etag=True,
    )
    def get(self, request: Request, name: str, kind: str) -> Response:
        text = rendering.render(name, kind)
        return preconditions.answer(request, text, preconditions.of_body(text))
