"""Nobody decides about a model of their own: refused by the verb, and by the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import DatabaseError, IntegrityError, connection, transaction

from governance import reviewers, reviews
from governance.models import Approval, Check, CheckResult, CheckVerdict, ModelCard
from registry import registration
from registry.errors import NotAllowed
from registry.models import ModelVersion, Part
from tests.governance.makers import settle_both, write_approval, write_result

pytestmark = pytest.mark.django_db

Involve = Callable[[ModelVersion, User], None]


def as_user(part: Part) -> Involve:
    return lambda version, user: registration.join(version, part, user=user)


def as_owner_by_name(version: ModelVersion, user: User) -> None:
    registration.amend(version, {"owner": user.username}, actor="user:1")


def as_former_owner(version: ModelVersion, user: User) -> None:
    as_owner_by_name(version, user)
    registration.amend(version, {"owner": "somebody_else"}, actor="user:1")


def as_member_of_the_owning_group(version: ModelVersion, user: User) -> None:
    user.groups.add(Group.objects.create(name=version.owner))


INVOLVED: dict[str, tuple[Involve, str]] = {
    "registrant": (as_user(Part.REGISTRANT), "registrant"),
    "uploader": (as_user(Part.UPLOADER), "uploader"),
    "requester": (as_user(Part.REQUESTER), "requester"),
    "owner by name": (as_owner_by_name, "owner"),
    "former owner": (as_former_owner, "owner"),
    "member of the owning group": (as_member_of_the_owning_group, "owner"),
}


@pytest.fixture(params=INVOLVED)
def involved(request: pytest.FixtureRequest) -> tuple[Involve, str]:
    return INVOLVED[request.param]


def test_the_verb_refuses_the_models_own_people_and_says_who_may(
    version: ModelVersion, ada: User, rob: User, involved: tuple[Involve, str]
) -> None:
    involve, part = involved
    involve(version, ada)

    with pytest.raises(NotAllowed) as refusal:
        settle_both(version, ada)

    assert str(refusal.value) == (
        f"ada may not review {version}: ada is one of its own people ({part}). These may: rob."
    )
    assert not CheckResult.objects.exists()


def test_the_verb_refuses_their_signature_too(version: ModelVersion, ada: User) -> None:
    registration.join(version, Part.UPLOADER, user=ada)

    with pytest.raises(NotAllowed, match="uploader"):
        reviews.sign(version, reviewer=ada, printed_name="Ada", meaning="Yes")


def test_the_database_refuses_an_approval_of_ones_own(
    version: ModelVersion, ada: User, involved: tuple[Involve, str]
) -> None:
    involved[0](version, ada)

    with pytest.raises(IntegrityError, match="own people"), transaction.atomic():
        write_approval(version, ada)


def test_the_database_refuses_a_check_result_of_ones_own(
    version: ModelVersion, ada: User, involved: tuple[Involve, str]
) -> None:
    involved[0](version, ada)

    with pytest.raises(IntegrityError, match="own people"), transaction.atomic():
        write_result(version, Check.BIAS, ada)


def test_the_database_lets_others_in(version: ModelVersion, ada: User) -> None:
    write_approval(version, ada)
    write_result(version, Check.BIAS, ada)

    assert (Approval.objects.count(), CheckResult.objects.count()) == (1, 1)


def test_owning_one_model_is_no_bar_to_reviewing_another(
    make_version: Callable[..., ModelVersion], ada: User
) -> None:
    registration.join(make_version(), Part.OWNER, name="ada")
    other = make_version(name="Another Model")

    settle_both(other, ada)

    assert Approval.objects.get().version == other


def test_a_superuser_is_no_exception(version: ModelVersion, user_with: Callable[..., User]) -> None:
    root = user_with("reviewer", username="root")
    User.objects.filter(pk=root.pk).update(is_superuser=True)
    root.refresh_from_db()
    registration.join(version, Part.REGISTRANT, user=root)

    with pytest.raises(NotAllowed, match="registrant"):
        settle_both(version, root)


def test_a_superuser_without_the_role_reviews_nothing(
    version: ModelVersion, ada: User, user_with: Callable[..., User]
) -> None:
    root = user_with(username="root")
    User.objects.filter(pk=root.pk).update(is_superuser=True)
    root.refresh_from_db()

    with pytest.raises(NotAllowed, match="neither of the groups reviewer and risk_officer"):
        settle_both(version, root)


def test_where_nobody_may_the_remedy_is_said(version: ModelVersion, trainer: User) -> None:
    with pytest.raises(NotAllowed, match="Nobody may yet: have an administrator put somebody"):
        settle_both(version, trainer)


def test_a_long_list_of_those_who_may_is_cut(
    version: ModelVersion, trainer: User, user_with: Callable[..., User]
) -> None:
    for number in range(7):
        user_with("reviewer", username=f"r{number}")

    sentence = reviewers.refusal(version, trainer)

    assert sentence is not None
    assert sentence.endswith("These may: r0, r1, r2, r3, r4 and 2 more.")


def test_inactive_reviewers_are_not_offered(
    version: ModelVersion, ada: User, user_with: Callable[..., User]
) -> None:
    user_with("reviewer", "risk_officer", username="bea")
    User.objects.filter(pk=ada.pk).update(is_active=False)

    assert reviewers.eligible(version) == ["bea"]


def test_own_people_of_many_are_found_in_two_queries(
    version: ModelVersion,
    ada: User,
    rob: User,
    involved: tuple[Involve, str],
    django_assert_num_queries: Callable[..., Any],
) -> None:
    involved[0](version, ada)

    with django_assert_num_queries(2):
        own = reviewers.own_people(version, [ada, rob])

    assert own == {ada.pk}


def test_own_people_are_the_same_for_the_verb_and_the_registry(
    version: ModelVersion, ada: User, rob: User, involved: tuple[Involve, str]
) -> None:
    involved[0](version, ada)

    for user in (ada, rob):
        assert bool(reviewers.parts_of(version, user)) == registration.is_own_person(version, user)


def test_a_check_result_is_never_changed(version: ModelVersion, ada: User) -> None:
    write_result(version, Check.BIAS, ada)

    for change in (
        lambda: CheckResult.objects.update(verdict=CheckVerdict.FAIL),
        lambda: CheckResult.objects.all().delete(),
        lambda: connection.cursor().execute("truncate governance_checkresult"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()

    assert CheckResult.objects.get().verdict == CheckVerdict.PASS


def test_an_approval_is_only_ever_withdrawn_and_once(
    version: ModelVersion, ada: User, rob: User
) -> None:
    settle_both(version, ada)
    approval = Approval.objects.get()
    rows = Approval.objects.filter(pk=approval.pk)

    for fields in ({"meaning": "No"}, {"approver": rob}, {"expires_at": None}):
        with pytest.raises(IntegrityError, match="only ever withdrawn"), transaction.atomic():
            rows.update(**fields)
    reviews.withdraw(approval, reviewer=ada)
    with pytest.raises(IntegrityError, match="only ever withdrawn"), transaction.atomic():
        rows.update(withdrawn_at=None, withdrawn_by="")
    with pytest.raises(IntegrityError, match="only ever withdrawn"), transaction.atomic():
        rows.delete()

    assert rows.get().meaning == "Both checks pass"


def test_a_withdrawal_says_who_and_when(version: ModelVersion, ada: User) -> None:
    approval = write_approval(version, ada)

    with pytest.raises(IntegrityError), transaction.atomic():
        Approval.objects.filter(pk=approval.pk).update(withdrawn_by="user:1")


def test_a_person_signs_the_same_subject_once(version: ModelVersion, ada: User) -> None:
    write_approval(version, ada)

    with pytest.raises(IntegrityError, match="one_standing_signature_each"), transaction.atomic():
        write_approval(version, ada, role="risk_officer")


def test_a_subject_digest_is_a_sha256(version: ModelVersion, ada: User) -> None:
    with pytest.raises(IntegrityError, match="digest_is_64_hex_digits"), transaction.atomic():
        write_approval(version, ada, subject_digest="e" * 63)


def test_a_card_is_never_changed(version: ModelVersion) -> None:
    ModelCard.objects.create(
        version=version, revision=1, content={}, content_sha256="c" * 64, generated_by="user:1"
    )

    for change in (
        lambda: ModelCard.objects.update(revision=2),
        lambda: ModelCard.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
