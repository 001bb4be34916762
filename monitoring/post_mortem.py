"""An incident written up in Markdown: what is on record, and what is left for people to say. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitoring.pages.history import Line
    from monitoring.pages.incidents import Story

SPECIAL = re.compile(r"[\\`*\[\]<|]|~(?=~)|(?<!\w)_|_(?!\w)|^[#>+=-]")
LEFT = (
    "- Why could it happen, and why was it not seen before?",
    "- Who noticed it, and what did they meet?",
    "- What worked, and what did not?",
    "- What will be changed, by whom, until when?",
)


def written(story: Story, base_url: str) -> str:
    """The post-mortem of an incident.

    Args:
        base_url: Where links lead, without a slash at its end.
    """
    parts = (
        _head(story, base_url),
        _what_happened(story),
        _rollback(story, base_url),
        _figures(story),
        _snapshots(story, base_url),
        _timeline(story, base_url),
        _runs(story, base_url),
        _comments(story),
        _resolution(story),
        ("## Left to write", *LEFT),
    )
    return "\n\n".join("\n\n".join(_blocks(part)) for part in parts if part) + "\n"


def plain(text: str) -> str:
    """Text that Markdown reads as nothing but text, on one line."""
    return SPECIAL.sub(lambda found: f"\\{found[0]}", " ".join(str(text).split()))


def quoted(text: str) -> str:
    """Somebody's words as a quotation, line by line."""
    return "\n".join(f"> {plain(line)}".rstrip() for line in text.splitlines())


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _blocks(part: Sequence[str]) -> Iterator[str]:
    """Paragraphs; items of one list stay together."""
    items: list[str] = []
    for block in part:
        if block.startswith("- "):
            items.append(block)
            continue
        if items:
            yield "\n".join(items)
            items = []
        yield block
    if items:
        yield "\n".join(items)


def _head(story: Story, base_url: str) -> Sequence[str]:
    incident, version = story.incident, story.incident.version
    state = "resolved" if incident.resolved_at else "open"
    rows = [
        ("Incident", f"[{incident.pk}]({base_url}/incidents/{incident.pk}/), {state}"),
        ("Severity", incident.severity),
        ("Model", f"[{plain(version.model_id)}]({base_url}/models/{version.model_id}/)"),
        ("Registered model", f"{plain(version.family.name)}, version {plain(version.version)}"),
        ("Team, owner", f"{plain(version.team)}, {plain(version.owner)}"),
        ("Opened", _at(incident.opened_at)),
        *_dealt_with(story),
        ("Breaches", _breaches(story)),
    ]
    if incident.former_id is not None:
        former = f"[{incident.former_id}]({base_url}/incidents/{incident.former_id}/)"
        rows.append(("Came again after", f"incident {former}"))
    title = f"# Post-mortem: {plain(incident.get_kind_display())}, {plain(version.model_id)}"
    return title, table(("", ""), rows)


def _dealt_with(story: Story) -> Iterator[tuple[str, str]]:
    incident = story.incident
    for what, at, who in (
        ("Acknowledged", incident.acknowledged_at, story.acknowledged_by),
        ("Resolved", incident.resolved_at, story.resolved_by),
    ):
        later = f"{_length(at - incident.opened_at)} after it opened" if at else ""
        yield what, f"{_at(at)} by {plain(who)}, {later}" if at else "no"


def _breaches(story: Story) -> str:
    incident = story.incident
    last = f", the last {_at(incident.last_breach_at)}" if incident.breaches > 1 else ""
    return f"{incident.breaches}{last}"


def _what_happened(story: Story) -> Sequence[str]:
    incident = story.incident
    reasons = story.why.reasons if story.why else incident.reasons
    return "## What happened", plain(incident.summary), *(f"- {plain(r)}" for r in reasons)


