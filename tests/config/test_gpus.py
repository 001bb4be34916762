"""One worker for each CUDA device: found without torch, alone with its device, ended together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config import gpus
from config.celery import app
from tests.config.supervised import all_gone, children
from tests.people import eventually
from tests.processes import needs_proc
from tests.running import ROOT

STARTS_WITHIN = 60.0  # seconds
ENDS_WITHIN = 15.0


@pytest.mark.parametrize(
    ("count", "listed", "found"),
    [
        (0, [], []),
        (2, [], ["0", "1"]),
        (2, ["3", "1"], ["3", "1"]),
        (1, ["GPU-8932f937"], ["GPU-8932f937"]),
        (1, ["0", "7"], ["0"]),  # CUDA ignores what follows a number there is not
        (0, ["-1"], []),
    ],
)
def test_devices_are_named_as_the_user_names_them(
    count: int, listed: list[str], found: list[str]
) -> None:
    assert gpus.names(count, listed) == found


def test_without_a_driver_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "DRIVERS", (Path("/nowhere"),))
    monkeypatch.setattr(gpus, "COUNT", "print(8)")

    assert gpus.visible() == []


@pytest.mark.parametrize(
    ("answer", "found"), [("print(2)", ["0", "1"]), ("import no_such_torch", [])]
)
def test_a_short_lived_process_counts(
    monkeypatch: pytest.MonkeyPatch, answer: str, found: list[str]
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(gpus, "DRIVERS", (Path("/"),))
    monkeypatch.setattr(gpus, "COUNT", answer)

    assert gpus.visible() == found


def test_the_question_is_one_that_torch_answers() -> None:
    done = subprocess.run(
        [sys.executable, "-c", gpus.COUNT],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"},
    )

    assert done.stdout.strip() == "0"


def test_who_starts_the_workers_loads_no_torch() -> None:
    code = (
        "import sys, config.management.commands.gpu_workers, config.gpus; config.gpus.visible();"
        "sys.exit('torch' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=120)

    assert done.returncode == 0


@needs_proc
def test_each_worker_sees_its_device_and_takes_from_the_queue_of_gpus(
    django_db_setup: None,
) -> None:
    with launched("--devices", "0,GPU-8932f937") as process:
        nodes = [f"gpu{number}@{os.uname().nodename}" for number in (0, 1)]
        queues = eventually(lambda: active(nodes), seconds=STARTS_WITHIN)

        assert queues == {node: ["gpu"] for node in nodes}
        assert sorted(map(device, children(process.pid))) == ["0", "GPU-8932f937"]

        process.send_signal(signal.SIGTERM)
        assert process.wait(ENDS_WITHIN) == 0


@needs_proc
def test_a_worker_that_dies_takes_the_others_along() -> None:
    with launched("--devices", "0,1") as process:
        pids = eventually(lambda: two(children(process.pid)), seconds=STARTS_WITHIN)

        os.kill(pids[0], signal.SIGKILL)

        assert process.wait(ENDS_WITHIN) == 1
        assert process.stderr is not None
        assert b"A worker has ended by itself" in process.stderr.read()


@needs_proc
def test_killed_it_leaves_no_worker_behind() -> None:
    with launched("--devices", "0,1") as process:
        pids = eventually(lambda: two(children(process.pid)), seconds=STARTS_WITHIN)

        process.kill()

        assert all_gone(pids, seconds=ENDS_WITHIN)


@pytest.mark.skipif(bool(gpus.visible()), reason="there is a CUDA device here")
def test_without_a_device_it_says_so() -> None:
    with launched() as process:
        assert process.wait(ENDS_WITHIN) == 1
        assert process.stderr is not None
        assert b"There is no CUDA device here" in process.stderr.read()


@contextmanager
def launched(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """``manage.py gpu_workers`` beside the servers of this run."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "gpu_workers", *arguments],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    with process:
        try:
            yield process
        finally:
            process.terminate()


def active(nodes: list[str]) -> dict[str, list[str]] | None:
    """The queues of each node, once all have answered."""
    answers = app.control.inspect(destination=nodes, timeout=1.0).active_queues() or {}
    found = {node: [queue["name"] for queue in queues] for node, queues in answers.items()}
    return found if found.keys() == set(nodes) else None


def device(pid: int) -> str:
    """What CUDA_VISIBLE_DEVICES is in a process."""
    words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    named = dict(word.decode().split("=", 1) for word in words if b"=" in word)
    return named["CUDA_VISIBLE_DEVICES"]


def two(pids: list[int]) -> list[int] | None:
    return pids if len(pids) == 2 else None
