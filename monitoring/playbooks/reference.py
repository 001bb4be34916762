"""The reference of playbooks, as ``docs/playbooks.md`` prints it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from monitoring.playbooks.definition import FIELDS, LIMIT_FIELDS, ON_FIELDS, STEP_FIELDS
from monitoring.playbooks.kinds import KINDS, Field

TABLES: Mapping[str, Mapping[str, str]] = {
    "A playbook": FIELDS,
    "`on`": ON_FIELDS,
    "`throttle` and `concurrency`": LIMIT_FIELDS,
    "A step": STEP_FIELDS,
}


def markdown() -> str:
    """Every field and every kind of step."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    for title, fields in TABLES.items():
        yield from (f"### {title}", "", "| field | meaning |", "|---|---|")
        yield from (f"| `{name}` | {says} |" for name, says in fields.items())
        yield ""
    yield from (
        "### Kinds of steps",
        "",
        "| `do` | manner | what it does | `with` |",
        "|---|---|---|---|",
    )
    for name, kind in KINDS.items():
        told = " ".join(_told(field, of) for field, of in kind.fields.items())
        yield f"| `{name}` | {kind.manner} | {kind.says} | {told} |"


def _told(name: str, of: Field) -> str:
    choices = f" {' or '.join(f'`{c}`' for c in of.choices)}." if of.choices else ""
    return f"`{name}`{'' if of.required else ' (optional)'}: {of.says}{choices}"
