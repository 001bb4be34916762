"""The command line: what it answers when something does not go as told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assay import AssayError
from demo import __main__ as command
from demo.browser import PageRefused
from demo.evidence import NotMeasured
from demo.installation import ROOT, CannotStart
from demo.remote import ServingEnded
from demo.sources import SourceMissing
from demo.story import NotAsTold


@pytest.fixture
def telling(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No arguments, and the handler of SIGTERM as it was afterwards."""
    monkeypatch.setattr(sys, "argv", ["demo"])
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    return monkeypatch


@pytest.mark.parametrize(
    "refusal",
    [NotAsTold, NotMeasured, CannotStart, SourceMissing, ServingEnded, PageRefused, AssayError],
)
def test_what_goes_wrong_is_a_sentence_and_exit_code_1(
    telling: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], refusal: type[Exception]
) -> None:
    def tell(*_: object) -> None:
        raise refusal("The canary was to open.")

    telling.setattr(command, "_tell", tell)

    assert command.main() == 1
    assert capsys.readouterr().out == "   ✗ The canary was to open.\n"


def test_an_error_of_our_own_is_not_hidden(telling: pytest.MonkeyPatch) -> None:
    def tell(*_: object) -> None:
        raise KeyError("a bug")

    telling.setattr(command, "_tell", tell)

    with pytest.raises(KeyError):
        command.main()


def test_stopping_before_the_end_is_told_to_the_shell(
    telling: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def tell(*_: object) -> None:
        raise KeyboardInterrupt

    telling.setattr(command, "_tell", tell)

    assert command.main() == 130
    assert "Stopped" in capsys.readouterr().out


def test_a_story_that_goes_as_told_is_exit_code_0(telling: pytest.MonkeyPatch) -> None:
    telling.setattr(command, "_tell", lambda *_: None)

    assert command.main() == 0


def test_a_home_that_cannot_be_used_is_said_before_anything_is_trained(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")

    done = subprocess.run(
        [sys.executable, "-m", "demo", "--exit", "--home", str(blocked)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
    )

    assert done.returncode == 1
    assert str(blocked) in done.stdout
    assert "trains" not in done.stdout
