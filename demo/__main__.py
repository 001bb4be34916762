"""The demonstration's command line: ``python -m demo``."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from assay import AssayError
from demo import gate, installation, people, pullback, replay, sources, training
from demo.browser import PageRefused
from demo.console import Console, seconds
from demo.evidence import NotMeasured
from demo.installation import ROOT, CannotStart
from demo.lines import FOR_EVER
from demo.people import OMAR, RUTH
from demo.remote import Serving, ServingEnded
from demo.sources import SOURCES, SourceMissing
from demo.story import NotAsTold, Story

HOME = ROOT / ".assay-demo"
TRICKLE = 2.0  # requests a second, for as long as somebody looks
REFUSALS = (
    NotAsTold,
    NotMeasured,
    CannotStart,
    SourceMissing,
    ServingEnded,
    PageRefused,
    AssayError,
)


def main() -> int:
    """Tell the story; gives 0 if it went as told, else 1."""
    asked = _arguments().parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without ✓ is no reason to stop
    console = Console(sys.stdout)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _tell(console, asked)
    except KeyboardInterrupt:
        console.say("Stopped; what happened so far stays in its home.")
        return 130
    except REFUSALS as refusal:
        console.not_as_told(str(refusal))
        return 1
    return 0


def _tell(console: Console, asked: argparse.Namespace) -> None:
    begun = time.monotonic()
    console.title("Assay: the whole story on real data; nothing is scripted")
    for source in SOURCES:
        sources.folder(source)
        console.say(f"{source.holds}")
        console.detail(f"{source.requirement}, {source.licence}")
    training.use_one_thread()
    home: Path = asked.home.absolute()
    with ExitStack() as stack:
        with console.step(f"Assay starts in {home.name}"):
            port = installation.free_port(asked.port)
            installed = stack.enter_context(installation.running(home, port))
        console.page(f"{installed.url}/models/", "fills as the story goes on")
        with console.step("everybody gets a token of their own"):
            cast = people.gather(installed)
        story = Story(console, cast, home, asked.seed)
        if asked.healthy_replay:
            replay.tell(story)
            return
        processes = [stack.enter_context(gate.told(story, shuffle=asked.shuffle_groups))]
        if not asked.shuffle_groups:
            processes.append(stack.enter_context(pullback.told(story)))
        console.chapter("✓", f"Everything went as told, in {seconds(time.monotonic() - begun)}")
        if not asked.exit:
            _stay(story, [process for process in processes if process])


def _stay(story: Story, processes: list[Serving]) -> None:
    """Keep a trickle of traffic going until Ctrl-C."""
    console = story.console
    for process in processes:
        process.order(FOR_EVER, TRICKLE)
    console.say(
        f"Assay stays up at {story.cast.installation.url}/models/, with a trickle of traffic."
    )
    for reviewer in (RUTH, OMAR):
        password = story.cast.passwords[reviewer]
        console.detail(f"sign in at /admin/ as {reviewer.username}, password {password}")
    console.say("Ctrl-C stops everything.")
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        console.say(
            "Stopping; what happened stays in its home, and the next telling goes on there."
        )


def _interrupt(number: int, frame: FrameType | None) -> None:
    """SIGTERM is answered like Ctrl-C: everything is stopped."""
    raise KeyboardInterrupt


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description="The whole story of Assay on real data, in a home of its own.",
    )
    parser.add_argument("--home", type=Path, default=HOME, help="default: %(default)s")
    wanted = int(os.environ.get("ASSAY_PORT") or 8000)
    parser.add_argument("--port", type=int, default=wanted, help="or a free one, if it is taken")
    parser.add_argument("--seed", type=int, default=0, help="of training and of shuffling")
    parser.add_argument(
        "--shuffle-groups",
        action="store_true",
        help="deal race and sex out at random: the gate that refuses then has to open",
    )
    parser.add_argument(
        "--healthy-replay",
        action="store_true",
        help="each model over its own training period: nothing may be rolled back",
    )
    parser.add_argument("--exit", action="store_true", help="stop everything after the story")
    return parser


if __name__ == "__main__":
    sys.exit(main())
