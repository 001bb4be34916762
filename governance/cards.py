"""Model cards. Pure: facts in, the card as data or as Markdown out.

A card says of every figure whether the trainer declared it or we measured it. People are in it
by their opaque ids, so that a name can be erased without touching the card; ``markdown`` takes
what to call them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from governance import measured
from governance.checks import Judged
from governance.measured import Results

FORMAT = "assay.model-card/v1"
RATES = ("selection_rate", "tpr", "fpr")  # shown of each group; the rest is in the evaluation
MISSING = "—"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """All that a card is made of, gathered by governance.carding. Times are ISO 8601, UTC."""

    model: Mapping[str, Any]
    use: Mapping[str, Any]  # description, and what the metadata says of use and limits
    training_data: Mapping[str, Any]
    artifact: Mapping[str, Any]
    declared_metrics: Mapping[str, float]
    evaluation: Mapping[str, Any] | None  # the gate evaluation, without its results
    results: Results
    principles: Sequence[Judged]
    governance: Mapping[str, Any]
    deployment: Mapping[str, Any]


def content(facts: CardFacts) -> dict[str, Any]:
    """The card as data."""
    return {
        "format": FORMAT,
        "model": dict(facts.model),
        "intended_use": dict(facts.use),
        "training_data": {"basis": "declared", **facts.training_data},
        "artifact": dict(facts.artifact),
        "metrics": _metrics(facts.declared_metrics, measured.metrics(facts.results)),
        "evaluation": dict(facts.evaluation) if facts.evaluation else None,
        "bias": _bias(facts.results),
        "principles": [_principle(judged) for judged in facts.principles],
        "governance": dict(facts.governance),
        "limits": _limits(facts.results),
        "deployment": dict(facts.deployment),
    }


def _metrics(
    declared: Mapping[str, float], found: Mapping[str, float]
) -> list[dict[str, str | float | None]]:
    names = [*declared, *(name for name in found if name not in declared)]
    return [
        {"name": name, "declared": declared.get(name), "measured": found.get(name)}
        for name in names
    ]


def _bias(results: Results) -> dict[str, Any]:
    bias = measured.bias(results)
    report = (results or {}).get("bias") or {}
    return {
        "basis": "measured" if bias.measured else None,
        "verdict": bias.verdict,
        "reasons": list(bias.reasons),
        "favourable_label": report.get("favourable_label"),
        "sections": [_section(section) for section in report.get("sections", ())],
    }


def _section(section: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "attributes": list(section["attributes"]),
        "verdict": section["verdict"],
        "reference": section["reference"],
        "groups": [
            {
                "label": group["label"],
                "rows": group["rows"],
                "gates": group["gates"],
                "verdict": (group["impact_ratio"] or {}).get("verdict"),
                "impact_ratio": group["impact_ratio"],
                **{rate: group["rates"].get(rate) for rate in RATES},
            }
            for group in section["groups"]
        ],
    }


def _principle(judged: Judged) -> dict[str, Any]:
    return {
        "id": judged.id,
        "statement": judged.statement,
        "verdict": judged.verdict,
        "findings": [
            {
                "check": name,
                "verdict": finding.verdict,
                "reason": finding.reason,
                "figures": [
                    {"name": figure.name, "value": figure.value, "basis": figure.basis}
                    for figure in finding.figures
                ],
            }
            for name, finding in judged.findings
        ],
    }


def _limits(results: Results) -> dict[str, Any]:
    sections = ((results or {}).get("bias") or {}).get("sections", ())
    return {
        "unmonitored_features": measured.unmonitored_features(results),
        "groups_too_small_to_show": sorted({g for s in sections for g in s["set_aside"]}),
        "undefined_rates": sorted({rate for s in sections for rate in s["undefined"]}),
    }


def markdown(card: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """The card as Markdown.

    Args:
        card: As ``content`` made it.
        names: What to call each person; a missing one keeps the opaque id.
    """
    parts = (
        _title(card),
        _use(card["intended_use"]),
        _origins(card),
        _figures(card),
        _groups(card["bias"]),
        _judgement(card["principles"]),
        _approvals(card["governance"], names),
        _limitations(card["limits"]),
        _whereabouts(card["deployment"]),
    )
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


def _title(card: Mapping[str, Any]) -> Iterator[str]:
    model = card["model"]
    yield f"# {_text(model['name'])} {_text(model['version'])}"
    yield ""
    keys = ("model_id", "framework", "model_type", "owner", "team", "risk_tier")
    yield from _table(("", ""), ((key.replace("_", " "), model[key]) for key in keys))


def _use(use: Mapping[str, Any]) -> Iterator[str]:
    yield from ("## Intended use", "")
    titles = {"description": None, "intended_use": "Use", "out_of_scope": "Out of scope"}
    said = [(title, use[key]) for key, title in titles.items() if use.get(key)]
    for title, words in said:
        yield from ([f"**{title}** (declared)", ""] if title else ["(declared)", ""])
        yield from (f"> {_text(line)}" for line in str(words).splitlines())
        yield ""
    if not said:
        yield from ("Nothing was declared.", "")


def _origins(card: Mapping[str, Any]) -> Iterator[str]:
    data, artifact = card["training_data"], card["artifact"]
    yield from ("## Data and artifact", "")
    yield from _table(
        ("", "value", "basis"),
        (
            ("training data hash", data["hash"], "declared"),
            ("training rows", data["rows"], "declared"),
            ("trained at", data["trained_at"], "declared"),
            ("artifact sha256", artifact["sha256"], artifact["basis"]),
            ("artifact format", artifact["format"], "measured" if artifact["format"] else None),
        ),
    )


def _figures(card: Mapping[str, Any]) -> Iterator[str]:
    yield from ("## Evaluation", "")
    evaluation = card["evaluation"]
    if evaluation is None:
        yield from ("No gate evaluation was made: nothing here was measured by us.", "")
    else:
        yield (
            f"Measured on {_text(evaluation['dataset'])} (sha256 {evaluation['dataset_sha256']}), "
            f"{evaluation['finished_at']}, evidence {evaluation['evidence_digest']}."
        )
        yield ""
    rows = [(m["name"], m["declared"], m["measured"]) for m in card["metrics"]]
    yield from _table(("metric", "declared", "measured"), rows)


def _groups(bias: Mapping[str, Any]) -> Iterator[str]:
    yield from ("## Bias", "")
    yield from (f"**{bias['verdict']}** (measured)" if bias["basis"] else "**not measured**", "")
    yield from (f"- {_text(reason)}" for reason in bias["reasons"])
    yield ""
    for section in bias["sections"]:
        yield from (f"### {_text(' × '.join(section['attributes']))}: {section['verdict']}", "")
        header = ("group", "rows", "impact ratio", *(r.replace("_", " ") for r in RATES), "verdict")
        yield from _table(header, (_group(group) for group in section["groups"]))


def _group(group: Mapping[str, Any]) -> list[Any]:
    rates = [_interval(group[rate]) for rate in RATES]
    verdict = group["verdict"] or ("reference" if group["gates"] else "too few rows to gate")
    return [group["label"], group["rows"], _interval(group["impact_ratio"]), *rates, verdict]


def _judgement(principles: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield from ("## Constitution", "")
    rows = [
        (principle["id"], finding["verdict"].replace("_", " "), finding["reason"])
        for principle in principles
        for finding in principle["findings"]
    ]
    yield from _table(("principle", "automatic verdict", "because"), rows)


def _approvals(governance: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    yield from ("## Review", "")
    checks = [
        (c["check"].replace("_", " "), c["verdict"], names.get(c["by"], c["by"]), c["at"], c["of"])
        for c in governance["checks"]
    ]
    yield from _table(("check", "verdict", "by", "at", "of"), checks)
    signed = [
        (names.get(a["by"], a["by"]), a["role"].replace("_", " "), a["scope"], a["at"], a["state"])
        for a in governance["approvals"]
    ]
    yield from _table(("approved by", "as", "for", "at", "state"), signed)
    yield (
        f"Constitution {governance['constitution_version']}, policy "
        f"{governance['policy_version']}, subject {governance['subject_digest']}."
    )
    yield ""


def _limitations(limits: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield from ("## Limits", "")
    titles = {
        "unmonitored_features": "Drift of these features is not monitored",
        "groups_too_small_to_show": "Groups too small to be shown alone",
        "undefined_rates": "Rates without a denominator",
    }
    known = [(title, limits[key]) for key, title in titles.items() if limits[key]]
    for title, listed in known:
        yield f"- {title}: {_text(', '.join(listed))}"
    yield from ([] if known else ["No limits are known of."])
    yield ""


def _whereabouts(deployment: Mapping[str, Any]) -> Iterator[str]:
    share = deployment["canary_percentage"]
    at = f" at {share:g} %" if share is not None else ""
    yield from ("## Deployment", "", f"{deployment['stage']}{at} since {deployment['since']}.")


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """A Markdown table, or nothing where it has no rows."""
    lines = [f"| {' | '.join(_cell(value) for value in row)} |" for row in rows]
    if lines:
        yield f"| {' | '.join(header)} |"
        yield f"|{' --- |' * len(header)}"
        yield from lines
        yield ""


def _interval(found: Mapping[str, Any] | None) -> str | None:
    if found is None:
        return None
    return f"{found['value']:.3f} ({found['lower']:.3f}–{found['upper']:.3f})"


def _cell(value: object) -> str:
    if value is None or value == "":
        return MISSING
    if isinstance(value, float):
        return f"{value:.4g}"
    return _text(str(value))


SPECIAL = str.maketrans({character: f"\\{character}" for character in "\\`*_[]<>#|~&"})
OPENING = re.compile(r"^(\d*)([-=+.)])(?=\s|$|[-=+])")  # what would begin a list, rule or heading


def _text(words: str) -> str:
    """People's words as plain text: nothing in them is Markdown, and they stay on one line."""
    return OPENING.sub(r"\1\\\2", " ".join(words.split()).translate(SPECIAL))
