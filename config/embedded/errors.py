"""Why the embedded servers or the whole of Assay cannot start."""

from __future__ import annotations


class CannotStart(Exception):
    """A sentence for the person who typed the command: what is wrong, and the remedy."""


class StopRequested(Exception):
    """Somebody asked for the end while something was still starting."""
