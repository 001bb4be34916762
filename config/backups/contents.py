"""What a backup file holds: the first member of the archive, read before anything is touched."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime

from config.backups.errors import BackupRefused

FORMAT = 1
NAME = "contents.json"
DUMP = "database.dump"
ARTIFACTS = "artifacts"
HOME = "home"


@dataclass(frozen=True, slots=True)
class Contents:
    """The point in time a backup stands for, and what must be found again after restoring."""

    taken_at: datetime  # of the database's snapshot; what was acknowledged before is in it
    server: str  # PostgreSQL's version
    newest_event_id: int
    tree_size: int  # of the ledger; 0 where nothing is sequenced
    migrations: Collection[str]  # "registry.0001_initial"
    artifacts: Mapping[str, int]  # sha256 → bytes
    dump_sha256: str
    home_sha256: Mapping[str, str]  # keys and checkpoints, by their path in the home

    def to_json(self) -> bytes:
        """The document that is kept in the archive."""
        document = asdict(self) | {"format": FORMAT, "taken_at": self.taken_at.isoformat()}
        document["migrations"] = sorted(self.migrations)
        return json.dumps(document, indent=1, sort_keys=True).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Contents:
        """Read what ``to_json`` wrote.

        Raises:
            BackupRefused: It is none of ours, or of a format to come.
        """
        try:
            document = json.loads(text)
            found = document.pop("format")
            if found != FORMAT:
                raise BackupRefused(
                    f"This backup has format {found}, and this Assay reads format {FORMAT}: "
                    "restore it with the version of Assay that made it."
                )
            document["taken_at"] = datetime.fromisoformat(document["taken_at"])
            return cls(**{field.name: document[field.name] for field in fields(cls)})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BackupRefused(
                "This file is no backup of Assay's: give one made by `backup`."
            ) from error
