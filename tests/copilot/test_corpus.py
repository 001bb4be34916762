"""Two hundred phrases and more: nothing changes unconfirmed, and a confirmed plan does what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.apps import apps
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from governance.copilot.grammar import Asked, NotUnderstood, understand
from governance.copilot.replies import Kind, Reply
from registry.models import ModelVersion

CORPUS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("corpus.yaml").read_text())
Ask = Callable[..., Reply]
TABLES = [
    model._meta.db_table
    for app in ("registry", "monitoring", "governance")
    for model in apps.get_app_config(app).get_models()
    if not model._meta.proxy
]


def everything() -> list[tuple[str, str]]:
    """A digest of all rows of each table of the product, the inboxes among them."""
    digests = " UNION ALL ".join(
        f"SELECT '{table}', md5(string_agg(r::text, ';' ORDER BY r::text)) FROM {table} r"
        for table in TABLES
    )
    with connection.cursor() as cursor:
        cursor.execute(digests)
        return sorted(cursor.fetchall())


def stages() -> dict[str, str]:
    """Where each version is, and its share."""
    return {
        version.model_id: f"{version.stage} {version.canary_percentage.normalize():f}"
        if version.canary_percentage is not None
        else version.stage
        for version in ModelVersion.objects.all()
    }


def test_the_corpus_is_large_and_a_third_of_it_is_no_clear_request() -> None:
    sizes = {section: len(phrases) for section, phrases in CORPUS.items()}
    phrases = [phrase for section in CORPUS.values() for phrase in section]

    assert len(phrases) >= 200
    assert sizes["asks"] + sizes["refuses"] >= len(phrases) / 3
    assert len(set(phrases)) == len(phrases)


@pytest.mark.django_db
def test_nothing_in_the_corpus_changes_anything_but_what_is_confirmed(
    shop: Mapping[str, ModelVersion], ask: Ask, confirm: Ask
) -> None:
    before, wrong = everything(), []
    checks: dict[str, Callable[[Reply, Any], str]] = {
        "changes": lambda reply, wanted: _changes(reply, wanted, confirm),
        "blocked": _blocked,
        "answers": _answers,
    }

    for section, phrases in CORPUS.items():
        for phrase in phrases:
            reply = ask(phrase)
            assert everything() == before, f"{phrase!r} changed something"
            wanted: Any = phrases[phrase] if isinstance(phrases, dict) else section
            fault = checks.get(section, _declines)(reply, wanted)
            if section == "answers" and not fault:
                fault = _intent(phrase, wanted)
            if fault:
                wrong.append(f"{section}: {phrase!r}: {fault} — {reply.kind}: {reply.says}")
            assert everything() == before, f"{phrase!r} could not be taken back"

    assert not wrong, "\n".join(wrong)


def _changes(reply: Reply, wanted: Mapping[str, str], confirm: Ask) -> str:
    """Confirm, compare what is different then, and take it back."""
    if reply.kind is not Kind.PLAN or not reply.confirmation:
        return f"no plan to confirm: {reply.blockers}"
    before = stages()
    with transaction.atomic():
        confirm(reply)
        after = stages()
        transaction.set_rollback(True)
    found = {model_id: now for model_id, now in after.items() if before[model_id] != now}
    about = {r.label for r in reply.records}
    if found != wanted or not set(wanted) <= about:
        return f"it did {found}, citing {about}"
    return (
        "" if reply.call and next(iter(wanted)) in reply.call.path else f"its call is {reply.call}"
    )


def _blocked(reply: Reply, model_id: str) -> str:
    held = reply.kind is Kind.PLAN and reply.blockers and not reply.confirmation
    cited = [record.label for record in reply.records]
    return "" if held and cited == [model_id] else f"not blocked, or not {model_id}"


def _answers(reply: Reply, wanted: list[str]) -> str:
    if reply.kind is not (Kind.PLAN if reply.confirmation else Kind.ANSWER):
        return "no answer"
    labels = " ".join(record.label for record in reply.records)
    missing = [name for name in wanted[1:] if name not in labels]
    if wanted[0] != "help" and reply.call is None:
        return "it names no API call"
    return f"it does not cite {missing}" if missing else ""


def _intent(phrase: str, wanted: list[str]) -> str:
    asked = understand(phrase)
    found = asked.intent if isinstance(asked, Asked) else "nothing"
    return "" if found == wanted[0] else f"taken for {found}"


def _declines(reply: Reply, section: str) -> str:
    kind = {"asks": Kind.QUESTION, "refuses": Kind.REFUSAL}[section]
    fits = reply.kind is kind and reply.call is None and not reply.confirmation
    return "" if fits and (reply.choices or section == "refuses") else f"not {kind}"


@given(st.text(max_size=600))
def test_whatever_is_typed_is_read_without_a_fault(text: str) -> None:
    assert isinstance(understand(text), Asked | NotUnderstood)


@given(
    st.lists(
        st.sampled_from(
            [
                "promote",
                "roll",
                "back",
                "not",
                "if",
                "to",
                "canary",
                "in",
                "at",
                "20%",
                "the",
                "x",
                "and",
                "'",
                '"',
                ";",
                "v1",
                "because",
            ]
        )
    )
)
def test_no_shuffled_words_hide_a_doubt_in_a_command(said: list[str]) -> None:
    asked = understand(" ".join(said))

    if isinstance(asked, Asked) and asked.intent in ("move", "share", "roll_back"):
        assert not {"not", "if", ";"} & set(asked.slots["name"].split())
        assert asked.share is None or asked.share == Decimal(20)
