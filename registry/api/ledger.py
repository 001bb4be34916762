"""The ledger from outside: signed checkpoints, and proofs to check the record by."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry import tokens
from registry.api.paging import refuse_unknown
from registry.errors import InvalidInput
from registry.ledger import keys, proofs
from registry.models import LedgerCheckpoint


class CheckpointView(APIView):
    """GET answers the newest signed checkpoint, and the key to check it with."""

    scopes = {"GET": tokens.READ}

    def get(self, request: Request) -> Response:
        refuse_unknown(request, set())
        return Response(_checkpoint(proofs.newest_checkpoint()))


class InclusionView(APIView):
    """GET answers the proof that one event is in the signed tree."""

    scopes = {"GET": tokens.READ}

    def get(self, request: Request, event_id: int) -> Response:
        refuse_unknown(request, set())
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

    def get(self, request: Request) -> Response:
        refuse_unknown(request, {"first", "second"})
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
