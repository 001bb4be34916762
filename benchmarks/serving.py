"""python -m benchmarks.serving: put versions into canary, or time beat's tick over all that serve."""

from __future__ import annotations

import sys
import time
from decimal import Decimal

import django

TICKS = 5
SETTLING = 20.0  # seconds, in which the product's own beat has judged them all


def main(prefix: str, number: int = 0) -> None:
    """Put so many versions into canary, or time the tick where ``prefix`` says so."""
    django.setup()
    if prefix == "tick":
        time_ticks()
    else:
        put_into_canary(prefix, number)


def put_into_canary(prefix: str, number: int) -> None:
    """So many versions in canary, each of its own model, by the verbs that write proof and moves."""
    from django.contrib.auth.models import User

    from registry import attestations, lifecycle, registration
    from registry.models import DeploymentStage as Stage

    local = User.objects.get(username="local")
    entries = [
        registration.Entry(
            model_id=f"{prefix}_{n}",
            name=f"{prefix} {n}",
            version="1",
            framework="pytorch",
            model_type="ranking",
            owner="bench",
            team="bench",
            expected_latency_p95_ms=100.0,
        )
        for n in range(number)
    ]
    for version in registration.register_all(entries, registrant=local):
        lifecycle.move(version, to=Stage.SANDBOX, actor="system:bench")
        proof = attestations.write(
            version, Stage.CANARY, subject_digest="0" * 64, approved_by=[], checks={}
        )
        share = Decimal(10)
        lifecycle.move(
            version,
            to=Stage.CANARY,
            actor="system:bench",
            attestation=proof,
            canary_percentage=share,
        )


def time_ticks() -> None:
    """What beat does each five seconds, by each rule."""
    from monitoring import assessments
    from monitoring.models import RollbackPolicy
    from registry import clock
    from registry.models import ModelVersion

    serving = ModelVersion.objects.serving()
    for rule in ("threshold", "evidence"):
        RollbackPolicy.objects.all().delete()
        RollbackPolicy.objects.bulk_create(
            RollbackPolicy(family_id=family, rule=rule)
            for family in serving.values_list("family", flat=True)
        )
        time.sleep(SETTLING)
        took = []
        for _ in range(TICKS):
            began = time.perf_counter()
            assessments.check_serving(now=clock.now())
            took.append(1000 * (time.perf_counter() - began))
        print(f"  beat's tick, {serving.count():,} serving by {rule:10s}", end="")
        print(f"median {sorted(took)[TICKS // 2]:6.0f} ms", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
