"""Which runs hold promotions: rollback beats promotion, also between its steps."""

from __future__ import annotations

from monitoring.models import PlaybookRun
from registry.models import ModelFamily


def standing(family: ModelFamily) -> PlaybookRun | None:
    """The run that holds promotions of a family; None where none does.

    A verdict rests on it only under the family's lock, which freezing takes as well.
    """
    return PlaybookRun.objects.filter(frozen_family=family).order_by("pk").first()
