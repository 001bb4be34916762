"""The first lines that people try, as they stand in the README."""

from __future__ import annotations

import pytest

from registry.models import ModelVersion
from tests import markdown
from tests.running import ROOT

BLOCKS = markdown.blocks((ROOT / "README.md").read_text(encoding="utf-8"))


@pytest.mark.django_db
def test_its_python_registers_a_model_and_moves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ASSAY_URL", "ASSAY_ACTOR"):
        monkeypatch.delenv(name, raising=False)
    (code,) = [block.text for block in BLOCKS if block.language == "python"]

    eval(compile(code, "README.md", "exec"), {})

    version = ModelVersion.objects.get()
    assert (version.model_id, version.stage) == ("fraud_detector_v1", "sandbox")
