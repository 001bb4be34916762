"""docker-compose.yml, read as Compose reads it where nothing is set in the environment."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tests.deployment.dockerfile import ROOT, STAGES, line

FILE = ROOT / "docker-compose.yml"
DEFAULT = re.compile(r"\$\{(\w+):-([^${}]*)\}")


def services() -> dict[str, dict[str, Any]]:
    """Each service by its name."""
    found: dict[str, dict[str, Any]] = document()["services"]
    return found


def ours() -> dict[str, dict[str, Any]]:
    """The services that run our own images."""
    return {name: service for name, service in services().items() if "build" in service}


def document() -> dict[str, Any]:
    """The whole file, with the defaults filled in."""
    found: dict[str, Any] = yaml.safe_load(interpolated(FILE.read_text()))
    return found


def interpolated(text: str) -> str:
    """``${NAME:-default}`` becomes the default, the innermost first; ``$$`` stays for the shell."""
    while DEFAULT.search(text):
        text = DEFAULT.sub(r"\2", text)
    if "${" in text:
        raise ValueError("A variable without a default: Compose would fill in nothing.")
    return text


def target(service: dict[str, Any]) -> str:
    """The stage of the Dockerfile that the service runs."""
    return str(service["build"]["target"])


def command(service: dict[str, Any]) -> list[str]:
    """What the service runs, as its container gets it: its own words, else the image's."""
    if "command" not in service:
        return STAGES[target(service)].last("CMD").command
    return [str(word).replace("$$", "$") for word in service["command"]]


def healthcheck(service: dict[str, Any]) -> list[str]:
    """The command of its health check."""
    kind, *words = service["healthcheck"]["test"]
    words = [word.replace("$$", "$") for word in words]
    return ["sh", "-c", *words] if kind == "CMD-SHELL" else words


def queues(service: dict[str, Any]) -> list[str]:
    """The queues that the service's worker takes from; none where it is no worker."""
    words = command(service)
    if words[-1] == "gpu_workers":
        return ["gpu"]
    return words[words.index("-Q") + 1].split(",") if "-Q" in words else []


def requirements(stage: str) -> set[str]:
    """The requirements files that are installed on the way to a stage, and those they name."""
    sources = {step.source for step in line(stage)[-1].steps if step.source}
    lines = [below for name in {stage, *sources} for below in line(name)]
    found = {
        name
        for below in lines
        for step in below.steps
        for name in re.findall(r"--requirement (\S+)", step.text)
    }
    return found | {f"requirements/{name}" for file in found for name in _named(ROOT / file)}


def _named(file: Path) -> list[str]:
    return re.findall(r"^-r (\S+)", file.read_text(), re.MULTILINE)
