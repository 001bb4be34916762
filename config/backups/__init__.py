"""A full copy of a registry in one file, and back: database, artifacts, keys, outside checkpoints."""

from __future__ import annotations

from config.backups.errors import BackupRefused
from config.backups.restoring import restore
from config.backups.taking import take

__all__ = ["BackupRefused", "restore", "take"]
