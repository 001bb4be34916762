"""Aliases: set, move and remove names that stand for a version of a model.

They move no traffic: which version answers users is decided by stages, and stages by gates.
"""

from __future__ import annotations

import re

from django.db import transaction
from django.db.models import F

from registry import clock, families
from registry.errors import InvalidInput, NotFound, Unprocessable
from registry.ledger import events
from registry.models import Alias, ModelFamily, ModelVersion

# As MLflow has it, so that names can be carried over; a number would read like a version.
NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
NO_NAME = "^([vV]?[0-9]+|[lL][aA][tT][eE][sS][tT])$"


def find(family: ModelFamily, name: str) -> Alias:
    """The alias of this name.

    Raises:
        NotFound: The model has none.
    """
    rows = Alias.objects.select_related("version", "family")
    alias = rows.filter(family=family, name=name).first() if NAME.fullmatch(name) else None
    if alias is None:
        raise NotFound(f"The model {family} has no alias {name!r}; GET families/… lists its own.")
    return alias


@transaction.atomic
def put(family: ModelFamily, name: str, version: ModelVersion, *, actor: str) -> Alias:
    """Let ``name`` mean ``version`` from now on; where it does already, nothing changes.

    Raises:
        InvalidInput: The name is none for an alias.
        Unprocessable: The version is another model's.
    """
    check_name(name)
    if version.family_id != family.pk:
        raise Unprocessable.of("model_id", f"{version} is no version of {family}.")
    family = families.lock(family)
    former = Alias.objects.select_related("version").filter(family=family, name=name).first()
    if former is not None and former.version_id == version.pk:
        return former
    _turn(family, [version.pk] if former is None else [version.pk, former.version_id])
    alias, _ = Alias.objects.update_or_create(
        family=family,
        name=name,
        defaults={
            "version": version,
            "revision": family.revision,
            "set_by": actor,
            "set_at": clock.now(),
        },
    )
    events.record(
        "model.alias.set",
        actor=actor,
        subject=version,
        payload={
            "family": family.name,
            "alias": name,
            "former_model_id": former.version.model_id if former else None,
        },
    )
    return alias


@transaction.atomic
def remove(alias: Alias, *, actor: str) -> None:
    """Let the name mean nothing any more. A second removal changes nothing."""
    family = families.lock(alias.family)
    removed, _ = Alias.objects.filter(pk=alias.pk).delete()
    if not removed:
        return
    _turn(family, [alias.version_id])
    events.record(
        "model.alias.removed",
        actor=actor,
        subject=alias.version,
        payload={"family": family.name, "alias": alias.name},
    )


def _turn(family: ModelFamily, versions: list[int]) -> None:
    """Revisions grow wherever the alias is shown."""
    family.revision += 1
    family.save(update_fields=["revision"])
    ModelVersion.objects.filter(pk__in=versions).update(revision=F("revision") + 1)


def check_name(name: str) -> None:
    """Refuse a name that is none for an alias.

    Raises:
        InvalidInput: It has other characters, or reads like a version.
    """
    if not NAME.fullmatch(name):
        raise InvalidInput.of("alias", "Use letters, digits, '_' and '-', at most 255.", "pattern")
    if re.fullmatch(NO_NAME, name):
        raise InvalidInput.of(
            "alias", "Choose a word: this would read like a version's own number.", "reserved"
        )
