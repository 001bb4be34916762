"""Everything that the rules promise, as stories, each of them run."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.scenarios import reading, running
from config.scenarios.series import Scenario

HERE = Path(__file__).parent
STORIES = [
    pytest.param(story, id=name)
    for file in sorted(HERE.glob("*.yaml"))
    for name, story in reading.read(file.read_text("utf-8"), file=file.name)
]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Without a line for each upload."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("story", STORIES)
def test_it_is_decided_as_expected(committed: None, story: Scenario) -> None:
    assert isinstance(story, Scenario)

    assert running.differences(story) == []
