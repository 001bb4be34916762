"""Why the servers, or all of Assay, cannot start or go on."""

from __future__ import annotations


class CannotRun(Exception):
    """A sentence for the person who typed the command: what is wrong, and the remedy."""


class StopRequested(Exception):
    """Somebody asked for the end while something was still starting."""
