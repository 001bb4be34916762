"""Keep the tree of ASSAY_YAML_DIR current: what an event is about is written anew."""

from __future__ import annotations

import logging
from pathlib import Path

from django.conf import settings

from registry.manifests import exporting
from registry.manifests.kinds import Of
from registry.manifests.tree import Tree
from registry.models import Event

log = logging.getLogger(__name__)


def keep_current(event: Event) -> None:
    """Write the manifests of the version and the registered model that the event is about.

    They tell of the registry as it is now, not as the event left it: once more, or in another
    order, changes nothing.
    """
    tree = Tree(_folder())
    version = event.version
    family = version.family.name if version else event.payload.get("family")
    with tree.locked():
        if version is not None:
            exporting.write(tree, Of.VERSION, [version.model_id], complain=log.error)
        if family is not None:
            exporting.write(tree, Of.FAMILY, [family], complain=log.error)


def _folder() -> Path:
    """Where this worker keeps the tree.

    Raises:
        LookupError: It does not; whoever recorded the event did.
    """
    folder: Path | None = settings.ASSAY_YAML_DIR
    if folder is None:
        raise LookupError("ASSAY_YAML_DIR is not set for this worker; set it for all processes.")
    return folder
