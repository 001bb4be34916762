"""The client keeps its promises over both transports: one suite, the real registry behind each."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay import (
    Conflict,
    DeploymentStage,
    InvalidInput,
    ModelRegistryEntry,
    NotFound,
    PermissionRefused,
    PromotionBlocked,
    Registry,
    Router,
    SnapshotConflict,
    Unauthorized,
)
from assay.session import path
from assay.transport import Request
from tests.client.doors import As, in_canary, snapshot


def test_a_registered_model_reads_back_as_it_was_declared(
    trainer: Registry, entry: ModelRegistryEntry
) -> None:
    registered = trainer.register_model(entry)

    found = trainer.get_model(entry.model_id)
    assert replace(found, rollback=registered.rollback) == registered
    assert registered.registered_by == "tom"
    assert registered.deploy_status is DeploymentStage.DEVELOPMENT
    assert registered.number == 1
    assert registered.tags == {"nlp": "", "task": "fraud"}
    assert registered.evaluation_metrics == {"accuracy": 0.96, "f1": 0.94}
    assert entry.training_timestamp is not None
    assert registered.training_timestamp == entry.training_timestamp.astimezone()


def test_a_taken_id_is_a_conflict(trainer: Registry, entry: ModelRegistryEntry) -> None:
    trainer.register_model(entry)

    with pytest.raises(Conflict, match=entry.model_id):
        trainer.register_model(entry)


def test_an_alias_stands_for_the_version_it_was_set_to(
    trainer: Registry, entry: ModelRegistryEntry
) -> None:
    trainer.register_model(entry)
    name = f"{entry.name}@champion"

    alias = trainer.set_alias(entry.name, "champion", entry.model_id)
    found = trainer.get_model(name)
    trainer.remove_alias(entry.name, "champion")

    assert (alias.model_id, found.model_id) == (entry.model_id, entry.model_id)
    assert found.aliases == ["champion"]
    with pytest.raises(NotFound, match="champion"):
        trainer.get_model(name)


def test_an_alias_that_reads_like_a_version_is_refused(
    trainer: Registry, entry: ModelRegistryEntry
) -> None:
    trainer.register_model(entry)

    with pytest.raises(InvalidInput, match="alias"):
        trainer.set_alias(entry.name, "v1", entry.model_id)


def test_nobody_is_refused(as_: As) -> None:
    nobody = as_("nobody-of-that-name", "")

    with pytest.raises(Unauthorized):
        nobody.stats()


def test_an_unknown_model_is_not_found(trainer: Registry) -> None:
    with pytest.raises(NotFound, match="nothing_v9"):
        trainer.get_model("nothing_v9")


def test_a_field_the_registry_alone_may_set_is_refused_by_name(
    trainer: Registry, entry: ModelRegistryEntry
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        trainer.register_model(replace(entry, constitutional_compliance=True))

    assert [error.pointer for error in refusal.value.errors] == ["/constitutional_compliance"]
    with pytest.raises(NotFound):
        trainer.get_model(entry.model_id)


def test_another_stage_than_development_is_refused_at_registration(
    trainer: Registry, entry: ModelRegistryEntry
) -> None:
    with pytest.raises(InvalidInput, match="Models start in development"):
        trainer.register_model(replace(entry, deploy_status=DeploymentStage.PRODUCTION))


def test_a_list_is_whole_and_fits_all_that_is_asked(
    trainer: Registry, entry: ModelRegistryEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.session.PAGE", 2)
    ids = {f"{entry.model_id}.{number}" for number in range(5)}
    for number, model_id in enumerate(sorted(ids)):
        trainer.register_model(replace(entry, model_id=model_id, version=f"1.0.{number}"))

    def found(**asked: Any) -> set[str]:
        return {each.model_id for each in trainer.list_models(team=entry.team, **asked)}

    assert found() == ids
    assert found(tags=["nlp"], framework="sklearn", owner="ml_team") == ids
    assert found(deploy_status="development", q=entry.name.split()[-1][:5]) == ids
    assert found(tags="nlp,transformer") == set()
    assert found(deploy_status="production") == set()


def test_what_may_change_changes_and_what_may_not_is_named(
    trainer: Registry, model_id: str
) -> None:
    changed = trainer.update_model(
        model_id, metadata={"ticket": 7}, expected_latency_p95_ms=50, tags={"nlp": ""}
    )

    assert changed.metadata["ticket"] == 7
    assert changed.expected_latency_p95_ms == 50
    assert changed.tags == {"nlp": ""}
    with pytest.raises(InvalidInput, match="framework"):
        trainer.update_model(model_id, framework="pytorch")


def test_a_check_is_settled_by_a_reviewer_and_by_nobody_else(as_: As, model_id: str) -> None:
    with pytest.raises(PermissionRefused):
        as_("tom", "trainer").update_model(model_id, metadata={"bias_check_passed": True})

    settled = as_("rita", "reviewer").update_model(model_id, metadata={"bias_check_passed": True})

    assert settled.bias_check_passed is True
    assert settled.constitutional_compliance is False


def test_a_closed_gate_names_every_blocker(trainer: Registry, model_id: str) -> None:
    trainer.update_deployment_status(model_id, DeploymentStage.SANDBOX)

    with pytest.raises(PromotionBlocked) as refusal:
        trainer.update_deployment_status(model_id, DeploymentStage.CANARY, 10.0)

    assert len(refusal.value.blockers) >= 2
    assert all(blocker in str(refusal.value) for blocker in refusal.value.blockers)
    assert trainer.get_model(model_id).deploy_status is DeploymentStage.SANDBOX


def test_a_skipped_stage_is_a_conflict(trainer: Registry, model_id: str) -> None:
    with pytest.raises(Conflict):
        trainer.update_deployment_status(model_id, DeploymentStage.PRODUCTION)


def test_a_reviewed_model_reaches_users_and_leaves_them_again(
    as_: As, model_id: str, family: str
) -> None:
    trainer = in_canary(as_, model_id)
    serving = trainer.get_model(model_id)
    with Router(family, registry=trainer, poll_seconds=0.05) as router:
        keys = [f"user-{number}" for number in range(2_000)]
        before = [router.route(key) for key in keys]
        revision = router.revision

        done = as_("oscar", "operator").rollback(model_id, reason="High error rate detected")

        after = trainer.traffic(family)

    assert (serving.deploy_status, serving.canary_percentage) == (DeploymentStage.CANARY, 10.0)
    share = sum(target is not None and target.model_id == model_id for target in before) / 2_000
    assert abs(share - 0.10) < 0.02
    assert done.status is DeploymentStage.ROLLBACK
    assert done.reasons == ["High error rate detected"]
    assert after.revision > revision
    assert [after.target(key) for key in keys] == [None] * 2_000
    rolled_back = trainer.get_model(model_id).rollback
    assert rolled_back is not None
    assert rolled_back["reasons"] == ["High error rate detected"]


def test_a_rollback_said_twice_is_done_once(as_: As, model_id: str) -> None:
    in_canary(as_, model_id)
    operator = as_("oscar", "operator")

    first = operator.rollback(model_id, reason="once")
    again = operator.update_deployment_status(model_id, DeploymentStage.ROLLBACK)

    assert again.status is DeploymentStage.ROLLBACK
    events = [event.event_type for event in operator.history(model_id)]
    assert events.count("model.rolled_back") == 1
    assert operator.get_model(model_id).rollback is not None
    assert first.model_id == model_id


def test_snapshots_are_recorded_once_and_contradictions_are_named(as_: As, model_id: str) -> None:
    serving = as_("sam", "serving", model_id)
    sent = [snapshot(model_id, second=second) for second in range(3)]

    first = serving.record_performance_snapshot(sent)
    again = serving.record_performance_snapshot(sent[0])
    with pytest.raises(SnapshotConflict) as refusal:
        serving.record_performance_snapshot(
            [sent[0], replace(sent[1], error_rate=0.5), replace(sent[2], source="replica-2")]
        )

    assert (first.accepted, first.duplicates) == (3, 0)
    assert (again.accepted, again.duplicates) == (0, 1)
    assert [conflict["index"] for conflict in refusal.value.conflicts] == [1]
    assert (refusal.value.accepted, refusal.value.duplicates) == (1, 1)


def test_an_unacceptable_snapshot_is_named_by_its_place(as_: As, model_id: str) -> None:
    sent = [snapshot(model_id), snapshot(model_id, second=1, error_rate=1.5)]

    with pytest.raises(InvalidInput) as refusal:
        as_("sam", "serving", model_id).record_performance_snapshot(sent)

    assert [error.pointer for error in refusal.value.errors] == ["/1/error_rate"]


def test_a_check_gives_reasons_with_figures(as_: As, trainer: Registry, model_id: str) -> None:
    # In development, so that no worker takes the model out between the two questions.
    should_rollback, reasons = nothing = trainer.check_rollback_triggers(model_id)
    at = trainer.get_model(model_id).stage_entered_at
    assert at is not None
    bad = replace(snapshot(model_id, error_rate=0.08), timestamp=at)
    as_("sam", "serving", model_id).record_performance_snapshot(bad)

    breach = trainer.check_rollback_triggers(model_id, window_minutes=5)

    assert (should_rollback, reasons, nothing.verdict) == (False, [], "no_data")
    assert (breach[0], breach.verdict) == (True, "rollback")
    (reason,) = breach[1]
    assert (reason.metric, reason.threshold, reason.window) == ("error_rate", 0.05, 5)
    assert reason.value == pytest.approx(0.08)


def test_an_artifact_comes_back_byte_for_byte(
    trainer: Registry, model_id: str, tmp_path: Path
) -> None:
    source = tmp_path / "model.bin"
    source.write_bytes(bytes(range(256)) * 5_000)

    artifact = trainer.upload_artifact(model_id, source)
    download = trainer.download_artifact(model_id, tmp_path / "again.bin")

    assert artifact.size == source.stat().st_size
    assert artifact.sha256 == download.sha256 == trainer.get_model(model_id).artifact_sha256
    assert download.path.read_bytes() == source.read_bytes()


def test_bytes_with_another_digest_are_refused(trainer: Registry, model_id: str) -> None:
    headers = {"Digest": f"sha-256={'0' * 64}", "Content-Type": "application/octet-stream"}
    where = path("models", model_id, "artifact")

    with pytest.raises(InvalidInput) as refusal:
        trainer.session.send(Request("PUT", where, headers, b"something else"))

    assert refusal.value.status == 422
    assert trainer.get_model(model_id).artifact_sha256 is None


def test_a_model_without_an_artifact_has_none_to_give(
    trainer: Registry, model_id: str, tmp_path: Path
) -> None:
    with pytest.raises(NotFound):
        trainer.download_artifact(model_id, tmp_path / "m.bin")

    assert list(tmp_path.iterdir()) == []


def test_cards_reviews_history_and_figures_are_there(
    as_: As, trainer: Registry, model_id: str
) -> None:
    card = trainer.generate_card(model_id)
    asked = trainer.request_review(model_id, note="The first of its family.")

    assert card.model_id == model_id
    assert card.revision == 1
    assert "Fraud Detector" in card.markdown
    assert card.json
    assert asked.requested_at is not None
    happened = trainer.history(model_id)
    assert "model.registered" in [event.event_type for event in happened]
    assert happened[0].timestamp.tzinfo is not None
    assert trainer.stats().by_stage["development"] >= 1
    assert isinstance(trainer.incidents(state="open"), list)


def test_under_a_running_loop_plain_and_awaited_calls_are_committed(as_: As, model_id: str) -> None:
    trainer, reviewer = as_("tom", "trainer"), as_("rita", "reviewer")

    async def work() -> None:
        trainer.update_deployment_status(model_id, DeploymentStage.SANDBOX)
        await reviewer.update_model(
            model_id, metadata={"constitutional_compliance": True, "bias_check_passed": True}
        )
        move = await trainer.update_deployment_status(model_id, DeploymentStage.CANARY, 10.0)
        assert move.canary_percentage == 10.0

    asyncio.run(work())

    assert trainer.get_model(model_id).deploy_status is DeploymentStage.CANARY
