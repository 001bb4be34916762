"""Run a management command in a process of its own; print its seconds and its peak memory in MB."""

from __future__ import annotations

import json
import re
import resource
import sys
import time
from pathlib import Path

import django
from django.core.management import call_command


def peak_mb() -> float:
    """The most memory this program has had. Not by getrusage where it can be helped: on Linux that
    counts what the parent had when it forked."""
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert found is not None
        return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


if __name__ == "__main__":
    django.setup()
    began = time.monotonic()
    command, *arguments = sys.argv[1:]
    with Path("/dev/null").open("w") as nowhere:
        call_command(command, *arguments, stdout=nowhere, stderr=nowhere)
    print(json.dumps({"seconds": time.monotonic() - began, "peak_mb": peak_mb()}))