def _rollback(story: Story, base_url: str) -> Sequence[str]:
    why = story.why
    if why is None:
        return ()
    share = f" ({why.share:g} % of traffic)" if why.share else ""
    when = f"{_at(why.transition.at)} by {plain(why.by)}, transition {why.transition.pk}"
    said = [f"- Taken out of {why.transition.from_stage}{share} at {when}."]
    if why.reaction_seconds is not None:
        said.append(f"- From the deciding snapshot to the rollback: {why.reaction_seconds:.3f} s.")
    if why.restored is not None:
        link = f"[{plain(why.restored.model_id)}]({base_url}/models/{why.restored.model_id}/)"
        said.append(f"- {link} is in production again.")
    elif why.transition.from_stage == "canary":
        said.append("- Its share returned to production.")
    else:
        said.append("- Nothing was restored: callers answered by their own fallback.")
    return "## Rollback", *said


def _figures(story: Story) -> Sequence[str]:
    verdict = story.incident.verdict
    if verdict is None:
        return ()
    head = ("Trigger", "Value", "Limit", "Requests", "Snapshots", "Verdict")
    rows = [
        (f.title, f.value, f.threshold, f"{f.requests:,}", str(f.snapshots), f.verdict_label)
        for f in story.evidence
    ]
    said = (
        f"By the rule `{verdict.rule}`, over the {verdict.window_minutes} minutes until "
        f"{_at(verdict.window_end)}."
    )
    return "## Figures at the decision", said, table(head, rows)


def _snapshots(story: Story, base_url: str) -> Sequence[str]:
    verdict = story.incident.verdict
    if verdict is None:
        return ()
    title = "## Snapshots it rests on"
    if not story.snapshots:
        return title, "They are past their retention; the figures above are what is kept."
    head = ("Until", "Requests", "Error rate", "p95 ms", "Out of distribution", "Input drift")
    rows = [
        (
            _at(s.timestamp),
            f"{s.num_requests:,}",
            _share(s.error_rate),
            _figure(s.latency_p95_ms),
            _share(s.ood_rate),
            _figure(s.input_drift_score),
        )
        for s in story.snapshots
    ]
    link = f"The newest {len(rows)}; [all of the window]({base_url}{story.snapshots_address})."
    return title, link, table(head, rows)


def _timeline(story: Story, base_url: str) -> Sequence[str]:
    rows = [(_moment(line.at), _told(line), plain(line.actor)) for line in story.timeline.lines]
    title = "## Timeline"
    said = [table(("UTC", "What", "Who"), rows)]
    if story.timeline.left_out:
        model_id = story.incident.version.model_id
        link = f"[its history]({base_url}/models/{model_id}/history/)"
        said.append(f"{story.timeline.left_out} more events are in {link}.")
    return title, *said


def _told(line: Line) -> str:
    move = ""
    if line.move is not None:
        share = f" {line.share:g} %" if line.share is not None else ""
        move = f" {line.move[0]} → {line.move[1]}{share}".replace("  →", " →")
    facts = ", ".join(f"{name} {value}" for name, value in line.facts)
    words = [f"**{plain(line.title)}**{move}", *map(plain, line.words), plain(facts)]
    return " · ".join(word for word in words if word)


def _runs(story: Story, base_url: str) -> Sequence[str]:
    if not story.runs:
        return ()
    said = [
        f"- [{plain(run.playbook)}, run {run.pk}]({base_url}/playbooks/runs/{run.pk}/): {run.state}"
        + (f", {plain(run.error)}" if run.error else "")
        for run in story.runs
    ]
    return "## Playbooks", *said


def _comments(story: Story) -> Sequence[str]:
    said = []
    for line in story.comments:
        said += [
            f"{plain(line.actor)}, {_at(line.at)}:",
            quoted("\n".join(line.words) or "(erased)"),
        ]
    return ("## Comments", *said) if said else ()


def _resolution(story: Story) -> Sequence[str]:
    if story.incident.resolved_at is None:
        return "## Resolution", "It is open still."
    note = story.incident.resolution
    return "## Resolution", quoted(note.text) if note and note.text else "No note was left."


def _at(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3]


def _length(length: timedelta) -> str:
    return str(timedelta(seconds=round(length.total_seconds())))


def _share(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.3g} %"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
