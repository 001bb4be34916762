"""From words to a registered model or a version of one: by id, name, slug, then likeness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from governance.copilot import likeness
from registry.models import Alias, ModelFamily, ModelVersion
from registry.models.versions import ModelVersionQuerySet

Thing = ModelFamily | ModelVersion


@dataclass(frozen=True, slots=True)
class Named:
    """What somebody named."""

    thing: Thing
    exact: bool  # as it is written, but for case, blanks and dashes


@dataclass(frozen=True, slots=True)
class Unclear:
    """It could be several, or none: somebody has to say."""

    said: str
    candidates: tuple[str, ...] = ()  # each of these fits
    suggestions: tuple[str, ...] = ()  # none fits, but they come near


def find(said: str) -> Named | Unclear:
    """What ``said`` names. Two that fit alike are never chosen between."""
    for reading in likeness.readings(said):
        for exact, things in _by_rising_doubt(reading):
            if len(things) == 1:
                return Named(things[0], exact)
            if things:
                return Unclear(said, candidates=tuple(sorted(label(t) for t in things)))
    names = [*_families(), *_ids()]
    return Unclear(
        said, suggestions=tuple(likeness.suggestions(likeness.readings(said)[-1], names))
    )


def label(thing: Thing) -> str:
    """What to call it so that it is found again."""
    return thing.model_id if isinstance(thing, ModelVersion) else thing.name


def _by_rising_doubt(said: str) -> Iterator[tuple[bool, Sequence[Thing]]]:
    """What ``said`` may be, the surest reading first, and whether it is written exactly so."""
    yield True, list(_versions().filter(model_id=said))
    yield True, list(ModelFamily.objects.filter(name=said))
    yield True, _by_alias(said)
    families, ids = _families(), _ids()
    wanted = likeness.slug(said)
    same = [name for name in families if likeness.slug(name) == wanted]
    yield True, _of(same, [name for name in ids if likeness.slug(name) == wanted])
    yield True, _by_version(said, families)
    yield False, _of(likeness.alike(said, families), likeness.alike(said, ids))
    yield False, _by_version(said, families, alike=True)


def _by_alias(said: str) -> list[Thing]:
    """``fraud detector@champion``."""
    family, at, alias = said.rpartition("@")
    rows = Alias.objects.select_related("version__family", "version__artifact")
    found = rows.filter(name=alias) if at else rows.none()
    wanted = likeness.slug(family)
    return [row.version for row in found if likeness.slug(row.version.family.name) == wanted]


def _by_version(said: str, families: Sequence[str], *, alike: bool = False) -> list[Thing]:
    """``fraud detector v2``: the version called so, else the one with that number."""
    parts = likeness.version_of(said)
    if parts is None:
        return []
    name, version = parts
    wanted = likeness.slug(name)
    named = (
        likeness.alike(name, families)
        if alike
        else [each for each in families if likeness.slug(each) == wanted]
    )
    of_them = _versions().filter(family__name__in=named)
    bare = version.lower().removeprefix("v")
    called = list(of_them.filter(version__in={version, bare, f"v{bare}"}))
    if called or not bare.isdigit():
        return list(called)
    return [v for v in of_them if str(v.number) == bare or v.version.startswith(f"{bare}.")]


def _of(families: Sequence[str], ids: Sequence[str]) -> list[Thing]:
    found: list[Thing] = list(ModelFamily.objects.filter(name__in=families)) if families else []
    return found + (list(_versions().filter(model_id__in=ids)) if ids else [])


def _versions() -> ModelVersionQuerySet:
    return ModelVersion.objects.select_related("family", "artifact")


def _families() -> list[str]:
    return list(ModelFamily.objects.values_list("name", flat=True))


def _ids() -> list[str]:
    return list(ModelVersion.objects.order_by().values_list("model_id", flat=True))
