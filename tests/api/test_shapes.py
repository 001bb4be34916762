"""Components have names of their own: a body and an answer are never taken for each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

import pytest
from rest_framework.test import APIClient

from config import openapi
from registry.api.shapes import Shapes
from registry.serializers import StrictBooleanField, StrictSerializer


class Thing(TypedDict):
    """An answer."""

    number: int


class ThingSerializer(StrictSerializer):
    """A body."""

    wanted = StrictBooleanField()


def test_a_body_and_an_answer_of_one_name_are_two_components() -> None:
    shapes = Shapes()

    assert shapes.of(Thing) != shapes.of(ThingSerializer)
    assert shapes.components["ThingBody"]["properties"] == {"wanted": {"type": "boolean"}}
    assert shapes.components["Thing"]["properties"] == {"number": {"type": "integer"}}


def test_two_shapes_of_one_name_are_refused() -> None:
    shapes = Shapes()
    shapes.of(ThingSerializer)

    with pytest.raises(TypeError, match="Two shapes are called ThingBody"):
        shapes.of(type("ThingSerializer", (StrictSerializer,), {}))


def test_the_body_of_a_move_asks_for_a_stage() -> None:
    paths = openapi.document()["paths"]
    move = paths["/api/model-registry/models/{model_id}/deployment"]["patch"]
    body = move["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]

    assert openapi.document()["components"]["schemas"][body]["required"] == ["status"]


@pytest.mark.django_db
def test_a_null_byte_in_a_filter_is_refused(api: Callable[..., APIClient]) -> None:
    answer = api("operator").get("/api/model-registry/incidents", {"model_id": "a\0b"})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/model_id")
