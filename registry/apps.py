from __future__ import annotations

from django.apps import AppConfig


class RegistryConfig(AppConfig):
    """Records what exists, where it is deployed, and every fact."""

    name = "registry"
    verbose_name = "Registry"
