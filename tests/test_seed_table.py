"""The table of the seed's blocks is whole, and the docs say what it says."""

from __future__ import annotations

from tests import seed_blocks, seed_proofs, seed_table
from tests.running import ROOT


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


def test_every_block_names_a_test_that_there_is() -> None:
    named = {seed_proofs.proof_of(use.heading, use.how) for use in seed_table.TABLE}

    assert [test for test in sorted(named) if not seed_proofs.exists(test)] == []


def test_every_step_is_the_seeds_and_names_a_test_that_there_is() -> None:
    for heading, lines in seed_proofs.STEPS.items():
        said = seed_blocks.block(heading).text.splitlines()
        steps = [line.strip() for line in said if line.strip() and line.strip()[0] not in "↓→"]
        assert list(lines) == steps
        assert [test for test in lines.values() if not seed_proofs.exists(test)] == []


def test_every_file_of_the_seed_names_a_test_that_there_is() -> None:
    listed = [line.split("`")[1] for line in seed_blocks.listed_under("📝 Files Created")]

    assert list(seed_proofs.FILES) == listed
    assert [test for test in seed_proofs.FILES.values() if not seed_proofs.exists(test)] == []


def test_every_line_of_the_seeds_lists_names_a_test_that_there_is() -> None:
    for heading, lines in seed_proofs.LISTS.items():
        assert list(lines) == seed_blocks.listed_under(heading)
        assert [test for test in lines.values() if not seed_proofs.exists(test)] == []
