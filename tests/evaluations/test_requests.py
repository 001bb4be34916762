"""Asking for an evaluation: what is recorded, what is refused, what a cancellation does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from config import celery_app, env
from monitoring.evaluations import dispatch, leases, requests
from monitoring.evaluations.refusals import DataSetInvalid, ModelNotLoadable, NotMeasurable
from monitoring.models import Evaluation, EvaluationKind
from registry import artifacts
from registry.errors import Conflict, Unprocessable
from registry.models import DataSet, Event, ModelVersion
from tests.conftest import NOW
from tests.evaluations import files

pytestmark = pytest.mark.django_db

Ask = Callable[..., Evaluation]
Versions = Callable[..., ModelVersion]
DataSets = Callable[..., DataSet]


def test_a_request_waits_with_the_digests_it_speaks_of(
    ask: Ask, make_measurable: Versions, make_data_set: DataSets, actor: str
) -> None:
    version, dataset = make_measurable(), make_data_set()

    evaluation = ask(version, dataset=dataset)

    assert (evaluation.state, evaluation.kind) == ("queued", "gate")
    assert evaluation.artifact_sha256 == version.artifact_id
    assert evaluation.dataset_sha256 == dataset.artifact_id
    assert evaluation.favourable_label == 1
    assert evaluation.requested_by == actor
    assert evaluation.lease_until == evaluation.requested_at + requests.PATIENCE


def test_a_request_leaves_one_event(ask: Ask, make_measurable: Versions) -> None:
    version = make_measurable()
    before = Event.objects.count()

    evaluation = ask(version)

    event = Event.objects.filter(event_type="evaluation.requested").get()
    assert Event.objects.count() == before + 2  # the data set's upload is the other
    assert event.version == version
    assert event.payload["evaluation_id"] == evaluation.pk
    assert event.payload["data_set"] == "census"
    assert event.payload["artifact_sha256"] == version.artifact_id


def test_a_request_is_sent_once_it_is_committed(
    ask: Ask, sent: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        evaluation = ask()
        assert sent == []

    assert sent == [evaluation.pk]


@pytest.mark.parametrize(("named", "queue"), [("", "cpu"), ("gpu", "gpu")])
def test_evaluations_wait_in_the_queue_the_installation_names(
    monkeypatch: pytest.MonkeyPatch, named: str, queue: str
) -> None:
    monkeypatch.setenv("ASSAY_EVALUATION_QUEUE", named)

    assert env.evaluation_queue() == queue
    routed = celery_app.amqp.router.route({}, dispatch.TASK)["queue"]
    assert routed.name == settings.CELERY_TASK_ROUTES[dispatch.TASK]["queue"] == "cpu"


def test_a_lost_broker_does_not_lose_the_request(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr("monitoring.tasks.run_evaluation.delay", refuse)

    with django_capture_on_commit_callbacks(execute=True):
        evaluation = ask()

    assert Evaluation.objects.open().get() == evaluation


@pytest.mark.parametrize(("asked", "index"), [("employed", 1), ("not employed", 0), (0, 0), (1, 1)])
def test_the_favourable_label_goes_by_name_or_index(ask: Ask, asked: str | int, index: int) -> None:
    assert ask(favourable_label=asked).favourable_label == index


def test_without_attributes_no_label_is_needed(ask: Ask) -> None:
    evaluation = ask(protected_attributes=[], favourable_label=None)

    assert evaluation.favourable_label is None
    assert evaluation.protected_attributes == []


@pytest.mark.parametrize("asked", [None, "Employed", "1", 2, -1, True])
def test_a_label_that_is_none_of_the_classes_is_refused_with_the_classes(
    ask: Ask, asked: str | int | None
) -> None:
    with pytest.raises(Unprocessable, match="favourable_label.*not employed, employed") as refusal:
        ask(favourable_label=asked)

    assert refusal.value.errors[0].pointer == "/favourable_label"
    assert not Evaluation.objects.exists()


def test_an_unknown_attribute_is_refused_with_those_there_are(ask: Ask) -> None:
    with pytest.raises(Unprocessable, match="no group 'AGE'; it has: RAC1P, SEX") as refusal:
        ask(protected_attributes=["SEX", "AGE"])

    assert refusal.value.errors[0].pointer == "/protected_attributes"


def test_an_attribute_named_twice_is_refused(ask: Ask) -> None:
    with pytest.raises(Unprocessable, match="each attribute once"):
        ask(protected_attributes=["SEX", "SEX"])


def test_a_version_without_an_artifact_has_nothing_to_measure(
    ask: Ask, make_version: Versions
) -> None:
    with pytest.raises(Conflict, match="has no uploaded artifact"):
        ask(make_version())


def test_a_pickle_is_refused_at_the_request_and_stays_stored(
    ask: Ask, make_measurable: Versions, tmp_path: Path
) -> None:
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04K\x01.")
    version = make_measurable(tmp_path / "model.pkl")

    with pytest.raises(NotMeasurable, match="but a pickle.*save_file"):
        ask(version)

    assert version.artifact is not None
    assert version.artifact.format == "opaque"


def test_a_model_for_other_features_is_refused_at_the_request(
    ask: Ask, make_measurable: Versions, tmp_path: Path
) -> None:
    version = make_measurable(files.mlp_file(tmp_path / "wide", inputs=5))

    with pytest.raises(ModelNotLoadable, match="takes 5 features"):
        ask(version)


def test_a_data_set_that_is_none_is_refused(
    ask: Ask, make_data_set: DataSets, tmp_path: Path
) -> None:
    with pytest.raises(DataSetInvalid, match="assay.dataset is missing"):
        ask(dataset=make_data_set("wrong", files.mlp_file(tmp_path / "wrong")))


def test_a_reference_is_kept_with_its_digest(ask: Ask, make_data_set: DataSets) -> None:
    reference = make_data_set("training", rows=300)

    evaluation = ask(reference_dataset=reference)

    assert evaluation.reference_dataset == reference
    assert evaluation.reference_sha256 == reference.artifact_id


def test_a_reference_with_other_features_is_refused(ask: Ask, make_data_set: DataSets) -> None:
    other = make_data_set("other", features=["tenure", "hours", "age"])

    with pytest.raises(DataSetInvalid, match="those of the reference"):
        ask(reference_dataset=other)


def test_a_lost_file_is_a_sentence(ask: Ask, make_measurable: Versions) -> None:
    version = make_measurable()
    artifacts.path_of(str(version.artifact_id)).unlink()

    with pytest.raises(NotMeasurable, match="no file with sha256 .*restore it from a backup"):
        ask(version)


def test_the_same_evaluation_is_not_queued_twice(
    ask: Ask, make_measurable: Versions, make_data_set: DataSets
) -> None:
    version, dataset = make_measurable(), make_data_set()
    first = ask(version, dataset=dataset)

    with pytest.raises(Conflict, match=f"Evaluation {first.pk} of .* on census is queued"):
        ask(version, dataset=dataset)

    assert ask(version, dataset=dataset, kind=EvaluationKind.SCHEDULED) != first
    assert ask(version, dataset=make_data_set("other")) != first


def test_a_waiting_evaluation_is_cancelled_at_once(ask: Ask, actor: str) -> None:
    evaluation = requests.cancel(ask(), actor=actor, now=NOW)

    assert evaluation.state == "cancelled"
    assert evaluation.finished_at == NOW
    event = Event.objects.get(event_type="evaluation.cancelled")
    assert (event.actor, event.payload["evaluation_id"]) == (actor, evaluation.pk)
    assert leases.claim(evaluation.pk, now=NOW) is None


def test_a_running_evaluation_is_asked_to_stop(ask: Ask, actor: str) -> None:
    evaluation = ask()
    leases.claim(evaluation.pk, now=NOW)

    evaluation = requests.cancel(evaluation, actor=actor, now=NOW)

    assert (evaluation.state, evaluation.cancel_requested) == ("running", True)
    assert Event.objects.filter(event_type="evaluation.cancellation.requested").count() == 1


def test_an_evaluation_that_has_ended_cannot_be_cancelled(ask: Ask, actor: str) -> None:
    evaluation = requests.cancel(ask(), actor=actor, now=NOW)

    with pytest.raises(Conflict, match=f"Evaluation {evaluation.pk} is cancelled already"):
        requests.cancel(evaluation, actor=actor, now=NOW)
