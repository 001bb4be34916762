"""Runs against the real database: occasions, limits, time, failure and compensation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from monitoring.models import Incident, PlaybookRun, RunState
from monitoring.playbooks import definition, engine, runs
from registry.models import Event, ModelVersion
from tests.conftest import NOW
from tests.playbooks.makers import begin, book, pass_time, said, states, worry

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db

SAY = "{name: say, do: publish_event, with: {type: team.said}}"
REFUSED = "{name: refused, do: publish_event, with: {type: model.said}}"  # not for users to say
MISSING = "{name: measure, do: request_evaluation, with: {dataset: nowhere}}"


def test_transactions_are_done_as_the_run_begins() -> None:
    run = begin(book(SAY), worry())

    assert (run.state, states(run), said()) == (RunState.DONE, [("say", "done")], 1)
    assert said("playbook.started") == said("playbook.step.done") == said("playbook.done") == 1


def test_the_same_event_begins_one_run() -> None:
    event, playbook = worry(), book(SAY)

    first, second = begin(playbook, event), begin(playbook, event)

    assert (first, said()) == (second, 1)


def test_events_of_one_occasion_begin_one_run_and_others_their_own(make_version: Maker) -> None:
    playbook = book(SAY, more="key: [model_id, day]")
    version, other = make_version(), make_version()

    for model, day in ((version, 1), (version, 1), (version, 2), (other, 1)):
        begin(playbook, worry(model, day=day))

    assert PlaybookRun.objects.count() == said() == 3


def test_an_event_without_the_key_s_fields_is_an_occasion_of_its_own() -> None:
    playbook = book(SAY, more="key: [day]")

    begin(playbook, worry())
    begin(playbook, worry())

    assert said() == 2


def test_the_database_answers_an_occasion_once() -> None:
    run = begin(book(SAY), worry())
    run.pk = None

    with pytest.raises(IntegrityError, match="an_occasion_is_answered_once"), transaction.atomic():
        run.save()


def test_only_what_the_condition_asks_for_is_answered(make_version: Maker) -> None:
    text = "playbook: plain\non: {event: team.worried, when: '%s'}\nsteps:\n  - " + SAY
    version = make_version(team="search")

    asked = [
        runs.asks_for(
            worry(version, level=level), definition.parse((text % when).encode(), file="")
        )
        for when, level in (("level > 2", 3), ("level > 2", 2), ('team == "search"', 0))
    ]

    assert asked == [True, False, True]


def test_a_throttled_run_is_on_record_and_does_nothing(make_version: Maker) -> None:
    playbook = book(SAY, more="throttle: {runs: 2, minutes: 10}")
    version, other = make_version(), make_version()

    third = [begin(playbook, worry(version)) for _ in range(3)][-1]
    begin(playbook, worry(other))
    later = begin(playbook, worry(version), at=NOW + timedelta(minutes=11))

    assert (third.state, states(third)) == (RunState.THROTTLED, [("say", "skipped")])
    assert (later.state, said()) == (RunState.DONE, 4)


def test_a_run_waits_while_as_many_as_allowed_are_under_way(make_version: Maker) -> None:
    playbook = book(
        "{name: pause, do: publish_event, with: {type: team.paused}, after_minutes: 5}",
        more="concurrency: {runs: 1, per: family}",
    )
    first = begin(playbook, worry(make_version()))
    second = begin(playbook, worry(make_version()))  # of the same family
    elsewhere = begin(playbook, worry(make_version(name="Another")))
    assert [r.state for r in (first, second, elsewhere)] == ["running", "waiting", "running"]

    pass_time(299)
    second.refresh_from_db()
    assert (second.state, said("team.paused")) == ("waiting", 0)

    pass_time(305)
    second.refresh_from_db()
    assert (second.state, said("team.paused")) == ("running", 2)

    pass_time(700)
    assert said("team.paused") == 3


def test_a_run_past_its_deadline_fails_and_goes_no_further() -> None:
    late = "{name: late, do: publish_event, with: {type: team.late}, after_minutes: 20}"
    run = begin(book(SAY, late, more="deadline_minutes: 10"), worry())

    pass_time(601)
    pass_time(3000)

    run.refresh_from_db()
    assert (run.state, run.error) == ("failed", "It was not done by its deadline.")
    assert (states(run), said("team.late")) == ([("say", "done"), ("late", "skipped")], 0)


def test_what_was_done_is_compensated_last_to_first_when_a_later_step_fails() -> None:
    undo = "{do: publish_event, with: {type: team.undid_%s}}"
    steps = [
        f"{{name: {n}, do: publish_event, with: {{type: team.did}}, compensate: {undo % n}}}"
        for n in ("one", "two")
    ]
    run = begin(book(*steps, REFUSED, SAY), worry())
    pass_time()

    run.refresh_from_db()
    assert run.state == "failed"
    assert "model.said is recorded by the registry itself" in run.error
    assert states(run) == [
        ("one", "done"),
        ("two", "done"),
        ("refused", "failed"),
        ("say", "skipped"),
        ("undo: two", "done"),
        ("undo: one", "done"),
    ]
    undone = Event.objects.filter(event_type__startswith="team.undid")
    assert [e.event_type for e in undone] == ["team.undid_two", "team.undid_one"]
    assert said() == 0


def test_a_compensation_that_fails_does_not_keep_the_others_from_being_done() -> None:
    bad = "{name: one, do: publish_event, with: {type: team.did}, compensate: {do: freeze}}"
    good = "{name: zero, do: publish_event, with: {type: team.did}, compensate: " + (
        "{do: publish_event, with: {type: team.undid}}}"
    )
    run = begin(book(good, bad, REFUSED), worry())  # about no version, so freezing fails
    for second in range(0, 7200, 300):
        pass_time(second)

    run.refresh_from_db()
    assert (run.state, said("team.undid")) == ("failed", 1)
    assert ("undo: one", "failed") in states(run)


def test_an_effect_is_tried_again_with_growing_pauses(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    tell = "{name: tell, do: notify, with: {channel: mail, message: Look.}, attempts: 3}"
    run = begin(book(tell), worry())

    tried = []
    for second in (0, 1, 2, 5, 6, 60):
        pass_time(second)
        tried.append(run.steps.get().attempts)

    run.refresh_from_db()
    assert tried == [1, 1, 2, 2, 3, 3]
    assert (run.state, "ConnectionRefusedError" in run.error) == ("failed", True)


def test_an_effect_names_its_occasion_to_the_outside(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    run = begin(book("{name: tell, do: notify, with: {channel: mail, message: Look.}}"), worry())
    pass_time()

    (sent,) = mail.outbox
    assert (sent.body, sent.subject) == ("Look.", "[Assay] plain")
    assert sent.extra_headers["Message-ID"] == (
        f"<assay-playbook-run-{run.pk}-step-0@assay.localhost>"
    )


def test_who_comes_back_after_the_lease_has_passed_on_settles_nothing() -> None:
    run = begin(book("{name: tell, do: notify, with: {channel: log, message: Look.}}"), worry())

    def slow_clock() -> datetime:
        """Another worker takes the run over while this one is at it."""
        PlaybookRun.objects.filter(pk=run.pk).update(attempt=99)
        return NOW

    engine.do_due_effects(now=slow_clock)

    run.refresh_from_db()
    assert (run.state, states(run)) == ("running", [("tell", "pending")])


def test_a_lease_holds_others_off_until_it_expires() -> None:
    run = begin(book("{name: tell, do: notify, with: {channel: log, message: Look.}}"), worry())
    PlaybookRun.objects.filter(pk=run.pk).update(leased_until=NOW + timedelta(seconds=60))

    pass_time(59)
    assert states(run) == [("tell", "pending")]
    pass_time(60)
    assert states(run) == [("tell", "done")]


def test_a_run_keeps_the_playbook_it_began_with() -> None:
    pause = "{name: %s, do: publish_event, with: {type: team.%s}, after_minutes: 5}"
    before, after = book(pause % ("old", "old")), book(pause % ("new", "new"))
    run = begin(before, worry())

    begin(after, worry())  # the file has been edited meanwhile
    pass_time(301)

    run.refresh_from_db()
    assert (run.digest, run.definition) == (before.digest, before.text)
    assert before.digest != after.digest
    assert (states(run), said("team.old"), said("team.new")) == ([("old", "done")], 1, 1)


def test_a_refusal_stops_the_attempts_at_once() -> None:
    run = begin(book(MISSING), worry())

    assert (run.state, run.steps.get().attempts) == ("failed", 1)


def test_steps_for_users_do_what_they_say(make_version: Maker) -> None:
    canary = make_version("canary", share=10)
    playbook = book(
        "{name: shrink, do: set_canary_share, with: {percentage: 2.5}}",
        "{name: incident, do: open_incident, with: {summary: Look., severity: warning}}",
        "{name: out, do: withdraw, with: {to: sandbox, reason: worried}}",
    )
    run = begin(playbook, worry(canary))

    canary.refresh_from_db()
    incident = Incident.objects.get()
    shares = canary.transitions.order_by("pk").values_list("canary_basis_points", flat=True)
    assert (run.state, canary.stage, list(shares)[-2:]) == ("done", "sandbox", [250, None])
    assert (incident.kind, incident.severity, incident.summary) == ("playbook", "warning", "Look.")


def test_a_playbook_s_rollback_is_one_rollback(make_version: Maker) -> None:
    canary = make_version("canary")
    begin(book("{name: back, do: roll_back}"), worry(canary))

    request = Event.objects.get(event_type="model.rollback.requested")
    engine.answer(request)

    canary.refresh_from_db()
    assert (canary.stage, Incident.objects.count(), said("model.rolled_back")) == ("rollback", 1, 1)
    assert PlaybookRun.objects.filter(playbook="model_rollback").count() == 1


@pytest.mark.parametrize("step", ["{do: withdraw, with: {to: sandbox}}", "{do: roll_back}"])
def test_what_is_not_so_any_more_stops_the_run(make_version: Maker, step: str) -> None:
    version = make_version("sandbox")
    run = begin(book(f"{{name: late, {step[1:]}", SAY), worry(version))

    assert (run.state, said()) == ("stopped", 0)
    assert "is sandbox by now" in run.error


def test_a_playbook_that_needs_a_version_does_not_hear_of_other_events(make_version: Maker) -> None:
    playbook = book("{name: back, do: roll_back}")

    assert not runs.asks_for(worry(), playbook)
    assert runs.asks_for(worry(make_version("canary")), playbook)


def test_constraints_hold_what_runs_say() -> None:
    run = begin(book("{name: tell, do: notify, with: {channel: log, message: Look.}}"), worry())
    rows = PlaybookRun.objects.filter(pk=run.pk)

    with pytest.raises(IntegrityError, match="an_ended_run_says_when"), transaction.atomic():
        rows.update(state="done")
    with pytest.raises(IntegrityError, match="a_settled_step_says_when"), transaction.atomic():
        run.steps.update(state="done")
    with pytest.raises(IntegrityError, match="one_step_a_position"), transaction.atomic():
        run.steps.create(position=0, name="again", kind="freeze")


def test_an_ended_run_freezes_nothing(make_version: Maker) -> None:
    version = make_version("canary")
    run = begin(book("{name: hold, do: freeze}"), worry(version))

    assert (run.state, run.frozen_family) == ("done", None)
    with pytest.raises(IntegrityError, match="an_ended_run_freezes_nothing"):
        PlaybookRun.objects.filter(pk=run.pk).update(frozen_family=version.family)
