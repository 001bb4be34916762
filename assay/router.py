"""A serving process's own copy of its family's traffic, about a second old while all is well."""

from __future__ import annotations

import logging
import math
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from assay import files, wire
from assay.errors import AssayError
from assay.registry import Registry, get_registry
from assay.routing import Target, Traffic
from assay.session import ACCEPTED, path
from assay.transport import Request

ANSWER_SECONDS = 2.0
log = logging.getLogger(__name__)


class Router:
    """Says which model version answers which request, while the registry is up and while not.

    A daemon thread asks each second. When the registry is down or answers nonsense, the last good
    document stays in force. In a forked process the first ``route`` starts a thread of its own.

        with Router("fraud_detector") as router:
            target = router.route(user_id)
    """

    def __init__(
        self,
        family: str,
        *,
        registry: Registry | None = None,
        poll_seconds: float = 1.0,
        keep_in: str | os.PathLike[str] | None = None,
    ) -> None:
        """Fetch the document once, then keep it fresh.

        Args:
            registry: Whom to ask; by default `get_registry()`.
            keep_in: A file that holds the last good document, for a start while the registry
                cannot answer.

        Raises:
            AssayError: The registry does not give the document (NotFound, Unavailable, …) and
                none was kept.
        """
        self._family = family
        self._session = (registry or get_registry()).session
        self._poll_seconds = poll_seconds
        self._file = Path(keep_in) if keep_in is not None else None
        self._unsaved: bytes | None = None
        self._etag: str | None = None
        self._confirmed = -math.inf
        self._problem: AssayError | OSError | None = None
        self._closed = False
        self._pollers: dict[int, _Poller] = {}
        self._begin()
        self._start_poller()

    def route(self, key: str) -> Target | None:
        """The version that answers the request of ``key`` (a user, a session); the same each time.

        None where the bucket of ``key`` has no model: use your own fallback.
        """
        if os.getpid() not in self._pollers:
            self._start_poller()
        return self._traffic.target(key)

    @property
    def revision(self) -> int:
        """The revision of the document in force; it grows with each change of a stage."""
        return self._traffic.revision

    @property
    def targets(self) -> Sequence[Target]:
        """The versions that get requests now, to have them loaded before they are asked for."""
        return self._traffic.targets

    @property
    def age_seconds(self) -> float:
        """Seconds since the registry last confirmed the document; infinite if it never has."""
        return time.monotonic() - self._confirmed

    @property
    def problem(self) -> AssayError | OSError | None:
        """Why the last poll failed; None if it did not."""
        return self._problem

    def close(self) -> None:
        """Stop asking; the last document stays in force."""
        self._closed = True
        poller = self._pollers.get(os.getpid())
        if poller is not None:
            poller.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _start_poller(self) -> None:
        poller = _Poller(self._family, self._poll, self._poll_seconds)
        # setdefault is atomic: of two threads that find none after a fork, one starts its own.
        if not self._closed and self._pollers.setdefault(os.getpid(), poller) is poller:
            poller.start()

    def _begin(self) -> None:
        try:
            self._refresh()
        except AssayError as error:
            if self._file is None or not self._file.exists():
                raise
            self._note(error)
            self._traffic = Traffic.read(wire.loads(self._file.read_bytes()))

    def _poll(self) -> None:
        try:
            self._refresh()
        except (AssayError, OSError) as error:
            self._note(error)
        finally:
            self._session.transport.release()

    def _note(self, error: AssayError | OSError) -> None:
        if self._problem is None:
            log.warning("The traffic of %s stays as it was: %s", self._family, error)
        self._problem = error

    def _refresh(self) -> None:
        headers = ACCEPTED if self._etag is None else {**ACCEPTED, "If-None-Match": self._etag}
        where = path("families", self._family, "traffic")
        answer = self._session.send(Request("GET", where, headers, patience=ANSWER_SECONDS))
        if answer.status != 304:
            self._traffic = Traffic.read(wire.loads(answer.body))
            self._etag = answer.headers.get("etag")
            self._unsaved = answer.body
        self._confirmed = time.monotonic()
        self._save()
        self._problem = None

    def _save(self) -> None:
        if self._file is not None and self._unsaved is not None:
            with files.appearing(self._file) as file:
                file.write(self._unsaved)
            self._unsaved = None


class _Poller(threading.Thread):
    """Calls ``poll`` about each ``seconds`` until stopped."""

    def __init__(self, family: str, poll: Callable[[], None], seconds: float) -> None:
        super().__init__(name=f"assay-router-{family}", daemon=True)
        self._poll = poll
        self._seconds = seconds
        self._stopping = threading.Event()

    def run(self) -> None:
        """Poll; spread, so that a thousand routers started together do not ask together."""
        while not self._stopping.wait(self._seconds * random.uniform(0.9, 1.1)):
            self._poll()

    def stop(self) -> None:
        """End, after the poll under way if there is one."""
        self._stopping.set()
        self.join()
