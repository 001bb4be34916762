"""python -m benchmarks.serving: what needs the product's own settings, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import timedelta
from decimal import Decimal

import django

from tests.running import Running

TICKS = 5
BEHIND = timedelta(minutes=3)  # an ordinary tick leaves no more to add up
SETTLING = 2.0  # seconds


def prepare(assay: Running, *asked: str) -> None:
    """Have it done in a process of its own, whose settings are the product's."""
    home = {"ASSAY_HOME": str(assay.home), "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-m", "benchmarks.serving", *asked]
    subprocess.run(command, env=os.environ | home, check=True)


def main(what: str, prefix: str = "", number: str = "0") -> None:
    """Put so many versions into canary, add up what they reported, or time beat's tick."""
    django.setup()
    if what == "canaries":
        put_into_canary(prefix, int(number))
    elif what == "roll-up":
        roll_up_anew()
    else:
        time_ticks()


def put_into_canary(prefix: str, number: int) -> None:
    """So many versions in canary, each of its own model, by the verbs that write proof and moves."""
    from django.contrib.auth.models import User

    from registry import attestations, lifecycle, registration
    from registry.models import DeploymentStage as Stage

    local = User.objects.get(username="local")
    entries = [
        registration.Entry(
            model_id=f"{prefix}{n}",
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


def roll_up_anew() -> None:
    """Add all up that there is, whatever was added up before: it was written behind its back."""
    from monitoring import rollups
    from monitoring.models import RollUpRun
    from registry import clock

    RollUpRun.objects.all().delete()
    while not RollUpRun.objects.filter(rolled_until__gt=clock.now() - BEHIND).exists():
        rollups.roll_up(now=clock.now())


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
        while assessments.check_serving(now=clock.now()):
            time.sleep(SETTLING)  # until the product's own beat has had them all judged
        took = []
        for _ in range(TICKS):
            began = time.perf_counter()
            assessments.check_serving(now=clock.now())
            took.append(1000 * (time.perf_counter() - began))
        print(f"  beat's tick, {serving.count():,} serving by {rule:10s}", end="")
        print(
            f"median {sorted(took)[TICKS // 2]:6.0f} ms   longest {max(took):6.0f} ms", flush=True
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
