"""Governance's pages beside the console: model cards and the Co-Pilot."""

from __future__ import annotations

from django.urls import path

from governance import views
from governance.copilot import views as copilot

urlpatterns = [
    path("copilot/", copilot.CopilotView.as_view(), name="copilot"),
    path("copilot/inbox/", copilot.InboxView.as_view(), name="copilot-inbox"),
    path(
        "models/<str:model_id>/progression/",
        views.ProgressionView.as_view(),
        name="model-progression",
    ),
    path("models/<str:model_id>/card/", views.CardsView.as_view(), name="model-cards"),
    path("models/<str:model_id>/card/<int:revision>/", views.CardView.as_view(), name="model-card"),
]
