"""The check, the principle and the condition of docs/how-to-write-a-check.md do what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import User
from django.utils import timezone

from governance import checks, conditions, constitution, gates
from governance.checks import Facts
from governance.console.dossier import dossier
from monitoring.models import Evaluation
from registry.models import DeploymentStage, ModelVersion
from tests import markdown
from tests.governance.makers import settle_both
from tests.governance.results import results
from tests.governance.test_conditions import OPEN
from tests.running import ROOT

PAGE = ROOT / "docs" / "how-to-write-a-check.md"
CHECK, PRINCIPLE, CONDITION = markdown.blocks(PAGE.read_text(encoding="utf-8"))


def defined(block: markdown.Block, module: Any, name: str) -> Callable[..., Any]:
    """What a block defines, as if it stood in the module it names."""
    assert block.text.startswith(f"# {module.__name__.replace('.', '/')}.py\n")
    names = dict(vars(module))
    eval(compile(block.text, PAGE.name, "exec"), names)
    found: Callable[..., Any] = names[name]
    return found


calibrated = defined(CHECK, checks, "calibrated")
in_office_hours = defined(CONDITION, conditions, "in_office_hours")


def measured(error: float | None) -> dict[str, Any]:
    """Results with this calibration error."""
    return results(metrics={"figures": {"ece": error}})


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Put the check and the principle in force, as version 2."""
    document = yaml.safe_load(constitution.FILE.read_text())
    document["constitution"]["principles"] += yaml.safe_load(PRINCIPLE.text)
    document["constitution"]["version"] = "2"

    def enact() -> None:
        monkeypatch.setitem(checks.CHECKS, "calibrated", calibrated)
        found = constitution.parse(yaml.safe_dump(document))
        monkeypatch.setattr(constitution, "current", lambda: found)

    return enact


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        (Facts(), "unknown"),
        (Facts(results=measured(None)), "unknown"),
        (Facts(results=measured(0.05)), "pass"),
        (Facts(results=measured(0.051)), "fail"),
    ],
)
def test_the_check_judges_what_was_measured(facts: Facts, verdict: str) -> None:
    assert calibrated(facts).verdict == verdict


@pytest.mark.django_db
@pytest.mark.parametrize(("error", "asks"), [(0.02, False), (0.2, True)])
def test_the_principle_asks_a_person_only_where_the_check_does_not_pass(
    version: ModelVersion,
    ada: User,
    evaluate: Callable[..., Evaluation],
    second: Callable[[], None],
    error: float,
    asks: bool,
) -> None:
    second()
    evaluate(version, results=measured(error))

    compliance, _ = dossier(version, ada, now=timezone.now()).ticks

    assert ("calibration" in [principle.id for principle in compliance.asks]) == asks
    assert ("calibration" in [principle.id for principle in compliance.passes]) != asks


@pytest.mark.django_db
def test_a_check_that_fails_does_not_close_a_gate_by_itself(
    version: ModelVersion,
    ada: User,
    evaluate: Callable[..., Evaluation],
    second: Callable[[], None],
) -> None:
    second()
    evaluate(version, results=measured(0.2))

    settle_both(version, ada)

    assert gates.blockers(version, DeploymentStage.CANARY, now=timezone.now()) == []


@pytest.mark.django_db
def test_what_was_approved_under_the_former_version_opens_no_gate(
    version: ModelVersion, ada: User, second: Callable[[], None]
) -> None:
    settle_both(version, ada)
    assert gates.blockers(version, DeploymentStage.CANARY, now=timezone.now()) == []

    second()

    blockers = gates.blockers(version, DeploymentStage.CANARY, now=timezone.now())
    assert len(blockers) == 3
    assert all("constitution" in blocker for blocker in blockers)


@pytest.mark.parametrize(
    ("stage", "now", "open_"),
    [
        ("production", datetime(2026, 1, 30, 8, 0, tzinfo=UTC), True),  # a Friday
        ("production", datetime(2026, 1, 30, 16, 0, tzinfo=UTC), False),
        ("production", datetime(2026, 1, 31, 12, 0, tzinfo=UTC), False),
        ("canary", datetime(2026, 1, 31, 12, 0, tzinfo=UTC), True),
    ],
)
def test_the_condition_closes_production_out_of_hours(
    monkeypatch: pytest.MonkeyPatch, stage: str, now: datetime, open_: bool
) -> None:
    monkeypatch.setattr(conditions, "CONDITIONS", (*conditions.CONDITIONS, in_office_hours))

    blockers = conditions.blockers(replace(OPEN, stage=stage, now=now))

    assert (blockers == []) == open_
    assert open_ or blockers[-1].startswith("Production is entered Monday to Friday")
