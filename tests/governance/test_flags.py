"""The two flags of an entry follow from reviews, for any number of versions in three queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from governance import flags
from governance.models import Check, CheckVerdict
from governance.reviews import settle_check
from registry.models import Artifact, ModelVersion
from tests.governance.makers import settle_both

pytestmark = pytest.mark.django_db

NEITHER = {"constitutional_compliance": False, "bias_check_passed": False}
BOTH = {"constitutional_compliance": True, "bias_check_passed": True}


def flags_of(version: ModelVersion) -> dict[str, bool]:
    version.refresh_from_db()
    return flags.entry_part([version])[version.pk]


def test_an_unreviewed_version_has_neither(version: ModelVersion) -> None:
    assert flags_of(version) == NEITHER


def test_a_passed_check_is_its_flag_alone(version: ModelVersion, ada: User) -> None:
    settle_check(version, Check.BIAS, verdict=CheckVerdict.PASS, reviewer=ada)

    assert flags_of(version) == NEITHER | {"bias_check_passed": True}


@pytest.mark.parametrize("verdict", ["fail", "unknown", "not_applicable"])
def test_only_a_pass_raises_a_flag(version: ModelVersion, ada: User, verdict: str) -> None:
    settle_both(version, ada, verdict=CheckVerdict(verdict))

    assert flags_of(version) == NEITHER


def test_the_latest_result_counts(version: ModelVersion, ada: User, rob: User) -> None:
    settle_both(version, ada)
    settle_check(version, Check.BIAS, verdict=CheckVerdict.FAIL, reviewer=rob)

    assert flags_of(version) == BOTH | {"bias_check_passed": False}


def test_a_pass_of_a_former_subject_raises_no_flag(
    version: ModelVersion, ada: User, upload: Callable[..., Artifact]
) -> None:
    settle_both(version, ada)

    upload(version)

    assert flags_of(version) == NEITHER


def test_many_versions_take_as_many_queries_as_one(
    make_version: Callable[..., ModelVersion],
    ada: User,
    django_assert_num_queries: Callable[..., Any],
) -> None:
    made = [make_version() for _ in range(5)]
    settle_both(made[3], ada)
    versions = list(ModelVersion.objects.order_by("pk"))

    with django_assert_num_queries(3):
        found = flags.entry_part(versions)

    assert [found[version.pk] for version in made] == [NEITHER] * 3 + [BOTH] + [NEITHER]


def test_no_versions_have_no_flags() -> None:
    assert flags.entry_part([]) == {}
