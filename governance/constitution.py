"""The constitution: what a model must be, and whose word it takes. Read once, checked whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import yaml

from governance import checks
from governance.models import Check, Scope
from registry import canonical
from registry.models import DeploymentStage, RiskTier
from registry.tokens import SIGNING_ROLES

FILE = Path(__file__).with_name("constitution.yaml")
PER_STAGE = "stage"  # an approval covers one stage, and not all live traffic


class ConstitutionError(ValueError):
    """The constitution is not valid; the message names the place and the remedy."""


@dataclass(frozen=True, slots=True)
class Principle:
    """What a model must be, what we can find out of it, and what only a person can answer."""

    id: str
    tick: Check  # which of the two ticks it folds under
    statement: str
    checks: tuple[str, ...]  # names in governance.checks.CHECKS
    question: str


@dataclass(frozen=True, slots=True)
class Tier:
    """What the models of one risk tier need before a gate opens."""

    name: RiskTier
    quorum: int  # signatures
    roles: tuple[str, ...]  # that may sign
    distinct_roles: bool  # no role counts twice
    max_age: timedelta  # of an approval
    scope: str  # "serving", or "stage": each stage is signed apart
    artifact_required: bool
    evidence_required: bool
    console_only: bool  # no signature over the API

    @property
    def jobs_only(self) -> bool:
        """Whether a canary proves itself by what serving tokens report alone; no file changes it."""
        return self.name is RiskTier.HIGH

    def scope_for(self, stage: DeploymentStage) -> Scope:
        """What an approval must cover so that ``stage``, a gated one, is open."""
        return Scope(stage) if self.scope == PER_STAGE else Scope.SERVING

    def scopes(self) -> tuple[Scope, ...]:
        """What approvals of this tier may cover."""
        if self.scope == PER_STAGE:
            return (Scope.CANARY, Scope.PRODUCTION)
        return (Scope.SERVING,)


@dataclass(frozen=True, slots=True)
class Constitution:
    """The principles and the tiers in force, each part with its version and digest."""

    version: str
    digest: str  # sha256 of the principles, canonical
    principles: tuple[Principle, ...]
    policy_version: str
    policy_digest: str  # sha256 of the tiers, canonical
    tiers: Mapping[RiskTier, Tier]

    def label(self) -> str:
        """The principles' version as subjects hold it: a silent change has another digest."""
        return f"{self.version}@{self.digest[:16]}"

    def policy_label(self, tier: RiskTier) -> str:
        """The policy's version and the tier, as subjects hold them."""
        return f"{self.policy_version}@{self.policy_digest[:16]}/{tier}"


@cache
def current() -> Constitution:
    """The constitution in force in this process.

    Raises:
        ConstitutionError: The file is not valid.
    """
    return parse(FILE.read_text())


def tier_of(risk_tier: str) -> Tier:
    """The tier in force for models of this risk."""
    return current().tiers[RiskTier(risk_tier)]


def parse(text: str) -> Constitution:
    """Read a constitution.

    Raises:
        ConstitutionError: It is not valid; the place is named.
    """
    try:
        document = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ConstitutionError(f"The constitution is no valid YAML: {error}") from error
    top = _mapping(document, "the file", {"constitution", "policy"})
    part = _mapping(top["constitution"], "constitution", {"version", "principles"})
    policy = _mapping(top["policy"], "policy", {"version", "tiers"})
    return Constitution(
        version=_text(part, "version", "constitution"),
        digest=canonical.sha256(part["principles"]),
        principles=_principles(part["principles"]),
        policy_version=_text(policy, "version", "policy"),
        policy_digest=canonical.sha256(policy["tiers"]),
        tiers=_tiers(policy["tiers"]),
    )


class _Loader(yaml.CSafeLoader):
    """YAML without repeated keys, of which the last would silently win."""


def _without_repeats(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    pairs = loader.construct_pairs(node, deep=True)
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ConstitutionError(f"{key} is given twice{node.start_mark}; give it once.")
    return dict(pairs)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _without_repeats)


