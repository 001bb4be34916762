"""What must hold before anything starts; each check names the remedy."""

from __future__ import annotations

import os
import shutil
import socket
import sys

from config.embedded.errors import CannotRun
from config.embedded.locations import Home

SPACE_NEEDED = 300 * 1024**2  # bytes; a new database takes about 60 MB, its log grows from there
LONGEST_SOCKET_PATH = 107 if sys.platform == "linux" else 103  # bytes, set by the kernel


def make_folders(home: Home) -> None:
    """Make the home's folders, readable by their owner alone.

    Raises:
        CannotRun: They cannot be made or written.
    """
    try:
        for folder in (home.path, home.run, home.log, home.valkey):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = home.run / "probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise CannotRun(
            f"Assay cannot write to its home {home.path} ({error.strerror}): make it writable "
            "for this user, or set ASSAY_HOME to a folder that is."
        ) from error


def check_socket_paths(home: Home) -> None:
    """Refuse a home whose sockets the kernel cannot address."""
    longest = max(len(os.fsencode(path)) for path in (home.postgres_socket, home.valkey_socket))
    if longest > LONGEST_SOCKET_PATH:
        raise CannotRun(
            f"The path of the home {home.path} is {longest - LONGEST_SOCKET_PATH} bytes too long "
            "for the servers' sockets: set ASSAY_HOME to a shorter path."
        )


def check_space(home: Home) -> None:
    """Refuse a disk that would be full in no time."""
    free = shutil.disk_usage(home.path).free
    if free < SPACE_NEEDED:
        raise CannotRun(
            f"The disk of the home {home.path} has {free // 1024**2} MB left, and Assay needs "
            f"{SPACE_NEEDED // 1024**2}: free some space, or set ASSAY_HOME to a folder on "
            "another disk."
        )


def check_port(port: int) -> None:
    """Refuse a port that the web server could not listen on."""
    if not 0 < port < 65536:
        raise CannotRun(f"{port} is not a port: set ASSAY_PORT to a number from 1 to 65535.")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise CannotRun(
                f"This user may not listen on port {port}: set ASSAY_PORT to one above 1023."
            ) from None
        except OSError:
            raise CannotRun(
                f"Port {port} is taken by another program: stop it, or set ASSAY_PORT to another "
                f"port, as in `make up ASSAY_PORT={port % 65535 + 1}`."
            ) from None
