"""Read scenarios from YAML. Whatever is unknown or misshapen is refused, by file and field. Pure."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import yaml

from config.scenarios import expectations
from config.scenarios.fields import (
    Fields,
    ScenarioRefused,
    anything,
    listed,
    number,
    one_of,
    positive,
    share,
    text,
    times,
)
from config.scenarios.series import Hashed, Literally, Scenario, Series, Share, Steady, Version

Usual = Mapping[str, Any]
Stories = Sequence[tuple[str, Scenario | ScenarioRefused]]

RULES = ("evidence", "threshold")
OF_SCENARIOS = ("eval_every", "until", "rule", "series")
OF_SERIES = ("every", "n", "errors", "ood", "lat", "drift", "delay", "t_shift", "repeat")
OF_VERSIONS = ("entered_at", "weight")
BY_ITSELF = {
    "eval_every": 30,
    "rule": "evidence",
    "series": [],
    "every": 10,
    "n": 100,
    "errors": {"rate": 0},
    "ood": {"rate": 0},
    "lat": [30, 90, 140],
    "drift": 0.05,
    "weight": 10,
}


def read(content: str, *, file: str) -> Stories:
    """Each scenario of a file with its id; one that cannot be read is its refusal.

    Args:
        file: What to call it in refusals.

    Raises:
        ScenarioRefused: It is no YAML, or not a mapping with a list of scenarios.
    """
    try:
        document = Fields(yaml.load(content, Loader=_Loader), file)
    except yaml.YAMLError as error:
        raise ScenarioRefused(f"{file}: this is no YAML: {error}.") from error
    document.take("about", text, "")
    defaults: dict[str, Any] = document.take("defaults", _defaults, {})
    stories = document.need("scenarios", listed)
    document.end()
    if not stories:
        raise ScenarioRefused(f"{file}.scenarios: there is none, so nothing would be tried.")
    usual = {**BY_ITSELF, **defaults}
    named = [_named(story, f"{file}: scenarios[{place}]") for place, story in enumerate(stories)]
    ids = [name for name, _ in named]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise ScenarioRefused(f"{file}: the id {', '.join(twice)} is given twice.")
    return [(name, _scenario_or_refusal(story, f"{file}: {name}", usual)) for name, story in named]


def chosen(stories: Stories, ids: Collection[str]) -> Stories:
    """The scenarios with these ids, in the file's order; all of them where none is named.

    Raises:
        ScenarioRefused: One is not there.
    """
    names = [name for name, _ in stories]
    if missing := [wanted for wanted in ids if wanted not in names]:
        said = ", ".join(missing)
        raise ScenarioRefused(f"There is no scenario {said}; there are {', '.join(names)}.")
    return [(name, story) for name, story in stories if not ids or name in ids]


def _defaults(value: Any, where: str) -> dict[str, Any]:
    known = {*OF_SCENARIOS, *OF_SERIES, *OF_VERSIONS} - {"series"}
    fields = Fields(value, where)
    found = {name: fields.need(name, anything) for name in value if name in known}
    fields.end()
    return found


def _named(story: Any, where: str) -> tuple[str, Any]:
    """A scenario with its id, or with its place where it has none."""
    given = story.get("id") if isinstance(story, Mapping) else None
    return (where if given is None else text(given, f"{where}.id")), story


def _scenario_or_refusal(story: Any, where: str, usual: Usual) -> Scenario | ScenarioRefused:
    try:
        return _scenario(Fields(story, where, _only(usual, OF_SCENARIOS)), usual)
    except ScenarioRefused as refusal:
        return refusal


def _scenario(fields: Fields, usual: Usual) -> Scenario:
    name = fields.need("id", text)
    fields.take("about", text, "")
    until = fields.need("until", positive)
    versions = _versions(fields.need("versions", anything), fields.at("versions"), usual)
    usual = {**_only(usual, OF_SERIES), "to": until}
    series = [
        _series(Fields(item, fields.at(f"series[{place}]"), usual), versions)
        for place, item in enumerate(fields.need("series", listed))
    ]
    ids = [item.id for item in series if item.id]
    expected = fields.need("expect", anything)
    found = Scenario(
        id=name,
        until=until,
        eval_every=fields.need("eval_every", positive),
        rule=fields.need("rule", one_of(RULES)),
        versions=versions,
        series=series,
        expected=expectations.read(expected, fields.at("expect"), versions, ids),
    )
    fields.end()
    return found


def _only(usual: Usual, names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in usual.items() if name in names}


def _versions(value: Any, where: str, usual: Usual) -> Mapping[str, Version]:
    """The versions, and those that are only named as somebody's predecessor."""
    if not isinstance(value, Mapping) or not value:
        raise ScenarioRefused(f"{where}: give a mapping of versions, not {value!r}.")
    usual = _only(usual, OF_VERSIONS)
    found = {
        str(name): _version(str(name), Fields(said, f"{where}.{name}", usual))
        for name, said in value.items()
    }
    for version in list(found.values()):
        if version.previous is not None and version.previous not in found:
            stage = "production" if version.stage == "canary" else "archived"
            found[version.previous] = Version(name=version.previous, stage=stage)
    return found


