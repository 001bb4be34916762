"""make installs what the files name, whichever way they changed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from config.embedded.locations import ROOT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The Makefile beside requirements, with a Python that only notes that it was called."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "requirements.txt", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$@" >> calls\n')
    python.chmod(0o755)
    return tmp_path


def installed(checkout: Path) -> int:
    """How many times packages were installed, after ``make install``."""
    subprocess.run(["make", "install"], cwd=checkout, check=True, capture_output=True)
    return (checkout / "calls").read_text().count("pip install")


def test_what_is_installed_is_not_installed_again(checkout: Path) -> None:
    assert [installed(checkout), installed(checkout)] == [1, 1]


def test_going_back_to_an_older_version_installs_its_packages_again(checkout: Path) -> None:
    older = (checkout / "requirements.txt").read_text()
    installed(checkout)
    (checkout / "requirements.txt").write_text(f"{older}# newer\n")
    newer = installed(checkout)

    (checkout / "requirements.txt").write_text(older)

    assert (newer, installed(checkout)) == (2, 3)
