"""A long import does not keep a rollback waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from django.contrib.auth.models import User
from django.db import connection

from registry import lifecycle
from registry.manifests import importing
from registry.models import ModelVersion
from tests.manifests.test_refusals import VERSION, write


def test_a_model_in_traffic_is_rolled_back_while_others_are_imported(
    committed: None,
    make_version: Callable[..., ModelVersion],
    user_with: Callable[..., User],
    tmp_path: Path,
) -> None:
    canary = make_version("canary", name="Fraud")
    fraud = VERSION.replace("fraud_v1", canary.model_id).replace('"1.10"', canary.version)
    amended = fraud.replace("team: fraud", "team: fraud_prevention\n  description: New words")
    other = VERSION.replace("fraud_v1", "other_v1").replace("name: Fraud", "name: Other")
    write(tmp_path, {"1.yaml": amended, "2.yaml": other})
    stages: list[str] = []

    def roll_back() -> None:
        with connection.cursor() as cursor:
            cursor.execute("set lock_timeout = '5s'")
        lifecycle.roll_back(canary, actor="system:monitor")
        stages.append(ModelVersion.objects.get(pk=canary.pk).stage)
        connection.close()

    def tell(line: str) -> None:
        if line == "register ModelVersion other_v1":  # the import is open and has written
            rival = threading.Thread(target=roll_back)
            rival.start()
            rival.join()

    done = importing.apply(
        tmp_path, user=user_with("trainer", username="tom"), tell=tell, progress=print
    )

    assert stages == ["rollback"]
    assert done == {"registered": 1, "changed": 1, "unchanged": 0}
    canary.refresh_from_db()
    assert (canary.stage, canary.description) == ("rollback", "New words")
