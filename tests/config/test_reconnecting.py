"""A broker that is away is looked for as often later as at first."""

from __future__ import annotations

import pytest

from config import reconnecting
from config.celery import app


class Enough(Exception):
    """What there was to be seen was seen."""


def test_the_pauses_between_two_looks_do_not_grow() -> None:
    pauses: list[float] = []

    def note(error: Exception, pause: float) -> None:
        pauses.append(pause)
        if len(pauses) == 3:
            raise Enough

    with (
        app.connection_for_read("redis+socket:///nowhere/valkey.sock") as connection,
        pytest.raises(Enough),
    ):
        connection.ensure_connection(note, app.conf.broker_connection_max_retries)

    assert pauses == [reconnecting.PAUSE] * 3
