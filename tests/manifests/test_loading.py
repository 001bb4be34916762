"""Only the plain part of YAML is read, and each refusal names its line."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from registry.manifests import loading, writing
from registry.manifests.refusals import ManifestRefused
from tests.manifests import strategies

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(7)
)


def load(text: str | bytes) -> Any:
    content = text if isinstance(text, bytes) else text.encode()
    return loading.load(content, file="model.yaml").value


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: *a\n", 2, "Anchors and aliases"),
        ("a: 1\nb: &b 2\n", 2, "Anchors and aliases"),
        (BOMB, 1, "Anchors and aliases"),
        ("a:\n  - !!python/name:os.system x\n", 2, "Tags such as"),
        ("a: 1\nb: !ruby x\n", 2, "Tags such as !ruby"),
        ("a: 1\nb: ! x\n", 2, "Tags such as !"),
        ("a: 1\nb: !!map {}\n", 2, "Tags such as"),
        ("a: 1\nb: 2\na: 3\n", 3, "'a' is given twice"),
        ('a: 1\n"\\u0061": 3\n', 2, "'a' is given twice"),
        ("a:\n  b: 1\n  b: 1\n", 3, "'b' is given twice"),
        ("%YAML 1.2\n---\na: 1\n", 1, "Directives"),
        ("%TAG ! tag:x,2000:\n---\na: 1\n", 1, "Directives"),
        ("a: 1\n---\nb: 1\n", 2, "second document"),
        ("a: 1\nb:\n", 2, "An empty value is read differently"),
        ("a: 1\nb: ~\n", 2, "~ is read differently"),
        ("a: 1\nb: True\n", 2, "True is read differently"),
        ("b: Null\n", 1, "Null is read differently"),
        ("b: 0x1f\n", 1, "0x1f is read differently"),
        ("b: 0o17\n", 1, "0o17 is read differently"),
        ("b: 017\n", 1, "017 is read differently"),
        ("b: +1\n", 1, "+1 is read differently"),
        ("b: .5\n", 1, ".5 is read differently"),
        ("b: 1.\n", 1, "1. is read differently"),
        ("b: .inf\n", 1, ".inf is read differently"),
        ("b: .NaN\n", 1, ".NaN is read differently"),
        ("b: 1e999\n", 1, "too large"),
        (f"b: {'9' * 4001}\n", 1, "4000 digits"),
        ("1: a\n", 1, "Keys are text"),
        ("true: a\n", 1, "Keys are text"),
        ("? [a]\n: b\n", 1, "Keys are text"),
        ('a: 1\nb: "\\0"\n', 2, "cannot be kept"),
        ("- a\n", 1, "A manifest is a mapping"),
        ("", 1, "empty"),
        ("# nothing\n", 1, "empty"),
        ("a: 1\nb: [1\n", 3, "This is no YAML"),
        ("a: 1\nb: \x07\n", 2, "This is no YAML: control characters"),
        (b"a: 1\nb: \xff\n", 2, "not UTF-8"),
        ("a: " + "[" * 101 + "]" * 101, 1, "nested deeper than 100"),
        ("a:\n" + "- 1\n" * 500_001, 499_999, "more than 500000 values"),
        ("a: " + "x" * loading.MAX_BYTES, 1, "is over 16777216 bytes"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_not_plain_is_refused_by_line(text: str | bytes, line: int, words: str) -> None:
    with pytest.raises(ManifestRefused) as refusal:
        load(text)

    (fault,) = refusal.value.faults
    assert (fault.file, fault.line) == ("model.yaml", line)
    assert words in fault.sentence


def test_a_bomb_that_would_fill_the_memory_is_refused_at_once() -> None:
    assert len(BOMB) < 300
    began = time.monotonic()

    with pytest.raises(ManifestRefused):
        load(BOMB)

    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("plain", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("1.10.0", "1.10.0"),
        ("2026-01-01", "2026-01-01"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("<<", "<<"),
        ('"1.10"', "1.10"),
        ("1.10", 1.1),
        ("1e3", 1000.0),
        ("-0.0", 0.0),
        ("1e300", 10**300),
        ("9007199254740993", 9007199254740993),
        ("true", True),
        ("null", None),
        ('"a\\Nb"', "a\u0085b"),
        ("😀", "😀"),
    ],
)
def test_plain_words_are_read_as_yaml_1_2_reads_them(plain: str, value: Any) -> None:
    assert repr(load(f"a: {plain}\n")["a"]) == repr(value)


def test_lines_are_those_of_keys_and_deeper_ones_are_found_at_their_parent() -> None:
    loaded = loading.load(
        b"kind: x\nspec:\n  tags:\n    a: b\n  metadata:\n    b:\n      c:\n        d: 1\n",
        file="f",
    )

    assert loaded.line(("spec", "tags", "a")) == 4
    assert loaded.line(("spec", "metadata", "b", "c", "d", "e")) == 7
    assert loaded.line(("spec", "missing")) == 2
    assert loaded.line(("missing",)) == 1


@given(st.dictionaries(strategies.texts, strategies.json_values, max_size=5))
def test_what_is_written_is_read_again(document: dict[str, Any]) -> None:
    text = writing.dump(document) or "{}\n"

    assert repr(load(text)) == repr(as_kept(document))


@given(st.dictionaries(strategies.texts, strategies.texts | st.booleans() | st.integers()))
def test_other_readers_of_yaml_read_the_same(document: dict[str, Any]) -> None:
    text = writing.dump(document) or "{}\n"

    assert yaml.load(text, Loader=yaml.CSafeLoader) == document


def as_kept(value: Any) -> Any:
    """The value as the database's JSON gives it back."""
    if isinstance(value, float):
        return loading.as_kept(value)
    if isinstance(value, list):
        return [as_kept(item) for item in value]
    if isinstance(value, dict):
        return {key: as_kept(item) for key, item in value.items()}
    return value
