"""The registry's addresses below /api/model-registry/."""

from __future__ import annotations

from django.urls import path

from registry.api import events, exports, families, files, ledger, models, subscriptions, webhooks

urlpatterns = [
    path("models", models.ModelsView.as_view()),
    path("models/<str:model_id>", models.ModelDetailView.as_view()),
    path("models/<str:model_id>/artifact", files.ArtifactView.as_view()),
    path("models/<str:model_id>/history", models.HistoryView.as_view()),
    path("stats", models.StatsView.as_view()),
    path("families", families.FamiliesView.as_view()),
    path("families/<str:name>", families.FamilyView.as_view()),
    path("families/<str:name>/aliases/<str:alias>", families.AliasView.as_view()),
    path("families/<str:name>/traffic", families.TrafficView.as_view()),
    path("families/<str:name>/traffic/exports/<str:kind>", exports.TrafficExportView.as_view()),
    path("datasets", files.DataSetsView.as_view()),
    path("datasets/<str:name>", files.DataSetView.as_view()),
    path("subscriptions", subscriptions.SubscriptionsView.as_view()),
    path("subscriptions/<str:name>", subscriptions.SubscriptionView.as_view()),
    path("subscriptions/<str:name>/lease", subscriptions.LeaseView.as_view()),
    path("subscriptions/<str:name>/renew", subscriptions.RenewView.as_view()),
    path("subscriptions/<str:name>/settle", subscriptions.SettleView.as_view()),
    path("events", events.EventsView.as_view()),
    path("webhooks", webhooks.WebhooksView.as_view()),
    path("webhooks/<uuid:webhook_id>", webhooks.WebhookView.as_view()),
    path("webhooks/<uuid:webhook_id>/rotate-secret", webhooks.RotateView.as_view()),
    path("webhooks/<uuid:webhook_id>/test", webhooks.TryView.as_view()),
    path("webhooks/<uuid:webhook_id>/replay", webhooks.ReplayView.as_view()),
    path("webhooks/<uuid:webhook_id>/deliveries", webhooks.WebhookDeliveriesView.as_view()),
    path(
        "webhooks/<uuid:webhook_id>/deliveries/<int:delivery_id>/retry",
        webhooks.RetryView.as_view(),
    ),
    path("ledger/checkpoint", ledger.CheckpointView.as_view()),
    path("ledger/consistency", ledger.ConsistencyView.as_view()),
    path("ledger/proofs/<int:event_id>", ledger.InclusionView.as_view()),
]
