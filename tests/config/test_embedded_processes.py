"""One process and the sole use of a home: starting, awaiting, ending, and leaving no orphan."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config.embedded import identities, processes, watchdog
from config.embedded import tenancy as tenancies
from config.embedded.errors import CannotRun, StopRequested
from config.embedded.locations import ROOT, Home
from config.embedded.processes import Identity, Tier, open_log
from config.embedded.stopping import StopSwitch
from config.embedded.tenancy import Tenancy, occupy
from tests.config.programs import PARENT, STUBBORN, alive, program, python, within

# Occupies a home, starts a program with a child of its own, tells all numbers, and waits.
HOLDER = """
import sys, time
from pathlib import Path
from config.embedded.locations import Home
from config.embedded.tenancy import occupy
from tests.config.programs import PARENT, python, within
home = Home(Path(sys.argv[1]))
with occupy(home, url="http://localhost:8123") as tenancy:
    child = tenancy.start(python("parent", PARENT))
    log = home.log / "parent.log"
    within(5, lambda: log.read_text())
    print(child.pid, log.read_text().strip(), tenancy.watchdog_pid, flush=True)
    time.sleep(60)
"""


def hold(home: Path) -> tuple[subprocess.Popen[str], list[int]]:
    """Another process that occupies ``home``; its child, grandchild and watchdog."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout
    with holder.stdout:
        return holder, [int(word) for word in holder.stdout.readline().split()]


def test_what_a_program_prints_is_returned_when_it_finishes(tenancy: Tenancy) -> None:
    printed = tenancy.finish(program("speaker", "echo", "two", "words"), seconds=5)

    assert printed == "two words"


def test_a_program_that_fails_is_quoted(tenancy: Tenancy) -> None:
    with pytest.raises(CannotRun) as refusal:
        tenancy.finish(python("failing", "raise SystemExit('no room for this')"), seconds=5)

    log = tenancy.home.log / "failing.log"
    assert str(refusal.value) == (
        f"failing ended with exit code 1; its log is {log}\nno room for this"
    )


def test_a_program_that_does_not_exist_is_a_sentence_and_no_traceback(tenancy: Tenancy) -> None:
    absent = processes.Program("absent", ("/no/such/program",), {})

    with pytest.raises(CannotRun, match="cannot run /no/such/program as self: .*No such file"):
        tenancy.finish(absent, seconds=5)


def test_only_what_a_process_said_since_its_start_is_quoted(tenancy: Tenancy) -> None:
    (tenancy.home.log / "failing.log").write_text("of an earlier life\n")

    with pytest.raises(CannotRun) as refusal:
        tenancy.finish(python("failing", "raise SystemExit('of this life')"), seconds=5)

    assert "of this life" in str(refusal.value)
    assert "earlier" not in str(refusal.value)


def test_a_process_that_ends_before_it_is_ready_is_named(tenancy: Tenancy) -> None:
    child = tenancy.start(python("hasty", "import os; os.kill(os.getpid(), 9)"))

    with pytest.raises(CannotRun, match="hasty ended with signal 9"):
        tenancy.wait_until(lambda: False, child, seconds=5)


def test_a_process_that_is_never_ready_is_named(tenancy: Tenancy) -> None:
    child = tenancy.start(program("idle", "sleep", "60"))

    with pytest.raises(CannotRun, match="idle was not ready after 0 s"):
        tenancy.wait_until(lambda: False, child, seconds=0.2)


