"""What a reader of the guides has: a checkout, a terminal in it, and a browser."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from demo.browser import Browser, Page
from tests.markdown import Block
from tests.running import ROOT, Running
from tests.seed_blocks import SERVER

PATIENCE = 120  # seconds for one block of commands
FILE = re.compile(r"# (\S+\.py)\n")  # the first line of a block that is saved
REMEMBERED = "terminal.sh"  # what was exported so far
ANYTHING = "…"


@dataclass
class Workshop:
    """A copy of the checkout, at work with one running product."""

    folder: Path
    running: Running
    said: str = ""  # by the last commands
    passwords: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("manage.py", "assay"):
            (self.folder / name).symlink_to(ROOT / name)
        (self.folder / ".venv").symlink_to(sys.prefix)
        (self.folder / REMEMBERED).touch()

    def do(self, block: Block) -> None:
        """Save a program, run commands, or compare what they said."""
        if block.language == "python":
            self._save(block.text)
        elif block.language == "sh":
            self._run(block.text)
        elif block.language == "text":
            assert re.fullmatch(_pattern(block.text), self.said, re.DOTALL), self.said

    def sign_in(self, who: str, path: str) -> tuple[Browser, Page]:
        """A browser in which somebody has signed in on the way to a page, and that page."""
        browser = Browser(self.running.url)
        page = browser.get(f"/login/?next={path}")
        given = {"username": who, "password": self.passwords[who]}
        return browser, browser.submit(page, page.form("username", "password"), given)

    def _save(self, program: str) -> None:
        named = FILE.match(program)
        assert named, f"it does not say what file it is:\n{program}"
        path = self.folder / named[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(program, encoding="utf-8")

    def _run(self, commands: str) -> None:
        """In a terminal that remembers what was exported, and stops at what fails."""
        lines = [
            f". ./{REMEMBERED}",
            "set -e",
            commands.replace(SERVER, self.running.url),
            f"export -p > {REMEMBERED}",
        ]
        done = subprocess.run(
            ["bash", "-c", "\n".join(lines)],
            check=False,  # what it said goes into the failure
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
        self.said = done.stdout.strip()
        self.passwords |= re.findall(r"The new password of (\w+) is (\w+)", self.said)

    def _environment(self) -> dict[str, str]:
        """With the virtual environment active, as in a terminal that was used before."""
        inherited = self.running.environment
        return inherited | {"PATH": f"{sys.prefix}/bin:{inherited['PATH']}"}


def _pattern(expected: str) -> str:
    """What was printed, with anything in place of each ellipsis."""
    return re.escape(expected.strip()).replace(re.escape(ANYTHING), ".*")
