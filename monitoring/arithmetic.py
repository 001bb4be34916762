"""Products and quotients of reported numbers in SQL: none may fail a query that judges others too."""

from __future__ import annotations

# PostgreSQL refuses a product that underflows, and a quotient of 0.
LEAST = 1e-9  # of a rate: less than one event in the most requests a row has; of a latency, ms


def squared(rate: str, requests: str = "num_requests") -> str:
    """n·r² of a row; 0 for a rate under LEAST, null for one that was not reported."""
    return f"{requests} * case when {rate} < {LEAST} then 0 else {rate} * {rate} end"


def log_ratio(over: str, under: str) -> str:
    """ln(over/under) of two latencies; null where it is 0, so that it can be divided by."""
    return f"nullif(ln({over} / greatest({under}, {LEAST})), 0)"
