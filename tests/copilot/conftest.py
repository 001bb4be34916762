"""A small shop of models in every stage, and the people who talk to the Co-Pilot."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from governance.copilot import askers, conversation
from governance.copilot.replies import Reply
from monitoring import rollbacks
from registry import aliases
from registry.models import ModelVersion
from tests.conftest import take
from tests.governance.conftest import sign_in
from tests.governance.makers import settle_both

Ask = Callable[..., Reply]
__all__ = ["sign_in"]  # a fixture that governance's tests have too


@pytest.fixture
def operator(user_with: Callable[..., User]) -> User:
    """Somebody who may do all that the Co-Pilot can."""
    return user_with("operator", username="olga")


@pytest.fixture
def ask(operator: User) -> Ask:
    """Say something: ``ask("list canaries", user=tom)``."""

    def say(text: str, *, user: User | None = None) -> Reply:
        return conversation.ask(text, askers.by_user(user or operator), now=timezone.now())

    return say


@pytest.fixture
def confirm(operator: User) -> Ask:
    """Confirm a plan."""

    def do(reply: Reply, *, user: User | None = None) -> Reply:
        return conversation.confirm(
            reply.confirmation, askers.by_user(user or operator), now=timezone.now()
        )

    return do


@pytest.fixture
def shop(
    make_version: Callable[..., ModelVersion], user_with: Callable[..., User]
) -> dict[str, ModelVersion]:
    """Models in every stage, and names that are easily taken for each other."""
    ada = user_with("reviewer", username="ada")

    def make(model_id: str, name: str, version: str, stage: str, **fields: object) -> ModelVersion:
        return make_version(stage, model_id=model_id, name=name, version=version, **fields)

    made = [
        make("fraud_detector_v1", "Fraud Detector", "1.0.0", "production"),
        make("fraud_detector_v2", "Fraud Detector", "2.0.0", "sandbox"),
        make("fraud_detector_v3", "Fraud Detector", "3.0.0", "development"),
        make("churn_v1", "Churn", "1", "canary", framework="pytorch", share=10),
        make("churn_v2", "Churn", "2", "sandbox", framework="pytorch"),
        make("flight_delay_v1", "Flight Delay", "1.0", "production", framework="pytorch"),
        make("flight_delay_v2", "Flight Delay", "2.0", "canary", framework="pytorch", share=5),
        make("credit_a", "Credit Score", "a", "canary", share=20),
        make("credit_b", "Credit Score", "b", "canary", share=30),
        make("credit_scorer_1", "Credit Scorer", "1", "sandbox"),
        make("search_rescue_1", "Search and Rescue", "1", "development"),
        make("old_ranker", "Ranker", "0.9", "archived"),
        make("spam_v1", "Spam Filter", "1", "canary"),
    ]
    found = {version.model_id: version for version in made}
    for model_id in ("fraud_detector_v2", "churn_v2", "churn_v1", "credit_scorer_1"):
        settle_both(found[model_id], ada)
    now = timezone.now()
    rollbacks.roll_back(
        found["spam_v1"], actor="system:monitor", now=now, reason="Too many errors."
    )
    take(make("spam_v2", "Spam Filter", "2", "development"), "sandbox")
    churn = found["churn_v1"]
    aliases.put(churn.family, "champion", churn, actor="user:1")
    return found
