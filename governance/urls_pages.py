"""Governance's pages beside the console: model cards."""

from __future__ import annotations

from django.urls import path

from governance import views

urlpatterns = [
    path("models/<str:model_id>/card/", views.CardsView.as_view(), name="model-cards"),
    path("models/<str:model_id>/card/<int:revision>/", views.CardView.as_view(), name="model-card"),
]
