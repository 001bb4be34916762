"""Every address of the product."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from config import health, metrics, schema_views

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
    path("admin/", admin.site.urls),
    path("api/model-registry/", include(api)),
    path("api/schema/", schema_views.schema, name="api-schema"),
    path("api/docs/", schema_views.docs, name="api-docs"),
    path("login/", auth_views.LoginView.as_view(template_name="login.html"), name="login"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", metrics.metrics, name="metrics"),
]

handler404 = "config.problems.not_found"
handler500 = "config.problems.server_error"
