"""The command that runs scenarios, as a person runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import ROOT

SETTINGS = ("DJANGO_SETTINGS_MODULE", "ASSAY_HOME")  # the tests' own
FORMAT = Path(__file__).parent / "format.yaml"
COMMANDED = """
scenarios:
- id: as_it_is
  until: 30
  versions: {v1: {stage: production}}
  series: [{version: v1, from: 10, to: 20, errors: {value: .nan}, id: garbage}]
  expect: {rollback: [], final: {v1: production}, http: {garbage: 400}}
- id: otherwise
  until: 60
  rule: threshold
  versions: {v1: {stage: production}, v2: {stage: canary, weight: 25, previous: v1}}
  series: [{version: v2, from: 10, to: 20, errors: {rate: 0.06}, id: fine}]
  expect:
    rollback: [{version: v2, between: [60, 60], restores: null, reason: ood_rate}]
    final: {v2: canary}
    weight: {v1: 75}
    verdict_at: {30: {v2: ok}}
    never: [rollback_v2]
    incident: {v1: no_data, by: 60}
    http: {fine: 400}
- id: not_asked_for
  until: 30
  versions: {v1: {stage: production}}
  expect: {final: {v1: canary}}
- id: impossible
  until: 30
  versions: {v1: {stage: canary, weight: 60}, v2: {stage: canary, weight: 60}}
  expect: {}
- id: misspelt
  until: 30
  versions: {v1: {stage: production, weigth: 3}}
  expect: {}
"""
SAID = """as_it_is passed
otherwise failed:
  v2 was rolled back at 30, not between 60 and 60.
  v2 gave way to v1, not to None.
  v2 was rolled back for error_rate, not for ood_rate.
  v2 ended in rollback, not in canary.
  v1 ended with 100 % of traffic, not with 75 %.
  the verdict on v2 at 30 was rollback, not ok.
  rollback_v2 happened at 30; it must never.
  no incident no_data of v1 was opened.
  uploads of fine were answered 201, not 400.
impossible failed:
  its versions cannot be where it says: /canary_percentage: The family's canaries must stay below 100 % together: at most 39.99 % is free.
misspelt failed:
  {file}: misspelt.versions.v1: there is no field weigth.
1 passed, 3 failed
"""


def test_the_command_says_what_differs_of_what_is_asked_for_and_fails(tmp_path: Path) -> None:
    file = tmp_path / "stories.yaml"
    file.write_text(COMMANDED)

    done = run(str(file), "as_it_is", "otherwise", "impossible", "misspelt")

    assert done.stdout == SAID.replace("{file}", str(file))
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.yaml"], "No such file"),
        ([str(FORMAT), "X99"], "There is no scenario X99; there are X01_sick_canary"),
    ],
)
def test_the_command_starts_nothing_for_what_is_not_there(arguments: list[str], said: str) -> None:
    done = run(*arguments)

    assert said in done.stderr
    assert done.returncode == 1


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, as a person runs it."""
    return subprocess.run(
        [sys.executable, "manage.py", "run_scenarios", *arguments],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in SETTINGS},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
