"""The OpenAPI 3.1 document: what registry.api.describing gathered, in the words of the standard."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, NotRequired, TypedDict

from django.conf import settings
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema

from registry.api.describing import BYTES, MARKDOWN, TEXT, Description, JsonSchema, Parameter
from registry.api.shapes import REFERENCE, Shapes

JSON, PROBLEM, OCTETS = "application/json", "application/problem+json", "application/octet-stream"
TAGS = {
    "registry": "What exists, where it is deployed, and every fact about it.",
    "monitoring": "How it behaves, and what is pulled back.",
    "governance": "What may be promoted.",
}
CONVERTERS: Mapping[str, JsonSchema] = {
    "int": {"type": "integer", "minimum": 0},
    "str": {"type": "string", "minLength": 1, "pattern": r"^[^/\x00]+$"},
    "uuid": {"type": "string", "format": "uuid"},
}
WRITES = ("POST", "PUT", "PATCH")

IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    "A request repeated with its key is done once, and answered as at first.",
    place="header",
)
IF_MATCH = Parameter(
    "If-Match",
    {"type": "string"},
    "The ETag of what you read; refused with 412 if it has changed since.",
    place="header",
)


class FieldProblem(TypedDict):
    """What is wrong with one field."""

    pointer: str
    code: str
    detail: str


class Problem(TypedDict):
    """A refusal, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str
    errors: NotRequired[list[FieldProblem]]
    blockers: NotRequired[list[str]]
    existing: NotRequired[str]
    request_id: NotRequired[str]


class Schema(AutoSchema):
    """One operation: its description, and what the view itself tells."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any
    ) -> JsonSchema | None:
        handler = getattr(self.view, method.lower())
        described: Description | None = getattr(handler, "described", None)
        if described is None:
            return None  # tests/api says so
        shapes: Shapes = registry.shapes
        scopes: Mapping[str, str] = getattr(self.view, "scopes", {})
        operation: JsonSchema = {
            "operationId": operation_id(handler),
            "summary": described.summary,
            "description": _sentence(handler) or _sentence(type(self.view)),
            "tags": [handler.__module__.split(".")[0]],
            "security": [{"bearer": [scopes[method]]}],
            "parameters": list(self._parameters(path_regex, handler, described)),
            "responses": self._responses(path_regex, method, handler, described, shapes),
        }
        if method in WRITES:
            operation["requestBody"] = _request_body(described, shapes)
        return operation

    def _parameters(
        self, path_regex: str, handler: Any, described: Description
    ) -> Iterator[JsonSchema]:
        known: Mapping[str, JsonSchema] = getattr(self.view, "path_schemas", {})
        for converter, name in re.findall(r"<(\w+):(\w+)>", path_regex):
            schema = known.get(name, CONVERTERS[converter])
            yield Parameter(name, schema, PATHS.get(name, name), "path", required=True).document()
        for parameter in (*described.query, *described.headers):
            yield parameter.document()
        if hasattr(handler, "idempotent"):
            yield IDEMPOTENCY_KEY.document()
        if described.if_match:
            yield IF_MATCH.document()

    def _responses(
        self, path_regex: str, method: str, handler: Any, described: Description, shapes: Shapes
    ) -> JsonSchema:
        done = {
            str(status): _answer(status, shape, handler, described, shapes)
            for status, shape in described.answers.items()
        }
        takes_input = method in WRITES or bool(described.query)
        refused = {401, 403, 406, 503, *described.refuses}
        refused |= {400} if takes_input else set()
        refused |= {404} if "<" in path_regex else set()
        refused |= {413, 415} if method in WRITES else set()
        refused |= {422} if hasattr(handler, "idempotent") else set()
        refused |= {412} if described.if_match else set()
        refused |= {429} if self.view.throttle_classes else set()
        return done | {str(status): _refusal(status, shapes) for status in sorted(refused)}


PATHS = {
    "model_id": "The model version's own id.",
    "pk": "The incident's number.",
    "name": "Its name.",
    "kind": "The format.",
    "alias": "The name that stands for a version.",
}


def operation_id(handler: Any) -> str:
    """A name that programs may call the operation by: ``ModelsView.post`` is ``postModels``."""
    view, _, method = handler.__qualname__.rpartition(".")
    return f"{method}{view.rpartition('.')[2].removesuffix('View')}"


@cache
def document() -> dict[str, Any]:
    """The whole document; it changes with the code only, so each process makes it once."""
    generator = SchemaGenerator(urlconf=settings.ROOT_URLCONF)
    generator.coerce_path_pk = False  # parameters are called what the address calls them
    registry: Any = generator.registry  # what is handed on to every operation
    registry.shapes = shapes = Shapes()
    paths = generator.parse(None, public=True)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Assay",
            "version": "1",
            "description": "A model registry that reviews before it serves, and pulls back.",
        },
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(shapes.components.items())),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of `manage.py issue_token`; it has its role's scopes.",
                }
            },
        },
    }


def _request_body(described: Description, shapes: Shapes) -> JsonSchema:
    if described.body is BYTES:
        return {"content": {OCTETS: {"schema": {}}}, "required": True}
    return {
        "content": {JSON: {"schema": shapes.of(described.body)}},
        "required": described.body_required,
    }


def _answer(
    status: int, shape: Any, handler: Any, described: Description, shapes: Shapes
) -> JsonSchema:
    answer: JsonSchema = {"description": HTTPStatus(status).phrase}
    headers: JsonSchema = {}
    if described.etag:
        headers["ETag"] = {"schema": {"type": "string", "pattern": '^".+"$'}, "required": True}
    if hasattr(handler, "idempotent"):
        headers["Idempotent-Replayed"] = {"schema": {"const": "true"}}
    if headers:
        answer["headers"] = headers
    if shape is BYTES:
        answer["content"] = {OCTETS: {"schema": {}}}
    elif shape is TEXT:
        answer["content"] = {"text/plain": {"schema": TEXT}}
    elif shape is MARKDOWN:
        answer["content"] = {MARKDOWN["contentMediaType"]: {"schema": MARKDOWN}}
    elif shape is not None:
        answer["content"] = {JSON: {"schema": shapes.of(shape)}}
    if described.links and 200 <= status < 300:
        answer["links"] = {
            link.operation: {"operationId": link.operation, "parameters": dict(link.parameters)}
            for link in described.links
        }
    return answer


def _refusal(status: int, shapes: Shapes) -> JsonSchema:
    shapes.of(Problem)
    refusal: JsonSchema = {
        "description": HTTPStatus(status).phrase,
        "content": {PROBLEM: {"schema": {"$ref": f"{REFERENCE}Problem"}}},
    }
    if status == HTTPStatus.UNAUTHORIZED:
        refusal["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}, "required": True}}
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        refusal["headers"] = {
            "Retry-After": {"schema": {"type": "string", "pattern": "^[0-9]+$"}, "required": True}
        }
    return refusal


def _sentence(subject: Any) -> str:
    return " ".join((subject.__doc__ or "").split())
