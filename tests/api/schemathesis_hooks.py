"""What is changed about the requests that schemathesis makes up."""

from __future__ import annotations

import hashlib
from typing import Any

import schemathesis
from schemathesis.core.parameters import ParameterLocation

LONGEST = 255  # of keys


@schemathesis.hook
def before_call(_: schemathesis.HookContext, case: schemathesis.Case, __: dict[str, Any]) -> None:
    """Make a good Idempotency-Key one of this request alone; a used one hides all behind it."""
    headers = case.meta and case.meta.components.get(ParameterLocation.HEADER)
    key = case.headers.get("Idempotency-Key")
    if key and headers and headers.mode.is_positive:
        asked = f"{case.formatted_path} {case.body!r}".encode()
        own = hashlib.sha256(asked).hexdigest()[:16]
        case.headers["Idempotency-Key"] = key[: LONGEST - len(own)] + own
