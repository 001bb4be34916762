"""``manage.py gpu_workers``: one worker for each CUDA device, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from config import env, gpus
from config.embedded.errors import StopRequested
from config.embedded.processes import Program
from config.embedded.stopping import StopSwitch

LOOK_EVERY = 0.5  # seconds


class Command(BaseCommand):
    """Start the workers of the queue ``gpu`` and end them together."""

    help = "Run one evaluation worker for each CUDA device; each sees no device but its own."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--devices",
            metavar="0,1",
            help="as CUDA_VISIBLE_DEVICES names them; default: every device there is",
        )

    def handle(self, *args: object, devices: str | None, **options: object) -> None:
        """Run until asked to end, or until one of them does.

        Raises:
            SystemExit: There is no device, or a worker ended by itself.
        """
        found = env.split(devices) if devices else gpus.visible()
        if not found:
            raise SystemExit(
                "There is no CUDA device here that torch can use: run evaluations in the queue "
                "cpu, or look at `nvidia-smi`."
            )
        with StopSwitch() as switch:
            workers = [_start(number, device) for number, device in enumerate(found)]
            self.stdout.write(f"{len(workers)} workers for the devices {', '.join(found)}.")
            try:
                while all(worker.poll() is None for worker in workers):
                    switch.pause(LOOK_EVERY)
                raise SystemExit("A worker has ended by itself; its last words are above.")
            except StopRequested:
                self.stdout.write("Stopping; whoever measures finishes first.")
            finally:
                _end(workers)


def _start(number: int, device: str) -> subprocess.Popen[bytes]:
    """A worker that sees one device, and ends with us; Ctrl-C reaches it by us alone."""
    program = Program(
        f"gpu{number}",
        tuple(gpus.worker(number)),
        gpus.environment(CUDA_VISIBLE_DEVICES=device),
    )
    return subprocess.Popen(
        program.launched_by(os.getpid()), env=dict(program.environment), start_new_session=True
    )


def _end(workers: list[subprocess.Popen[bytes]]) -> None:
    for worker in workers:
        if worker.poll() is None:
            worker.send_signal(signal.SIGTERM)
    for worker in workers:
        worker.wait()
