"""The examples of docs/api.md, run in their order."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rest_framework.test import APIClient

from registry.models import ModelVersion

TEXT = (Path(__file__).resolve().parent.parent / "docs" / "api.md").read_text()
EXAMPLE = re.compile(r"^    (GET|PUT|POST|PATCH|DELETE) (/api/\S+)(?: (\{.*\}))?$", re.MULTILINE)


@pytest.mark.django_db
def test_every_example_succeeds(
    api: Callable[..., APIClient], make_version: Callable[..., ModelVersion]
) -> None:
    make_version()
    client = api("trainer")
    examples = EXAMPLE.findall(TEXT)

    answers = [
        (
            f"{method} {path}",
            client.generic(method, path, body, content_type="application/json").status_code,
        )
        for method, path, body in examples
        if not body or json.loads(body)
    ]

    assert len(answers) == 9
    assert [answer for answer in answers if answer[1] not in (200, 201, 204)] == []
