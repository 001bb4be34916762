"""What is changed about the requests that schemathesis makes up."""

from __future__ import annotations

import hashlib
from typing import Any

import schemathesis
from schemathesis.core.parameters import ParameterLocation

LONGEST = 255  # of keys


@schemathesis.hook
def before_call(_: schemathesis.HookContext, case: schemathesis.Case, __: dict[str, Any]) -> None:
    """Let good headers not hide what is behind them.

    An Idempotency-Key becomes this request's own, since a used one answers for all; and every other
    If-Match any revision's, since hardly one that is made up is the present one.
    """
    headers = case.meta and case.meta.components.get(ParameterLocation.HEADER)
    if not headers or headers.mode.is_negative:
        return
    own = hashlib.sha256(f"{case.formatted_path} {case.body!r}".encode()).hexdigest()[:16]
    if key := case.headers.get("Idempotency-Key"):
        case.headers["Idempotency-Key"] = key[: LONGEST - len(own)] + own
    if "If-Match" in case.headers and own < "8":
        case.headers["If-Match"] = "*"
