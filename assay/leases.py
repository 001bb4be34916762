"""Events lent to a subscriber stay lent for as long as its handlers take."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from assay.errors import AssayError
from assay.session import Session

RENEW_SECONDS = 20.0  # a third of a lease, so that one answer may be lost

log = logging.getLogger(__name__)


@contextmanager
def held(session: Session, name: str, lent: Mapping[int, str]) -> Iterator[None]:
    """Renew what is in ``lent`` (token by delivery) of a subscription until the block ends.

    Take out of ``lent`` what is settled.
    """
    over = threading.Event()
    keeper = threading.Thread(target=_keep, args=(session, name, lent, over), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()


def _keep(session: Session, name: str, lent: Mapping[int, str], over: threading.Event) -> None:
    while not over.wait(RENEW_SECONDS):
        rows = [{"delivery_id": key, "token": token} for key, token in [*lent.items()]]
        if not rows:
            continue
        try:
            session.write(
                "POST",
                *("subscriptions", name, "renew"),
                document={"deliveries": rows},
                repeatable=True,
            )
        except AssayError as error:
            # The events may come again, to somebody else too, which handlers must bear anyway.
            log.warning("%s could not renew its leases: %s", name, error)
