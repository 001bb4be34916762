"""Whether the caller is told of a registered model's incidents."""

from __future__ import annotations

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring import followings
from monitoring.api import answers
from monitoring.models import Following
from monitoring.notifications import people
from registry import clock, families, permissions, tokens
from registry.api import preconditions
from registry.api.describing import IF_NONE_MATCH, describes
from registry.serializers import NothingSerializer


class FollowingView(APIView):
    """GET says whether the caller follows; PUT and DELETE change that, for the caller alone."""

    scopes = {"GET": tokens.READ, "PUT": tokens.READ, "DELETE": tokens.READ}

    @describes(
        "Read whether you follow a model",
        headers=[IF_NONE_MATCH],
        answers={200: answers.Following, 304: None},
        etag=True,
    )
    def get(self, request: Request, name: str) -> Response:
        user, family = permissions.caller(request), families.find(name)
        said = followings.said_by(user, family)
        told = people.is_told_anyway(user, family)
        body = _following_json(name, told if said is None else said.follows, told, said)
        return preconditions.answer(request, body, preconditions.of_body(body))

    @describes(
        "Follow a model",
        body=NothingSerializer,
        body_required=False,
        answers={200: answers.Following},
    )
    @transaction.atomic
    def put(self, request: Request, name: str) -> Response:
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        user, family = permissions.caller(request), families.find(name)
        said = followings.follow(user, family, now=clock.now())
        told = people.is_told_anyway(user, family)
        return Response(_following_json(name, True, told, said))

    @describes("Follow a model no longer", answers={200: answers.Following})
    @transaction.atomic
    def delete(self, request: Request, name: str) -> Response:
        user, family = permissions.caller(request), families.find(name)
        said = followings.unfollow(user, family, now=clock.now())
        told = people.is_told_anyway(user, family)
        return Response(_following_json(name, False, told, said))


def _following_json(
    name: str, follows: bool, told_anyway: bool, said: Following | None
) -> dict[str, object]:
    return {
        "family": name,
        "follows": follows,
        "told_of_critical": follows or told_anyway,
        "said_at": said.said_at if said else None,
    }
