"""The constitution is read whole, and every mistake in it is named by its place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import yaml

from governance import constitution
from governance.apps import constitution_is_valid
from governance.checks import CHECKS
from governance.constitution import ConstitutionError
from governance.models import Check, Scope
from registry.models import DeploymentStage, RiskTier

TEXT = constitution.FILE.read_text()

# A change of principles or tiers is a new version: whoever changes one writes a new line here.
KNOWN = {
    ("1", "f375c6cd4e9ce1f8d6d137c03764317b7dc1176235b481d201b8544bcbc4ec1c"),
}
KNOWN_POLICIES = {
    ("1", "396c6c0c5be07a2cdb6d4bf4d2897054371056c07f3df72018181bd3a112e7a2"),
}


def changed(change: Callable[[dict[str, Any]], None]) -> str:
    """The shipped constitution with one change."""
    document = yaml.safe_load(TEXT)
    change(document)
    return yaml.safe_dump(document)


def test_what_is_in_force_has_the_digest_of_its_version() -> None:
    found = constitution.current()

    assert (found.version, found.digest) in KNOWN
    assert (found.policy_version, found.policy_digest) in KNOWN_POLICIES


def test_every_automatic_check_serves_a_principle() -> None:
    used = {name for principle in constitution.current().principles for name in principle.checks}

    assert used == set(CHECKS)


def test_both_ticks_have_principles() -> None:
    assert {principle.tick for principle in constitution.current().principles} == set(Check)


def test_medium_takes_one_signature_of_any_signing_role_for_all_live_traffic() -> None:
    tier = constitution.tier_of("medium")

    assert (tier.quorum, tier.roles) == (1, ("reviewer", "risk_officer"))
    assert tier.scopes() == (Scope.SERVING,)
    assert tier.scope_for(DeploymentStage.PRODUCTION) == Scope.SERVING
    assert not tier.artifact_required
    assert not tier.evidence_required
    assert not tier.console_only


def test_low_is_medium_with_a_longer_age() -> None:
    low, medium = constitution.tier_of("low"), constitution.tier_of("medium")

    assert (low.max_age, medium.max_age) == (timedelta(days=365), timedelta(days=180))
    assert (low.quorum, low.roles, low.scope) == (medium.quorum, medium.roles, medium.scope)


def test_high_takes_two_roles_one_stage_each_on_measured_evidence_in_the_console() -> None:
    tier = constitution.tier_of(RiskTier.HIGH)

    assert (tier.quorum, tier.distinct_roles) == (2, True)
    assert tier.scopes() == (Scope.CANARY, Scope.PRODUCTION)
    assert tier.scope_for(DeploymentStage.CANARY) == Scope.CANARY
    assert tier.artifact_required
    assert tier.evidence_required
    assert tier.console_only


def test_a_silent_change_has_another_label() -> None:
    silent = constitution.parse(TEXT.replace("Is this a use we stand for", "Is this a use we like"))
    found = constitution.current()

    assert silent.version == found.version
    assert silent.label() != found.label()
    assert silent.policy_label(RiskTier.LOW) == found.policy_label(RiskTier.LOW)


def test_comments_and_order_of_keys_are_no_change() -> None:
    reordered = constitution.parse(yaml.safe_dump(yaml.safe_load(TEXT), sort_keys=True))

    assert reordered == constitution.current()


def test_the_label_of_a_policy_names_the_tier() -> None:
    found = constitution.current()

    assert found.policy_label(RiskTier.LOW) != found.policy_label(RiskTier.HIGH)


MISTAKES: list[tuple[str, Callable[[dict[str, Any]], Any]]] = [
    ("the file.extra: there is no such key", lambda d: d.update(extra=1)),
    ("the file.policy: it is missing", lambda d: d.pop("policy")),
    (
        "constitution.version: give words in quotes, not 2",
        lambda d: d["constitution"].update(version=2),
    ),
    (
        "constitution.principles: give a list of at least one",
        lambda d: d["constitution"].update(principles=[]),
    ),
    (
        "constitution.principles[0]: give a mapping of",
        lambda d: d["constitution"]["principles"].__setitem__(0, "be good"),
    ),
    (
        "constitution.principles[1].question: give words",
        lambda d: d["constitution"]["principles"][1].update(question=" "),
    ),
    (
        "constitution.principles[2].checks[0]: 'luck' is not known; known are use_described",
        lambda d: d["constitution"]["principles"][2].update(checks=["luck"]),
    ),
    (
        "constitution.principles[3].id: 'safety' is taken",
        lambda d: d["constitution"]["principles"][3].update(id="safety"),
    ),
    (
        "constitution.principles[0].tick: 'luck' is not known",
        lambda d: d["constitution"]["principles"][0].update(tick="luck"),
    ),
    (
        "constitution.principles: give at least one principle for the tick bias",
        lambda d: d["constitution"]["principles"].pop(),
    ),
    ("policy.tiers.high: it is missing", lambda d: d["policy"]["tiers"].pop("high")),
    ("policy.tiers.huge: there is no such key", lambda d: d["policy"]["tiers"].update(huge={})),
    (
        "policy.tiers.high.quorum: give a whole number of at least 1, not 'two'",
        lambda d: d["policy"]["tiers"]["high"].update(quorum="two"),
    ),
    (
        "policy.tiers.low.quorum: give a whole number of at least 1, not 0",
        lambda d: d["policy"]["tiers"]["low"].update(quorum=0),
    ),
    (
        "policy.tiers.low.quorum: give a whole number of at least 1, not True",
        lambda d: d["policy"]["tiers"]["low"].update(quorum=True),
    ),
    (
        "policy.tiers.high.quorum: 2 roles cannot give 3 signatures",
        lambda d: d["policy"]["tiers"]["high"].update(quorum=3),
    ),
    (
        "policy.tiers.low.roles[1]: 'trainer' is not known",
        lambda d: d["policy"]["tiers"]["low"].update(roles=["reviewer", "trainer"]),
    ),
    (
        "policy.tiers.low.scope: 'all' is not known; known are serving, stage",
        lambda d: d["policy"]["tiers"]["low"].update(scope="all"),
    ),
    (
        "policy.tiers.low.console_only: give true or false, not 'no'",
        lambda d: d["policy"]["tiers"]["low"].update(console_only="no"),
    ),
]


@pytest.mark.parametrize(("sentence", "change"), MISTAKES, ids=[place for place, _ in MISTAKES])
def test_a_mistake_is_named_by_its_place(sentence: str, change: Callable[[Any], Any]) -> None:
    with pytest.raises(ConstitutionError) as refusal:
        constitution.parse(changed(change))

    assert str(refusal.value).startswith(sentence)


def test_a_key_given_twice_is_refused_where_yaml_would_let_the_last_one_win() -> None:
    doubled = TEXT.replace("      quorum: 2\n", "      quorum: 2\n      quorum: 1\n")

    with pytest.raises(ConstitutionError, match="quorum is given twice"):
        constitution.parse(doubled)


@pytest.mark.parametrize("text", ["a: [", "!!python/object/apply:os.getcwd []", ""])
def test_what_is_no_plain_yaml_is_refused(text: str) -> None:
    with pytest.raises(ConstitutionError):
        constitution.parse(text)


def test_a_broken_constitution_is_found_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken() -> None:
        raise ConstitutionError("policy.tiers.high.quorum: it is missing.")

    assert constitution_is_valid() == []
    monkeypatch.setattr(constitution, "current", broken)

    (found,) = constitution_is_valid()
    assert (found.id, found.msg) == ("governance.E001", "policy.tiers.high.quorum: it is missing.")
