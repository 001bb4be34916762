"""Idempotency-Key: a POST whose answer was lost may be sent again and is done once.

After draft-ietf-httpapi-idempotency-key-header-07: another body under the same key is 422.
Only successful answers are kept; what was refused may be tried again. They are sealed, because
some hold a secret that is shown once.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Concatenate, ParamSpec

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from registry import actors, clock, sealing
from registry.errors import Conflict, InvalidInput, Unprocessable
from registry.models import ApiToken, KeptAnswer
from registry.permissions import caller
from registry.sealing import CannotUnseal, Purpose

KEPT_FOR = timedelta(hours=24)
LONGEST_KEY = 255

Rest = ParamSpec("Rest")
Post = Callable[Concatenate[Any, Request, Rest], Response]  # the view itself comes first


def idempotent(post: Post[Rest]) -> Post[Rest]:
    """Make a view's POST answer a repeat with the same Idempotency-Key as it did at first."""

    @functools.wraps(post)
    def answer(view: Any, request: Request, /, *args: Rest.args, **kwargs: Rest.kwargs) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return post(view, request, *args, **kwargs)
        with transaction.atomic():
            kept, new = _claim(request, key)
            if not new:
                return _replay(kept, request)
            response = post(view, request, *args, **kwargs)
            _keep(kept, response)
        return response

    vars(answer)["idempotent"] = True  # the API's document says so
    return answer


def forget_expired() -> int:
    """Remove answers that nobody may ask for any more."""
    removed, _ = KeptAnswer.objects.filter(kept_at__lte=clock.now() - KEPT_FOR).delete()
    return removed


def _claim(request: Request, key: str) -> tuple[KeptAnswer, bool]:
    """The row of this caller and key; a rival with the same key waits here until we are done."""
    if not 1 <= len(key) <= LONGEST_KEY or not key.isprintable():
        raise InvalidInput.of("Idempotency-Key", "Use 1 to 255 printable characters.")
    mine = {"caller": _caller(request), "key": key}
    KeptAnswer.objects.filter(**mine, kept_at__lte=clock.now() - KEPT_FOR).delete()
    return KeptAnswer.objects.get_or_create(
        **mine, defaults={"request_sha256": _fingerprint(request)}
    )


def _replay(kept: KeptAnswer, request: Request) -> Response:
    if kept.request_sha256 != _fingerprint(request):
        raise Unprocessable.of(
            "Idempotency-Key", "This key was used for another request; take a new one."
        )
    try:
        body = sealing.unseal(kept.body, Purpose.KEPT_ANSWERS)
    except CannotUnseal as error:
        raise Conflict(
            "This was done, but its answer was sealed under another ASSAY_SECRET_KEY; "
            "read what it made."
        ) from error
    headers = {"Idempotent-Replayed": "true"}
    return Response(json.loads(body), status=kept.status, headers=headers)


def _keep(kept: KeptAnswer, response: Response) -> None:
    kept.status = response.status_code
    body = json.dumps(response.data, cls=JSONEncoder)
    kept.body = sealing.seal(body, Purpose.KEPT_ANSWERS)
    kept.save(update_fields=["status", "body"])


def _caller(request: Request) -> str:
    if isinstance(request.auth, ApiToken):
        return f"token:{request.auth.pk}"
    return actors.actor_of(caller(request))


def _fingerprint(request: Request) -> str:
    body = json.dumps(request.data, sort_keys=True, cls=JSONEncoder)
    return hashlib.sha256(f"{request.path}\n{body}".encode()).hexdigest()
