"""One digest for everything that is compared or signed."""

from __future__ import annotations

import hashlib
import json


def sha256(document: object) -> str:
    """sha256 of the document as canonical JSON: sorted keys, no blanks, UTF-8."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
