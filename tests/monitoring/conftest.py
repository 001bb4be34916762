"""Browsers of people with different roles."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def operator(client: Client, user_with: Callable[..., User]) -> Client:
    """A browser of somebody who may roll back."""
    client.force_login(user_with("operator", username="olga"))
    return client


@pytest.fixture
def reviewer(client: Client, user_with: Callable[..., User]) -> Client:
    """A browser of somebody who may deal with incidents but not roll back."""
    client.force_login(user_with("reviewer", username="rita"))
    return client


@pytest.fixture
def trainer_in(client: Client, user_with: Callable[..., User]) -> Client:
    """A browser of somebody who may look at incidents but not deal with them."""
    client.force_login(user_with("trainer", username="tom"))
    return client
