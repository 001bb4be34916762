"""What cannot be is refused with file and line, and nothing is changed."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from monitoring.models import RollbackPolicy
from registry.manifests.refusals import ManifestRefused
from registry.models import Event, ModelFamily, ModelVersion
from tests.manifests.makers import exported, imported
from tests.manifests.test_loading import BOMB

pytestmark = pytest.mark.django_db

MODEL = """\
apiVersion: assay/v1
kind: RegisteredModel
metadata:
  name: Fraud
spec:
  owner: ml_team
  team: fraud
"""
VERSION = """\
apiVersion: assay/v1
kind: ModelVersion
metadata:
  model_id: fraud_v1
  name: Fraud
  version: "1.10"
spec:
  framework: sklearn
  model_type: classification
  owner: ml_team
  team: fraud
  metadata:
    depth: 3
"""
POLICY = """\
apiVersion: assay/v1
kind: RollbackPolicy
metadata:
  name: Fraud
spec:
  max_error_rate: 0.02
"""
FILES = {"model.yaml": MODEL, "policy.yaml": POLICY, "v1.yaml": VERSION}


@pytest.fixture
def tom(user_with: Callable[..., User]) -> User:
    return user_with("trainer", "operator", username="tom")


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "words"),
    [
        ("v1.yaml", '"1.10"', "1.10", 6, "metadata.version: Give a string: put it in quotes."),
        ("v1.yaml", '"1.10"', "&v '1.10'", 6, "Anchors and aliases"),
        ("v1.yaml", "depth: 3", "depth: *d", 13, "Anchors and aliases"),
        ("v1.yaml", "depth: 3", "depth: !!python/none x", 13, "Tags such as"),
        ("v1.yaml", "depth: 3", "depth: 3\n    depth: 4", 14, "'depth' is given twice"),
        ("v1.yaml", "kind: ModelVersion", "kind: ModelVersions", 2, "kinds are RegisteredModel"),
        ("v1.yaml", "kind: ModelVersion", "kind: [a]", 2, "There is no such kind"),
        ("v1.yaml", "kind: ModelVersion", "kind: RegisteredModel", 4, "Only name stand under"),
        ("v1.yaml", "assay/v1", "assay/v2", 1, "Give assay/v1"),
        ("v1.yaml", "apiVersion: assay/v1", "status: {}", 1, "Give assay/v1"),
        ("v1.yaml", "spec:", "spek:", 7, "There is no such part"),
        ("v1.yaml", "  framework: sklearn\n", "", 7, "spec.framework: This field is required"),
        ("v1.yaml", "sklearn", "sklearn\n  colour: red", 9, "spec.colour: There is no such field"),
        ("v1.yaml", "sklearn", "sklearn\n  number: 1", 9, "It stands under metadata"),
        ("v1.yaml", "sklearn", "sklearn\n  risk_tier: low", 9, "There is no such field"),
        ("v1.yaml", "  name: Fraud", "  name: Fr/aud", 5, "neither '/' nor ':'"),
        ("v1.yaml", "  name: Fraud", "  name: Fraud\n  number: 0", 6, "from 1 to"),
        ("v1.yaml", "depth: 3", "bias_check_passed: true", 13, "Reviewers settle this check"),
        ("v1.yaml", "sklearn", "sklearn\n  canary_percentage: 5", 9, "Only stage canary"),
        ("v1.yaml", "sklearn", "sklearn\n  stage: live", 9, "not a valid choice"),
        ("v1.yaml", "sklearn", "sklearn\n  tags: {'a:b': x}", 9, "neither ',' nor ':'"),
        ("v1.yaml", "sklearn", "sklearn\n  training_dataset_size: 1.5", 9, "Give a whole number"),
        (
            "v1.yaml",
            "sklearn",
            f"sklearn\n  expected_latency_p95_ms: {10**400}",
            9,
            "finite number",
        ),
        ("v1.yaml", "sklearn", "sklearn\n  training_timestamp: 2026-01-31", 9, "with its offset"),
        ("policy.yaml", "0.02", "NO", 6, "spec.max_error_rate: Give a finite number"),
        ("policy.yaml", "0.02", "1", 6, "Give a number over 0 and under 1"),
        ("policy.yaml", "0.02", "0.02\n  dry_run: yes", 7, "spec.dry_run: Give true or false"),
        ("policy.yaml", "0.02", "0.06", 4, "tom may not change the rules of Fraud"),
        ("policy.yaml", "name: Fraud", "name: Fruad", 4, "There is no registered model 'Fruad'"),
        ("model.yaml", "team: fraud", "team: fraud\n  risk_tier: none", 8, "not a valid choice"),
        ("v1.yaml", "sklearn", "sklearn\n  stage: canary", 9, "cannot move from development"),
        ("v1.yaml", "sklearn", "sklearn\n  stage: production", 9, "cannot move from development"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_one_wrong_line_refuses_the_whole_tree(
    tom: User, tmp_path: Path, file: str, old: str, new: str, line: int, words: str
) -> None:
    assert old in FILES[file]
    write(tmp_path, FILES | {file: FILES[file].replace(old, new, 1)})

    with pytest.raises(ManifestRefused) as refusal:
        imported(tmp_path, tom)

    (fault,) = refusal.value.faults
    assert (fault.file, fault.line) == (str(tmp_path / file), line)
    assert words in fault.sentence
    assert not ModelFamily.objects.exists()
    assert not Event.objects.exists()


def test_the_tree_without_a_wrong_line_is_taken(tom: User, tmp_path: Path) -> None:
    told = imported(write(tmp_path, FILES), tom)

    assert told == [
        "register RegisteredModel Fraud",
        "register RollbackPolicy Fraud",
        "register ModelVersion fraud_v1",
    ]
    assert ModelVersion.objects.get().version == "1.10"
    assert RollbackPolicy.objects.get().max_error_rate == 0.02


def test_a_bomb_among_the_files_is_refused_and_the_others_with_it(
    tom: User, tmp_path: Path
) -> None:
    write(tmp_path, FILES | {"zz.yaml": f"# small\n{BOMB}"})

    with pytest.raises(ManifestRefused, match=r"zz.yaml:2: Anchors and aliases are not read here"):
        imported(tmp_path, tom)

    assert not ModelFamily.objects.exists()


def test_what_can_be_known_beforehand_is_told_of_all_files_at_once(
    tom: User, tmp_path: Path
) -> None:
    write(tmp_path, {f"{n}.yaml": "a: 1\n" for n in range(30)})

    with pytest.raises(ManifestRefused) as refusal:
        imported(tmp_path, tom)

    assert len(refusal.value.faults) == 20


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "words"),
    [
        ("v1.yaml", "sklearn", "pytorch", 8, "fixed when a version is registered"),
        ("v1.yaml", '"1.10"', '"1.11"', 6, "fixed when a version is registered"),
        ("v1.yaml", "  name: Fraud", "  name: Fraud\n  number: 7", 6, "fixed when a version"),
        ("v1.yaml", "fraud_v1", "fraud_v2", 4, "Fraud has a version 1.10 already"),
        ("model.yaml", "team: fraud", "team: other", 7, "set when it is made"),
        ("model.yaml", "team: fraud", "team: fraud\n  risk_tier: high", 8, "Have a reviewer"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_never_changes_is_refused_on_a_registry_that_has_it(
    tom: User, tmp_path: Path, file: str, old: str, new: str, line: int, words: str
) -> None:
    imported(write(tmp_path, FILES), tom)
    before = exported(tmp_path / "before")
    write(tmp_path, {file: FILES[file].replace(old, new, 1)})
    (tmp_path / "model.yaml").write_text(
        (tmp_path / "model.yaml").read_text() + "  description: changed\n"
    )

    with pytest.raises(ManifestRefused) as refusal:
        imported(tmp_path, tom)

    assert (refusal.value.faults[0].file, refusal.value.faults[0].line) == (
        str(tmp_path / file),
        line,
    )
    assert words in refusal.value.faults[0].sentence
    assert exported(tmp_path / "after") == before


def test_a_number_is_never_given_twice(tom: User, tmp_path: Path) -> None:
    imported(write(tmp_path, FILES), tom)
    again = VERSION.replace("fraud_v1", "fraud_v0").replace("1.10", "0.9")
    write(tmp_path, {"v0.yaml": again.replace("  name: Fraud", "  name: Fraud\n  number: 1")})

    with pytest.raises(ManifestRefused, match=r"v0.yaml:6: metadata.number: .* given its numbers"):
        imported(tmp_path, tom)


def test_who_may_not_register_may_not_import(
    user_with: Callable[..., User], tmp_path: Path
) -> None:
    with pytest.raises(ManifestRefused, match="it needs the role trainer"):
        imported(write(tmp_path, FILES), user_with("operator", username="otto"))


def test_the_command_says_file_and_line_and_fails(tom: User, tmp_path: Path) -> None:
    write(tmp_path, {"v1.yaml": VERSION.replace('"1.10"', "1.10")})

    with pytest.raises(CommandError) as failure:
        call_command("import_registry", tmp_path, username="tom", stdout=io.StringIO())

    assert str(failure.value) == (
        f"{tmp_path}/v1.yaml:6: metadata.version: Give a string: put it in quotes.\n"
        "Nothing was changed."
    )
    assert failure.value.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"folder": Path("/nowhere"), "username": "tom"}, "There is no folder"),
        ({"folder": Path("/"), "username": "nobody"}, "There is no active user 'nobody'"),
    ],
)
def test_the_command_names_what_is_not_there(tom: User, arguments: dict, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("import_registry", arguments["folder"], username=arguments["username"])
