"""All of Assay under one command: start it, keep it running, stop it."""

from __future__ import annotations

from pathlib import Path

from config.embedded import checks
from config.embedded.errors import StopRequested
from config.embedded.keeper import Keeper
from config.embedded.locations import Home
from config.embedded.startup import Startup
from config.embedded.stopping import StopSwitch
from config.embedded.tenancy import Tenancy, occupy

LOOK_EVERY = 0.2  # seconds


def say(text: str) -> None:
    """Tell the person at the terminal, at once."""
    print(text, flush=True)


def up(path: Path, port: int) -> None:
    """Run Assay from the home at ``path`` until SIGINT, SIGTERM or SIGHUP.

    Raises:
        CannotRun: It cannot start or go on; the sentence says why, and the remedy.
    """
    home = Home(path.absolute())
    with StopSwitch() as switch:
        try:
            with occupy(home, url=f"http://localhost:{port}", switch=switch) as tenancy:
                checks.check_port(port)
                _run(tenancy, port)
        except StopRequested:
            say(f"Assay has stopped; its state stays in {home.path}.")


def _run(tenancy: Tenancy, port: int) -> None:
    keeper = Keeper(tenancy, say)
    try:
        Startup(tenancy, keeper, port, say).run()
        while True:
            keeper.look()
            tenancy.switch.pause(LOOK_EVERY)
    except StopRequested:
        say("Stopping web, workers and beat, then the broker, then the database.")
        raise
