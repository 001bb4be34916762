"""Passwords that people type: who types too many wrong ones has to wait, whether they exist or not.

Each attempt counts for the name that was typed and for the address it came from before anybody
looks at the password, so attempts at the same moment are counted too; a right one is taken back.
"""

from __future__ import annotations

import hashlib
import math
import unicodedata
from datetime import datetime, timedelta

from django.conf import settings

from registry import rates


def begin(username: str, address: str) -> int | None:
    """Count an attempt; the seconds until the next one where there were too many, else None.

    Where it is not None nobody may look at the password. A name that has to wait does not count
    against its address, whose other people would wait with it.
    """
    wait = rates.excess(_of_name(username), settings.ASSAY_THROTTLE_PASSWORDS)
    if wait is None:
        wait = rates.excess(_of_address(address), settings.ASSAY_THROTTLE_PASSWORDS_ADDRESS)
    return None if wait is None else math.ceil(wait)


def succeeded(username: str, address: str) -> None:
    """The password was right: the attempt counts for nobody, and those before it not for the name."""
    forgive(username)
    rates.take_back(_of_address(address))


def forgive(username: str) -> None:
    """Let a name that has to wait try again at once."""
    rates.forget(_of_name(username))


def refusal(seconds: int, *, now: datetime) -> str:
    """When to try again, for people; it is the same for names that there are not."""
    until = now + timedelta(seconds=seconds)
    minutes = math.ceil(seconds / 60)
    return (
        "Too many wrong passwords for this name or from this address. Try again after "
        f"{until:%H:%M:%S} UTC, in {minutes} minute{'s' if minutes > 1 else ''}."
    )


def _of_name(username: str) -> str:
    """Names are typed carelessly, and passwords in their place: only a digest of it is kept."""
    typed = unicodedata.normalize("NFKC", username).strip().casefold()
    return f"password:{hashlib.sha256(typed.encode()).hexdigest()}"


def _of_address(address: str) -> str:
    return f"passwords-from:{address}"
