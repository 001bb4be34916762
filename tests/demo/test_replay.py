from __future__ import annotations

import io
from pathlib import Path

import pytest

from demo import replay
from demo.lines import Status
from demo.story import NotAsTold
from tests.demo.rehearsal import Prompter, rehearse

SERVED = Status(
    data_time="2013-04-01T00:00:00+00:00",
    waiting=True,
    shares={1: {"v1": 78_000}},
    highest_drift={"v1": 0.304},
)


def hold(tmp_path: Path, *, stage: str, verdict: str, incidents: list[str]) -> str:
    prompter = Prompter(stages={"v1": stage}, triggers={"v1": verdict}, incidents=incidents)
    out = io.StringIO()
    replay.hold_quiet(rehearse(prompter, tmp_path, out), {"v1": SERVED})
    return out.getvalue()


def test_a_quiet_replay_is_told_with_its_figures(tmp_path: Path) -> None:
    told = hold(tmp_path, stage="production", verdict="ok", incidents=[])

    assert "v1  ok after 78,000 requests, highest drift 0.304" in told
    assert "✓ 0 rollbacks, 0 incidents" in told


def test_incidents_of_other_models_are_theirs(tmp_path: Path) -> None:
    told = hold(tmp_path, stage="production", verdict="ok", incidents=["somebody_else"])

    assert "0 incidents" in told


@pytest.mark.parametrize(
    ("stage", "verdict", "incidents", "said"),
    [
        ("rollback", "ok", [], "1 rollbacks, 0 incidents"),
        ("production", "ok", ["v1"], "0 rollbacks, 1 incidents"),
        ("production", "watch", [], "0 rollbacks, 0 incidents, where nothing was wrong: .*watch"),
        ("production", "no_data", [], "no_data"),
    ],
)
def test_anything_that_happens_is_not_as_told(
    tmp_path: Path, stage: str, verdict: str, incidents: list[str], said: str
) -> None:
    with pytest.raises(NotAsTold, match=said):
        hold(tmp_path, stage=stage, verdict=verdict, incidents=incidents)
