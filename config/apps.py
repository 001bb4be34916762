from __future__ import annotations

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """The project itself: settings, wiring, servers."""

    name = "config"
    verbose_name = "Config"
