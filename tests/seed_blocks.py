"""The seed's own lines, taken from `seed.md` by heading: nothing of it is typed again."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

from tests import markdown

SEED = Path(__file__).with_name("seed.md")
# The only lines that differ from the seed's: where the names are imported from.
IMPORTS = re.compile(
    r"^( *)from backend\.(?:services\.model_registry|clarity) import", re.MULTILINE
)
SERVER = "http://localhost:8000"


class Block(markdown.Block):
    """One fenced block of the seed."""

    __slots__ = ()

    @property
    def python(self) -> str:
        """The code as it runs here: its import lines ask `assay`."""
        return IMPORTS.sub(r"\1from assay import", self.text)


def blocks() -> list[Block]:
    """Every fenced block of the seed, in its order."""
    found = markdown.blocks(SEED.read_text(encoding="utf-8"))
    return [Block(one.heading, one.language, one.text) for one in found]


def block(heading: str) -> Block:
    """The one block under ``heading``."""
    (found,) = [one for one in blocks() if one.heading == heading]
    return found


def listed_under(heading: str) -> list[str]:
    """The text of the list under ``heading``: without bullets, numbers and bold."""
    text = SEED.read_text(encoding="utf-8").partition(f"# {heading}\n")[2].partition("\n#")[0]
    items = re.findall(r"^(?:-|\d+\.|✅) +(.+?) *$", text, re.MULTILINE)
    return [item.replace("**", "") for item in items]


def curl_lines(heading: str) -> list[str]:
    """The curl commands of a shell block, each whole, without its comments."""
    whole = re.sub(r"^#.*\n", "", block(heading).text, flags=re.MULTILINE)
    return [f"curl{part}".strip() for part in re.split(r"^curl", whole, flags=re.MULTILINE)[1:]]


def requests(heading: str) -> list[tuple[str, str, str | None]]:
    """The calls of a block of the endpoint list: method, path and JSON body."""
    calls = re.findall(
        r"^([A-Z]+) (/\S+)\n?(\{.*?^\})?", block(heading).text, re.DOTALL | re.MULTILINE
    )
    return [(method, path, body or None) for method, path, body in calls]


def names_of(heading: str, *, until: str) -> dict[str, Any]:
    """What the block's statements up to the one that assigns ``until`` define, run as written."""
    tree = ast.parse(block(heading).python)
    last = next(
        index
        for index, statement in enumerate(tree.body)
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == until
    )
    names: dict[str, Any] = {"__name__": "seed"}
    eval(compile(ast.Module(tree.body[: last + 1], []), SEED.name, "exec"), names)
    return names


def keywords(heading: str) -> set[str]:
    """The names of the arguments that the block gives."""
    calls = [
        node for node in ast.walk(ast.parse(block(heading).text)) if isinstance(node, ast.Call)
    ]
    return {keyword.arg for call in calls for keyword in call.keywords if keyword.arg}
