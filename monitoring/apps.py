from __future__ import annotations

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """Measures how versions behave, and heals what misbehaves."""

    name = "monitoring"
    verbose_name = "Monitoring"

    def ready(self) -> None:
        from monitoring.playbooks import checks  # noqa: F401  # registers the system check
