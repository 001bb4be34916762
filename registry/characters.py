"""Which characters text may have, as patterns that Python and JSON Schema read alike.

Printable means: neither a control or format character nor a blank other than the space. Format
characters could make one name look like another. What Unicode has not assigned yet is let through:
it is assigned in somebody's newer version.
"""

from __future__ import annotations

import re

UNSEEN = (
    "\\x00-\\x1f\\x7f-\\xa0\\xad\\u0600-\\u0605\\u061c\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u1680"
    "\\u180e\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u3000\\ufeff\\ufff9-\\ufffb"
    "\U000e0000-\U000e007f"
)
SEEN = f"[^ {UNSEEN}]"
PRINTABLE = f"[^{UNSEEN}]"
LINE = f"^{SEEN}({PRINTABLE}*{SEEN})?$"  # no blanks at its ends
LINE_OR_NONE = f"^({SEEN}({PRINTABLE}*{SEEN})?)?$"
NO_NUL = r"^[^\x00]*$"  # the database's text has none
LINES = f"^({PRINTABLE}|[\\n\\t])*$"
WORDS = f"^({PRINTABLE}|[\\n\\t])*{SEEN}({PRINTABLE}|[\\n\\t])*$"  # lines with something in them

_PRINTABLE = re.compile(f"{PRINTABLE}*")


def line_without(excluded: str) -> str:
    """The pattern of a line that has none of these characters either."""
    return LINE.replace(UNSEEN, UNSEEN + excluded)


def is_printable(text: str) -> bool:
    """Whether every character of ``text`` can be seen, or is a space."""
    return _PRINTABLE.fullmatch(text) is not None and not any(
        "\ud800" <= c <= "\udfff" for c in text
    )
