"""What each method of the API takes and answers, said beside the method.

The OpenAPI document is made of nothing else, so a view is described like this::

    @describes(
        "Register a model version",
        body=NewEntrySerializer,      # a StrictSerializer, a JSON Schema, BYTES, or None
        answers={201: Entry},         # a TypedDict, JSON Schema, BYTES, TEXT, MARKDOWN or None
        refuses=(409,),               # beside those that every such method has
    )
    @idempotent
    def post(self, request: Request) -> Response: ...

What can be read from the code is not said twice: the scope, path parameters, Idempotency-Key and
the refusals that come with credentials, a body, a key or a precondition. ``tests/api`` fails for a
method without a description, and for any answer of any test that its description does not allow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from registry import characters
from registry.api import paging

JsonSchema = dict[str, Any]
Method = TypeVar("Method", bound=Callable[..., Any])

BYTES: JsonSchema = {"type": "string", "format": "binary"}
TEXT: JsonSchema = {"type": "string"}  # not in JSON
MARKDOWN: JsonSchema = {"type": "string", "contentMediaType": "text/markdown"}
WORDS: JsonSchema = {"type": "string", "pattern": characters.NO_NUL}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter or a header."""

    name: str
    schema: JsonSchema
    description: str
    place: str = "query"
    required: bool = False

    def document(self) -> JsonSchema:
        """It as OpenAPI writes it."""
        return {
            "name": self.name,
            "in": self.place,
            "description": self.description,
            "required": self.required,
            "schema": self.schema,
        }


@dataclass(frozen=True, slots=True)
class Link:
    """What may be asked next, with parameters taken from this answer."""

    operation: str  # its operationId
    parameters: Mapping[str, str]  # name: OpenAPI runtime expression


@dataclass(frozen=True, slots=True)
class Description:
    """One method of one view, as far as the code does not say it already."""

    summary: str
    answers: Mapping[int, Any]
    body: Any
    query: Sequence[Parameter]
    headers: Sequence[Parameter]
    refuses: Sequence[int]
    links: Sequence[Link]
    body_required: bool
    if_match: bool
    etag: bool


def describes(
    summary: str,
    *,
    answers: Mapping[int, Any],
    body: Any = None,
    query: Sequence[Parameter] = (),
    headers: Sequence[Parameter] = (),
    refuses: Sequence[int] = (),
    links: Sequence[Link] = (),
    body_required: bool = True,
    if_match: bool = False,
    etag: bool = False,
) -> Callable[[Method], Method]:
    """Say what a method of a view takes and answers.

    Args:
        body_required: False where an empty request means an empty object.
        if_match: The method honours If-Match and refuses an old revision with 412.
        etag: Its answers carry an ETag.
    """
    description = Description(
        summary, answers, body, query, headers, refuses, links, body_required, if_match, etag
    )

    def describe(method: Method) -> Method:
        vars(method)["described"] = description
        return method

    return describe


CURSOR = Parameter(
    "cursor",
    {"type": "string", "pattern": paging.CURSOR},
    "The `next` of an earlier page; opaque.",
)
LIMIT = Parameter(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": paging.MAX_LIMIT, "default": paging.DEFAULT_LIMIT},
    "How many to answer at most.",
)
PAGE = (CURSOR, LIMIT)
IF_NONE_MATCH = Parameter(
    "If-None-Match",
    {"type": "string"},
    "The ETag of what you have; answered with 304 while it is still so.",
    place="header",
)
