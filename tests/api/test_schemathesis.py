"""Schemathesis asks the running product what its document allows, and what it does not.

Not yet among the checks: positive_data_acceptance. A schema cannot say that a snapshot is of the
last days, that If-Match is the present revision or that two sizes are in order, and some bodies
are still described more widely than they are taken.
"""

from __future__ import annotations

import os
import subprocess
import sys

from tests.running import ROOT, Running

SECONDS = 45
SEED = os.environ.get("ASSAY_SCHEMATHESIS_SEED", "1")
EVERY_SCOPE = """
from registry import tokens
from registry.models import ApiToken
token = tokens.issue("everything", role="operator")
scopes = sorted({scope for scopes in tokens.SCOPES.values() for scope in scopes})
ApiToken.objects.filter(digest=tokens.digest_of(token)).update(scopes=scopes)
print(token)
"""


def test_nothing_it_asks_is_answered_otherwise_than_described(running: Running) -> None:
    token = running.manage("shell", "--no-imports", "-c", EVERY_SCOPE)

    asked = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{running.url}/api/schema/"),
            *("--checks", "all", "--exclude-checks", "positive_data_acceptance"),
            *("--phases", "fuzzing,stateful", "--max-examples", "8", "--seed", SEED),
            *("--max-time", str(SECONDS), "--continue-on-failure", "--warnings", "off"),
            # Through a proxy, as it were: this machine's own access without credentials is off.
            *("-H", f"Authorization: Bearer {token}", "-H", "Via: 1.1 test"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=4 * SECONDS,
        check=False,
    )

    assert asked.returncode == 0, asked.stdout[-10_000:] + asked.stderr[-2_000:]
    assert "generated" in asked.stdout
