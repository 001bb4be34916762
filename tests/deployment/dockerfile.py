"""The Dockerfile, read: its stages, and what each step says."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
KNOWN = {
    "ARG", "CMD", "COPY", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "RUN", "USER", "WORKDIR",
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One instruction: its word, and what follows it on one line."""

    word: str
    text: str

    @property
    def words(self) -> list[str]:
        """What follows without the flags, as a shell would split it."""
        return [word for word in shlex.split(self.text) if not word.startswith("--")]

    @property
    def source(self) -> str | None:
        """The stage that a COPY takes from; None where that is the folder that is built."""
        flags = [word for word in shlex.split(self.text) if word.startswith("--from=")]
        return flags[0].removeprefix("--from=") if flags else None

    @property
    def command(self) -> list[str]:
        """The command of a CMD or HEALTHCHECK in JSON."""
        command: list[str] = json.loads(self.text[self.text.index("[") :])
        return command


@dataclass(frozen=True)
class Stage:
    """What one FROM begins."""

    name: str
    parent: str  # another stage, or an image
    steps: tuple[Step, ...]

    def last(self, word: str) -> Step:
        """The step that holds; a KeyError where there is none."""
        found = {step.word: step for step in self.steps}
        return found[word]


def stages(text: str) -> dict[str, Stage]:
    """The stages by their names, in order."""
    found: dict[str, Stage] = {}
    for step in steps(text):
        if step.word == "FROM":
            parent, _, name = step.text.partition(" AS ")
            found[name] = Stage(name, parent, ())
        else:
            name, begun = list(found.items())[-1]
            found[name] = Stage(name, begun.parent, (*begun.steps, step))
    return found


def steps(text: str) -> Iterator[Step]:
    """Each instruction, its continued lines joined and the comments left out."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        word, _, rest = line.partition(" ")
        if word not in KNOWN:
            raise ValueError(f"This reads no {word}: {line}")
        yield Step(word, rest)


def line(name: str) -> list[Stage]:
    """The stage and those it is built upon, the first one first."""
    stage = STAGES[name]
    return [*(line(stage.parent) if stage.parent in STAGES else []), stage]


def context() -> list[str]:
    """What .dockerignore lets through, by name: it excludes all and admits some."""
    first, *rest = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] != "#"
    ]
    if first != "*" or rest[-1] != "**/__pycache__":
        raise ValueError("This reads a .dockerignore that excludes all, then admits some.")
    return [line.removeprefix("!") for line in rest[:-1]]


STAGES = stages((ROOT / "Dockerfile").read_text())
