"""Issues credentials inside the project, all in one process: a Django start takes a second.

    python -m demo.credentials '{"tokens": {"ada": ["trainer"]}, "passwords": ["ruth"]}'

It does what an administrator does: the commands `issue_token` and `password`, and the tick that
lets somebody into the admin. It prints JSON.
"""

from __future__ import annotations

import io
import json
import os
import sys

import django
from django.core.management import call_command


def issue(wanted: dict[str, object]) -> dict[str, dict[str, str]]:
    """New tokens by username, new passwords for those who are to enter the admin.

    A token is asked for by its role, and what else the command is to be told.

    Raises:
        CommandError: A command refused.
    """
    tokens, passwords = wanted["tokens"], wanted["passwords"]
    assert isinstance(tokens, dict)
    assert isinstance(passwords, list)
    return {
        "tokens": {
            name: _said("issue_token", name, "--role", *asked) for name, asked in tokens.items()
        },
        "passwords": {name: _password(name) for name in passwords},
    }


def _password(username: str) -> str:
    """A new password for the admin, the last word of what is said."""
    return _said("password", username).split()[-1]


def _said(command: str, *arguments: str) -> str:
    out = io.StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue().strip()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    print(json.dumps(issue(json.loads(sys.argv[1]))))