def test_waiting_ends_when_the_end_is_asked_for(tenancy: Tenancy, switch: StopSwitch) -> None:
    child = tenancy.start(program("idle", "sleep", "60"))
    switch.thrown = True

    with pytest.raises(StopRequested):
        tenancy.wait_until(lambda: False, child, seconds=5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_throws_the_switch_and_the_former_handler_returns(number: int) -> None:
    before = signal.getsignal(number)

    with StopSwitch() as switch:
        os.kill(os.getpid(), number)
        with pytest.raises(StopRequested):
            switch.pause(5)

    assert signal.getsignal(number) is before


def test_the_highest_tier_ends_first(home: Path) -> None:
    endings = home / "endings"
    endings.touch()
    code = "import signal, sys, time\ndef end(*_):\n time.sleep(.1); open({!r}, 'a').write('{} '); sys.exit()\nsignal.signal(15, end); print('ready', flush=True); time.sleep(60)"

    with occupy(Home(home)) as tenancy:
        for tier in Tier:
            tenancy.start(python(tier.name, code.format(str(endings), tier.name), tier))
            log = tenancy.home.log / f"{tier.name}.log"
            assert within(5, log.read_text)

    assert endings.read_text().split() == ["APPLICATION", "BROKER", "DATABASE"]


def test_what_will_not_end_is_killed_with_its_own_children(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(tenancies.GRACE, Tier.APPLICATION, 0.3)

    with occupy(Home(home)) as tenancy:
        stubborn = tenancy.start(python("stubborn", STUBBORN))
        parent = tenancy.start(python("parent", PARENT))
        logs = [tenancy.home.log / "stubborn.log", tenancy.home.log / "parent.log"]
        tenancy.wait_until(lambda: all(log.read_text() for log in logs), parent, seconds=5)
        began = time.monotonic()

    assert time.monotonic() - began < 2
    assert not alive(stubborn.pid)
    assert within(1, lambda: not alive(int(logs[1].read_text())))


def test_kill_9_of_the_parent_leaves_no_orphan(home: Path) -> None:
    holder, pids = hold(home)

    holder.kill()
    holder.wait()

    assert within(3, lambda: not any(map(alive, pids)))


@pytest.mark.skipif(sys.platform != "linux", reason="death signals are Linux's")
def test_a_child_dies_with_its_parent_even_where_the_watchdog_was_killed(home: Path) -> None:
    holder, (child, grandchild, dog) = hold(home)
    os.kill(dog, signal.SIGKILL)

    holder.kill()
    holder.wait()

    try:
        assert within(3, lambda: not alive(child))
    finally:
        os.kill(grandchild, signal.SIGKILL)


def test_a_home_in_use_is_refused_with_who_uses_it(home: Path) -> None:
    holder, _ = hold(home)

    with pytest.raises(CannotRun) as refusal, occupy(Home(home)):
        pass

    holder.kill()
    holder.wait()
    assert f"process {holder.pid} at http://localhost:8123" in str(refusal.value)
    assert "set ASSAY_HOME" in str(refusal.value)


def test_a_start_waits_for_what_a_killed_supervisor_left(home: Path) -> None:
    holder, pids = hold(home)
    holder.kill()
    holder.wait()

    with occupy(Home(home)):
        assert not any(map(alive, pids))


def test_leftovers_that_never_end_are_reported(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenancies, "LEFTOVERS_MAY_TAKE", 0.3)
    (home / "run").mkdir()
    command = "exec 9> run/children.lock; flock 9; echo held; exec sleep 60"
    with subprocess.Popen(["/bin/sh", "-c", command], cwd=home, stdout=subprocess.PIPE) as leftover:
        assert leftover.stdout
        leftover.stdout.readline()

        with (
            pytest.raises(CannotRun, match="Processes of an earlier run still use"),
            occupy(Home(home)),
        ):
            pass

        leftover.kill()


def test_a_killed_watchdog_does_not_disturb_a_start(tenancy: Tenancy) -> None:
    os.kill(tenancy.watchdog_pid, signal.SIGKILL)

    assert within(2, lambda: not alive(tenancy.watchdog_pid))
    assert tenancy.finish(program("speaker", "echo", "still"), seconds=5) == "still"


def test_the_watchdog_forgets_what_was_buried() -> None:
    lines = ["watch 11 15\n", "watch 12 2\n", "forget 11\n", "watch 13 15\n"]

    assert watchdog.watch(lines) == {12: 2, 13: 15}


def test_the_watchdog_asks_before_it_kills(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "GRACE", 0.3)
    willing = subprocess.Popen(["sleep", "60"], start_new_session=True)
    with subprocess.Popen(
        [sys.executable, "-c", STUBBORN], start_new_session=True, stdout=subprocess.PIPE
    ) as stubborn:
        assert stubborn.stdout
        stubborn.stdout.readline()

        watchdog.end({willing.pid: signal.SIGTERM, stubborn.pid: signal.SIGTERM})

        assert willing.wait(1) == -signal.SIGTERM
        assert stubborn.wait(1) == -signal.SIGKILL


def test_the_watchdog_ignores_groups_that_are_gone() -> None:
    gone = subprocess.Popen(["true"], start_new_session=True)
    gone.wait()
    began = time.monotonic()

    watchdog.end({gone.pid: signal.SIGTERM})

    assert time.monotonic() - began < 1


def test_a_launched_program_whose_parent_is_already_gone_does_not_start() -> None:
    orphan = program("orphan", "echo", "started").launched_by(parent=1)

    ended = subprocess.run(orphan, capture_output=True, check=False)

    assert (ended.returncode, ended.stdout) == (1, b"")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes nobody")
@pytest.mark.parametrize("identity", [Identity.NAMESPACE, Identity.NOBODY])
def test_a_program_of_root_runs_as_nobody(tenancy: Tenancy, identity: Identity) -> None:
    if not identities.can_run(identity):
        pytest.skip(f"this machine does not let root run as {identity}")

    name = tenancy.finish(program("who", "id", "-un", identity=identity), seconds=5)

    assert name == "nobody"


def test_a_large_log_is_put_aside_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "LOG_LIMIT", 10)
    log = tmp_path / "web.log"

    for line in (b"first and long enough\n", b"second\n", b"third\n"):
        with open_log(log) as file:
            file.write(line)

    assert log.read_bytes() == b"second\nthird\n"
    assert (tmp_path / "web.log.1").read_bytes() == b"first and long enough\n"
