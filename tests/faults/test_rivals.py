"""Many who want the same at once: one gets it, and the record says how."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg

from config import env
from tests.people import People, eventually

RIVALS = 50
AT_WORK = 8  # people who prepare at once
PRODUCTION_MOVES = """
select v.model_id, a.version_id = t.version_id and a.stage = t.to_stage as attested
from registry_stagetransition t join registry_modelversion v on v.id = t.version_id
    left join registry_attestation a on a.id = t.attestation_id
where t.to_stage = 'production' and v.model_id = any(%s)
"""
STAGES = (
    "select stage, count(*) as n from registry_modelversion where model_id = any(%s) group by 1"
)


def test_fifty_rival_promotions_leave_one_production_version(people: People) -> None:
    def ready(_: int) -> str:
        model_id = people.in_canary("Rivals For Production", share=1)
        people.report(model_id)
        return model_id

    with ThreadPoolExecutor(AT_WORK) as pool:
        model_ids = list(pool.map(ready, range(RIVALS)))
    answers = at_once(people, model_ids, {"status": "production"})

    assert Counter(status for status, _ in answers) == {200: RIVALS}
    stages = {row["stage"]: row["n"] for row in people.rows(STAGES, model_ids)}
    assert stages == {"production": 1, "archived": RIVALS - 1}
    moves = people.rows(PRODUCTION_MOVES, model_ids)
    assert sorted(move["model_id"] for move in moves) == sorted(model_ids)
    assert all(move["attested"] for move in moves)


def test_rival_canaries_stay_below_the_whole(people: People) -> None:
    def ready(_: int) -> str:
        model_id = people.register("Rival Canaries")
        people.move(model_id, "sandbox")
        people.review(model_id)
        return model_id

    with ThreadPoolExecutor(AT_WORK) as pool:
        model_ids = list(pool.map(ready, range(30)))
    with watching(people, "Rival%20Canaries") as sums:
        answers = at_once(people, model_ids, {"status": "canary", "canary_percentage": 10})

    assert Counter(status for status, _ in answers) == {200: 9, 422: 21}
    refusals = [answer for status, answer in answers if status == 422]
    assert {error["pointer"] for refusal in refusals for error in refusal["errors"]} == {
        "/canary_percentage"
    }
    assert max(sums) == 9000
    assert {row["stage"]: row["n"] for row in people.rows(STAGES, model_ids)} == {
        "canary": 9,
        "sandbox": 21,
    }


def test_the_first_snapshots_of_a_day_may_arrive_together(committed: None) -> None:
    make = "select ensure_snapshot_partition('2031-01-01')"
    waits = "select pid from pg_locks where locktype = 'advisory' and not granted"

    with connect() as first, connect() as second, ThreadPoolExecutor(1) as pool:
        made = first.execute(make).fetchone()
        answer = pool.submit(lambda: second.execute(make).fetchone())
        eventually(lambda: first.execute(waits).fetchone())
        first.commit()

        assert (made, answer.result(timeout=10)) == ((True,), (False,))


def connect() -> psycopg.Connection:
    """The test run's database, as the product itself connects."""
    return psycopg.connect(env.database_url())


def at_once(people: People, model_ids: list[str], body: Any) -> list[tuple[int, Any]]:
    """Ask for the same move of every version at the same moment; what was answered."""
    token = people.running.token("tom", "trainer")
    start = threading.Barrier(len(model_ids))

    def ask(model_id: str) -> tuple[int, Any]:
        start.wait()
        return people.running.call("PATCH", f"models/{model_id}/deployment", body, token=token)

    with ThreadPoolExecutor(len(model_ids)) as pool:
        return list(pool.map(ask, model_ids))


@contextmanager
def watching(people: People, family: str) -> Iterator[list[int]]:
    """Adds up a family's shares, again and again, while something happens and once more after."""
    sums: list[int] = []
    over = threading.Event()

    def watch() -> None:
        last = False
        while not last:
            last = over.is_set()
            document = people.ask("otto", "GET", f"families/{family}/traffic")
            sums.append(sum(target["basis_points"] for target in document["targets"]))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield sums
    finally:
        over.set()
        thread.join()
