"""Manifests are written to be read by people, and by any reader of YAML."""

from __future__ import annotations

import pytest

from registry.manifests import writing


def test_a_document_reads_well() -> None:
    document = {
        "name": "Fraud Detector",
        "version": "1.10",
        "description": "Two\nlines\n",
        "tags": {"nlp": "", "country": "NO"},
        "sizes": [64, 128],
        "steps": [{"op": "scale", "by": [[1, "a"], []]}, "é 😀"],
        "nothing": {},
        "x" * 101: {"a": 1},
    }

    assert writing.dump(document) == (
        "name: Fraud Detector\n"
        'version: "1.10"\n'
        "description: |\n"
        "  Two\n"
        "  lines\n"
        "tags:\n"
        '  nlp: ""\n'
        '  country: "NO"\n'
        "sizes: [64, 128]\n"
        "steps:\n"
        "  - op: scale\n"
        "    by:\n"
        "      - - 1\n"
        "        - a\n"
        "      - []\n"
        '  - "é 😀"\n'
        "nothing: {}\n"
        f"? {'x' * 101}\n"
        ":\n"
        "  a: 1\n"
    )


def test_a_number_that_is_none_is_not_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        writing.dump({"a": float("nan")})