def _principles(found: object) -> tuple[Principle, ...]:
    listed = _list(found, "constitution.principles")
    principles = tuple(
        _principle(item, f"constitution.principles[{index}]") for index, item in enumerate(listed)
    )
    ids = [principle.id for principle in principles]
    for index, name in enumerate(ids):
        if name in ids[:index]:
            _refuse(f"constitution.principles[{index}].id", f"{name!r} is taken; ids are unique")
    for tick in Check:
        if not any(principle.tick == tick for principle in principles):
            _refuse("constitution.principles", f"give at least one principle for the tick {tick}")
    return principles


def _principle(found: object, place: str) -> Principle:
    item = _mapping(found, place, {"id", "tick", "statement", "checks", "question"})
    return Principle(
        id=_text(item, "id", place),
        tick=Check(_choice(item["tick"], f"{place}.tick", Check.values)),
        statement=_text(item, "statement", place),
        checks=_choices(item["checks"], f"{place}.checks", list(checks.CHECKS)),
        question=_text(item, "question", place),
    )


def _tiers(found: object) -> dict[RiskTier, Tier]:
    tiers = _mapping(found, "policy.tiers", set(RiskTier.values))
    return {tier: _tier(tier, tiers[tier], f"policy.tiers.{tier}") for tier in RiskTier}


FLAGS = ("distinct_roles", "artifact_required", "evidence_required", "console_only")


def _tier(name: RiskTier, found: object, place: str) -> Tier:
    item = _mapping(found, place, {"quorum", "roles", "max_age_days", "scope", *FLAGS})
    tier = Tier(
        name=name,
        quorum=_count(item, "quorum", place),
        roles=_choices(item["roles"], f"{place}.roles", SIGNING_ROLES),
        max_age=timedelta(days=_count(item, "max_age_days", place)),
        scope=_choice(item["scope"], f"{place}.scope", [Scope.SERVING, PER_STAGE]),
        **{flag: _flag(item, flag, place) for flag in FLAGS},
    )
    if tier.distinct_roles and tier.quorum > len(tier.roles):
        _refuse(f"{place}.quorum", f"{len(tier.roles)} roles cannot give {tier.quorum} signatures")
    return tier


def _mapping(found: object, place: str, keys: set[str]) -> dict[str, Any]:
    """A mapping of exactly these keys."""
    if not isinstance(found, dict):
        _refuse(place, f"give a mapping of {', '.join(sorted(keys))}")
    for key in found:
        if key not in keys:
            _refuse(f"{place}.{key}", f"there is no such key; keys are {', '.join(sorted(keys))}")
    for key in sorted(keys):
        if key not in found:
            _refuse(f"{place}.{key}", "it is missing")
    return found


def _list(found: object, place: str) -> list[Any]:
    if not isinstance(found, list) or not found:
        _refuse(place, "give a list of at least one")
    return found


def _text(item: dict[str, Any], key: str, place: str) -> str:
    value = item[key]
    if not isinstance(value, str) or not value.strip():
        _refuse(f"{place}.{key}", f"give words in quotes, not {value!r}")
    return value


def _count(item: dict[str, Any], key: str, place: str) -> int:
    value = item[key]
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        _refuse(f"{place}.{key}", f"give a whole number of at least 1, not {value!r}")
    return value


def _flag(item: dict[str, Any], key: str, place: str) -> bool:
    value = item[key]
    if not isinstance(value, bool):
        _refuse(f"{place}.{key}", f"give true or false, not {value!r}")
    return value


def _choice(found: object, place: str, known: Any) -> str:
    if found not in known:
        _refuse(place, f"{found!r} is not known; known are {', '.join(known)}")
    return str(found)


def _choices(found: object, place: str, known: Any) -> tuple[str, ...]:
    listed = _list(found, place)
    return tuple(_choice(item, f"{place}[{index}]", known) for index, item in enumerate(listed))


def _refuse(place: str, what: str) -> NoReturn:
    raise ConstitutionError(f"{place}: {what}.")
