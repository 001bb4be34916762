"""Chapter A before a prompter: the story stops wherever the registry answers otherwise."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from demo import census, gate, reviewing, sources
from demo.census import Census
from demo.story import NotAsTold
from tests.demo.conftest import made_up_people
from tests.demo.rehearsal import Prompter, rehearse

BIAS_FAILS = "Measured bias fails: RAC1P 9 is predicted “employed” at 0.691 times the rate."


@pytest.fixture
def signed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str | None]]:
    """Who signed what, with small years of people to train on and a registry to tell it to."""
    signatures: list[tuple[str, str, str | None]] = []

    def read(folder: Path, year: int) -> Census:
        return made_up_people(1500, year=year)

    def sign(cast: object, reviewer: object, model_id: str, *, scope: str | None = None) -> None:
        signatures.append((str(getattr(reviewer, "username", "")), model_id, scope))

    monkeypatch.setattr(census, "read", read)
    monkeypatch.setattr(reviewing, "sign", sign)
    monkeypatch.setattr(sources, "folder", lambda source: Path())
    return signatures


def tell(prompter: Prompter, home: Path, *, shuffle: bool = False) -> str:
    out = io.StringIO()
    with gate.told(rehearse(prompter, home, out), shuffle=shuffle):
        pass
    return out.getvalue()


@pytest.mark.usefixtures("signed")
@pytest.mark.parametrize("verdict", ["pass", "unknown"])
def test_a_first_version_without_measured_bias_ends_the_story(tmp_path: Path, verdict: str) -> None:
    prompter = Prompter(verdicts={"employment_v1": verdict})

    with pytest.raises(NotAsTold, match=f"employment_v1 was to fail .*, and is {verdict}"):
        tell(prompter, tmp_path)


@pytest.mark.usefixtures("signed")
def test_a_gate_that_opens_for_it_ends_the_story(tmp_path: Path) -> None:
    prompter = Prompter(verdicts={"employment_v1": "fail"})

    with pytest.raises(NotAsTold, match=r"was to be refused for measured bias; blockers: \[\]"):
        tell(prompter, tmp_path)


@pytest.mark.usefixtures("signed")
def test_a_refusal_for_missing_signatures_alone_is_not_enough(tmp_path: Path) -> None:
    missing = {"employment_v1": ["0 of 2 signatures for canary."]}
    prompter = Prompter(verdicts={"employment_v1": "fail"}, blockers=missing)

    with pytest.raises(NotAsTold, match="was to be refused for measured bias"):
        tell(prompter, tmp_path)


@pytest.mark.parametrize("verdict", ["fail", "unknown"])
def test_a_mitigation_that_does_not_pass_ends_the_story_unsigned(
    tmp_path: Path, signed: list[tuple[str, str, str | None]], verdict: str
) -> None:
    prompter = Prompter(
        verdicts={"employment_v1": "fail", "employment_v2": verdict},
        blockers={"employment_v1": [BIAS_FAILS]},
    )

    with pytest.raises(NotAsTold, match=f"employment_v2 was to pass, and is {verdict}"):
        tell(prompter, tmp_path)

    assert signed == []


def test_with_shuffled_groups_two_people_sign_and_the_gate_opens(
    tmp_path: Path, signed: list[tuple[str, str, str | None]]
) -> None:
    told = tell(Prompter(verdicts={"employment_v1": "pass"}), tmp_path, shuffle=True)

    assert signed == [
        ("ruth", "employment_v1", "canary"),
        ("omar", "employment_v1", "canary"),
        ("ruth", "employment_v1", "production"),
        ("omar", "employment_v1", "production"),
    ]
    assert "employment_v1 is in canary, at 10 %" in told


@pytest.mark.usefixtures("signed")
def test_shuffled_groups_that_still_fail_end_the_story(tmp_path: Path) -> None:
    with pytest.raises(NotAsTold, match="With shuffled groups bias of employment_v1 was to pass"):
        tell(Prompter(verdicts={"employment_v1": "fail"}), tmp_path, shuffle=True)


@pytest.mark.usefixtures("signed")
def test_shuffled_groups_before_a_gate_that_stays_shut_end_the_story(tmp_path: Path) -> None:
    prompter = Prompter(
        verdicts={"employment_v1": "pass"}, blockers={"employment_v1": ["1 of 2 signatures."]}
    )

    with pytest.raises(NotAsTold, match="was to open; blockers"):
        tell(prompter, tmp_path, shuffle=True)


@pytest.mark.usefixtures("signed")
def test_groups_that_gate_are_shown_the_worst_first(tmp_path: Path) -> None:
    told = tell(Prompter(verdicts={"employment_v1": "pass"}), tmp_path, shuffle=True)

    shown = [
        line.split("  ")[0] for line in map(str.strip, told.splitlines()) if "best rate" in line
    ]
    assert shown == ["Two or more races", "Black or African American alone"]


@pytest.mark.usefixtures("signed")
def test_each_act_is_done_by_the_person_whose_role_it_is(tmp_path: Path) -> None:
    prompter = Prompter(verdicts={"employment_v1": "pass"})

    tell(prompter, tmp_path, shuffle=True)

    acts = {
        (person, path.split("/")[-1]) for person, method, path in prompter.asked if method != "GET"
    }
    assert acts == {
        ("ada", "employment_2016_shuffled_0"),
        ("ada", "models"),
        ("ada", "artifact"),
        ("ada", "deployment"),
        ("ada", "evaluations"),
        ("max", "deployment"),
    }
