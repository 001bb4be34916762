"""Which numbers JSON has, whatever Python reads them as."""

from __future__ import annotations

import math
from typing import Any


def whole(data: Any) -> int | None:
    """The whole number that it is; None for anything else. As JSON Schema has it, 3.0 is one."""
    if isinstance(data, bool) or not isinstance(data, int | float):
        return None
    return int(data) if isinstance(data, int) or data.is_integer() else None


def is_finite(data: Any) -> bool:
    """Whether it is a number that a float can hold; JSON has whole numbers of any length."""
    try:
        return isinstance(data, int | float) and not isinstance(data, bool) and math.isfinite(data)
    except OverflowError:
        return False
