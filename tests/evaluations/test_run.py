"""The job from claim to answer, with real files and a real measurement."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch
from django.db import DatabaseError

from assay.profiles import Profile
from monitoring import tasks
from monitoring.evaluations import conditions, inference, leases, record, requests, run
from monitoring.evaluations.architectures import Classifier
from monitoring.evaluations.refusals import NotMeasurable
from monitoring.models import Evaluation
from registry import artifacts
from registry.models import DataSet, Event, ModelVersion
from tests.conftest import NOW
from tests.evaluations import files

pytestmark = pytest.mark.django_db

Ask = Callable[..., Evaluation]
Versions = Callable[..., ModelVersion]
DataSets = Callable[..., DataSet]
LATER = NOW + timedelta(seconds=61)


@pytest.fixture
def evaluation(ask: Ask) -> Evaluation:
    """One that waits since the tests' clock."""
    asked = ask()
    Evaluation.objects.update(requested_at=NOW, lease_until=NOW + requests.PATIENCE)
    return asked


def types() -> list[str]:
    found = Event.objects.filter(event_type__startswith="evaluation.").order_by("pk")
    return list(found.values_list("event_type", flat=True))


def break_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let the prediction end like this."""

    def fail(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(inference, "predict", fail)


def test_an_evaluation_is_measured_and_kept_as_evidence(evaluation: Evaluation) -> None:
    run.run(evaluation.pk, now=NOW)

    row = Evaluation.objects.get()
    assert (row.state, row.attempt, row.device, row.error) == ("done", 1, "cpu", "")
    assert row.results is not None
    assert row.results["rows"] == 400
    assert row.results["bias"]["favourable_label"] == "employed"
    assert [s["attributes"] for s in row.results["bias"]["sections"]] == [["SEX"]]
    assert row.evidence_digest == record.digest(row.results)
    assert Profile.from_json(row.results["profile"]).rows == 400
    assert types() == ["evaluation.requested", "evaluation.completed"]


def test_a_model_that_needs_more_memory_than_there_is_is_measured_in_smaller_batches(
    evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = Classifier.forward

    def narrow(module: Classifier, features: torch.Tensor) -> torch.Tensor:
        if len(features) > 50:
            raise torch.OutOfMemoryError
        return forward(module, features)

    monkeypatch.setattr(Classifier, "forward", narrow)

    run.run(evaluation.pk, now=NOW)

    row = Evaluation.objects.get()
    assert row.state == "done", row.error
    assert row.results is not None
    assert (row.results["batch_size"], row.results["batch_size_asked"]) == (32, 1024)
    assert any("halved to 32" in said for said in conditions.sentences(row.results))


def test_the_task_takes_an_id_and_may_run_twice(evaluation: Evaluation) -> None:
    tasks.run_evaluation(evaluation.pk)
    first = Evaluation.objects.get()

    tasks.run_evaluation(evaluation.pk)

    again = Evaluation.objects.get()
    assert (again.state, again.attempt) == ("done", 1)
    assert again.evidence_digest == first.evidence_digest
    assert types().count("evaluation.completed") == 1


def test_a_reference_data_set_gives_the_profile(ask: Ask, make_data_set: DataSets) -> None:
    evaluation = ask(reference_dataset=make_data_set("training", rows=300))

    run.run(evaluation.pk, now=NOW)

    results = Evaluation.objects.get().results
    assert results is not None
    assert results["profile"]["rows"] == 300
    assert results["drift"]["rows"] == 400


def test_a_done_gate_evaluation_is_the_evidence_of_its_artifact(
    ask: Ask, make_measurable: Versions, make_data_set: DataSets
) -> None:
    version = make_measurable()
    for minute, kind, name in ((1, "gate", "a"), (2, "gate", "b"), (3, "scheduled", "c")):
        asked = ask(version, dataset=make_data_set(name), kind=kind)
        run.run(asked.pk, now=NOW + timedelta(minutes=minute))

    found = Evaluation.objects.evidence().filter(version=version)

    assert [row.dataset.name for row in found] == ["b", "a"]
    Evaluation.objects.update(artifact_sha256="0" * 64)
    assert not Evaluation.objects.evidence().exists()


def test_defective_data_fails_with_the_reason_and_is_not_tried_again(
    ask: Ask, make_data_set: DataSets, tmp_path: Path
) -> None:
    tensors = files.dataset_tensors()
    tensors["labels"][3] = 7
    path = files.dataset_file(tmp_path / "wrong", tensors)
    evaluation = ask(dataset=make_data_set("wrong", path))

    run.run(evaluation.pk, now=NOW)

    row = Evaluation.objects.get()
    assert row.state == "failed"
    assert row.error.startswith("The data set's labels has 7 in row 3")
    assert types() == ["evaluation.requested", "evaluation.failed"]
    assert run.resend_expired(now=LATER) == []


def test_a_file_changed_behind_our_back_is_no_evidence(evaluation: Evaluation) -> None:
    path = artifacts.path_of(evaluation.dataset_sha256)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b" ")

    run.run(evaluation.pk, now=NOW)

    assert "it was changed after its upload" in Evaluation.objects.get().error
    path.unlink()


def test_an_unforeseen_error_is_the_reason_and_is_raised_for_the_log(
    evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_with(monkeypatch, RuntimeError("CUDA error: device-side assert"))

    with pytest.raises(RuntimeError):
        run.run(evaluation.pk, now=NOW)

    row = Evaluation.objects.get()
    assert (row.state, row.error) == ("failed", "RuntimeError: CUDA error: device-side assert")


@pytest.mark.parametrize("error", [DatabaseError("gone"), SystemExit()])
def test_a_lost_database_or_a_stopped_worker_leaves_it_to_the_sweeper(
    evaluation: Evaluation,
    monkeypatch: pytest.MonkeyPatch,
    sent: list[int],
    django_capture_on_commit_callbacks: Any,
    error: BaseException,
) -> None:
    break_with(monkeypatch, error)
    with pytest.raises(type(error)):
        run.run(evaluation.pk, now=NOW)
    assert Evaluation.objects.get().state == "running"

    with django_capture_on_commit_callbacks(execute=True):
        resent = run.resend_expired(now=LATER)

    row = Evaluation.objects.get()
    assert resent == [evaluation.pk]
    assert sent == [evaluation.pk]
    assert (row.state, row.attempt) == ("queued", 1)
    assert row.lease_until == LATER + requests.PATIENCE


def test_a_resent_evaluation_is_measured_by_the_next_worker(evaluation: Evaluation) -> None:
    leases.claim(evaluation.pk, now=NOW)
    run.resend_expired(now=LATER)

    run.run(evaluation.pk, now=LATER)

    row = Evaluation.objects.get()
    assert (row.state, row.attempt) == ("done", 2)


def test_a_request_whose_message_was_lost_is_sent_again_once_a_minute(
    evaluation: Evaluation, sent: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    for seconds in (59, 61, 90, 120, 122):
        with django_capture_on_commit_callbacks(execute=True):
            run.resend_expired(now=NOW + timedelta(seconds=seconds))

    assert len(sent) == 2
    assert Evaluation.objects.get().attempt == 0


def test_three_silent_workers_are_a_failure_that_says_so(evaluation: Evaluation) -> None:
    for attempt in range(3):
        leases.claim(evaluation.pk, now=NOW + attempt * (LATER - NOW))

    resent = run.resend_expired(now=NOW + 3 * (LATER - NOW))

    row = Evaluation.objects.get()
    assert resent == []
    assert row.state == "failed"
    assert row.error == (
        "3 workers took this evaluation and none gave an answer; the last lease ran out at "
        "2026-01-31 12:03:02 UTC. Their log says what stopped them."
    )
    assert types()[-1] == "evaluation.failed"


def test_a_living_worker_is_left_alone(evaluation: Evaluation) -> None:
    leases.claim(evaluation.pk, now=NOW)

    assert run.resend_expired(now=NOW + timedelta(seconds=59)) == []
    assert Evaluation.objects.get().state == "running"


def test_an_overtaken_worker_writes_nothing(
    evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = run.measured

    def overtaken(lease: leases.Lease) -> dict[str, Any]:
        results = measure(lease)
        assert leases.claim(evaluation.pk, now=LATER) is not None
        return results

    monkeypatch.setattr(run, "measured", overtaken)

    run.run(evaluation.pk, now=NOW)

    row = Evaluation.objects.get()
    assert (row.state, row.attempt, row.results) == ("running", 2, None)
    assert types() == ["evaluation.requested"]


def test_a_refusal_of_an_overtaken_worker_is_dropped(
    evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(lease: leases.Lease) -> dict[str, Any]:
        assert leases.claim(evaluation.pk, now=LATER) is not None
        raise NotMeasurable("The file is gone.")

    monkeypatch.setattr(run, "measured", overtaken)

    run.run(evaluation.pk, now=NOW)

    assert Evaluation.objects.get().state == "running"


def test_a_cancellation_stops_the_measurement_between_batches(
    evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch, actor: str
) -> None:
    monkeypatch.setattr(leases, "HEARTBEAT", 0.0)
    keep = leases.Lease.keep

    def cancel_first(lease: leases.Lease, share: float) -> None:
        requests.cancel(lease.evaluation, actor=actor, now=NOW)
        keep(lease, share)

    monkeypatch.setattr(leases.Lease, "keep", cancel_first)

    run.run(evaluation.pk, now=NOW)

    assert Evaluation.objects.get().state == "cancelled"
    assert types()[-1] == "evaluation.cancelled"


def test_a_cancellation_of_a_dead_worker_is_carried_out_by_the_sweeper(
    evaluation: Evaluation, actor: str
) -> None:
    leases.claim(evaluation.pk, now=NOW)
    requests.cancel(evaluation, actor=actor, now=NOW)

    assert run.resend_expired(now=LATER) == []

    assert Evaluation.objects.get().state == "cancelled"


def test_progress_is_saved_while_measuring(
    evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "HEARTBEAT", 0.0)
    seen: list[float] = []
    keep = leases.Lease.keep

    def watch(lease: leases.Lease, share: float) -> None:
        keep(lease, share)
        seen.append(Evaluation.objects.get().progress)

    monkeypatch.setattr(leases.Lease, "keep", watch)

    run.run(evaluation.pk, now=NOW)

    assert seen == [0.9, 0.95, 1.0]


def test_beat_sweeps(evaluation: Evaluation) -> None:
    Evaluation.objects.update(lease_until=NOW - timedelta(days=3650))

    tasks.resend_evaluations()

    lease_until = Evaluation.objects.get().lease_until
    assert lease_until is not None
    assert lease_until > NOW
