from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from demo import installation
from demo.installation import CannotStart, Installation


def test_a_free_port_is_taken_as_wanted() -> None:
    free = installation.free_port(0)

    assert installation.free_port(free) == free


def test_a_taken_port_gives_way_to_another() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert installation.free_port(port) not in (0, port)


def test_nothing_of_another_assay_gets_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in installation.ELSEWHERE:
        monkeypatch.setenv(name, "elsewhere")

    environment = Installation(tmp_path, 1234).environment

    assert not set(installation.ELSEWHERE) & set(environment)
    assert environment["ASSAY_HOME"] == str(tmp_path)
    assert environment["ASSAY_PORT"] == "1234"


def test_a_command_that_fails_is_said_in_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"manage\.py nonsense: .*nonsense"):
        Installation(tmp_path, 1).run("manage.py", "nonsense")


def test_a_program_is_started_and_stopped() -> None:
    process = installation.start(
        ["-c", "import sys; print('ready', flush=True); sys.stdin.read()"], environment={}
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"

    installation.stop(process)

    assert process.returncode == -15


def test_a_supervisor_that_cannot_start_says_why(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")

    with pytest.raises(CannotStart) as refusal, installation.running(blocked, 1234):
        pytest.fail("it started")

    assert str(blocked) in str(refusal.value)


def test_programs_run_with_the_same_python() -> None:
    process = installation.start(["-c", "import sys; print(sys.executable)"], environment={})
    output, _ = process.communicate()

    assert output.strip() == sys.executable
