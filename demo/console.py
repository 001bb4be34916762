"""What the newcomer reads: calm lines, aligned, in colour only where somebody watches."""

from __future__ import annotations

import re
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

WIDTH = 96
STYLE = {"bold": "1", "dim": "2", "good": "32", "bad": "31", "link": "36"}
INVISIBLE = re.compile(r"\x1b\[[0-9;]*[mK]")


class Console:
    """Prints the story to ``out``."""

    def __init__(self, out: TextIO, *, colour: bool | None = None) -> None:
        """Print to ``out``, in colour if it is a terminal or ``colour`` says so."""
        self._out = out
        self._watched = out.isatty()
        self._coloured = self._watched if colour is None else colour
        self._live = False

    def title(self, text: str) -> None:
        """The first line."""
        self._line(self._styled(text, "bold"))
        self._line()

    def chapter(self, letter: str, text: str) -> None:
        """A heading."""
        self._line()
        self._line(self._styled(f"{letter}  {text}", "bold"))

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Do something: the line stands while it is done and ends with how long it took."""
        begun = time.monotonic()
        if self._watched:
            self.live(text)
        yield
        self._line(_justified(f"  {text}", self._styled(seconds(time.monotonic() - begun), "dim")))

    def say(self, text: str) -> None:
        """Something that happened."""
        self._paragraph("  ", text)

    def detail(self, text: str) -> None:
        """More about the line before."""
        self._paragraph("     ", text)

    def bullet(self, text: str) -> None:
        """One of several things."""
        self._paragraph("     · ", text)

    def code(self, lines: Sequence[str]) -> None:
        """Lines that are printed as they are, however long."""
        for line in lines:
            self._line(f"     {line}")

    def as_told(self, text: str) -> None:
        """An answer that is what the story expects."""
        self._paragraph("   ✓ ", text, style="good")

    def not_as_told(self, text: str) -> None:
        """An answer that is not."""
        self._paragraph("   ✗ ", text, style="bad")

    def page(self, url: str, about: str = "") -> None:
        """The page to look at now."""
        shown = f"   → {self._styled(url, 'link')}"
        self._line(f"{shown}  {self._styled(about, 'dim')}" if about else shown)

    def figures(self, rows: list[tuple[str, str]]) -> None:
        """Names and values in two columns."""
        widest = max(len(name) for name, _ in rows)
        for name, value in rows:
            self._line(f"     {self._styled(name.ljust(widest), 'dim')}  {value}")

    def live(self, text: str) -> None:
        """What is going on right now, on a line that the next one replaces; for watchers only."""
        if self._watched:
            self._out.write(f"\r\x1b[K  {self._styled(text[: WIDTH - 2], 'dim')}")
            self._out.flush()
            self._live = True

    def _paragraph(self, mark: str, text: str, *, style: str = "") -> None:
        """Text that hangs from its mark, on as many lines as it takes."""
        wrapped = textwrap.wrap(
            text, WIDTH - len(mark), break_long_words=False, break_on_hyphens=False
        )
        first, *rest = wrapped or [""]
        self._line((self._styled(mark, style) if style else mark) + first)
        for line in rest:
            self._line(" " * len(mark) + line)

    def _line(self, text: str = "") -> None:
        if self._live:
            self._out.write("\r\x1b[K")
            self._live = False
        self._out.write(f"{text}\n")
        self._out.flush()

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{STYLE[style]}m{text}\x1b[0m" if self._coloured else text


def seconds(elapsed: float) -> str:
    """A duration as people say it."""
    if elapsed < 0.9995:
        return f"{1000 * elapsed:.0f} ms"
    return f"{elapsed:.1f} s" if elapsed < 60 else f"{elapsed // 60:.0f} min {elapsed % 60:.0f} s"


def _justified(left: str, right: str) -> str:
    """``right`` at the end of a line of WIDTH; escape codes take no room."""
    room = WIDTH - len(INVISIBLE.sub("", left)) - len(INVISIBLE.sub("", right))
    return left + " " * max(2, room) + right
