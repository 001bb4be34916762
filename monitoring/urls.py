"""Monitoring's addresses below /api/model-registry/."""

from __future__ import annotations

from django.urls import path

from monitoring.api import (
    evaluations,
    followings,
    incidents,
    performance,
    playbooks,
    rollbacks,
    verdicts,
)

urlpatterns = [
    path("models/<str:model_id>/performance", performance.PerformanceView.as_view()),
    path("models/<str:model_id>/rollback-check", rollbacks.RollbackCheckView.as_view()),
    path("models/<str:model_id>/verdicts", verdicts.VerdictsView.as_view()),
    path("models/<str:model_id>/rollback", rollbacks.RollbackView.as_view()),
    path("models/<str:model_id>/evaluations", evaluations.EvaluationsView.as_view()),
    path(
        "models/<str:model_id>/evaluations/<int:evaluation_id>",
        evaluations.EvaluationView.as_view(),
    ),
    path("models/<str:model_id>/profile", evaluations.ProfileView.as_view()),
    path("incidents", incidents.IncidentsView.as_view()),
    path("incidents/<int:pk>", incidents.IncidentView.as_view()),
    path("incidents/<int:pk>/acknowledge", incidents.AcknowledgeView.as_view()),
    path("incidents/<int:pk>/comments", incidents.CommentsView.as_view()),
    path("incidents/<int:pk>/resolve", incidents.ResolveView.as_view()),
    path("incidents/<int:pk>/timeline", incidents.TimelineView.as_view()),
    path("incidents/<int:pk>/post-mortem", incidents.PostMortemView.as_view()),
    path("families/<str:name>/following", followings.FollowingView.as_view()),
    path("playbooks", playbooks.PlaybooksView.as_view()),
    path("playbook-runs", playbooks.RunsView.as_view()),
    path("playbook-runs/<int:pk>", playbooks.RunView.as_view()),
]
