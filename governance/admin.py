"""What the governance console lists: reviews to decide, and the record to read."""

from __future__ import annotations

from django.contrib import admin

from governance.console import credentials, families, records, reviews, webhooks
from governance.models import Approval, CheckResult, Review
from registry.models import (
    ApiToken,
    Attestation,
    Delivery,
    Event,
    ModelFamily,
    StageTransition,
    Webhook,
    WebhookAttempt,
)

admin.site.index_title = "Console"
admin.site.register(Review, reviews.ReviewAdmin)
admin.site.register(CheckResult, records.CheckResultAdmin)
admin.site.register(Approval, records.ApprovalAdmin)
admin.site.register(Attestation, records.AttestationAdmin)
admin.site.register(StageTransition, records.TransitionAdmin)
admin.site.register(Event, records.EventAdmin)
admin.site.register(Delivery, records.DeliveryAdmin)
admin.site.register(ModelFamily, families.FamilyAdmin)
admin.site.register(ApiToken, credentials.TokenAdmin)
admin.site.register(Webhook, webhooks.WebhookAdmin)
admin.site.register(WebhookAttempt, webhooks.AttemptAdmin)
