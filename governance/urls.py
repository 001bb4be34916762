"""Governance's addresses below /api/model-registry/. They stand before the registry's own."""

from __future__ import annotations

from django.urls import path

from governance import api, family_api
from governance.copilot import api as copilot
from governance.progressions import api as progressions

urlpatterns = [
    path("models/<str:model_id>", api.ModelView.as_view()),
    path("models/<str:model_id>/deployment", api.DeploymentView.as_view()),
    path("models/<str:model_id>/generate-card", api.CardView.as_view()),
    path("models/<str:model_id>/progression", progressions.ProgressionView.as_view()),
    path("families/<str:name>/rollback-policy", family_api.RollbackPolicyView.as_view()),
    path("models/<str:model_id>/review-request", api.ReviewRequestView.as_view()),
    path("copilot", copilot.AskView.as_view()),
    path("copilot/confirm", copilot.ConfirmView.as_view()),
    path("copilot/inbox", copilot.InboxView.as_view()),
    path("copilot/inbox/read", copilot.InboxReadView.as_view()),
]
