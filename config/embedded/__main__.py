"""``python -m config.embedded COMMAND...``: run a command beside servers of its own.

The command finds them by its environment. They start empty and are gone when it ends; its exit code is
handed on.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from config.embedded import servers


def run(command: list[str]) -> int:
    """The exit code of ``command``, run beside fresh servers."""
    with (
        tempfile.TemporaryDirectory(prefix="assay-") as home,
        servers(Path(home), durable=False) as started,
    ):
        addresses = {
            "ASSAY_HOME": home,
            "DATABASE_URL": started.database_url,
            "ASSAY_OWNER_DATABASE_URL": started.owner_database_url,
            "REDIS_URL": started.redis_url,
        }
        return subprocess.run(command, env=os.environ | addresses, check=False).returncode


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
