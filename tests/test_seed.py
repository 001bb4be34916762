"""What the seed shows works as it is written there, in the order and by the people it needs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from config import env
from monitoring.models import PerformanceSnapshot
from registry import tokens
from registry.models import ModelVersion
from tests import seed_blocks, seed_table
from tests.flows.people import People, eventually
from tests.running import ROOT, Running
from tests.seed_calls import curl, web_of_the_test_run, without_curl
from tests.seed_steps import ROLES, STORY, V1

ZONES = {"Asia/Tokyo": {"JST"}, "America/Los_Angeles": {"PST", "PDT"}}  # and their clocks' names
Told = list[dict[str, Any]]


@pytest.fixture(scope="module")
def web_url(django_db_setup: None) -> Iterator[str]:
    with web_of_the_test_run() as url:
        yield url


@pytest.fixture(params=["in process", "over HTTP"])
def tell(request: pytest.FixtureRequest, committed: None) -> Callable[[str], Told]:
    """The story, told by a process of its own in a time zone."""
    issued = {name: tokens.issue(name, role=role) for name, role in ROLES.items()}
    way = {"DJANGO_SETTINGS_MODULE": "config.settings", "ASSAY_HOME": str(env.home())}
    if request.param == "over HTTP":
        way = {"ASSAY_URL": request.getfixturevalue("web_url")}
    inherited = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}

    def run(zone: str) -> Told:
        done = subprocess.run(
            [sys.executable, "-m", "tests.seed_story"],
            cwd=ROOT,
            env=inherited | way | {"TZ": zone},
            input=json.dumps(issued),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=60,
        )
        told: Told = json.loads(done.stdout)
        return told

    return run


@pytest.mark.parametrize("zone", ZONES)
def test_the_python_blocks_tell_their_story(tell: Callable[[str], Told], zone: str) -> None:
    began = datetime.now(UTC)

    told = tell(zone)

    assert [(step["stage"], step["refused"]) for step in told] == [
        (use.stage, use.refused) for use in STORY
    ]
    unsaid = [
        said
        for use, step in zip(STORY, told, strict=True)
        for said in use.says
        if said not in step["says"]
    ]
    assert unsaid == []
    assert [step["flags"] for step in told] == [
        [use.model_id == V1 and number >= 6 or number >= 14] * 2 for number, use in enumerate(STORY)
    ]
    assert {step["share"] for step in told if step["stage"] == "canary"} == {10.0}
    assert {step["zone"] for step in told} <= ZONES[zone]
    declared = ModelVersion.objects.get(model_id=V1).training_timestamp
    measured = PerformanceSnapshot.objects.filter(model_id=V1).earliest("timestamp").timestamp
    assert declared is not None
    assert began - timedelta(seconds=5) <= declared <= measured <= datetime.now(UTC)


def test_every_block_has_its_place_in_the_table() -> None:
    used = {use.heading for use in seed_table.TABLE}

    assert used == {block.heading for block in seed_blocks.blocks()}


def test_the_table_is_printed_into_the_docs() -> None:
    assert seed_table.DOCUMENT.read_text(encoding="utf-8") == seed_table.document(), (
        "print it anew: python -m tests.seed_table"
    )


def test_the_seeds_files_have_their_homes_here() -> None:
    homes = [home for homes in seed_table.HOMES.values() for home in homes]

    assert [home for home in homes if not (ROOT / home).exists()] == []


def test_only_the_import_lines_are_changed() -> None:
    changed = {
        (before, after)
        for block in seed_blocks.blocks()
        for before, after in zip(block.text.splitlines(), block.python.splitlines(), strict=True)
        if before != after
    }

    assert {after.strip().partition(" import ")[0] for _, after in changed} == {"from assay"}
    assert {before.strip().partition(" import ")[0] for before, _ in changed} == {
        "from backend.services.model_registry",
        "from backend.clarity",
    }
