from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.core import checks


class GovernanceConfig(AppConfig):
    """Decides what may be promoted."""

    name = "governance"
    verbose_name = "Governance"

    def ready(self) -> None:
        checks.register(constitution_is_valid)


def constitution_is_valid(**_: Any) -> list[checks.CheckMessage]:
    """governance.E001: the constitution in force does not hold together."""
    from governance import constitution  # the models it names are loaded by now

    try:
        constitution.current()
    except constitution.ConstitutionError as error:
        return [checks.Error(str(error), hint=str(constitution.FILE), id="governance.E001")]
    return []
