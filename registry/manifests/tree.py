"""A folder of manifests on disk: files appear whole, or not at all."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from registry.manifests import kinds

LOCK = ".lock"
SCHEMAS = "schemas"


class Tree:
    """One folder of manifests that several processes may write to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone with the tree: read the rows and write the files inside.

        Otherwise an older reading could be written over a newer one.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / LOCK).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def place(self, name: str, content: bytes) -> bool:
        """Have a file hold ``content``; False where it does so already.

        Not synced to the disk: whatever a power cut takes, the next export writes again.
        """
        path = self.folder / name
        if _content(path) == content:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
        return True

    def place_schemas(self) -> None:
        """Put the schemas beside the manifests, where editors find them."""
        for kind in kinds.kinds().values():
            self.place(f"{SCHEMAS}/{kind.name}.json", kind.schema.read_bytes())


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
