"""What every page of the console has in common: rows are read here, and made by verbs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

COUNTED = 10_000  # rows; beyond them a list does not say how many there are


class CappedPaginator(Paginator):
    """Pages of big tables: counting stops where nobody pages any more."""

    @cached_property
    def count(self) -> int:
        """Rows in the list, at most COUNTED."""
        rows = self.object_list
        return rows[:COUNTED].count() if isinstance(rows, QuerySet) else len(rows)


class RecordList(ChangeList):
    """A list whose rows are given what they show in a bounded number of queries."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        if isinstance(self.model_admin, RecordAdmin):
            self.model_admin.decorate(self.result_list)


class RecordAdmin(admin.ModelAdmin):
    """A list and a page to read. Nothing is added, changed or deleted here."""

    actions = None
    list_per_page = 50
    show_full_result_count = False
    paginator = CappedPaginator
    empty_value_display = "–"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RecordList

    def decorate(self, rows: Sequence[Any]) -> None:
        """Give the rows of one page what ``list_display`` reads beside their columns."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = {"title": str(self.opts.verbose_name_plural).capitalize()}
        return super().changelist_view(request, title | (extra_context or {}))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        raise NotImplementedError("rows are changed by verbs")

    def page(self, request: HttpRequest, **context: Any) -> dict[str, Any]:
        """A template's context, with what every page of the console shows."""
        return {**self.admin_site.each_context(request), "opts": self.opts, **context}


def caller(request: HttpRequest) -> User:
    """Who is at the console; it lets nobody else in.

    Raises:
        PermissionDenied: Nobody has signed in.
    """
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
