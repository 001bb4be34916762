"""One spelling for everything that is compared, signed or proven."""

from __future__ import annotations

import hashlib
import json


def text(document: object) -> str:
    """The document as canonical JSON: sorted keys, no blanks, no escapes beyond what JSON needs."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256(document: object) -> str:
    """sha256 of the document as canonical JSON in UTF-8."""
    return hashlib.sha256(text(document).encode()).hexdigest()
