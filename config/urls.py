"""Every address of the product."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from config import health, metrics, schema_views, signing_in

# Governance stands first: it answers some methods of paths the registry answers others of.
api: list[URLPattern | URLResolver] = [
    path("", include("governance.urls")),
    path("", include("monitoring.urls")),
    path("", include("registry.urls")),
]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="models")),
    path("", include("governance.urls_pages")),
    path("", include("monitoring.urls_pages")),
    path("admin/login/", signing_in.console),
    path("admin/", admin.site.urls),
    path("api/model-registry/", include(api)),
    path("api/schema/", schema_views.schema, name="api-schema"),
    path("api/docs/", schema_views.docs, name="api-docs"),
    path("login/", signing_in.page, name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", metrics.metrics, name="metrics"),
]

handler404 = "config.problems.not_found"
handler500 = "config.problems.server_error"
