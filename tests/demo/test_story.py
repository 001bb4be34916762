"""What chapters share, over a transport whose answers the test decides."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from assay import Registry
from assay.session import Session
from assay.transport import Request, Response
from demo import story as telling
from demo.console import Console
from demo.installation import Installation
from demo.people import ADA, EVERYBODY, Cast
from demo.story import Family, NotAsTold, Story

FAMILY = Family("Employment", "employment", "labour", ADA, "high")


class Answers:
    """A transport that gives the same answers in turn, the last one for ever."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)

    def exchange(self, request: Request, into: object = None) -> Response:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return Response(200, {}, json.dumps(answer).encode())

    def release(self) -> None:
        pass


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def story(out: io.StringIO, tmp_path: Path) -> Story:
    tokens = {person: f"assay_{person.username}" for person in EVERYBODY}
    return Story(Console(out), Cast(Installation(tmp_path, 8123), tokens, {}), tmp_path, seed=0)


def entry(name: str, number: int) -> dict[str, Any]:
    return {
        "model_id": f"{name}_{number}".lower(),
        "name": name,
        "version": f"{number}.0.0",
        "framework": "pytorch",
        "model_type": "classification",
        "owner": "ada",
        "team": "labour",
        "number": number,
    }


def check(verdict: str, requests: int) -> dict[str, Any]:
    reasons = ["error rate 9 % > 5 %"] if verdict == "rollback" else []
    triggers = [{"metric": "error_rate", "requests": requests, "reason": ""}]
    return {
        "model_id": "v1",
        "should_rollback": verdict == "rollback",
        "reasons": reasons,
        "verdict": verdict,
        "window_minutes": 10,
        "triggers": triggers,
    }


def registry(*answers: dict[str, Any]) -> Registry:
    return Registry(Session(Answers(*answers)))


def test_the_first_version_is_number_one() -> None:
    assert telling.next_number(registry({"models": [], "next": None}), FAMILY) == 1


def test_a_second_telling_goes_on_where_the_first_ended() -> None:
    known = [entry("Employment", 2), entry("Employment", 1), entry("Employment, replayed", 7)]

    assert telling.next_number(registry({"models": known, "next": None}), FAMILY) == 3


def test_proof_is_awaited_until_the_canary_is_ok(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "ASK_EVERY", 0.0)
    asked = registry(check("no_data", 0), check("watch", 40), check("ok", 140))

    assert telling.await_proof(story, asked, "v1") == 140


def test_a_canary_that_fails_is_told_at_once(story: Story) -> None:
    with pytest.raises(NotAsTold, match="v1 is rollback, not ok: error rate 9 % > 5 %"):
        telling.await_proof(story, registry(check("rollback", 200)), "v1")


def test_a_canary_without_data_is_not_awaited_for_ever(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "PROVEN_WITHIN", 0.1)
    monkeypatch.setattr(telling, "ASK_EVERY", 0.05)

    with pytest.raises(NotAsTold, match="v1 is no_data, not ok: no reason given"):
        telling.await_proof(story, registry(check("no_data", 0)), "v1")


def test_what_holds_is_printed(story: Story, out: io.StringIO) -> None:
    story.expect(True, "it held", "it did not")

    assert out.getvalue() == "   ✓ it held\n"


def test_what_does_not_hold_ends_the_story(story: Story, out: io.StringIO) -> None:
    with pytest.raises(NotAsTold, match="it did not"):
        story.expect(False, "it held", "it did not")

    assert out.getvalue() == ""


def test_pages_are_named_with_their_address(story: Story, out: io.StringIO) -> None:
    story.model_page("employment_v1", "look")

    assert out.getvalue() == "   → http://localhost:8123/models/employment_v1/  look\n"


class Issuing(Installation):
    """An installation whose tokens say what they were asked for."""

    def run(self, *arguments: str) -> str:
        asked = json.loads(arguments[-1])
        return json.dumps({"tokens": {name: " ".join(a) for name, a in asked["tokens"].items()}})


def test_each_model_is_served_with_a_token_of_its_own(tmp_path: Path) -> None:
    cast = Cast(Issuing(tmp_path, 8123), {}, {})

    environments = [cast.gateway(model) for model in ("Flight delay", "Employment")]

    assert [environment["ASSAY_TOKEN"] for environment in environments] == [
        "serving --family Flight delay",
        "serving --family Employment",
    ]
    assert {environment["ASSAY_URL"] for environment in environments} == {"http://localhost:8123"}
