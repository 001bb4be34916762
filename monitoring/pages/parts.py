"""What higher apps add to a model's page, named in settings so that nothing here imports them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils.module_loading import import_string

from registry.models import ModelVersion


@dataclass(frozen=True, slots=True)
class Part:
    """A section of the page: a template and what it is rendered with.

    The template is included with ``part`` (this context) beside ``version``, and is one
    ``section.card`` with a heading of its own.
    """

    template: str
    context: Mapping[str, Any]


# Takes the version and who looks at it; None where there is nothing to show.
Provider = Callable[[ModelVersion, User], Part | None]


def parts_of(version: ModelVersion, user: User) -> list[Part]:
    """The sections of ``settings.ASSAY_PAGE_PARTS``, in that order."""
    return _parts(settings.ASSAY_PAGE_PARTS, version, user)


def live_parts_of(version: ModelVersion, user: User) -> list[Part]:
    """Those that change while one looks, ``settings.ASSAY_LIVE_PARTS``; they stand before the others.

    Their template has an id, and with ``out_of_band`` it takes the place of the one that is shown.
    """
    return _parts(settings.ASSAY_LIVE_PARTS, version, user)


def _parts(paths: Sequence[str], version: ModelVersion, user: User) -> list[Part]:
    found = [_provider(path)(version, user) for path in paths]
    return [part for part in found if part is not None]


def _provider(path: str) -> Provider:
    provider: Provider = import_string(path)
    return provider
