"""What is a playbook and what is not, with file and line."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from monitoring.playbooks import definition, effects, kinds, shelf, steps
from monitoring.playbooks.definition import Limit
from monitoring.playbooks.kinds import KINDS, Manner
from registry.manifests.refusals import ManifestRefused

WHOLE = """\
playbook: shrink_and_tell
description: Shrinks a canary that worries people.
on:
  event: incident.opened
  when: kind == "breach"
key: [model_id, incident_id]
throttle: {runs: 3, minutes: 60, per: family}
concurrency: {runs: 1, per: all}
deadline_minutes: 30
steps:
  - name: shrink
    do: set_canary_share
    with:
      percentage: 1
    compensate:
      do: publish_event
      with:
        type: team.shrunk_in_vain
  - name: tell
    do: notify
    with: {channel: mail, message: Look at it.}
    after_minutes: 0.5
    attempts: 3
"""


def test_a_whole_playbook_is_read() -> None:
    book = definition.parse(WHOLE.encode(), file="shrink.yaml")

    shrink, tell = book.steps
    assert (book.name, book.event_type) == ("shrink_and_tell", "incident.opened")
    assert book.when.holds({"kind": "breach"})
    assert not book.when.holds({"kind": "no_data"})
    assert book.key == ("model_id", "incident_id")
    assert (book.throttle, book.concurrency) == (Limit(3, "family", 60), Limit(1, "all"))
    assert book.deadline == timedelta(minutes=30)
    assert (shrink.manner, tell.manner) == (Manner.TX, Manner.EFFECT)
    assert shrink.compensation is not None
    assert shrink.compensation.told == {"type": "team.shrunk_in_vain"}
    assert (tell.after, tell.attempts) == (timedelta(seconds=30), 3)
    assert book.digest == hashlib.sha256(WHOLE.encode()).hexdigest()


@pytest.mark.parametrize(
    ("there", "instead", "line", "said"),
    [
        ('kind == "breach"', "kind = 1", 5, "on.when: It is no condition: '= 1' cannot be read."),
        ("key:", "keys:", 6, "keys: There is no such field"),
        ("key: [model_id, incident_id]", "key: []", 6, "key: Give a list of names"),
        ("per: family", "per: team", 7, "throttle.per: Give one of model, family, all."),
        ("runs: 3", "runs: 0", 7, "throttle.runs: Give a whole number from 1"),
        ("runs: 3", "runs: 1.5", 7, "throttle.runs: Give a whole number from 1"),
        ("runs: 1,", "minutes: 1,", 8, "concurrency.minutes: There is no such field"),
        ("deadline_minutes: 30", "deadline_minutes: 0", 9, "deadline_minutes: Give a number"),
        ("do: set_canary_share", "do: set_share", 12, "steps.0.do: There is no such kind"),
        ("percentage: 1", "percentage: 100", 14, "steps.0.with.percentage: Give at most 99.99."),
        ("percentage: 1", "percentage: true", 14, "percentage: Give a number."),
        ("percentage: 1", "share: 1", 14, "steps.0.with.share: There is no such field"),
        ("do: publish_event", "after: 1", 16, "compensate.after: There is no such field"),
        ("with: {channel: mail, ", "with: {", 21, "with.channel: It is missing."),
        ("channel: mail", "channel: smoke", 21, "with.channel: Give one of log, mail."),
        ("message: Look at it.", "message: 1", 21, "with.message: Give a text."),
        ("attempts: 3", "attempts: 1000", 23, "steps.1.attempts: Give a whole number"),
        ("name: tell", "name: shrink", 19, "'shrink' is the name of two steps."),
        ("event: incident.opened", "event: opened", 4, "on.event: Give a name that fits"),
        ("playbook: shrink_and_tell", "playbook: Shrink", 1, "playbook: Give a name that fits"),
        ("do: notify", "do: !!python/object:os.system", 20, "Tags such as"),
        ("do: notify", "do: &x notify", 20, "Anchors and aliases"),
        ("do: notify", "do: notify\n    do: notify", 21, "'do' is given twice."),
    ],
)
def test_what_is_no_playbook_is_refused_with_file_and_line(
    there: str, instead: str, line: int, said: str
) -> None:
    with pytest.raises(ManifestRefused) as refusal:
        definition.parse(WHOLE.replace(there, instead, 1).encode(), file="shrink.yaml")

    (fault,) = refusal.value.faults
    assert (fault.file, fault.line) == ("shrink.yaml", line)
    assert said in fault.sentence


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("playbook: x\non: {event: a.b}\nsteps: []\n", "steps: Give a list of 1 to 50 steps."),
        ("playbook: x\non: a.b\nsteps: [{name: a, do: freeze}]\n", "on: Give a mapping."),
        ("playbook: x\non: {event: a.b}\nsteps: [freeze]\n", "steps.0: A step is a mapping"),
        (
            "playbook: x\non: {event: a.b}\nsteps: [{name: a, do: publish_event, with: {type: a.b}}]\n",
            "It would start the playbook again",
        ),
        (
            f"playbook: x\non: {{event: a.b}}\nsteps: [{{name: {'n' * 101}, do: freeze}}]\n",
            "At most 100 characters.",
        ),
    ],
)
def test_shapes_that_cannot_be_meant_are_refused(text: str, said: str) -> None:
    with pytest.raises(ManifestRefused, match=said):
        definition.parse(text.encode(), file="x.yaml")


def test_every_kind_of_step_is_done_somewhere_in_its_manner() -> None:
    manners = {kind: spec.manner for kind, spec in KINDS.items()}

    assert manners == dict.fromkeys(steps.DEEDS, Manner.TX) | dict.fromkeys(
        effects.DEEDS, Manner.EFFECT
    )
    assert tuple(effects.CHANNELS) == kinds.KINDS["notify"].fields["channel"].choices


def test_the_product_s_own_playbooks_are_whole() -> None:
    found = shelf.read(None)

    assert (found.faults, list(found.playbooks)) == ((), ["model_rollback"])
