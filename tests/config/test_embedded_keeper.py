"""Starting again what died: ever more slowly, and not for ever."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from config.embedded import keeper as keepers
from config.embedded.errors import CannotRun
from config.embedded.keeper import Keeper, pause_after
from config.embedded.tenancy import Tenancy
from tests.config.programs import PARENT, alive, program, python, within

TELLER = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"


@pytest.fixture
def said() -> list[str]:
    """What the keeper told the person at the terminal."""
    return []


@pytest.fixture
def keeper(tenancy: Tenancy, said: list[str]) -> Keeper:
    return Keeper(tenancy, said.append)


@pytest.mark.parametrize(
    ("deaths", "seconds"), [(1, 0.5), (2, 1), (3, 2), (4, 4), (5, 8), (6, 8), (50, 8)]
)
def test_each_pause_is_twice_the_last_up_to_a_limit(deaths: int, seconds: float) -> None:
    assert pause_after(deaths) == seconds


def look_until(keeper: Keeper, condition: Callable[[], object]) -> bool:
    def look() -> object:
        keeper.look()
        return condition()

    return within(5, look)


def test_a_process_that_was_killed_is_started_again(
    keeper: Keeper, tenancy: Tenancy, said: list[str]
) -> None:
    first = keeper.start(python("teller", TELLER))
    log = tenancy.home.log / "teller.log"
    assert within(5, log.read_text)

    os.kill(first.pid, signal.SIGKILL)
    assert look_until(keeper, lambda: len(log.read_text().split()) == 2)

    second = int(log.read_text().split()[1])
    assert second != first.pid
    assert alive(second)
    assert said[0].startswith(f"teller ended with signal 9; its log is {log}")
    assert said[0].endswith("It starts again in 0.5 s.")


def test_the_children_of_a_dead_process_are_ended_before_it_starts_again(
    keeper: Keeper, tenancy: Tenancy
) -> None:
    first = keeper.start(python("parent", PARENT))
    log = tenancy.home.log / "parent.log"
    assert within(5, log.read_text)

    os.kill(first.pid, signal.SIGKILL)
    assert look_until(keeper, lambda: not first.running)
    keeper.look()

    assert within(1, lambda: not alive(int(log.read_text().split()[0])))


def test_what_dies_at_every_start_is_given_up_with_its_last_words(
    keeper: Keeper, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keepers, "LONGEST_PAUSE", 0.05)
    keeper.start(python("broken", "raise SystemExit('port taken')"))

    with pytest.raises(CannotRun, match="(?s)port taken.*5 times in a row: giving up"):
        look_until(keeper, lambda: False)

    assert len(said) == 4


def test_whoever_lived_long_enough_starts_with_a_clean_slate(
    keeper: Keeper, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keepers, "LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(keepers, "QUICK", 0.0)
    keeper.start(python("mortal", "raise SystemExit"))

    assert look_until(keeper, lambda: len(said) > keepers.DEATHS)


def test_while_one_waits_for_its_next_start_the_others_are_watched(
    keeper: Keeper, said: list[str]
) -> None:
    slow = keeper.start(program("slow", "sleep", "60"))
    other = keeper.start(program("other", "sleep", "60"))
    os.kill(slow.pid, signal.SIGKILL)
    assert look_until(keeper, lambda: said)

    os.kill(other.pid, signal.SIGKILL)

    assert look_until(keeper, lambda: len(said) == 2)
