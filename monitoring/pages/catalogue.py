"""The list of model versions: filters, and what each row shows beside the entry itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, OuterRef, Subquery
from django.http import QueryDict

from monitoring.models import Incident, RecordedVerdict
from monitoring.pages.paging import Page, page
from registry import entries
from registry.errors import InvalidInput
from registry.models import DeploymentStage, ModelVersion
from registry.models.versions import ModelVersionQuerySet

CHOICES = 200  # frameworks or teams offered by the filters


@dataclass(frozen=True, slots=True)
class Filters:
    """What a reader asked to see; empty fields ask for nothing."""

    q: str = ""
    stage: str = ""
    framework: str = ""
    team: str = ""
    owner: str = ""
    tags: str = ""  # comma-separated; all of them

    @classmethod
    def of(cls, asked: QueryDict) -> Filters:
        """The filters of a query string; other parameters are none of ours.

        Raises:
            InvalidInput: The stage is unknown.
        """
        given = {name: asked.get(name, "").replace("\0", "").strip() for name in cls.__slots__}
        if given["stage"] not in ("", *DeploymentStage.values):
            raise InvalidInput.of("stage", f"Stages are {', '.join(DeploymentStage.values)}.")
        return cls(**given)

    def __bool__(self) -> bool:
        return bool(self.given)

    @property
    def given(self) -> dict[str, str]:
        """The fields that ask for something."""
        every = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in every.items() if value}

    @property
    def query(self) -> str:
        """The filters as a query string."""
        return urlencode(self.given)

    def apply(self, rows: ModelVersionQuerySet) -> ModelVersionQuerySet:
        """The versions that pass every filter."""
        exact = {name: self.given[name] for name in EXACT if name in self.given}
        wanted = [tag.strip() for tag in self.tags.split(",") if tag.strip()]
        return rows.filter(**exact).with_tags(wanted).matching(self.q)


EXACT = ("stage", "framework", "team", "owner")


@dataclass(frozen=True, slots=True)
class Row:
    """One version as the list shows it."""

    version: ModelVersion
    entry: dict[str, Any]  # with what the higher apps add: the two flags
    verdict: str  # the last recorded one while it serves, else ""
    open_incidents: int


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One page of the list."""

    rows: list[Row]
    page: Page[ModelVersion]


def read(filters: Filters, *, before: str) -> Catalogue:
    """A page of versions, newest first; the number of queries does not grow with the rows."""
    latest = RecordedVerdict.objects.filter(version=OuterRef("pk")).order_by("-pk")
    versions = (
        ModelVersion.objects.select_related("family", "artifact")
        .prefetch_related("tags", "aliases")
        .annotate(latest_verdict=Subquery(latest.values("verdict")[:1]))
    )
    found = page(filters.apply(versions), before=before)
    return Catalogue(_rows(found.rows), found)


def choices() -> dict[str, list[str]]:
    """The frameworks and teams there are, for the filters."""
    return {
        name: list(
            ModelVersion.objects.order_by(name).values_list(name, flat=True).distinct()[:CHOICES]
        )
        for name in ("framework", "team")
    }


def _rows(versions: Sequence[ModelVersion]) -> list[Row]:
    open_ones = _open_incidents(versions)
    return [
        Row(
            version,
            entry,
            (getattr(version, "latest_verdict", None) or "no_data") if version.is_serving else "",
            open_ones.get(version.pk, 0),
        )
        for version, entry in zip(versions, entries.entries(versions), strict=True)
    ]


def _open_incidents(versions: Sequence[ModelVersion]) -> dict[int, int]:
    opened = Incident.objects.filter(version__in=versions, resolved_at=None)
    return dict(opened.order_by().values_list("version").annotate(count=Count("pk")))
