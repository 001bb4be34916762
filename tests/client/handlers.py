"""Handlers as a subscriber writes them: functions of a module."""

from __future__ import annotations

import asyncio

from assay import Event

HERE = __name__

handled: list[Event] = []


def on_rollback(event: Event) -> None:
    handled.append(event)


async def on_rollback_async(event: Event) -> None:
    await asyncio.sleep(0)
    handled.append(event)
