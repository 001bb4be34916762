"""Each key of the format, and what is refused."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
import yaml

from config.scenarios import reading
from config.scenarios.fields import ScenarioRefused
from config.scenarios.series import (
    Expected,
    Hashed,
    Literally,
    Raised,
    Rollback,
    Scenario,
    Series,
    Steady,
    Version,
)

STORY: dict[str, Any] = {
    "id": "story",
    "about": "of what is read",
    "until": 600,
    "versions": {
        "v1": {"stage": "production", "entered_at": -60, "previous": "v0"},
        "v2": {"stage": "canary", "weight": 2.5, "previous": "v1"},
    },
    "series": [{"version": "v2", "from": 10, "to": 600}],
    "expect": {},
}


def read(story: Any, **document: Any) -> Scenario | ScenarioRefused:
    content = yaml.safe_dump({**document, "scenarios": [story]})
    ((_, found),) = reading.read(content, file="stories.yaml")
    return found


def scenario(story: Any, **document: Any) -> Scenario:
    found = read(story, **document)
    assert isinstance(found, Scenario), found
    return found


def item(**said: Any) -> Series:
    return scenario({**STORY, "series": [{**STORY["series"][0], **said}]}).series[0]


def expected(**said: Any) -> Expected:
    return scenario({**STORY, "expect": said}).expected


def refusal(story: Any, **document: Any) -> str:
    found = read(story, **document)
    assert isinstance(found, ScenarioRefused)
    return str(found)


def test_what_is_not_said_is_the_formats_own() -> None:
    found = scenario(STORY)

    assert (found.eval_every, found.rule, found.until) == (30, "evidence", 600)
    assert found.series == [
        Series(
            version="v2",
            start=10,
            stop=600,
            every=10,
            n=100,
            errors=Steady(0),
            ood=Steady(0),
            lat=[30, 90, 140],
            drift=0.05,
            delays=[0],
            t_shift=0,
            repeat=1,
            id=None,
        )
    ]
    assert found.expected == Expected(never=[], incidents=[])


def test_the_files_defaults_come_before_those() -> None:
    found = scenario(STORY, defaults={"eval_every": 5, "every": 2, "n": 7, "rule": "threshold"})

    assert (found.eval_every, found.rule) == (5, "threshold")
    assert (found.series[0].every, found.series[0].n) == (2, 7)


def test_a_predecessor_that_is_only_named_is_there() -> None:
    assert scenario(STORY).versions == {
        "v1": Version(
            name="v1", stage="production", entered_at=-60, weight=Decimal(10), previous="v0"
        ),
        "v2": Version(name="v2", stage="canary", weight=Decimal("2.5"), previous="v1"),
        "v0": Version(name="v0", stage="archived"),
    }


@pytest.mark.parametrize(
    ("said", "share"),
    [
        ({"rate": 0.2}, Steady(0.2)),
        ({"hash": 0.2, "seed": "s"}, Hashed(0.2, "s")),
        ({"hash": 0.2, "seed": 7}, Hashed(0.2, "7")),
        ({"value": None}, Literally(None)),
        ({"value": 1.5}, Literally(1.5)),
        ({"value": "many"}, Literally("many")),
    ],
)
def test_a_share_is_said_in_three_ways(said: Any, share: Any) -> None:
    assert item(errors=said).errors == share
    assert item(ood=said).ood == share


@pytest.mark.parametrize("said", [math.nan, "NaN"])
def test_no_number_is_sent_as_none(said: Any) -> None:
    found = item(errors={"value": said}).errors

    assert isinstance(found, Literally)
    assert math.isnan(found.value)


def test_the_rest_of_a_series() -> None:
    found = item(
        every=5, n=0, lat=[1, 2, None], drift=None, delay=10, delay_mod=[0, 5], t_shift=-3, repeat=2,
        id="named",
    )  # fmt: skip

    assert (found.every, found.n, found.lat, found.drift) == (5, 0, [1, 2, None], None)
    assert (found.delays, found.t_shift, found.repeat, found.id) == ([10, 15], -3, 2, "named")


def test_expectations_of_each_kind() -> None:
    found = expected(
        rollback=[
            {"version": "v2", "between": [30, 60], "restores": "v1", "reason": "latency_p95"},
            {"version": "v1", "restores": None},
        ],
        final={"v1": "production"},
        weight={"v2": 2.5},
        verdict_at={60: {"v2": "watch"}},
        never=["promote_v2"],
        incident={"v1": "no_data", "v2": "shared_cause", "by": 660},
    )

    assert found == Expected(
        rollbacks=[
            Rollback(
                version="v2",
                between=(30, 60),
                restores="v1",
                says_restores=True,
                reason="latency_p95",
            ),
            Rollback(version="v1", says_restores=True),
        ],
        final={"v1": "production"},
        weight={"v2": Decimal("2.5")},
        verdict_at={60.0: {"v2": "watch"}},
        never=[("promote", "v2")],
        incidents=[
            Raised(version="v1", kind="no_data", by=660),
            Raised(version="v2", kind="shared_cause", by=660),
        ],
    )


@pytest.mark.parametrize(
    "said",
    [
        {"v2": "no_data", "by": 660},
        [{"v2": "no_data", "by": 660}],
        {"version": "v2", "kind": "no_data", "by": 660},
        [{"version": "v2", "kind": "no_data", "by": 660}],
    ],
)
def test_an_incident_is_said_in_either_way(said: Any) -> None:
    assert expected(incident=said).incidents == [Raised(version="v2", kind="no_data", by=660)]


def test_latencies_that_were_not_reported_are_null() -> None:
    assert item(lat=None).lat == [None, None, None]


def test_no_rollback_expected_is_not_nothing_said() -> None:
    assert expected(rollback=[]).rollbacks == []
    assert expected().rollbacks is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"untill": 3}, "there is no field untill"),
        ({"until": 0}, ".until: give a number over 0, not 0"),
        ({"until": "soon"}, ".until: give a number, not 'soon'"),
        ({"eval_every": True}, ".eval_every: give a number, not True"),
        ({"rule": "guess"}, ".rule: give evidence or threshold, not 'guess'"),
        ({"versions": []}, ".versions: give a mapping of versions"),
        ({"versions": {"v1": {}}}, ".versions.v1: stage is missing"),
        ({"versions": {"v1": {"stage": "live"}}}, ".versions.v1.stage: give development or"),
        ({"series": {}}, ".series: give a list"),
        ({"series": [3]}, ".series[0]: give a mapping, not 3"),
        ({"series": [{"version": "v2"}]}, ".series[0]: from is missing"),
        ({"expect": {"finale": {}}}, ".expect: there is no field finale"),
        ({"expect": {"final": {"v9": "canary"}}}, ".expect.final: give v1 or v2 or v0, not 'v9'"),
        ({"expect": {"final": []}}, ".expect.final: give a mapping"),
        (
            {"expect": {"rollback": [{"version": "v2", "between": [60, 30]}]}},
            ".rollback[0].between",
        ),
        ({"expect": {"rollback": [{"version": "v2", "reason": "mood"}]}}, ".rollback[0].reason"),
        ({"expect": {"verdict_at": {"noon": {}}}}, ".verdict_at: give a number, not 'noon'"),
        ({"expect": {"never": ["dance_v2"]}}, ".never: give promote or"),
        ({"expect": {"incident": {"v2": "fire"}}}, ".incident.v2: give no_data or"),
        ({"expect": {"incident": {"kind": "no_data"}}}, ".incident: version is missing"),
        (
            {"expect": {"incident": {"version": "v2", "kind": "no_data", "at": 3}}},
            ".incident: there is no field at",
        ),
        (
            {"versions": {"v1": {"stage": "canary", "weight": 100}}},
            ".versions.v1.weight: give a share over 0 and under 100 percent, not 100",
        ),
        ({"expect": {"http": {"unnamed": 201}}}, ".expect.http"),
    ],
)
def test_what_is_misshapen_is_named(changes: Any, said: str) -> None:
    found = refusal({**STORY, **changes})

    assert found.startswith("stories.yaml: story")
    assert said in found


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"errors": 0.2}, "errors"),
        ({"errors": {"rate": 1.2}}, "errors.rate"),
        ({"errors": {"rate": 0.1, "seed": 3}}, "errors"),
        ({"errors": {}}, "errors"),
        ({"lat": [1, 2]}, "lat"),
        ({"delay_mod": []}, "delay_mod"),
        ({"repeat": 0}, "repeat"),
        ({"every": 0}, "every"),
        ({"sources": 2}, "series[0]"),
    ],
)
def test_a_misshapen_series_is_named(said: Any, field: str) -> None:
    found = refusal({**STORY, "series": [{**STORY["series"][0], **said}]})

    assert "stories.yaml: story.series[0]" in found
    assert field in found


def test_one_misshapen_scenario_leaves_the_others() -> None:
    content = yaml.safe_dump({"scenarios": [{"until": 3}, STORY]})

    (without, _), (name, found) = reading.read(content, file="stories.yaml")

    assert (without, name) == ("stories.yaml: scenarios[0]", "story")
    assert isinstance(found, Scenario)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("- 1", "give a mapping"),
        ("a: [", "this is no YAML"),
        ("scenarios: []\nscenarios: []", "'scenarios' is given twice in the mapping at line 1"),
        ("scenarios: []", "stories.yaml.scenarios: there is none, so nothing would be tried"),
        ("scenarios: []\ndefault: {}", "there is no field default"),
        ("scenarios: []\ndefaults: {m: 3}", "stories.yaml.defaults: there is no field m"),
        ("{}", "scenarios is missing"),
        ("scenarios: [{id: a}, {id: a}]", "the id a is given twice"),
    ],
)
def test_a_file_that_is_none_is_refused(content: str, said: str) -> None:
    with pytest.raises(ScenarioRefused) as refused:
        reading.read(content, file="stories.yaml")

    assert said in str(refused.value)


def test_scenarios_are_chosen_by_id() -> None:
    stories = reading.read(yaml.safe_dump({"scenarios": [STORY]}), file="stories.yaml")

    assert reading.chosen(stories, []) == reading.chosen(stories, ["story"]) == stories
    with pytest.raises(ScenarioRefused, match="There is no scenario other; there are story"):
        reading.chosen(stories, ["other"])
