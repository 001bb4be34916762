"""The playbooks there are: the product's own, and those of ``ASSAY_PLAYBOOKS_DIR``."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

from monitoring.playbooks import definition
from monitoring.playbooks.definition import Playbook
from registry.manifests.refusals import Fault, ManifestRefused

log = logging.getLogger(__name__)

LIBRARY = Path(__file__).resolve().parent / "library"


@dataclass(frozen=True, slots=True)
class Shelf:
    """Playbooks by name, and what is wrong with the files that are left out."""

    playbooks: dict[str, Playbook]
    own: frozenset[str]  # the product's
    faults: tuple[Fault, ...] = ()

    def hearing(self, event_type: str) -> list[Playbook]:
        """Those that an event of this type may start."""
        return [book for book in self.playbooks.values() if book.event_type == event_type]

    @property
    def event_types(self) -> list[str]:
        """Every type that starts one."""
        return sorted({book.event_type for book in self.playbooks.values()})


@cache
def shelf() -> Shelf:
    """The shelf of this process, read once.

    A file that is refused is left out and logged, so that a user's mistake never takes the
    product's own playbooks away; ``check_playbooks`` and the start of the product name it.
    """
    found = read(settings.ASSAY_PLAYBOOKS_DIR)
    for fault in found.faults:
        log.error("A playbook is left out. %s", fault)
    return found


def read(folder: Path | None) -> Shelf:
    """Read the product's own playbooks and those of a folder."""
    own = {book.name: book for _, book in _parsed(LIBRARY, [])}
    playbooks, faults = dict(own), list[Fault]()
    for path, book in _parsed(folder, faults) if folder is not None else ():
        if book.name in playbooks:
            taken = f"playbook: {book.name!r} is the name of another playbook; choose one."
            faults.append(Fault(str(path), 1, taken))
        else:
            playbooks[book.name] = book
    return Shelf(playbooks, frozenset(own), tuple(faults))


def _parsed(folder: Path, faults: list[Fault]) -> Iterator[tuple[Path, Playbook]]:
    if not folder.is_dir():
        faults.append(Fault(str(folder), 1, "There is no such folder."))
        return
    for path in sorted(p for p in folder.iterdir() if p.suffix in (".yaml", ".yml")):
        try:
            yield path, definition.parse(path.read_bytes(), file=str(path))
        except OSError as error:
            faults.append(Fault(str(path), 1, f"It cannot be read: {error.strerror}."))
        except ManifestRefused as refusal:
            faults.extend(refusal.faults)
