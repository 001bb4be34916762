"""Traffic documents as the broker holds them, so that polling them asks the database nothing.

A hint with a short life: beat renews what is current and replaces what is not, and where there is
none the database is asked. A document never takes the place of a newer one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import redis
from django.db import connection

from registry import broker

LASTS = 15_000  # ms; three sweeps
AT_ONCE = 500  # documents compared by one script

PUT = """
local plan, revision = unpack(redis.call('hmget', KEYS[1], 'plan', 'revision'))
plan, revision = tonumber(plan or 0), tonumber(revision or 0)
local newer = tonumber(ARGV[1]) > plan or tonumber(ARGV[2]) >= revision
if plan > tonumber(ARGV[1]) or not newer then return 0 end
redis.call('hset', KEYS[1], 'plan', ARGV[1], 'revision', ARGV[2], 'body', ARGV[3])
redis.call('pexpire', KEYS[1], ARGV[4])
return 1
"""
RENEW = """
local behind = {}
for i, key in ipairs(KEYS) do
  local held = redis.call('hmget', key, 'plan', 'revision')
  if held[1] == ARGV[2 * i] and held[2] == ARGV[2 * i + 1] then
    redis.call('pexpire', key, ARGV[1])
  else
    behind[#behind + 1] = ARGV[2 * i]
  end
end
return behind
"""


@dataclass(frozen=True, slots=True)
class Held:
    """One family's document, as it is sent."""

    plan: int  # pk
    revision: int
    body: bytes

    @property
    def etag(self) -> str:
        """Its tag: of the plan's row and how often that has changed."""
        return f'"{self.plan}-{self.revision}"'


@dataclass(frozen=True, slots=True)
class Current:
    """Which document of a family is the newest."""

    plan: int
    family: str
    revision: int


def read(family: str) -> Held | None:
    """What the broker holds; None inside a transaction, which may know better."""
    if connection.in_atomic_block:
        return None
    found: Any = broker.ask(lambda server: server.hmget(_key(family), "plan", "revision", "body"))
    if not found or None in found:
        return None
    plan, revision, body = found
    return Held(int(plan), int(revision), body)


def put(family: str, document: Held) -> None:
    """Give the broker what was just read, unless it has a newer one."""
    if not connection.in_atomic_block:
        broker.ask(_putting(family, document))


def announce(family: str, document: Held) -> None:
    """The same of what was just committed: everybody polls the broker, so it is told insistently."""
    if not connection.in_atomic_block:
        broker.tell(_putting(family, document))


def renew(current: Sequence[Current]) -> list[int]:
    """Let what is current live on; the plans of which the broker holds another or nothing.

    None at all while it is away.
    """
    behind: list[int] = []
    for start in range(0, len(current), AT_ONCE):
        some = current[start : start + AT_ONCE]
        keys = [_key(each.family) for each in some]
        revisions = [value for each in some for value in (each.plan, each.revision)]
        found = broker.tell(broker.script(RENEW, keys, [LASTS, *revisions]))
        if found is None:
            return []
        behind += [int(plan) for plan in found]
    return behind


def _putting(family: str, document: Held) -> Callable[[redis.Redis], Any]:
    arguments = [document.plan, document.revision, document.body, LASTS]
    return broker.script(PUT, [_key(family)], arguments)


def _key(family: str) -> str:
    return f"assay:traffic:{family}"
