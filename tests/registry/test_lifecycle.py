"""Moves between stages: the table, the proof, the traffic and the record."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from registry import attestations, lifecycle, routing
from registry.errors import InvalidInput, TransitionRefused, Unprocessable
from registry.models import DeploymentStage, Event, ModelVersion, StageTransition
from tests.conftest import PATHS, take

Stage = DeploymentStage
Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db

ALLOWED = set(lifecycle.TRANSITIONS)


@pytest.mark.parametrize("source", PATHS)
@pytest.mark.parametrize("target", Stage.values)
def test_only_the_table_s_moves_are_possible(make_version: Maker, source: str, target: str) -> None:
    version = make_version(source)
    share = 5 if source == target == "canary" else 10

    if (source, target) in ALLOWED:
        take(version, target, share=share)
        version.refresh_from_db()
        assert version.stage == target
    elif source == target == "rollback":
        take(version, target)
        assert version.transitions.filter(to_stage="rollback").count() == 1
    else:
        with pytest.raises(TransitionRefused, match="may move to|cannot move"):
            take(version, target)


def test_every_version_begins_with_the_transition_to_development(make_version: Maker) -> None:
    version = make_version()

    transition = version.transitions.get()
    assert (transition.from_stage, transition.to_stage) == ("", "development")
    assert version.events.get().event_type == "model.registered"


def test_canary_needs_an_attestation(make_version: Maker) -> None:
    version = make_version("sandbox")

    with pytest.raises(TransitionRefused, match="needs an attestation"):
        lifecycle.move(version, to=Stage.CANARY, actor="user:1")


def test_an_attestation_of_another_version_or_stage_does_not_fit(make_version: Maker) -> None:
    version, other = make_version("sandbox"), make_version("sandbox")

    for subject, stage in ((other, Stage.CANARY), (version, Stage.PRODUCTION)):
        proof = attestations.write(
            subject, stage, subject_digest="d" * 64, approved_by=[], checks={}
        )
        with pytest.raises(TransitionRefused, match="not about"):
            lifecycle.move(version, to=Stage.CANARY, actor="user:1", attestation=proof)


def test_a_revoked_attestation_allows_nothing(make_version: Maker) -> None:
    version = make_version("sandbox")
    proof = attestations.write(
        version, Stage.CANARY, subject_digest="d" * 64, approved_by=[], checks={}
    )
    revoked = attestations.revoke(proof, actor="user:1", reason="a mistake")

    with pytest.raises(TransitionRefused, match="not about"):
        lifecycle.move(version, to=Stage.CANARY, actor="user:1", attestation=revoked)


@pytest.mark.parametrize("share", ["0", "-1", "100", "100.5", "10.001"])
def test_a_canary_share_is_over_0_and_under_100(make_version: Maker, share: str) -> None:
    version = make_version("sandbox")

    with pytest.raises(InvalidInput, match="canary_percentage"):
        lifecycle.move(version, to=Stage.CANARY, actor="user:1", canary_percentage=Decimal(share))


def test_a_share_outside_canary_is_refused(make_version: Maker) -> None:
    with pytest.raises(InvalidInput, match="canary_percentage"):
        lifecycle.move(
            make_version(), to=Stage.SANDBOX, actor="user:1", canary_percentage=Decimal(10)
        )


def test_canaries_of_one_family_stay_below_100_percent(make_version: Maker) -> None:
    make_version("canary", share=60)

    with pytest.raises(Unprocessable, match=r"at most 39.99 % is free"):
        make_version("canary", share=40)
    assert make_version("canary", share=39).stage == "canary"


def test_lowering_a_share_needs_no_new_attestation_and_raising_does(make_version: Maker) -> None:
    version = make_version("canary", share=20)

    lifecycle.move(version, to=Stage.CANARY, actor="user:1", canary_percentage=Decimal(5))
    version.refresh_from_db()

    assert version.canary_percentage == 5
    with pytest.raises(TransitionRefused, match="needs an attestation"):
        lifecycle.move(version, to=Stage.CANARY, actor="user:1", canary_percentage=Decimal(6))


def test_another_share_does_not_restart_the_stage(make_version: Maker) -> None:
    version = make_version("canary", share=20)
    entered = version.stage_entered_at

    take(version, "canary", share=5)

    version.refresh_from_db()
    assert version.stage_entered_at == entered


def test_production_archives_the_version_that_held_it(make_version: Maker) -> None:
    former, successor = make_version("production"), make_version("production")

    former.refresh_from_db()

    assert former.stage == "archived"
    assert successor.stage == "production"
    assert next(t.to_stage for t in former.transitions.all()) == "archived"


def test_rolling_back_restores_the_former_version(make_version: Maker) -> None:
    former, successor = make_version("production"), make_version("production")

    out = lifecycle.roll_back(successor, actor="system:monitor", restore=former)

    former.refresh_from_db()
    assert former.stage == "production"
    assert former.transitions.all()[0].cause == out
    assert list(former.events.values_list("event_type", flat=True))[-1] == "model.restored"


def test_rolling_back_twice_returns_the_first_transition(make_version: Maker) -> None:
    version = make_version("canary")

    first = lifecycle.roll_back(version, actor="user:1")
    events = Event.objects.count()
    second = lifecycle.roll_back(version, actor="user:2")

    assert first == second
    assert Event.objects.count() == events


def test_a_version_that_was_never_archived_cannot_be_restored(make_version: Maker) -> None:
    version, other = make_version("canary"), make_version("sandbox")

    with pytest.raises(TransitionRefused, match="cannot be restored"):
        lifecycle.roll_back(version, actor="user:1", restore=other)
    assert StageTransition.objects.filter(to_stage="rollback").count() == 0


def test_traffic_follows_the_stages(make_version: Maker) -> None:
    production = make_version("production")
    canary = make_version("canary", share=25)

    targets = routing.plan_of(canary.family).targets
    assert {t["model_id"]: t["basis_points"] for t in targets} == {
        production.model_id: 7500,
        canary.model_id: 2500,
    }

    lifecycle.roll_back(canary, actor="user:1")

    plan = routing.plan_of(canary.family)
    assert {t["model_id"]: t["basis_points"] for t in plan.targets} == {production.model_id: 10_000}


def test_every_stage_change_makes_a_new_traffic_revision(make_version: Maker) -> None:
    version = make_version("canary")
    before = routing.plan_of(version.family).revision

    take(version, "canary", share=5)

    assert routing.plan_of(version.family).revision == before + 1
