"""Registered models: their traffic documents."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry import routing, tokens
from registry.api import answers
from registry.api.describing import IF_NONE_MATCH, describes
from registry.errors import NotFound
from registry.models import ModelFamily, TrafficPlan


class TrafficView(APIView):
    """The traffic document of one family; 304 while it has not changed."""

    scopes = {"GET": tokens.READ}

    @describes(
        "Read a family's traffic document",
        headers=[IF_NONE_MATCH],
        answers={200: answers.Traffic, 304: None},
        etag=True,
    )
    def get(self, request: Request, name: str) -> Response:
        plan = TrafficPlan.objects.select_related("family").filter(family__name=name).first()
        if plan is None:
            plan = routing.plan_of(_family(name))
        etag = f'"{plan.pk}-{plan.revision}"'
        if etag in request.headers.get("If-None-Match", ""):
            return Response(status=304, headers={"ETag": etag})
        return Response(routing.document(plan), headers={"ETag": etag})


def _family(name: str) -> ModelFamily:
    family = ModelFamily.objects.filter(name=name).first()
    if family is None:
        raise NotFound(f"There is no registered model named {name!r}.")
    return family
