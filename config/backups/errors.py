"""Why a backup cannot be taken or restored."""

from __future__ import annotations


class BackupRefused(Exception):
    """A sentence for the person who typed the command: what is wrong, and the remedy."""
