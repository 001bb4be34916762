"""The deployment's files, as other people's tools judge them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.deployment.dockerfile import ROOT

PROGRAMS = Path(sys.executable).parent
COMPOSE_LINT = ("compose-lint", "check", "--fail-on", "low", "--strict-config", "--no-env")


@pytest.mark.parametrize(
    "command",
    [
        ("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"),
        (*COMPOSE_LINT, "docker-compose.yml"),
        ("hadolint", "--failure-threshold", "style", "Dockerfile"),
    ],
    ids=lambda command: command[0],
)
def test_a_tool_finds_nothing(command: tuple[str, ...]) -> None:
    done = judged(*command)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("command", "file", "good", "bad"),
    [
        (
            ("check-jsonschema", "--builtin-schema", "vendor.compose-spec"),
            *("docker-compose.yml", "read_only: true", "read_only: {}"),
        ),
        (COMPOSE_LINT, "docker-compose.yml", '"127.0.0.1:${ASSAY_PORT', '"${ASSAY_PORT'),
        (("hadolint",), "Dockerfile", "python:3.11.15-slim-bookworm", "python:latest"),
    ],
    ids=["check-jsonschema", "compose-lint", "hadolint"],
)
def test_a_tool_finds_what_is_wrong(
    tmp_path: Path, command: tuple[str, ...], file: str, good: str, bad: str
) -> None:
    text = (ROOT / file).read_text()
    broken = tmp_path / file
    broken.write_text(text.replace(good, bad, 1))

    assert broken.read_text() != text
    assert judged(*command, str(broken)).returncode != 0


def judged(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROGRAMS / program), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
