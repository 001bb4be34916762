"""The serving job of docs/how-to-serve.md, as it stands there, beside the running product."""

from __future__ import annotations

import importlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assay import Registry, Unavailable
from assay.over_http import HttpTransport
from assay.session import Session
from tests import markdown
from tests.docs.workshop import Workshop
from tests.flows import files
from tests.people import People, eventually
from tests.running import ROOT, free_port

BLOCKS = markdown.blocks((ROOT / "docs" / "how-to-serve.md").read_text(encoding="utf-8"))
FAMILY = "Card Fraud"
USERS = 3_000

Job = Any  # the page's own class
Model = Callable[[list[float]], str]


@pytest.fixture
def model_id(people: People) -> str:
    """A canary with an artifact, for three users in ten."""
    found = people.register(FAMILY)
    people.upload(f"models/{found}/artifact", files.model())
    people.move(found, "sandbox")
    people.review(found)
    people.move(found, "canary", canary_percentage=30)
    return found


@pytest.fixture
def page(
    people: People, model_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """The module serving.job, with the address and the token of a job of the page's."""
    workshop = Workshop(tmp_path, people.running)
    for block in BLOCKS:
        workshop.do(block)
    monkeypatch.setenv("ASSAY_URL", people.running.url)
    monkeypatch.setenv("ASSAY_TOKEN", workshop.said)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("serving.job")
    for name in ("serving.job", "serving.reports", "serving"):
        sys.modules.pop(name)


def loading(model: Model) -> Callable[[Path], Model]:
    """A way to load that looks at the file and gives ``model``."""

    def load(place: Path) -> Model:
        assert place.read_bytes() == files.model()
        return model

    return load


def says_yes(features: list[float]) -> str:
    return "yes"


def breaks(features: list[float]) -> str:
    raise ZeroDivisionError


def answers(job: Job) -> Counter[str]:
    """What the users get."""
    return Counter(job.answer(f"user-{number}", [0.0, 1.0]) for number in range(USERS))


def reported(people: People, model_id: str) -> int:
    """Requests of a version that the registry knows of."""
    check = people.ask("tom", "GET", f"models/{model_id}/rollback-check")
    found: int = max(trigger["requests"] for trigger in check["triggers"])
    return found


def test_the_job_serves_and_reports_also_without_the_registry(
    people: People, page: Any, model_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = page.Job(loading(says_yes), replica="one")
    there = answers(job)
    job.close()
    assert there["yes"] + there[page.FALLBACK] == USERS
    assert reported(people, model_id) == there["yes"] > 0

    monkeypatch.setenv("ASSAY_URL", f"http://localhost:{free_port()}")
    monkeypatch.setenv("ASSAY_TIMEOUT", "1")
    begun_without = page.Job(loading(says_yes), replica="two")
    assert answers(begun_without) == there
    begun_without.close()
    assert isinstance(begun_without.router.problem, Unavailable)
    assert sum(one.num_requests for one in begun_without.reports.waiting) == there["yes"]

    begun_without.reports.registry = job.registry
    begun_without.reports.send()
    assert begun_without.reports.waiting == []
    assert reported(people, model_id) == 2 * there["yes"]


def test_a_model_that_breaks_is_rolled_back_and_the_fallback_answers(
    people: People, page: Any, model_id: str
) -> None:
    job = page.Job(loading(breaks), replica="one")
    mine = next(
        f"user-{number}"
        for number in range(USERS)
        if (target := job.router.route(f"user-{number}")) and target.model_id == model_id
    )
    for _ in range(100):
        with pytest.raises(ZeroDivisionError):
            job.answer(mine, [0.0, 1.0])

    why = people.rolled_back(model_id)

    assert why["reasons"] == ["error rate 100 % > 5 % over 100 requests"]
    assert eventually(lambda: job.router.route(mine) is None)
    assert job.answer(mine, [0.0, 1.0]) == page.FALLBACK
    job.close()


def test_the_token_is_good_for_one_model(people: People, page: Any) -> None:
    other = people.in_canary()
    report = {"model_id": other, "timestamp": "2026-01-31T12:00:00Z", "num_requests": 1}
    token = page.get_registry().session.transport.token

    status, refusal = people.running.call(
        "POST", f"models/{other}/performance", report, token=token
    )

    assert (status, "Card Fraud" in str(refusal)) == (403, True)
    assert Registry(Session(HttpTransport(people.running.url, token))).list_models()
