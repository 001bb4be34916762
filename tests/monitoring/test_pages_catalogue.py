"""The list of models: every filter, pages by key, and a number of queries that does not grow."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from monitoring import incidents as incident_verbs
from monitoring import verdicts
from monitoring.assessments import Judged
from monitoring.models import IncidentKind, RollbackPolicy, Severity
from monitoring.pages import catalogue, paging
from monitoring.pages.catalogue import Filters
from monitoring.triggers import Assessment, Verdict, Window
from monitoring.windows import Measured
from registry.errors import InvalidInput
from registry.models import ModelVersion
from tests.conftest import NOW

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db


def listed(query: str = "", before: str = "") -> list[str]:
    """The model ids on a page."""
    found = catalogue.read(Filters.of(QueryDict(query)), before=before)
    return [row.version.model_id for row in found.rows]


def queries() -> int:
    """How many queries the list takes."""
    with CaptureQueriesContext(connection) as captured:
        catalogue.read(Filters(), before="")
    return len(captured)


@pytest.fixture
def three(make_version: Maker) -> None:
    ranker = {"model_id": "ranker", "name": "Ranker", "framework": "pytorch", "team": "search"}
    said = {"owner": "ada", "description": "Orders help articles"}
    make_version("production", **ranker, **said, tags={"nlp": "", "lang": "de"})
    make_version("canary", model_id="scorer", name="Scorer", tags={"nlp": ""})
    make_version(model_id="draft", name="Scorer", version="9.0.0")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["draft", "scorer", "ranker"]),
        ("stage=canary", ["scorer"]),
        ("framework=pytorch", ["ranker"]),
        ("team=fraud_prevention", ["draft", "scorer"]),
        ("owner=ada", ["ranker"]),
        ("tags=nlp", ["scorer", "ranker"]),
        ("tags=nlp,lang", ["ranker"]),
        ("tags=nlp, lang:de", ["ranker"]),
        ("tags=nlp,lang:fr", []),
        ("q=help+art", ["ranker"]),
        ("q=Scorer", ["draft", "scorer"]),
        ("q=nothing", []),
        ("stage=canary&team=search", []),
        ("stage=&q=&tags=", ["draft", "scorer", "ranker"]),
        ("unknown=1", ["draft", "scorer", "ranker"]),
    ],
)
def test_the_list_shows_what_passes_every_filter(three: None, query: str, found: list[str]) -> None:
    assert listed(query) == found


def test_an_unknown_stage_is_named() -> None:
    with pytest.raises(InvalidInput, match="Stages are development"):
        Filters.of(QueryDict("stage=live"))


def test_the_address_of_a_filter_leaves_out_what_asks_for_nothing() -> None:
    filters = Filters.of(QueryDict("q=&stage=canary&team=&tags=nlp,lang:de"))

    assert filters.query == "stage=canary&tags=nlp%2Clang%3Ade"
    assert filters
    assert not Filters.of(QueryDict("q=%00"))


def test_pages_follow_each_other_without_gap_or_repeat(
    make_version: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [make_version().model_id for _ in range(5)]
    monkeypatch.setattr(paging.page, "__kwdefaults__", {"size": 2})

    seen: list[str] = []
    before: int | None = None
    for _ in range(3):
        page = catalogue.read(Filters(), before=str(before or ""))
        seen += [row.version.model_id for row in page.rows]
        before = page.page.older

    assert seen == made[::-1]
    assert before is None


@pytest.mark.parametrize("before", ["x", "-1", "1.5", "٣", str(2**63)])
def test_a_page_that_was_never_linked_is_refused(before: str) -> None:
    with pytest.raises(InvalidInput):
        listed(before=before)


def test_a_serving_version_shows_its_last_verdict_and_others_none(make_version: Maker) -> None:
    canary, sandbox = make_version("canary"), make_version("sandbox")
    for verdict in (Verdict.OK, Verdict.WATCH):
        found = Assessment(verdict, (), 0, 10)
        judged = Judged(found, found, Measured(Window()), RollbackPolicy())
        verdicts.keep_if_changed(canary, judged, now=NOW)

    shown = {row.version.pk: row.verdict for row in catalogue.read(Filters(), before="").rows}

    assert shown == {canary.pk: "watch", sandbox.pk: ""}


def test_a_serving_version_nobody_has_judged_yet_has_no_data(make_version: Maker) -> None:
    make_version("canary")

    assert catalogue.read(Filters(), before="").rows[0].verdict == "no_data"


def test_only_open_incidents_are_counted(make_version: Maker) -> None:
    canary = make_version("canary")
    for kind in (IncidentKind.BREACH, IncidentKind.NO_DATA):
        opened = incident_verbs.open_for(
            canary, kind, severity=Severity.WARNING, summary="", actor="user:1", now=NOW
        )
    incident_verbs.resolve(opened, actor="user:1", now=NOW)

    assert catalogue.read(Filters(), before="").rows[0].open_incidents == 1


def test_the_filters_offer_what_there_is(three: None) -> None:
    assert catalogue.choices() == {
        "framework": ["pytorch", "sklearn"],
        "team": ["fraud_prevention", "search"],
    }


def test_the_number_of_queries_does_not_grow_with_the_rows(make_version: Maker) -> None:
    for _ in range(2):
        make_version("canary", name=f"Family {ModelVersion.objects.count()}", tags={"nlp": ""})
    few = queries()
    for _ in range(6):
        make_version("canary", name=f"Family {ModelVersion.objects.count()}", tags={"nlp": ""})

    assert queries() == few <= 8
