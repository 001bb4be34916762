"""The rules of one registered model: its tier and its rollback policy, and who changes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from governance import flags, rules
from monitoring import looseness, policies
from monitoring.models import RollbackPolicy
from registry import registration
from registry.errors import NotAllowed
from registry.models import Event, ModelFamily, ModelVersion, Part, RiskTier
from tests.governance.makers import settle_both

pytestmark = pytest.mark.django_db


@pytest.fixture
def family(version: ModelVersion) -> ModelFamily:
    return version.family


def test_a_reviewer_puts_a_model_into_another_tier(family: ModelFamily, ada: User) -> None:
    rules.set_tier(family, RiskTier.HIGH, reviewer=ada, note="It decides about loans.")

    event = Event.objects.get(event_type="model.tier.changed")
    family.refresh_from_db()
    assert family.risk_tier == "high"
    assert event.payload["from_tier"] == "medium"
    assert event.payload["to_tier"] == "high"
    assert str(event.remark) == "It decides about loans."


def test_another_tier_wants_another_review(version: ModelVersion, ada: User) -> None:
    settle_both(version, ada)

    rules.set_tier(version.family, RiskTier.LOW, reviewer=ada)

    version.family.refresh_from_db()
    assert not any(flags.entry_part([version])[version.pk].values())


def test_the_same_tier_changes_nothing(family: ModelFamily, ada: User) -> None:
    rules.set_tier(family, RiskTier.MEDIUM, reviewer=ada)

    assert not Event.objects.filter(event_type="model.tier.changed").exists()


def test_the_models_own_people_do_not_lower_its_tier(
    version: ModelVersion, make_version: Callable[..., ModelVersion], ada: User
) -> None:
    registration.join(version, Part.UPLOADER, user=ada)
    make_version()

    with pytest.raises(NotAllowed, match=r"own people \(uploader\)"):
        rules.set_tier(version.family, RiskTier.LOW, reviewer=ada)

    assert ModelFamily.objects.get().risk_tier == "medium"


def test_who_is_no_reviewer_changes_no_tier(family: ModelFamily, trainer: User) -> None:
    with pytest.raises(NotAllowed, match="neither of the groups"):
        rules.set_tier(family, RiskTier.LOW, reviewer=trainer)


def test_an_operator_tightens_a_policy(family: ModelFamily, user_with: Callable[..., User]) -> None:
    policy = rules.set_policy(family, {"max_error_rate": 0.01}, user=user_with("operator"))

    assert (policy.max_error_rate, policy.revision) == (0.01, 2)


LOOSER: dict[str, tuple[dict[str, Any], str]] = {
    "error rate": ({"max_error_rate": 0.1}, "max error rate 0.1 instead of 0.05"),
    "latency": ({"max_latency_factor": 3.0}, "max latency factor 3 instead of 1.5"),
    "window": ({"window_minutes": 60}, "window minutes 60 instead of 10"),
    "requests": ({"min_requests": 1000}, "min requests 1000 instead of 100"),
    "bake": ({"bake_minutes": 1}, "bake minutes 1 instead of 10"),
    "dry run": ({"dry_run": True}, "dry run: breaches are only told"),
    "notify": ({"mode": "notify"}, "breaches open an incident only"),
    "hold": (
        {"without_predecessor": "hold"},
        "production is held where there is nothing to hand back to",
    ),
}


@pytest.mark.parametrize("name", LOOSER)
def test_loosening_is_for_reviewers_and_leaves_a_banner(
    family: ModelFamily, ada: User, user_with: Callable[..., User], name: str
) -> None:
    changes, words = LOOSER[name]

    with pytest.raises(NotAllowed):
        rules.set_policy(family, changes, user=user_with("operator"))
    before = RollbackPolicy.objects.count()
    policy = rules.set_policy(family, changes, user=ada)

    assert before == 0
    assert looseness.loosened(policy) == [words]


def test_the_defaults_are_not_loose(family: ModelFamily) -> None:
    assert looseness.loosened(policies.policy_of(family)) == []


def test_a_longer_bake_is_not_loose(family: ModelFamily, ada: User) -> None:
    assert looseness.loosened(rules.set_policy(family, {"bake_minutes": 60}, user=ada)) == []


TIGHTER: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a limit, while another is loose": ({"dry_run": True}, {"max_error_rate": 0.04}),
    "a loose limit, not as far as the default": ({"max_error_rate": 0.2}, {"max_error_rate": 0.1}),
    "a loose bake, not as far": ({"bake_minutes": 1}, {"bake_minutes": 5}),
    "one of two": ({"dry_run": True, "mode": "notify"}, {"dry_run": False}),
}


@pytest.mark.parametrize("name", TIGHTER)
def test_an_operator_tightens_what_a_reviewer_loosened_and_loosens_it_no_further(
    family: ModelFamily, ada: User, user_with: Callable[..., User], name: str
) -> None:
    loose, tighter = TIGHTER[name]
    operator = user_with("operator")
    rules.set_policy(family, loose, user=ada)

    policy = rules.set_policy(family, tighter, user=operator)

    assert looseness.loosened(policy)
    with pytest.raises(NotAllowed):
        rules.set_policy(family, {"max_error_rate": 0.3}, user=operator)


def test_a_loosened_policy_is_said_on_the_page_of_each_version_and_in_the_console(
    ada_in: Client, version: ModelVersion, ada: User
) -> None:
    page, console = f"/models/{version.model_id}/", "/admin/registry/modelfamily/"
    before = ada_in.get(page).content.decode(), ada_in.get(console).content.decode()

    rules.set_policy(version.family, {"max_error_rate": 0.1, "dry_run": True}, user=ada)
    live = ada_in.get(f"/live{page}").content.decode()
    shown = ada_in.get(page).content.decode(), ada_in.get(console).content.decode()

    banner = "max error rate 0.1 instead of 0.05; dry run: breaches are only told"
    assert banner in shown[0]
    assert banner in live
    assert "Looser than the defaults" in shown[1]
    assert "ooser than the defaults" not in "".join(before)


def test_the_models_own_people_do_not_loosen_its_policy(version: ModelVersion, ada: User) -> None:
    registration.join(version, Part.OWNER, name="ada")

    with pytest.raises(NotAllowed, match="may not change the rules of Fraud Detector"):
        rules.set_policy(version.family, {"max_error_rate": 0.5}, user=ada)


def test_a_trainer_changes_no_policy(family: ModelFamily, trainer: User) -> None:
    with pytest.raises(NotAllowed, match="operators and reviewers may"):
        rules.set_policy(family, {"max_error_rate": 0.01}, user=trainer)


# In the console


def policy_form(**changes: str) -> dict[str, str]:
    return {
        "max_error_rate": "0.05",
        "max_latency_factor": "1.5",
        "max_ood_rate": "0.2",
        "rule": "threshold",
        "max_input_drift": "0.3",
        "window_minutes": "10",
        "min_requests": "100",
        "min_requests_drift": "200",
        "bake_minutes": "",
        "initial_delay_seconds": "0",
        "cooldown_seconds": "1800",
        "mode": "rollback",
        "hold_on_shared_cause": "on",
        "without_predecessor": "withdraw",
    } | changes


def url(family: ModelFamily, page: str) -> str:
    return f"/admin/registry/modelfamily/{family.pk}/{page}/"


def test_a_policy_is_changed_by_field_in_the_console(family: ModelFamily, ada_in: Client) -> None:
    ada_in.get(url(family, "policy"))

    answer = ada_in.post(url(family, "policy"), policy_form(max_error_rate="0.02"))

    event = Event.objects.get(event_type="policy.changed")
    assert answer.status_code == 302
    assert event.payload["changes"] == {"max_error_rate": [0.05, 0.02]}
    assert RollbackPolicy.objects.get().revision == 2


def test_a_policy_saved_as_it_was_changes_nothing(family: ModelFamily, ada_in: Client) -> None:
    answer = ada_in.post(url(family, "policy"), policy_form())

    assert answer.status_code == 302
    assert not RollbackPolicy.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"max_error_rate": "0"},
        {"max_error_rate": "1.5"},
        {"max_latency_factor": "0.5"},
        {"min_requests": "0"},
        {"mode": "shrug"},
    ],
)
def test_a_policy_that_cannot_hold_is_refused(
    family: ModelFamily, ada_in: Client, changes: dict[str, str]
) -> None:
    answer = ada_in.post(url(family, "policy"), policy_form(**changes))

    assert answer.status_code == 400
    assert not RollbackPolicy.objects.exists()


def test_a_loose_policy_says_so_where_it_is_edited(
    family: ModelFamily, ada: User, ada_in: Client
) -> None:
    rules.set_policy(family, {"dry_run": True}, user=ada)

    page = ada_in.get(url(family, "policy")).content.decode()

    assert "Looser than the defaults: dry run: breaches are only told." in page


def test_an_operator_who_loosens_in_the_console_is_refused(
    family: ModelFamily, sign_in: Callable[..., Client]
) -> None:
    answer = sign_in("olga", "operator").post(url(family, "policy"), policy_form(dry_run="on"))

    assert answer.status_code == 403
    assert not RollbackPolicy.objects.exists()


def test_a_tier_is_changed_in_the_console_with_a_note(family: ModelFamily, ada_in: Client) -> None:
    without = ada_in.post(url(family, "tier"), {"risk_tier": "high"})
    answer = ada_in.post(url(family, "tier"), {"risk_tier": "high", "note": "Loans."})

    family.refresh_from_db()
    assert (without.status_code, answer.status_code) == (400, 302)
    assert family.risk_tier == "high"


def test_asking_about_a_tier_changes_nothing(family: ModelFamily, ada_in: Client) -> None:
    page = ada_in.get(url(family, "tier")).content.decode()

    family.refresh_from_db()
    assert "needs to be reviewed anew" in page
    assert family.risk_tier == "medium"
