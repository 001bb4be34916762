"""Governance's pages outside the console."""

from __future__ import annotations

from django.urls import path

from governance import views

urlpatterns = [
    path("models/<str:model_id>/card/<int:revision>/", views.CardView.as_view(), name="card"),
]
