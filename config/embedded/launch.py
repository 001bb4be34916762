"""Becomes another program, having settled as whom it runs and that it dies with its parent.

Run by path: ``python -I -S launch.py PARENT_PID DEATH_SIGNAL IDENTITY PROGRAM ARGUMENT...``
It is a program of its own, not a ``preexec_fn``, because only a process with a single thread may
enter a user namespace, and because forking Python code is unsafe beside other threads.
Exits with 126 and a sentence where the identity or the program cannot be had.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000


def become(identity: str) -> None:
    """Run as ``self``, in a ``namespace`` where this user is nobody, or as ``nobody``.

    Raises:
        OSError: The kernel forbids it.
        KeyError: There is no user nobody.
    """
    if identity == "self":
        return
    nobody = pwd.getpwnam("nobody")
    if identity == "namespace":
        _enter_namespace(nobody)
    else:
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)


def _enter_namespace(nobody: pwd.struct_passwd) -> None:
    """A user namespace in which the user we are is called nobody; files keep their owner."""
    user, group = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "the kernel forbids a user namespace")
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{nobody.pw_uid} {user} 1")
    _write("/proc/self/gid_map", f"{nobody.pw_gid} {group} 1")


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def die_with(parent: int, signal: int) -> None:
    """Get ``signal`` when the parent ends, however it ends (Linux; elsewhere the watchdog)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal)
    if os.getppid() != parent:  # it ended before we could ask
        sys.exit(1)


def main(arguments: list[str]) -> None:
    parent, signal, identity, *command = arguments
    try:
        become(identity)
        # After become(): a change of user clears the death signal.
        die_with(int(parent), int(signal))
        os.execv(command[0], command)
    except (OSError, KeyError) as error:
        print(f"cannot run {command[0]} as {identity}: {error}", file=sys.stderr)
        sys.exit(126)


if __name__ == "__main__":
    main(sys.argv[1:])
