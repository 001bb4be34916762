"""What the database itself holds about evaluations: a test that breaks each constraint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from monitoring.models import Evaluation
from tests.conftest import NOW

pytestmark = pytest.mark.django_db

Ask = Callable[..., Evaluation]
DIGEST = "a" * 64


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("evaluation_kind_is_known", {"kind": "casual"}),
        ("evaluation_state_is_known", {"state": "lost"}),
        ("an_evaluation_says_which_bytes_it_measures", {"artifact_sha256": ""}),
        ("an_evaluation_says_which_bytes_it_measures", {"dataset_sha256": "A" * 64}),
        ("evaluation_progress_is_a_share", {"progress": 1.01}),
        ("evaluation_progress_is_a_share", {"progress": -0.01}),
        ("evaluation_has_three_attempts_at_most", {"attempt": 4}),
        ("only_an_open_evaluation_has_a_lease", {"lease_until": None}),
        (
            "only_an_open_evaluation_has_a_lease",
            {"state": "cancelled", "finished_at": NOW, "lease_until": NOW},
        ),
        ("only_a_final_evaluation_has_finished", {"finished_at": NOW}),
        ("only_a_final_evaluation_has_finished", {"state": "cancelled", "lease_until": None}),
        ("only_a_done_evaluation_has_results_and_a_digest", {"results": {}}),
        ("only_a_done_evaluation_has_results_and_a_digest", {"evidence_digest": DIGEST}),
        (
            "only_a_done_evaluation_has_results_and_a_digest",
            {"state": "done", "finished_at": NOW, "lease_until": None, "results": {}},
        ),
        (
            "only_a_done_evaluation_has_results_and_a_digest",
            {"state": "done", "finished_at": NOW, "lease_until": None, "evidence_digest": DIGEST},
        ),
        ("only_a_failed_evaluation_says_why", {"error": "why"}),
        (
            "only_a_failed_evaluation_says_why",
            {"state": "failed", "finished_at": NOW, "lease_until": None},
        ),
        ("protected_attributes_need_a_favourable_label", {"favourable_label": None}),
        ("a_reference_data_set_comes_with_its_digest", {"reference_sha256": DIGEST}),
    ],
)
def test_the_database_refuses(ask: Ask, constraint: str, changes: dict[str, Any]) -> None:
    evaluation = ask()

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Evaluation.objects.filter(pk=evaluation.pk).update(**changes)


def test_the_database_refuses_a_reference_without_its_digest(ask: Ask) -> None:
    evaluation = ask()

    with (
        pytest.raises(IntegrityError, match="a_reference_data_set_comes_with_its_digest"),
        transaction.atomic(),
    ):
        Evaluation.objects.update(reference_dataset=evaluation.dataset)


def test_the_database_refuses_a_second_open_evaluation_of_the_same(ask: Ask) -> None:
    evaluation = ask()
    evaluation.pk = None
    evaluation._state.adding = True

    with (
        pytest.raises(IntegrityError, match="one_open_evaluation_for_version_data_set_and_kind"),
        transaction.atomic(),
    ):
        evaluation.save()


def test_an_evaluation_reads_as_a_sentence(ask: Ask) -> None:
    evaluation = ask()

    assert str(evaluation) == f"evaluation {evaluation.pk} of {evaluation.version} on census"