def _version(name: str, fields: Fields) -> Version:
    found = Version(
        name=name,
        stage=fields.need("stage", one_of(expectations.STAGES)),
        entered_at=fields.take("entered_at", number, 0.0),
        weight=fields.need("weight", _weight),
        previous=fields.take("previous", expectations.or_none(text), None),
    )
    fields.end()
    return found


def _weight(value: Any, where: str) -> Decimal:
    found = expectations.percent(value, where)
    if not 0 < found < 100:
        raise ScenarioRefused(f"{where}: give a share over 0 and under 100 percent, not {value!r}.")
    return found


def _series(fields: Fields, versions: Collection[str]) -> Series:
    delay = fields.take("delay", number, 0.0)
    found = Series(
        version=fields.need("version", one_of(versions)),
        start=fields.need("from", number),
        stop=fields.need("to", number),
        every=fields.need("every", positive),
        n=fields.need("n", anything),
        errors=fields.need("errors", _share),
        ood=fields.need("ood", _share),
        lat=fields.need("lat", _quantiles),
        drift=fields.need("drift", anything),
        delays=[delay + more for more in fields.take("delay_mod", _delays, [0.0])],
        t_shift=fields.take("t_shift", number, 0.0),
        repeat=fields.take("repeat", times, 1),
        id=fields.take("id", expectations.or_none(text), None),
    )
    fields.end()
    return found


def _share(value: Any, where: str) -> Share:
    fields = Fields(value, where)
    if "rate" in value:
        found: Share = Steady(fields.need("rate", share))
    elif "hash" in value:
        found = Hashed(fields.need("hash", share), fields.take("seed", text, "0"))
    else:
        found = Literally(fields.need("value", anything))
    fields.end()
    return found


def _quantiles(value: Any, where: str) -> list[Any]:
    if value is None:
        return [None] * 3  # not reported
    if not isinstance(value, list) or len(value) != 3:
        raise ScenarioRefused(f"{where}: give [p50, p95, p99], not {value!r}.")
    return [anything(quantile, where) for quantile in value]


def _delays(value: Any, where: str) -> list[float]:
    found = [number(delay, where) for delay in listed(value, where)]
    if not found:
        raise ScenarioRefused(f"{where}: give one delay at least.")
    return found


class _Loader(yaml.CSafeLoader):
    """Plain data; a key that is given twice is refused, where YAML's last one would win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key in keys:
            if key != "<<" and keys.count(key) > 1:
                where = f"line {node.start_mark.line + 1}"
                raise yaml.YAMLError(f"{key!r} is given twice in the mapping at {where}")
        return super().construct_mapping(node, deep)
