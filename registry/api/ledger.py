"""The ledger from outside: signed checkpoints, and proofs to check the record by."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry import tokens
from registry.api.answers import Sha256
from registry.api.describing import Parameter, describes
from registry.api.paging import check_query
from registry.errors import InvalidInput
from registry.ledger import keys, proofs
from registry.models import LedgerCheckpoint

LARGEST = 10**18 - 1
SIZE = {"type": "integer", "minimum": 1, "maximum": LARGEST}
SIZES = (
    Parameter("first", SIZE, "The older tree's size.", required=True),
    Parameter("second", SIZE, "The newer tree's size.", required=True),
)


class Checkpoint(TypedDict):
    """A signed statement of the tree's size and root."""

    size: int
    root: Sha256
    signed_at: datetime
    note: str
    key: str


class Inclusion(TypedDict):
    """The proof that an event is in the signed tree."""

    event_id: int
    leaf: str
    index: int
    path: list[Sha256]
    checkpoint: Checkpoint


class Consistency(TypedDict):
    """The proof that an older tree is the beginning of a newer one."""

    first: int
    second: int
    path: list[Sha256]


class CheckpointView(APIView):
    """GET answers the newest signed checkpoint, and the key to check it with."""

    scopes = {"GET": tokens.READ}

    @describes("Read the newest checkpoint", answers={200: Checkpoint}, refuses=(400, 404))
    def get(self, request: Request) -> Response:
        check_query(request, set())
        return Response(_checkpoint(proofs.newest_checkpoint()))


class InclusionView(APIView):
    """GET answers the proof that one event is in the signed tree."""

    scopes = {"GET": tokens.READ}

    @describes("Prove that an event is in the ledger", answers={200: Inclusion}, refuses=(400, 409))
    def get(self, request: Request, event_id: int) -> Response:
        check_query(request, set())
        found = proofs.inclusion(event_id)
        return Response(
            {
                "event_id": event_id,
                "leaf": found.leaf.decode(),
                "index": found.index,
                "path": [hashed.hex() for hashed in found.path],
                "checkpoint": _checkpoint(found.checkpoint),
            }
        )


class ConsistencyView(APIView):
    """GET answers the proof that an older tree is the beginning of a newer one."""

    scopes = {"GET": tokens.READ}

    @describes(
        "Prove that the ledger only grew", query=SIZES, answers={200: Consistency}, refuses=(404,)
    )
    def get(self, request: Request) -> Response:
        check_query(request, {"first", "second"})
        first, second = _size(request, "first"), _size(request, "second")
        path = proofs.consistency(first, second)
        return Response(
            {"first": first, "second": second, "path": [hashed.hex() for hashed in path]}
        )


def _checkpoint(checkpoint: LedgerCheckpoint) -> dict[str, Any]:
    return {
        "size": checkpoint.tree_size,
        "root": bytes(checkpoint.root).hex(),
        "signed_at": checkpoint.signed_at,
        "note": checkpoint.note,
        "key": str(keys.public() or ""),
    }


def _size(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidInput.of(name, "Give the size of a tree, a whole number from 1 on.")
    return int(text)
