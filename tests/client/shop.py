"""A project of its own to be inside of: its in-process door, without a server behind it."""

from __future__ import annotations

import threading
from collections.abc import Mapping


class Shop:
    """A project's in-process door: notes what it is asked and gives what the test wants."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str, Mapping[str, str], bytes | None, int]] = []
        self.answer: tuple[int, dict[str, str], bytes] = (200, {}, b"{}")

    def call(
        self, actor: str, method: str, path: str, headers: dict[str, str], body: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        self.asked.append((actor, method, path, headers, body, threading.get_ident()))
        return self.answer
