"""Read reported snapshots strictly. Pure: the clock and the version are arguments."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from registry import characters, numbers
from registry.errors import FieldError, InvalidInput, TooLarge

MAX_SNAPSHOTS = 10_000
SKEW = timedelta(seconds=60)  # how far ahead a replica's clock may be
MAX_REQUESTS = 2**31 - 1
LARGEST = 1e12  # of any number: as milliseconds, thirty years; sums of more would overflow

SHARES = ("error_rate", "ood_rate", "input_drift_score")  # 0..1
AMOUNTS = (
    "latency_p50_ms",
    "latency_p95_ms",
    "latency_p99_ms",
    "requests_per_second",
    "gpu_memory_mb",
)
TEXTS = {"device": 200, "source": 200}  # longest
FIELDS = ("model_id", "version", "timestamp", "num_requests", *SHARES, *AMOUNTS, *TEXTS)


Share = Annotated[float, Meta(ge=0, le=1)]
Amount = Annotated[float, Meta(ge=0, le=LARGEST)]


class Snapshot(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One reported interval; None means not reported."""

    timestamp: datetime
    num_requests: Annotated[int, Meta(ge=0, le=MAX_REQUESTS)]
    source: str = ""
    error_rate: Share | None = None
    ood_rate: Share | None = None
    input_drift_score: Share | None = None
    latency_p50_ms: Amount | None = None
    latency_p95_ms: Amount | None = None
    latency_p99_ms: Amount | None = None
    requests_per_second: Amount | None = None
    gpu_memory_mb: Amount | None = None
    device: str | None = None

    @property
    def key(self) -> tuple[datetime, str]:
        """What makes two reports the same one, within a version."""
        return self.timestamp, self.source


def schema() -> dict[str, Any]:
    """What ``parse`` takes, as JSON Schema, apart from what depends on the clock and the path."""
    null = {"type": "null"}
    share = {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, null]}
    amount = {"anyOf": [{"type": "number", "minimum": 0, "maximum": LARGEST}, null]}
    text = {"type": "string", "pattern": f"^{characters.PRINTABLE}*$"}
    snapshot = {
        "type": "object",
        "properties": {
            "model_id": {"anyOf": [{"type": "string"}, null], "description": "That of the path."},
            "version": {"anyOf": [{"type": "string"}, null], "description": "That version's."},
            "timestamp": {"type": "string", "format": "date-time"},
            "num_requests": {"type": "integer", "minimum": 0, "maximum": MAX_REQUESTS},
            **dict.fromkeys(SHARES, share),
            **dict.fromkeys(AMOUNTS, amount),
            **{name: {"anyOf": [text | {"maxLength": most}, null]} for name, most in TEXTS.items()},
        },
        "required": ["timestamp", "num_requests"],
        "additionalProperties": False,
    }
    several = {"type": "array", "items": snapshot, "minItems": 1, "maxItems": MAX_SNAPSHOTS}
    return {"oneOf": [snapshot, several]}


def parse(
    body: Any, *, model_id: str, version: str, now: datetime, retention: timedelta
) -> list[Snapshot]:
    """One snapshot, or a list of them.

    Raises:
        InvalidInput: Any field of any of them is wrong; every wrong one is named.
        TooLarge: There are over 10,000.
    """
    rows = body if isinstance(body, list) else [body]
    if not rows:
        raise InvalidInput.of("", "Send at least one snapshot.")
    if len(rows) > MAX_SNAPSHOTS:
        raise TooLarge(f"{len(rows)} snapshots are too many; send at most {MAX_SNAPSHOTS} at once.")
    reader = _Reader({"model_id": model_id, "version": version}, now, retention)
    if (faultless := reader.read_all(rows)) is not None:
        return faultless
    prefixes = (f"/{index}" for index in range(len(rows))) if isinstance(body, list) else iter([""])
    found = [reader.read(row, prefix) for row, prefix in zip(rows, prefixes, strict=False)]
    if reader.errors:
        raise InvalidInput(reader.errors[:100])
    return [snapshot for snapshot in found if snapshot is not None]


