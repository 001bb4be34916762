"""What the ledger costs those who write: eight writers with the tree growing, and without it."""

from __future__ import annotations

import threading
import time

import psycopg

from tests.running import Running, run_assay

WRITERS = 8
SECONDS = 8.0
ROUNDS = 3  # of each way, in turn, so that a slow minute meets both
INSERT = b"""
insert into registry_event (event_type, source, actor, payload, format, timestamp)
values ('team.noted', 'bench', 'user:1', '{"model_id": "m", "number": 1}', 1, now())
"""


def main() -> None:
    """Print committed events a second, with and without the ledger, for long and short ones.

    The whole product runs; its worker sequences as it does every day.
    """
    with run_assay() as assay:
        print(f"\nledger: {WRITERS} writers, one event a transaction, durable commits")
        for name, pause in (("10 ms transactions", 0.010), ("back to back", 0.0)):
            _compare(assay, name, pause)


def _compare(assay: Running, name: str, pause: float) -> None:
    rates: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(ROUNDS):
        for ledger in (False, True):
            _switch(assay, on=ledger)
            rates[ledger].append(_rate(assay, pause))
            print(f"    {'with' if ledger else 'without':8s}{rates[ledger][-1]:7.0f}/s", flush=True)
    without, with_it = (sum(rates[ledger]) / ROUNDS for ledger in (False, True))
    print(f"  {name:22s} without {without:7.0f}/s   with {with_it:7.0f}/s", end="   ")
    print(f"with ÷ without {with_it / without:5.2f}")


def _switch(assay: Running, *, on: bool) -> None:
    """Without the ledger, events leave no pending leaf."""
    how = "enable always" if on else "disable"
    with psycopg.connect(assay.database_url("assay_migrator")) as owner:
        owner.execute(f"alter table registry_event {how} trigger await_the_tree".encode())


def _rate(assay: Running, pause: float) -> float:
    stop = threading.Event()
    counts = [0] * WRITERS
    threads = [
        threading.Thread(target=_write, args=(assay, pause, counts, number, stop))
        for number in range(WRITERS)
    ]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    time.sleep(SECONDS)
    stop.set()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.monotonic() - began)


def _write(
    assay: Running, pause: float, counts: list[int], number: int, stop: threading.Event
) -> None:
    with psycopg.connect(assay.database_url("assay_app")) as session:
        while not stop.is_set():
            session.execute(INSERT)
            if pause:
                time.sleep(pause)
            session.commit()
            counts[number] += 1
