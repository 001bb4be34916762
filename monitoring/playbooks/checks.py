"""What is wrong with users' playbooks, said when the product starts."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, register

from monitoring.playbooks import shelf


@register("playbooks")
def playbooks_are_whole(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Each file that is refused is an error, so that nobody relies on a playbook left out."""
    return [
        Error(str(fault), hint="manage.py check_playbooks tells all.", id="monitoring.E001")
        for fault in shelf.shelf().faults
    ]
