"""``run_playbook`` and ``check_playbooks``; users' own files; what is said at the start."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from config import subscriptions
from monitoring import rollbacks
from monitoring.models import PlaybookRun
from monitoring.playbooks import checks, engine, shelf
from registry.models import Event, ModelVersion
from tests.conftest import NOW
from tests.monitoring.makers import enter, report
from tests.playbooks.makers import PLAIN, SAY, said, worry

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db

TABLES = """
select table_name from information_schema.tables
where table_schema = 'public' and table_type = 'BASE TABLE'
"""


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """A folder of users' playbooks, read anew."""
    settings.ASSAY_PLAYBOOKS_DIR = tmp_path
    shelf.shelf.cache_clear()
    yield tmp_path
    shelf.shelf.cache_clear()


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def everything() -> dict[str, list[Any]]:
    """All rows of all tables."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        found = {}
        for (table,) in cursor.fetchall():
            cursor.execute(f'select to_jsonb(t)::text from "{table}" t order by 1')
            found[table] = cursor.fetchall()
    return found


def ask(version: ModelVersion) -> Event:
    """The monitor asks for a rollback; nobody has delivered it yet."""
    report(version, error_rate=0.5)
    rollbacks.request_if_degraded(version, now=NOW)
    return Event.objects.get(event_type=rollbacks.REQUESTED)


def test_a_dry_run_prints_every_step_and_changes_nothing(make_version: Maker) -> None:
    former = make_version("production")
    event = ask(enter(make_version("production")))
    before = everything()

    told = run("run_playbook", "model_rollback", "--event", str(event.pk), "--dry-run")

    assert everything() == before
    lines = told.splitlines()
    assert lines[1].startswith("2. switch stage (switch_stage): done {")
    assert f"'restored_model_id': '{former.model_id}'" in lines[1]
    assert lines[5] == ("6. notify owners (notify_owners): leaves the house, when its turn comes")
    assert lines[6] == (
        "7. verify recovery (verify_recovery): is a transaction, when its turn comes, "
        "5 minutes later"
    )
    assert lines[-1] == "Dry run: nothing was changed."


def test_what_was_answered_already_can_be_rehearsed(make_version: Maker) -> None:
    event = ask(enter(make_version("canary")))
    engine.answer(event)
    before = everything()

    told = run("run_playbook", "model_rollback", "--event", str(event.pk), "--dry-run")

    assert "'taken_over': True" in told
    assert everything() == before


def test_a_run_from_the_command_line_is_a_run_like_others(make_version: Maker) -> None:
    event = ask(enter(make_version("canary")))

    first = run("run_playbook", "model_rollback", "--event", str(event.pk))
    second = run("run_playbook", "model_rollback", "--event", str(event.pk))

    made = PlaybookRun.objects.get()
    assert first == f"Run {made.pk} is running.\n"
    assert second == f"Run {made.pk} is running, and was there before.\n"
    assert said("model.rolled_back") == 1


@pytest.mark.parametrize(
    ("name", "number", "words"),
    [
        ("nothing", "1", "There is no playbook 'nothing'; there are model_rollback."),
        ("model_rollback", "99999999", "There is no event 99999999."),
    ],
)
def test_what_cannot_be_run_is_said(name: str, number: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run("run_playbook", name, "--event", number)


def test_an_event_that_the_playbook_does_not_answer_is_refused(make_version: Maker) -> None:
    event = worry(make_version())

    with pytest.raises(CommandError, match="is not one that model_rollback answers"):
        run("run_playbook", "model_rollback", "--event", str(event.pk))


def test_a_user_s_playbook_is_heard_of_and_answers(folder: Path) -> None:
    (folder / "plain.yaml").write_text(PLAIN.format(more="", steps=SAY))
    types = shelf.shelf().event_types

    engine.answer(worry())

    assert types == ["model.rollback.requested", "team.worried"]
    assert said() == 1


def test_every_type_that_starts_a_playbook_is_subscribed_to_once() -> None:
    for event_type in shelf.shelf().event_types:
        heard = [s.handler for s in subscriptions.SUBSCRIPTIONS[event_type]]
        assert heard.count("monitoring.playbooks.engine.answer") == 1


def test_a_type_in_several_tables_keeps_the_subscribers_of_all() -> None:
    one, other = subscriptions.PLAYBOOKS, subscriptions.KEEP_MANIFESTS

    joined = subscriptions.joined({"a.b": (one,), "c.d": (one,)}, {"a.b": (other,)})

    assert joined == {"a.b": (one, other), "c.d": (one,)}


def test_what_a_playbook_did_starts_only_the_product_s_own(folder: Path) -> None:
    (folder / "plain.yaml").write_text(PLAIN.format(more="", steps=SAY))
    event = worry()
    event.actor = "system:playbook"

    engine.answer(event)

    assert said() == 0


def test_a_file_that_is_refused_is_left_out_and_named(folder: Path) -> None:
    (folder / "a.yaml").write_text(PLAIN.format(more="", steps=SAY))
    (folder / "b.yaml").write_text(PLAIN.format(more="nonsense: 1", steps=SAY))
    (folder / "c.yml").write_text(PLAIN.format(more="", steps=SAY))
    (folder / "notes.txt").write_text("not a playbook")
    (folder / "mine.yaml").write_text(
        PLAIN.format(more="", steps=SAY).replace("playbook: plain", "playbook: model_rollback")
    )

    faults = [str(fault).removeprefix(f"{folder}/") for fault in shelf.shelf().faults]

    assert sorted(shelf.shelf().playbooks) == ["model_rollback", "plain"]
    assert faults == [
        f"b.yaml:3: nonsense: There is no such field; there are {', '.join(FIELD_NAMES)}.",
        "c.yml:1: playbook: 'plain' is the name of another playbook; choose one.",
        "mine.yaml:1: playbook: 'model_rollback' is the name of another playbook; choose one.",
    ]
    assert [error.id for error in checks.playbooks_are_whole(None)] == ["monitoring.E001"] * 3
    with pytest.raises(CommandError, match="b.yaml:3: nonsense"):
        run("check_playbooks")


FIELD_NAMES = (
    "playbook", "description", "on", "key", "throttle", "concurrency", "deadline_minutes", "steps",
)  # fmt: skip


def test_a_folder_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no such folder."):
        run("check_playbooks", str(tmp_path / "nowhere"))


def test_good_playbooks_are_listed(folder: Path) -> None:
    (folder / "plain.yaml").write_text(PLAIN.format(more="", steps=SAY))

    told = run("check_playbooks")

    assert "model_rollback (ours): 7 steps on model.rollback.requested, sha256 " in told
    assert "plain (yours): 1 steps on team.worried, sha256 " in told
