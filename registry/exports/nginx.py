"""Desired traffic as a split_clients block of NGINX. Pure."""

from __future__ import annotations

import re

from registry.exports import names
from registry.exports.desired import Desired, Inexpressible

SAFE = re.compile(r"[A-Za-z0-9._-]*")  # between quotes, and no variable


def split_clients(desired: Desired) -> str:
    """A block for NGINX's http context, ngx_http_split_clients_module.

    Percents have two decimals, so basis points are exact; the last one has what is left. The
    block sets a variable named for the family to the name of an upstream.

    Raises:
        Inexpressible: The salt could break out of its quotes.
    """
    if not SAFE.fullmatch(desired.salt):
        raise Inexpressible(f"NGINX would read {desired.salt!r}, the salt, otherwise.")
    weights = names.backends(desired)
    *split, last = weights
    lines = [f"    {_percent(weights[name])} {name};" for name in split]
    called = {names.label(share.model_id): share.model_id for share in desired.shares}
    variable = names.label(desired.family).replace("-", "_")
    spare = names.fallback(desired.family)
    comments = [
        f"{desired.family}, revision {desired.revision}",
        *(f"{name} is {called[name]}" for name in weights if name in called),
        *([f"{spare} is your own, for what no version has"] if spare in weights else []),
    ]
    return "\n".join(
        [
            *(f"# {comment}" for comment in comments),
            f'split_clients "{desired.salt}:${{assay_key}}" ${variable}_upstream {{',
            *lines,
            f"    * {last};",
            "}",
            "",
        ]
    )


def _percent(points: int) -> str:
    return f"{points // 100}.{points % 100:02d}%"
