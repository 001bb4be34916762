"""The one clock: this machine's, unless it is being told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from registry import clock

THEN = datetime(2026, 1, 1, tzinfo=UTC)


def test_it_is_this_machine_s() -> None:
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1)


def test_it_can_be_told_for_a_while() -> None:
    with clock.telling(lambda: THEN):
        assert clock.now() == THEN

    assert clock.now() > THEN


def test_a_failure_ends_the_telling() -> None:
    with pytest.raises(RuntimeError), clock.telling(lambda: THEN):
        raise RuntimeError

    assert clock.now() > THEN
