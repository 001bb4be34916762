"""How the pages write times, shares, stages and verdicts; and the sidebar all pages share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django import template
from django.contrib.auth import SESSION_KEY
from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from monitoring.pages import incidents
from monitoring.pages.figures import VERDICTS
from registry import clock

register = template.Library()

UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))  # seconds; below a minute they are counted
SECTIONS = (
    ("/models/", "models"),
    ("/incidents/", "incidents"),
    ("/statistics/", "statistics"),
    ("/playbooks/", "incidents"),  # what was done about them
    ("/admin/governance/review/", "reviews"),
    ("/admin/", "console"),
)


@register.inclusion_tag("parts/sidebar.html", takes_context=True)
def sidebar(context: Context) -> dict[str, Any]:
    """The navigation, with the section the reader is in and how many incidents are open."""
    request = context["request"]
    return {
        "request": request,
        "user": request.user,
        "signed_in": SESSION_KEY in request.session,
        "section": next((name for path, name in SECTIONS if request.path.startswith(path)), ""),
        "open_incidents": incidents.open_count() if request.user.is_authenticated else 0,
    }


@register.filter
def moment(at: datetime | None) -> SafeString | str:
    """A time of day in UTC, with its date where that is not today; machine-readable too."""
    if at is None:
        return "–"
    at = at.astimezone(UTC)
    today = at.date() == clock.now().date()
    shown = f"{at:%H:%M:%S}" if today else f"{at:%Y-%m-%d %H:%M}"
    return _time(at, f"{shown} UTC")


@register.filter
def ago(at: datetime | None) -> SafeString | str:
    """How long ago, in one unit; the exact time is its title."""
    if at is None:
        return "–"
    seconds = int((clock.now() - at).total_seconds())
    return _time(at, f"{_coarse(seconds)} ago" if seconds >= 1 else "now")


@register.filter
def span(seconds: float | None) -> str:
    """A length of time in the largest unit that is not zero; milliseconds below ten seconds."""
    if seconds is None:
        return "–"
    return _coarse(int(seconds)) if seconds >= 10 else f"{seconds:.3g} s"


@register.filter
def since(at: datetime) -> str:
    """The length of time since then."""
    return _coarse(int((clock.now() - at).total_seconds()))


@register.filter
def at(found: Mapping[str, str], key: str) -> str:
    """The value of a mapping under a key that is itself a variable."""
    return found[str(key)]


@register.filter
def percent(share: float | None) -> str:
    """A share of 0..1 as a percentage."""
    return "–" if share is None else f"{100 * share:.3g} %"


@register.filter
def points(percentage: float | None) -> str:
    """A percentage of 0..100, without zeros at its end."""
    return "–" if percentage is None else f"{float(percentage):g} %"


@register.filter
def figure(value: float | None) -> str:
    """A figure with four significant digits."""
    return "–" if value is None else f"{value:.4g}"


@register.filter
def svg(markup: str) -> SafeString:
    """Markup made by monitoring's charts, columns or bars, which escape all text in it."""
    return mark_safe(markup)


@register.simple_tag
def verdict(name: str) -> SafeString:
    """A verdict as a dot and a word; nothing for versions that serve nothing."""
    if not name:
        return mark_safe('<span class="quiet" title="It answers no requests">–</span>')
    return format_html(
        '<span class="verdict {}"><span class="dot" aria-hidden="true"></span>{}</span>',
        name,
        VERDICTS[name],
    )


@register.simple_tag
def finding(name: str) -> SafeString:
    """What a check or a comparison of groups says: pass, fail, unknown."""
    return format_html(
        '<span class="verdict {}"><span class="dot" aria-hidden="true"></span>{}</span>',
        name,
        name.replace("_", " "),
    )


@register.simple_tag
def stage(name: str, share: float | None = None) -> SafeString:
    """A deployment stage as a chip, with the canary's share."""
    label = name if share is None else f"{name} {float(share):g} %"
    return format_html('<span class="stage {}">{}</span>', name, label)


@register.simple_tag
def check(passed: bool, name: str) -> SafeString:
    """A review check as a mark, with words for those who cannot see it."""
    kind, sign, said = ("pass", "✓", "passed") if passed else ("open", "–", "not passed")
    return format_html(
        '<span class="check {}" title="{} {}"><span aria-hidden="true">{}</span>'
        '<span class="visually-hidden">{} {}</span></span>',
        kind,
        name,
        said,
        sign,
        name,
        said,
    )


def _coarse(seconds: int) -> str:
    for size, unit in UNITS:
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _time(at: datetime, shown: str) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        at.isoformat(timespec="milliseconds"),
        f"{at:%Y-%m-%d %H:%M:%S} UTC",
        shown,
    )
