"""Ask for a version to be measured. Everything a header can tell is checked before it waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from monitoring.evaluations import blobs, dispatch, headers, record, schemas, specs
from monitoring.evaluations.refusals import DataSetInvalid
from monitoring.evaluations.schemas import DataSetSchema
from monitoring.models import Evaluation, EvaluationKind, EvaluationState
from registry import clock
from registry.errors import Conflict, Unprocessable
from registry.ledger import events
from registry.models import DataSet, ModelVersion

PATIENCE = timedelta(seconds=60)  # a queued evaluation nobody took is sent again after this


def request(
    version: ModelVersion,
    *,
    dataset: DataSet,
    kind: EvaluationKind,
    actor: str,
    protected_attributes: Sequence[str] = (),
    favourable_label: str | int | None = None,
    reference_dataset: DataSet | None = None,
) -> Evaluation:
    """Queue an evaluation of the version's artifact on a data set.

    Args:
        kind: Only a gate evaluation is evidence that reviewers sign.
        protected_attributes: Names of the data set's group columns to compare.
        favourable_label: The class people want, by name or index; needed with attributes.
        reference_dataset: What the profile is frozen from; without one, the data set.

    Raises:
        Conflict: There is no artifact, or such an evaluation is under way.
        NotMeasurable: The artifact or a data set cannot be used; the message says why.
        Unprocessable: An attribute or the label is not one of the data set's.
    """
    if version.artifact_id is None:
        raise Conflict(f"{version} has no uploaded artifact, so there is nothing to measure.")
    schema = _schema(dataset)
    spec = specs.read(headers.read(blobs.find(version.artifact_id)))
    specs.check_fit(spec, features=len(schema.features), classes=len(schema.classes))
    if reference_dataset is not None and _schema(reference_dataset).features != schema.features:
        raise DataSetInvalid("features", "must be those of the reference, in the same order")
    _check_attributes(protected_attributes, schema)
    evaluation = Evaluation(
        version=version,
        artifact_sha256=version.artifact_id,
        dataset=dataset,
        dataset_sha256=dataset.artifact_id,
        reference_dataset=reference_dataset,
        reference_sha256=reference_dataset.artifact_id if reference_dataset else "",
        kind=kind,
        protected_attributes=list(protected_attributes),
        favourable_label=_label(favourable_label, schema, needed=bool(protected_attributes)),
        requested_by=actor,
    )
    return _enqueue(evaluation)


@transaction.atomic
def cancel(evaluation: Evaluation, *, actor: str, now: datetime) -> Evaluation:
    """Stop an evaluation: one that waits at once, one that runs at its worker's next heartbeat.

    Raises:
        Conflict: It has ended already.
    """
    evaluation = Evaluation.objects.select_for_update().get(pk=evaluation.pk)
    if evaluation.state == EvaluationState.QUEUED:
        record.cancel(evaluation, actor=actor, now=now)
    elif evaluation.state == EvaluationState.RUNNING:
        Evaluation.objects.filter(pk=evaluation.pk).update(cancel_requested=True)
        events.record(
            "evaluation.cancellation.requested",
            subject=evaluation.version,
            actor=actor,
            payload={"evaluation_id": evaluation.pk},
        )
    else:
        raise Conflict(f"Evaluation {evaluation.pk} is {evaluation.state} already.")
    evaluation.refresh_from_db()
    return evaluation


@transaction.atomic
def _enqueue(evaluation: Evaluation) -> Evaluation:
    """Insert, record and send, unless the same is under way; the version's row is the lock."""
    version = ModelVersion.objects.select_for_update().get(pk=evaluation.version_id)
    under_way = version.evaluations.open().filter(dataset=evaluation.dataset, kind=evaluation.kind)
    if (rival := under_way.first()) is not None:
        raise Conflict(
            f"Evaluation {rival.pk} of {version} on {evaluation.dataset} is {rival.state}; wait "
            "for it to end."
        )
    evaluation.requested_at = clock.now()
    evaluation.lease_until = evaluation.requested_at + PATIENCE
    evaluation.save()
    events.record(
        "evaluation.requested",
        subject=version,
        actor=evaluation.requested_by,
        payload={
            "evaluation_id": evaluation.pk,
            "kind": evaluation.kind,
            "data_set": evaluation.dataset.name,
            "data_set_sha256": evaluation.dataset_sha256,
            "artifact_sha256": evaluation.artifact_sha256,
            "protected_attributes": evaluation.protected_attributes,
        },
    )
    dispatch.send_after_commit(evaluation.pk)
    return evaluation


def _schema(dataset: DataSet) -> DataSetSchema:
    return schemas.read(headers.read(blobs.find(dataset.artifact_id)))


def _check_attributes(attributes: Sequence[str], schema: DataSetSchema) -> None:
    for attribute in attributes:
        if attribute not in schema.groups:
            known = ", ".join(schema.groups) or "none"
            raise Unprocessable.of(
                "protected_attributes",
                f"The data set has no group {attribute!r}; it has: {known}.",
            )
    if len(set(attributes)) < len(attributes):
        raise Unprocessable.of("protected_attributes", "Name each attribute once.")


def _label(asked: str | int | None, schema: DataSetSchema, *, needed: bool) -> int | None:
    """The index of the favourable class."""
    classes = schema.classes
    if asked is None and not needed:
        return None
    if isinstance(asked, str) and asked in classes:
        return classes.index(asked)
    if isinstance(asked, int) and not isinstance(asked, bool) and 0 <= asked < len(classes):
        return asked
    raise Unprocessable.of(
        "favourable_label",
        f"Say which outcome people want, so that groups can be compared: {', '.join(classes)}.",
    )
