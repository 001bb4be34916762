"""docs/manifests.md does what it says."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from registry.manifests import loading, naming
from registry.models import ModelVersion
from tests.manifests.makers import exported
from tests.running import ROOT

TEXT = (ROOT / "docs" / "manifests.md").read_text()


@pytest.mark.django_db
def test_the_example_does_what_is_printed_below_it(
    user_with: Callable[..., User], tmp_path: Path
) -> None:
    user_with("trainer", "operator", username="tom")
    for name, text in re.findall(r"```yaml\n# (\S+)\n(.*?)```", TEXT, re.DOTALL):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (printed,) = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)
    said = io.StringIO()

    call_command("import_registry", tmp_path, username="tom", stdout=said)

    assert said.getvalue() == printed
    version = ModelVersion.objects.get()
    assert (version.version, version.stage) == ("1.10", "sandbox")
    assert version.tags.get().value == "NO"
    assert set(exported(tmp_path / "exported")) == {
        "models/fraud-detector~cbe008eaad9254a1/model.yaml",
        "models/fraud-detector~cbe008eaad9254a1/rollback_policy.yaml",
        "models/fraud-detector~cbe008eaad9254a1/versions/000001-1.10.yaml",
    }


def test_the_limits_are_those_in_force() -> None:
    assert f"over {loading.MAX_BYTES // 1024**2} MiB" in TEXT
    assert f"over {loading.MAX_VALUES:,} values" in TEXT
    assert f"over {loading.MAX_DEPTH} deep" in TEXT


def test_the_tree_is_named_as_it_is_written() -> None:
    assert f"{naming.folder('Café au lait')}/model.yaml" in TEXT
    assert naming.version_file("fraud_detector", 1, "1.0.0") in TEXT
