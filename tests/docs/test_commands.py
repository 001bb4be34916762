"""What the pages tell people to run, ask and open is there."""

from __future__ import annotations

import re

import pytest
from django.core.management import get_commands
from django.urls import resolve

from governance.copilot import grammar
from tests.running import ROOT

PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
SEEDS = ROOT / "docs" / "seed.md"
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in sorted(PAGES) if page != SEEDS)
PLACE = re.compile(r"<\w+>|…")  # of something that a reader fills in


@pytest.mark.parametrize("name", sorted(set(re.findall(r"manage\.py ([a-z_]+)", TEXT))))
def test_every_command_is_there(name: str) -> None:
    assert name in get_commands()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?:`|    )make ([a-z-]+)", TEXT))))
def test_every_target_of_make_is_there(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("words", sorted(set(re.findall(r'\bask "([^"…]+)"', TEXT))))
def test_the_co_pilot_understands_what_one_is_told_to_ask(words: str) -> None:
    assert isinstance(grammar.understand(words), grammar.Asked)


@pytest.mark.parametrize(
    "address", sorted(set(re.findall(r"`(/(?:admin|models|playbooks|statistics)/[^`?]*)", TEXT)))
)
def test_every_page_is_there(address: str) -> None:
    assert resolve(PLACE.sub("1", address)).func.__name__ != "catch_all_view"
