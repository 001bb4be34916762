"""docs/authorization.md says what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.tokens import READ, RULES
from tests.authorization import ROLES, TABLE

TEXT = (Path(__file__).resolve().parent.parent / "docs" / "authorization.md").read_text()
SCOPES = sorted({scope for rules in RULES.values() for scope in rules} - {READ})


def rules_table() -> str:
    """RULES as the page shows them."""
    lines = [f"| scope | {' | '.join(RULES)} |", "|---" * (len(RULES) + 1) + "|"]
    for scope in SCOPES:
        cells = [str(RULES[role].get(scope, "-")) for role in RULES]
        lines.append(f"| `{scope}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def address_table() -> str:
    """The table of every endpoint and page as the page shows it."""
    lines = [f"| method | address | {' | '.join(ROLES)} |", "|---" * (len(ROLES) + 2) + "|"]
    for line in TABLE.strip().splitlines():
        method, address, *cells = line.split()
        lines.append(f"| {method} | `/{address}` | {' | '.join(cells)} |")
    return "\n".join(lines)


@pytest.mark.parametrize("table", [rules_table(), address_table()], ids=["roles", "addresses"])
def test_the_page_has_the_table_that_is_in_force(table: str) -> None:
    assert table in TEXT, f"docs/authorization.md lacks this table:\n{table}"


@pytest.mark.parametrize("role", RULES)
def test_every_role_reads_everything(role: str) -> None:
    assert RULES[role][READ] == "any team"
