"""What hypothesis declares: all that the API takes, and the worst of it often."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from hypothesis import strategies as st

TRAPS = [
    *("NO", "yes", "on", "y", "null", "~", "Null", "true", "True", "1.10", "1e3", "0x1f", "0o7"),
    *("007", "+1", ".5", "1_000", "12:30:45", "2026-01-01", ".inf", ".nan", "=", "<<", "-0"),
    *("", " ", "lead ", " lead", "a: b", "a #b", "# a", "- a", "? a", "[a]", "{a}", "&a", "*a"),
    *("!a", "!!str a", "%YAML 1.2", "---", "...", "|", ">", "@a", "`a`", "'", '"', "\\", "a\\nb"),
    *(
        "😀",
        "é",
        "e\u0301",
        "\u0085",
        "a\u0085b",
        "\u2028",
        "a\u2029b",
        "\ufeff",
        "\u00a0",
        "\u200b",
    ),
    *("\n", "\n\n", "a\nb", "a\nb\n", "a\nb\n\n\n", "\n\na", " a\nb", "a\n b", "a \nb", "a\n\tb"),
    *("\t", "\r", "a\r\nb", "\x1b[0m", "\x7f", "\ue000", "\uffff", "\U0010ffff", "x" * 2_000),
]
texts = st.sampled_from(TRAPS) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20
)
numbers = (
    st.integers()
    | st.sampled_from([10**300, -(10**40), 2**63, 0])
    | st.floats(allow_nan=False, allow_infinity=False)
)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=15,
)


def nested(depth: int) -> Any:
    """A value inside so many collections."""
    value: Any = "deep"
    for level in range(depth):
        value = [value] if level % 2 else {"in": value}
    return value


def lines_of(size: int) -> st.SearchStrategy[str]:
    """One line of printable characters, as the API takes it."""
    traps = [trap for trap in TRAPS if trap.isprintable() and trap and trap == trap.strip()]
    return (st.sampled_from(traps) | st.text(max_size=size)).map(
        lambda text: "".join(c for c in text[:size] if c.isprintable()).strip() or "x"
    )


def paragraphs() -> st.SearchStrategy[str]:
    """Several lines, as the API takes them."""
    traps = [trap for trap in TRAPS if trap.replace("\n", "").replace("\t", "").isprintable()]
    return st.sampled_from(traps)


names = st.sampled_from(
    [
        *("Fraud", "fraud", "FRAUD", "fraud~1", "con", ".", "..", "-x", "~", "1.10", "NO", "null"),
        *("é", "e\u0301", "😀", "a" * 256, "a" * 255 + "b", "A" * 256, "model.yaml", 'a"b', "a b"),
    ]
) | lines_of(256).map(lambda text: text.translate({ord("/"): "-", ord(":"): "-"}))

declarations = st.fixed_dictionaries(
    {
        "framework": lines_of(64),
        "model_type": lines_of(64),
        "owner": lines_of(150),
        "team": lines_of(150),
    },
    optional={
        "former_owners": st.lists(lines_of(150), max_size=3),
        "description": paragraphs(),
        "source": lines_of(500),
        "run_id": lines_of(200),
        "artifact_path": lines_of(1000),
        "declared_sha256": st.sampled_from(["", "a" * 64, "0" * 64, "1" * 64]),
        "training_data_hash": lines_of(200),
        "training_dataset_size": st.none() | st.integers(0, 2**63 - 1),
        "training_timestamp": st.none() | st.datetimes(timezones=st.just(UTC)),
        "evaluation_metrics": st.dictionaries(texts, numbers, max_size=3),
        "expected_latency_p95_ms": st.none()
        | st.floats(min_value=0, allow_nan=False, allow_infinity=False),
        "metadata": st.dictionaries(texts, json_values | st.just(nested(60)), max_size=4),
        "tags": st.dictionaries(
            lines_of(250).map(lambda key: key.translate({ord(","): "-", ord(":"): "-"})),
            lines_of(1000),
            max_size=3,
        ),
    },
)
shares = st.floats(0, 1, exclude_min=True, exclude_max=True)
whole = st.integers(1, 2**31 - 1)
policies = st.fixed_dictionaries(
    {},
    optional={
        "rule": st.sampled_from(["threshold", "evidence"]),
        "max_error_rate": shares,
        "max_latency_factor": st.floats(1, allow_infinity=False),
        "max_input_drift": shares,
        "window_minutes": st.integers(1, 7 * 24 * 60),
        "bake_minutes": st.none() | whole,
        "cooldown_seconds": whole,
        "mode": st.sampled_from(["rollback", "notify"]),
        "dry_run": st.booleans(),
        "without_predecessor": st.sampled_from(["withdraw", "hold"]),
    },
)
