"""As whom PostgreSQL runs: it refuses to be root, also in a container where nobody else is."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from config.embedded.errors import CannotRun
from config.embedded.locations import Home, postgres_binary
from config.embedded.processes import Identity, Program


def settle(home: Home) -> Identity:
    """Choose an identity that can run PostgreSQL here, and give it the data directory.

    An ordinary user stays itself. Root becomes nobody in a user namespace, where files keep their
    owner; where the kernel forbids that, the user nobody, who then owns the data directory.

    Raises:
        CannotRun: Root was refused both.
    """
    if os.geteuid() != 0:
        return Identity.SELF
    if can_run(Identity.NAMESPACE):
        _give(home, os.geteuid(), folder_mode=0o700)
        return Identity.NAMESPACE
    if can_run(Identity.NOBODY):
        _give(home, pwd.getpwnam("nobody").pw_uid, folder_mode=0o711)
        return Identity.NOBODY
    raise CannotRun(
        f"PostgreSQL does not run as root, and neither a user namespace nor the user nobody can "
        f"run {postgres_binary('postgres')}: start Assay as an ordinary user, or move it to a "
        "folder that others may read."
    )


def can_run(identity: Identity) -> bool:
    """Whether PostgreSQL's program starts under ``identity``."""
    program = Program(
        "probe", (str(postgres_binary("postgres")), "--version"), {}, identity=identity
    )
    command = program.launched_by(os.getpid())
    return subprocess.run(command, capture_output=True, env={}, check=False).returncode == 0


def _give(home: Home, user: int, *, folder_mode: int) -> None:
    """Make ``user`` the owner of the data directory, able to reach it and to make its socket."""
    home.path.chmod(folder_mode)
    home.run.chmod(folder_mode)
    shutil.chown(home.run, user)
    if home.postgres.exists() and home.postgres.stat().st_uid != user:
        for path in (home.postgres, *home.postgres.rglob("*")):
            os.chown(path, user, -1, follow_symlinks=False)


def make_folder(folder: Path, identity: Identity) -> None:
    """Make ``folder`` for a process that will run under ``identity``."""
    folder.mkdir(mode=0o700)
    if identity is Identity.NOBODY:
        shutil.chown(folder, "nobody")
