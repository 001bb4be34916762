"""What kills and signals do to a running Assay: everything comes back, or everything ends."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest
from django.contrib.auth.hashers import check_password

from tests.config.programs import alive, within
from tests.config.supervised import (
    SLOW_UPLOAD,
    Supervised,
    all_gone,
    children,
    descendants,
    slow_uploads,
    stored_password,
    supervised,
    url_of,
)

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="looks at processes through /proc, which only Linux has"
)
PROCESSES = {  # name: a part of its command line
    "postgres": "bin/postgres",
    "valkey": "valkey-server",
    "web": "granian",
    "control": "-Q control",
    "outside": "-Q outside",
    "cpu": "-Q cpu,gpu",
    "beat": " beat ",
}


@pytest.mark.parametrize("name", PROCESSES)
def test_what_was_killed_comes_back_and_everything_works_again(
    assay: Supervised, name: str
) -> None:
    before = assay.child(PROCESSES[name])
    others = {other: assay.child(part) for other, part in PROCESSES.items() if other != name}

    os.kill(before, signal.SIGKILL)

    assert within(10, lambda: assay.child(PROCESSES[name]) not in {0, before})
    assert within(15, lambda: assay.status("/readyz") == 200)
    assert {
        other: assay.child(part) for other, part in PROCESSES.items() if other != name
    } == others
    assert f"\n{name} ended with signal 9; its log is {assay.home}/log/{name}.log" in assay.said


@pytest.mark.parametrize("name", ["web", "control", "outside", "cpu"])
def test_a_worker_of_a_worker_that_was_killed_is_replaced(assay: Supervised, name: str) -> None:
    before = children(assay.child(PROCESSES[name]))[-1]

    os.kill(before, signal.SIGKILL)

    assert within(10, lambda: before not in children(assay.child(PROCESSES[name])))
    assert within(15, lambda: assay.status("/readyz") == 200)


def test_ctrl_c_stops_all_within_ten_seconds_even_in_the_middle_of_an_upload(home: Path) -> None:
    with (
        supervised(home) as assay,
        socket.create_connection(("127.0.0.1", assay.wait().port)) as upload,
    ):
        upload.sendall(SLOW_UPLOAD)
        pids = descendants(assay.process.pid)
        began = time.monotonic()

        assay.process.send_signal(signal.SIGINT)

        assert assay.process.wait(15) == 0
        assert time.monotonic() - began < 10
        assert len(pids) > 12
        assert not any(map(alive, pids))
        assert assay.said.endswith(f"Assay has stopped; its state stays in {home}.\n")


def test_kill_9_leaves_no_orphan_and_no_hindrance_and_loses_nothing(home: Path) -> None:
    with supervised(home) as assay:
        password = assay.wait().password
        pids = descendants(assay.process.pid)

        assay.process.kill()
        assay.process.wait()

    with supervised(home) as again:
        again.wait()
        assert not any(map(alive, pids))
        assert "password" not in again.said
        assert check_password(password, stored_password(url_of(again)))


def test_the_end_may_be_asked_for_while_it_starts(home: Path) -> None:
    with supervised(home) as assay:
        pids = descendants(assay.wait("database").process.pid)

        assay.process.terminate()

        assert assay.process.wait(10) == 0
        assert not any(map(alive, pids))


def test_kill_9_of_make_stops_assay(home: Path) -> None:
    binaries = f"BIN={Path(sys.executable).parent}"
    with supervised(home, "make", "up", "INSTALLED=Makefile", binaries) as assay:
        pids = descendants(assay.wait("database").process.pid)

        assay.process.kill()

        assert all_gone(pids, seconds=10)


def test_many_open_connections_do_not_delay_the_return_of_a_killed_database(
    assay: Supervised,
) -> None:
    with slow_uploads(assay):
        os.kill(assay.child("bin/postgres"), signal.SIGKILL)

    # As every service; a pool that hands out the dead connections one by one took thirty seconds.
    assert within(15, lambda: assay.status("/api/model-registry/models") == 200)
