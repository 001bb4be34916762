"""The CUDA devices of this machine, found without touching them.

A process that has used CUDA cannot hand it to children that it forks, so whoever starts workers
neither loads torch nor asks the driver: a short-lived process does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from config import env

DRIVERS = (Path("/dev/nvidiactl"), Path("/dev/dxg"))  # Linux; Linux under Windows
COUNT = "import torch; print(torch.cuda.device_count())"
LOADING_MAY_TAKE = 120.0  # seconds


def visible() -> list[str]:
    """What CUDA_VISIBLE_DEVICES must be for each device, one process each; empty without any."""
    if not any(driver.exists() for driver in DRIVERS):
        return []
    return names(_count(), env.words("CUDA_VISIBLE_DEVICES"))


def names(count: int, listed: Sequence[str]) -> list[str]:
    """The names of ``count`` devices: those that the user listed, else their numbers."""
    return list(listed[:count]) if listed else [str(number) for number in range(count)]


def environment(**more: str) -> dict[str, str]:
    """This process's, in which devices have the numbers that nvidia-smi gives them."""
    return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", **os.environ, **more}


def worker(number: int) -> list[str]:
    """The command of the worker for the device that it alone sees."""
    return [
        *(sys.executable, "-m", "celery", "-A", "config", "worker", "--loglevel", "warning"),
        *("--pool", "solo", "--concurrency", "1", "-Q", "gpu", "-n", f"gpu{number}@%h"),
        *("--without-gossip", "--without-mingle"),
    ]


def _count() -> int:
    """How many devices torch can use; none where it is not installed or fails."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", COUNT],
            capture_output=True,
            text=True,
            check=True,
            timeout=LOADING_MAY_TAKE,
            env=environment(),
        )
    except subprocess.SubprocessError:
        return 0
    return int(done.stdout)
