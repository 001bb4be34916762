"""An import brings the registry to what is declared, by verbs, and changes nothing else."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from governance import reviews
from governance.models import Check, CheckVerdict
from registry import lifecycle, registration
from registry.manifests.refusals import ManifestRefused
from registry.models import DeploymentStage, Event, ModelFamily, ModelVersion, Stakeholder
from tests.manifests.makers import exported, imported
from tests.manifests.test_refusals import FILES, MODEL, VERSION, write

pytestmark = pytest.mark.django_db


@pytest.fixture
def tom(user_with: Callable[..., User]) -> User:
    return user_with("trainer", "operator", username="tom")


@pytest.fixture
def tree(tom: User, tmp_path: Path) -> Path:
    """A tree that has been imported."""
    imported(write(tmp_path, FILES), tom)
    return tmp_path


def amended(tree: Path, file: str, old: str, new: str) -> Path:
    assert old in FILES[file]
    return write(tree, {file: FILES[file].replace(old, new, 1)})


def test_a_second_import_finds_nothing_to_do(tree: Path, tom: User) -> None:
    events = Event.objects.count()

    assert imported(tree, tom) == []
    assert Event.objects.count() == events


def test_what_differs_is_amended_in_the_users_name(tree: Path, tom: User) -> None:
    more = "description: New words\n  tags: {nlp: ''}\n  framework: sklearn"
    amended(tree, "v1.yaml", "framework: sklearn", more)

    assert imported(tree, tom) == ["change ModelVersion fraud_v1: description, tags"]

    version = ModelVersion.objects.get()
    assert version.description == "New words"
    assert [tag.key for tag in version.tags.all()] == ["nlp"]
    event = Event.objects.filter(event_type="model.amended").get()
    assert (event.actor, event.payload["fields"]) == (f"user:{tom.pk}", ["description", "tags"])


def test_metadata_becomes_what_is_declared(tree: Path, tom: User) -> None:
    amended(tree, "v1.yaml", "depth: 3", "width: 1\n    gone: null")

    imported(tree, tom)

    assert ModelVersion.objects.get().metadata == {"width": 1}
    assert imported(tree, tom) == []


def test_true_is_not_one(tree: Path, tom: User) -> None:
    amended(tree, "v1.yaml", "depth: 3", "depth: 1")
    imported(tree, tom)
    amended(tree, "v1.yaml", "depth: 3", "depth: true")

    assert imported(tree, tom) == ["change ModelVersion fraud_v1: metadata"]


def test_what_is_not_declared_stays(tree: Path, tom: User) -> None:
    registration.amend(ModelVersion.objects.get(), {"description": "By hand"}, actor="user:1")

    assert imported(tree, tom) == []
    assert ModelVersion.objects.get().description == "By hand"


def test_a_model_is_described_and_a_policy_changed(tree: Path, tom: User) -> None:
    amended(tree, "model.yaml", "team: fraud", "team: fraud\n  description: Stops fraud")
    amended(tree, "policy.yaml", "0.02", "0.03")

    assert imported(tree, tom) == [
        "change RegisteredModel Fraud: description",
        "change RollbackPolicy Fraud: max_error_rate",
    ]
    assert ModelFamily.objects.get().description == "Stops fraud"
    assert [e.event_type for e in Event.objects.order_by("-pk")[:2]] == [
        "policy.changed",
        "model.described",
    ]


def test_a_dry_run_says_the_same_and_changes_nothing(tom: User, tmp_path: Path) -> None:
    said = io.StringIO()

    call_command(
        "import_registry", write(tmp_path, FILES), username="tom", dry_run=True, stdout=said
    )

    assert said.getvalue().splitlines() == [
        "register RegisteredModel Fraud",
        "register RollbackPolicy Fraud",
        "register ModelVersion fraud_v1",
        "3 registered, 0 changed, 0 unchanged (dry run: nothing was changed).",
    ]
    assert not ModelFamily.objects.exists()
    assert not Event.objects.exists()


def test_an_open_stage_is_entered_as_wished(tree: Path, tom: User) -> None:
    amended(tree, "v1.yaml", "sklearn", "sklearn\n  stage: sandbox")

    assert imported(tree, tom) == ["change ModelVersion fraud_v1: stage"]
    assert ModelVersion.objects.get().stage == "sandbox"
    assert imported(tree, tom) == []


def test_a_wish_for_canary_waits_for_its_gate(
    tree: Path, tom: User, user_with: Callable[..., User]
) -> None:
    version = ModelVersion.objects.get()
    lifecycle.move(version, to=DeploymentStage.SANDBOX, actor="user:1")
    amended(tree, "v1.yaml", "sklearn", "sklearn\n  stage: canary\n  canary_percentage: 12.5")

    with pytest.raises(
        ManifestRefused, match=r"v1.yaml:9: spec.stage: .* bias check is not settled"
    ):
        imported(tree, tom)

    assert ModelVersion.objects.get().stage == "sandbox"
    for check in Check:
        reviews.settle_check(
            version,
            check,
            verdict=CheckVerdict.PASS,
            reviewer=user_with("reviewer", username="ada"),
        )
    imported(tree, tom)
    assert ModelVersion.objects.get().canary_percentage == 12.5
    amended(tree, "v1.yaml", "sklearn", "sklearn\n  stage: canary\n  canary_percentage: 5")
    assert imported(tree, tom) == ["change ModelVersion fraud_v1: canary_percentage"]
    assert ModelVersion.objects.get().canary_percentage == 5


def test_status_is_never_applied(tree: Path, tom: User) -> None:
    status = "status:\n  stage: production\n  registered_by: user:1\n  number: 9\n"
    write(tree, {"v1.yaml": VERSION + status})

    assert imported(tree, tom) == []
    assert ModelVersion.objects.get().stage == "development"


def test_who_owned_it_before_may_not_approve_it_where_it_is_imported_either(
    tree: Path, tom: User, user_with: Callable[..., User]
) -> None:
    with transaction.atomic():
        for owner in ("second", "third"):
            registration.amend(ModelVersion.objects.get(), {"owner": owner}, actor="user:1")
        exported(tree / "exported")
        transaction.set_rollback(True)
    with transaction.atomic():
        imported(tree / "exported", tom)
        version = ModelVersion.objects.get()
        assert registration.is_own_person(version, user_with("reviewer", username="second"))


def test_nobody_who_owned_it_is_taken_away(tree: Path, tom: User) -> None:
    added = "sklearn\n  former_owners: [second]"
    amended(tree, "v1.yaml", "sklearn", added)
    assert imported(tree, tom) == ["change ModelVersion fraud_v1: former_owners"]

    amended(tree, "v1.yaml", "sklearn", "sklearn\n  former_owners: []")

    assert imported(tree, tom) == []
    owners = Stakeholder.objects.filter(part="owner").values_list("name", flat=True)
    assert set(owners) == {"ml_team", "second"}


def test_a_file_uploaded_meanwhile_is_not_denied(tree: Path, tom: User) -> None:
    exported(tree / "exported")
    ModelVersion.objects.update(declared_sha256="a" * 64)

    assert imported(tree / "exported", tom) == []


def test_numbers_are_kept_with_their_gaps(tom: User, tmp_path: Path) -> None:
    write(tmp_path, {"model.yaml": MODEL})
    for number in (2, 10):
        text = VERSION.replace("fraud_v1", f"fraud_v{number}").replace("1.10", f"{number}")
        numbered = text.replace("  name: Fraud", f"  name: Fraud\n  number: {number}")
        write(tmp_path, {f"{number}.yaml": numbered})

    imported(tmp_path, tom)

    found = ModelVersion.objects.order_by("number").values_list("model_id", "number")
    assert list(found) == [("fraud_v2", 2), ("fraud_v10", 10)]
    assert ModelFamily.objects.get().last_number == 10


def test_a_version_alone_makes_its_registered_model(tom: User, tmp_path: Path) -> None:
    imported(write(tmp_path, {"v1.yaml": VERSION}), tom)

    assert ModelFamily.objects.get().owner == "ml_team"


def test_hidden_files_folders_that_are_links_and_other_files_are_left_alone(
    tom: User, tmp_path: Path
) -> None:
    write(tmp_path, FILES | {".hidden.yaml": "!!", "notes.txt": "!!", "schema.json": "!!"})
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)

    assert len(imported(tmp_path, tom)) == 3


def test_a_pipe_is_refused_and_not_waited_for(tom: User, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")

    with pytest.raises(ManifestRefused, match="pipe.yaml:1: It is no file"):
        imported(tmp_path, tom)


def test_what_was_there_before_is_touched_last(tree: Path, tom: User) -> None:
    amended(tree, "v1.yaml", "depth: 3", "depth: 4")
    other = VERSION.replace("fraud_v1", "other_v1").replace("name: Fraud", "name: Other")

    told = imported(write(tree, {"w1.yaml": other}), tom)

    assert told == ["register ModelVersion other_v1", "change ModelVersion fraud_v1: metadata"]


def test_comparing_and_exporting_take_as_many_queries_for_many_versions_as_for_few(
    tom: User, tmp_path: Path
) -> None:
    queries, tree = {}, tmp_path / "tree"
    tree.mkdir()
    for count in (5, 50):
        for number in range(count):
            text = VERSION.replace("fraud_v1", f"v{number}").replace("1.10", f"{number}")
            write(tree, {f"{number}.yaml": text})
        imported(tree, tom)
        with CaptureQueriesContext(connection) as comparing:
            assert imported(tree, tom) == []
        with CaptureQueriesContext(connection) as exporting:
            exported(tmp_path / f"exported {count}")
        queries[count] = (len(comparing), len(exporting))

    assert queries[5] == queries[50]
    assert sum(queries[50]) < 25
