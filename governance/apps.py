from __future__ import annotations

from django.apps import AppConfig


class GovernanceConfig(AppConfig):
    """Decides what may be promoted."""

    name = "governance"
    verbose_name = "Governance"
