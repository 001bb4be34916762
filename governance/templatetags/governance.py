"""How review pages reach into forms, and write the figures of findings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms, template

register = template.Library()


@register.filter
def choices(form: forms.Form, name: str) -> Iterable[Any]:
    """The radio buttons of a field."""
    return form[str(name)]


@register.filter
def errors(form: forms.Form, name: str) -> Iterable[Any]:
    """What is wrong with a field."""
    return form[str(name)].errors


@register.filter
def words(name: str) -> str:
    """``risk_officer`` → ``risk officer``."""
    return name.replace("_", " ")


@register.filter
def short(value: object) -> str:
    """A figure with four significant digits; a long word by its beginning."""
    if isinstance(value, float):
        return f"{value:.4g}"
    text = str(value)
    return f"{text[:12]}…" if len(text) > 16 else text
