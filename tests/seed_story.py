"""Runs the seed's Python blocks as jobs do, in a process of its own: ``python -m tests.seed_story``.

Environment: ASSAY_URL for HTTP, else DJANGO_SETTINGS_MODULE. Standard input: a JSON object of
tokens by caller, used over HTTP. Standard output: what each step left behind, as JSON.
"""

from __future__ import annotations

import ast
import asyncio
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests import seed_blocks
from tests.seed_steps import REGISTER, STORY, V2, Use

Names = dict[str, Any]


def tell(tokens: Mapping[str, str]) -> list[dict[str, Any]]:
    """Run the story; what each step left behind."""
    callers: dict[str, Names] = {}
    return [_step(use, callers, tokens) for use in STORY]


def run(code: str, names: Names) -> None:
    """Run a block, with ``await`` at its top where it has some."""
    compiled = compile(code, "seed.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    awaited = eval(compiled, names)  # a coroutine where the block awaits, else None
    if awaited is not None:
        asyncio.run(awaited)


def next_version(names: Names) -> None:
    """An entry that is not registered yet."""
    first = seed_blocks.names_of(REGISTER, until="entry")["entry"]
    names["entry"] = replace(first, model_id=V2, version="2.0.0")


def a_fifth_fails(names: Names) -> None:
    """The seed's own snapshot, of the other version and with another error rate."""
    run(seed_blocks.block("Record Performance Snapshot").python, names)
    fails = replace(names["snapshot"], model_id=V2, version="2.0.0", error_rate=0.2)
    names["registry"].record_performance_snapshot(fails)


PREPARATIONS: dict[str, Callable[[Names], None]] = {
    "": lambda names: None,
    "next_version": next_version,
    "a_fifth_fails": a_fifth_fails,
}


def _step(use: Use, callers: dict[str, Names], tokens: Mapping[str, str]) -> dict[str, Any]:
    os.environ["ASSAY_ACTOR"] = use.caller
    os.environ["ASSAY_TOKEN"] = tokens.get(use.caller, "")
    if use.caller not in callers:
        callers[use.caller] = seed_blocks.names_of(REGISTER, until="registry")
    names = callers[use.caller]
    names["model_id"] = use.model_id
    PREPARATIONS[use.prepare](names)
    refusal = _refusal(use, names)
    entry = names["registry"].get_model(use.model_id)
    return {
        "stage": entry.deploy_status,
        "share": entry.canary_percentage,
        "flags": [entry.constitutional_compliance, entry.bias_check_passed],
        "refused": type(refusal).__name__ if refusal else "",
        "says": str(refusal or ""),
        "zone": names["datetime"].now().astimezone().tzname(),
    }


def _refusal(use: Use, names: Names) -> Exception | None:
    """Run the block; how it was refused, where it is to be."""
    code = seed_blocks.block(use.heading).python
    if not use.refused:
        run(code, names)
        return None
    with pytest.raises(Exception, match=use.says[0]) as refused:
        run(code, names)
    return refused.value


if __name__ == "__main__":
    print(json.dumps(tell(json.load(sys.stdin))))