class _Reader:
    """Reads rows one by one and gathers every error on the way."""

    def __init__(self, subject: Mapping[str, str], now: datetime, retention: timedelta) -> None:
        self.subject = subject
        self.latest = now + SKEW
        self.earliest = now - retention
        self.errors: list[FieldError] = []

    def read_all(self, rows: Sequence[Any]) -> list[Snapshot] | None:
        """All rows at once, six times as fast, where none has a fault; else None."""
        try:
            found = msgspec.convert([self._prepared(row) for row in rows], list[Snapshot])
        except (msgspec.ValidationError, TypeError, ValueError, OverflowError, LookupError):
            return None
        times = [snapshot.timestamp for snapshot in found]
        texts = {s.source for s in found} | {s.device or "" for s in found}
        longest = min(TEXTS.values())
        sound = (
            self.earliest <= min(times)
            and max(times) <= self.latest
            and all(len(text) <= longest and characters.is_printable(text) for text in texts)
        )
        return found if sound else None

    def _prepared(self, row: Any) -> dict[str, Any]:
        """The row without what the path says as well, its time read."""
        given: dict[str, Any] = {**row}
        for name, expected in self.subject.items():
            if given.pop(name, None) not in (None, expected):
                raise ValueError(name)
        if given.get("source", "") is None:
            del given["source"]
        at = datetime.fromisoformat(given["timestamp"])
        if at.tzinfo is None:
            raise ValueError("timestamp")
        given["timestamp"] = at.astimezone(UTC)
        return given

    def read(self, row: Any, prefix: str) -> Snapshot | None:
        if not isinstance(row, dict):
            self.errors.append(FieldError(prefix, "type", "Give an object."))
            return None
        before = len(self.errors)
        self.errors += [
            FieldError(f"{prefix}/{name}", code, detail) for name, code, detail in self._faults(row)
        ]
        return None if len(self.errors) > before else _snapshot(row)

    def _faults(self, row: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
        for name in row.keys() - set(FIELDS):
            yield name, "unknown-field", f"There is no such field; fields are {', '.join(FIELDS)}."
        for name, expected in self.subject.items():
            if row.get(name) not in (None, expected):
                yield name, "other-model", f"This path is for {expected!r}; leave the field out."
        yield from self._time_faults(row.get("timestamp"))
        yield from _count_faults(row.get("num_requests"))
        for name in SHARES:
            yield from _number_faults(name, row.get(name), 1.0, "Give a share from 0 to 1.")
        for name in AMOUNTS:
            yield from _number_faults(name, row.get(name), math.inf, "Give a number from 0 on.")
        for name, longest in TEXTS.items():
            yield from _text_faults(name, row.get(name), longest)

    def _time_faults(self, value: Any) -> Iterator[tuple[str, str, str]]:
        if value is None:
            yield "timestamp", "required", "Give the end of the interval, with its offset."
            return
        at = read_time(value)
        if at is None:
            yield "timestamp", "type", "Give a time like 2026-01-31T12:00:00Z."
        elif at.tzinfo is None:
            yield "timestamp", "naive-time", "Give the time with its offset, such as Z or +02:00."
        elif at > self.latest:
            yield "timestamp", "future", "This is over 60 s in the future; set the clock right."
        elif at < self.earliest:
            yield "timestamp", "too-old", "This is older than what is kept."


def read_time(value: Any) -> datetime | None:
    """The ISO 8601 time a string gives, in UTC if it has an offset; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        return found if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _count_faults(value: Any) -> Iterator[tuple[str, str, str]]:
    count = numbers.whole(value)
    if value is None:
        yield "num_requests", "required", "Give the number of requests."
    elif count is None:
        yield "num_requests", "type", "Give a whole number."
    elif not 0 <= count <= MAX_REQUESTS:
        yield "num_requests", "range", f"Give a whole number from 0 to {MAX_REQUESTS}."


def _number_faults(
    name: str, value: Any, most: float, remedy: str
) -> Iterator[tuple[str, str, str]]:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield name, "type", remedy
    elif not (0 <= value <= most and abs(value) <= LARGEST):
        yield name, "range", remedy


def _text_faults(name: str, value: Any, longest: int) -> Iterator[tuple[str, str, str]]:
    if value is None:
        return
    if not isinstance(value, str) or len(value) > longest or not characters.is_printable(value):
        yield name, "type", f"Give at most {longest} printable characters."


def _snapshot(row: Mapping[str, Any]) -> Snapshot:
    numbers = {name: None if row.get(name) is None else float(row[name]) for name in _NUMBERS}
    return Snapshot(
        timestamp=datetime.fromisoformat(row["timestamp"]).astimezone(UTC),
        num_requests=int(row["num_requests"]),
        source=row.get("source") or "",
        device=row.get("device"),
        **numbers,
    )


_NUMBERS: Sequence[str] = (*SHARES, *AMOUNTS)
