"""The operations pages' addresses; below /live/ are the fragments they refresh themselves with."""

from __future__ import annotations

from django.urls import path

from monitoring.views import incidents, models, playbooks, statistics

urlpatterns = [
    path("models/", models.ModelsView.as_view(), name="models"),
    path("models/<str:model_id>/", models.ModelView.as_view(), name="model"),
    path("models/<str:model_id>/history/", models.HistoryView.as_view(), name="model-history"),
    path("models/<str:model_id>/follow/", models.FollowView.as_view(), name="model-follow"),
    path("models/<str:model_id>/rollback/", models.RollbackView.as_view(), name="model-rollback"),
    path("incidents/", incidents.IncidentsView.as_view(), name="incidents"),
    path("incidents/<int:pk>/", incidents.IncidentView.as_view(), name="incident"),
    path(
        "incidents/<int:pk>/acknowledge/",
        incidents.AcknowledgeView.as_view(),
        name="incident-acknowledge",
    ),
    path("incidents/<int:pk>/comment/", incidents.CommentView.as_view(), name="incident-comment"),
    path("incidents/<int:pk>/resolve/", incidents.ResolveView.as_view(), name="incident-resolve"),
    path(
        "incidents/<int:pk>/post-mortem/",
        incidents.PostMortemView.as_view(),
        name="incident-post-mortem",
    ),
    path("playbooks/", playbooks.PlaybooksView.as_view(), name="playbooks"),
    path("playbooks/runs/<int:pk>/", playbooks.RunView.as_view(), name="playbook-run"),
    path("live/runs/<int:pk>/", playbooks.RunFragment.as_view(), name="live-playbook-run"),
    path("statistics/", statistics.StatisticsView.as_view(), name="statistics"),
    path("live/models/", models.ModelsFragment.as_view(), name="live-models"),
    path("live/models/<str:model_id>/", models.ModelFragment.as_view(), name="live-model"),
    path("live/incidents/", incidents.IncidentsFragment.as_view(), name="live-incidents"),
    path("live/incidents/<int:pk>/", incidents.TimelineFragment.as_view(), name="live-incident"),
    path("live/statistics/", statistics.StatisticsFragment.as_view(), name="live-statistics"),
    path("live/open/", incidents.OpenCountFragment.as_view(), name="live-open"),
]
