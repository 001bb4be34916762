"""Schemathesis asks the running product what its document allows, and what it does not.

All its checks are on. What no schema can say is in schemathesis.toml, with the reason.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config import openapi
from tests.running import ROOT, Running

SECONDS = 240  # at most; on two idle cores it takes about 60
SEED = os.environ.get("ASSAY_SCHEMATHESIS_SEED", "1")
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
EXPECTED_ANYWHERE = {"2xx", "3xx", "401", "403", "404", "409", "429"}
EVERY_SCOPE = """
from registry import tokens
from registry.models import ApiToken
token = tokens.issue("everything", role="operator")
scopes = sorted({scope for scopes in tokens.SCOPES.values() for scope in scopes})
ApiToken.objects.filter(digest=tokens.digest_of(token)).update(scopes=scopes)
print(token)
"""


SOAK = pytest.mark.skipif("ASSAY_SOAK" not in os.environ, reason="takes minutes: set ASSAY_SOAK=1")


@pytest.mark.parametrize(
    ("phases", "examples", "enough"),
    [
        ("examples,fuzzing", 8, 500),  # examples of each operation
        pytest.param("coverage", 1, 2000, marks=SOAK),  # every bound of every field
        ("stateful", 30, 100),  # walks from answer to answer
    ],
)
def test_nothing_it_asks_is_answered_otherwise_than_described(
    running: Running, tmp_path: Path, phases: str, examples: int, enough: int
) -> None:
    token = running.manage("shell", "--no-imports", "-c", EVERY_SCOPE)

    asked = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION)),
            *("run", f"{running.url}/api/schema/", "--checks", "all"),
            *("--phases", phases, "--max-examples", str(examples), "--seed", SEED),
            *("--continue-on-failure", "--warnings", "off"),
            *("--report", "ndjson", "--report-ndjson-path", str(tmp_path / "asked.ndjson")),
            # Through a proxy, as it were: this machine's own access without credentials is off.
            *("-H", f"Authorization: Bearer {token}", "-H", "Via: 1.1 test"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert asked.returncode == 0, asked.stdout[-10_000:] + asked.stderr[-2_000:]
    cases = cases_by_phase(tmp_path / "asked.ndjson")
    assert sum(cases.values()) >= enough, cases
    assert all(cases[phase] for phase in phases.split(",") if phase != "examples"), cases


def test_each_exception_is_for_operations_that_are_described_to_refuse_so() -> None:
    described = {
        operation["operationId"]: set(operation["responses"])
        for methods in openapi.document()["paths"].values()
        for operation in methods.values()
    }

    for names, statuses in exceptions():
        for name in names:
            assert statuses <= described[name], f"{name} does not refuse with all of {statuses}"


def exceptions() -> Iterator[tuple[list[str], set[str]]]:
    """Which operations may refuse with which further statuses."""
    for entry in tomllib.loads(CONFIGURATION.read_text())["operations"]:
        names = entry["include-operation-id"]
        check = entry["checks"]["positive_data_acceptance"]
        further = set(check["expected-statuses"]) - EXPECTED_ANYWHERE
        yield [names] if isinstance(names, str) else names, further


def cases_by_phase(report: Path) -> dict[str, int]:
    """How many requests each phase made."""
    found: dict[str, int] = {}
    for line in report.read_text().splitlines():
        done: dict[str, Any] = json.loads(line).get("ScenarioFinished", {})
        if done:
            made = len(done["recorder"].get("cases", {}))
            found[done["phase"]] = found.get(done["phase"], 0) + made
    return found
