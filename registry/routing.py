"""The traffic document: which buckets of requests each version should answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial, update_wrapper
from typing import Any

from django.db import transaction

from registry import families, published
from registry.models import DeploymentStage, ModelFamily, ModelVersion, TrafficPlan
from registry.published import Current, Held

BUCKETS = 10_000  # one a basis point

Range = tuple[int, int]  # half open


def bucket(salt: str, family: str, key: str) -> int:
    """The bucket of ``key``, 0 to 9,999: the same for the same key as long as the salt stands."""
    digest = hashlib.sha256(f"{salt}:{family}:{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") * BUCKETS >> 64


def allocate(
    held: Mapping[str, Iterable[Range]], wanted: Mapping[str, int]
) -> dict[str, list[Range]]:
    """Give each target the buckets it wants, moving as few as possible.

    Growing takes the lowest free buckets, shrinking returns the highest, so a canary that
    grows only adds users. Targets are served in the order of ``wanted``.

    Args:
        held: Buckets each target holds now; targets not wanted any more give theirs back.
        wanted: Number of buckets each target should hold; together at most 10,000.
    """
    kept = {
        target: sorted(b for low, high in held.get(target, ()) for b in range(low, high))[:count]
        for target, count in wanted.items()
    }
    taken = {b for buckets in kept.values() for b in buckets}
    free = iter(b for b in range(BUCKETS) if b not in taken)
    for target, count in wanted.items():
        kept[target] += [next(free) for _ in range(count - len(kept[target]))]
    return {target: _ranges(buckets) for target, buckets in kept.items()}


def publish(family: ModelFamily, *, now: datetime) -> TrafficPlan:
    """Write the family's traffic document anew, in the transaction of the stage change.

    The caller holds the family's lock. Production takes what canaries leave; without a
    production version the rest has no model and is the caller's to answer.
    """
    plan, _ = TrafficPlan.objects.get_or_create(family=family)
    serving = list(
        ModelVersion.objects.filter(family=family)
        .serving()
        .select_related("artifact")
        .order_by("pk")
    )
    held = {t["model_id"]: [(low, high) for low, high in t["ranges"]] for t in plan.targets}
    ranges = allocate(_canaries_only(held, serving), _wanted(serving))
    plan.targets = [_target(version, ranges[version.model_id]) for version in serving]
    plan.revision += 1
    plan.changed_at = now
    plan.save()
    # Read anew then: of two changes in one transaction the first was never true.
    announce = update_wrapper(partial(_announce, plan.pk), _announce)
    transaction.on_commit(announce, robust=True)
    return plan


def document(plan: TrafficPlan) -> dict[str, Any]:
    """The document clients poll."""
    return {
        "revision": plan.revision,
        "salt": plan.salt,
        "family": plan.family.name,
        "targets": plan.targets,
    }


def read(name: str) -> Held:
    """The family's document as it is sent, from the database; the broker is given it.

    Raises:
        NotFound: There is no such family.
    """
    plan = TrafficPlan.objects.select_related("family").filter(family__name=name).first()
    found = _held(plan or plan_of(families.find(name)))
    published.put(name, found)
    return found


def republish() -> None:
    """Have the broker hold every family's document of now, whatever it missed."""
    rows = TrafficPlan.objects.filter(revision__gt=0).values_list("pk", "family__name", "revision")
    for pk in published.renew([Current(*row) for row in rows]):
        _announce(pk)


@transaction.atomic
def plan_of(family: ModelFamily) -> TrafficPlan:
    """The family's traffic document; an empty one where nothing was ever deployed."""
    plan, _ = TrafficPlan.objects.get_or_create(family=family)
    plan.family = family
    return plan


def _announce(plan_pk: int) -> None:
    plan = TrafficPlan.objects.select_related("family").get(pk=plan_pk)
    published.announce(plan.family.name, _held(plan))


def _held(plan: TrafficPlan) -> Held:
    said = json.dumps(document(plan), ensure_ascii=False, separators=(",", ":"))
    return Held(plan.pk, plan.revision, said.encode())


def _wanted(serving: list[ModelVersion]) -> dict[str, int]:
    """Canaries first, so that production takes what they leave."""
    canaries = {v.model_id: v.canary_basis_points or 0 for v in serving if _is_canary(v)}
    rest = BUCKETS - sum(canaries.values())
    return canaries | {v.model_id: rest for v in serving if not _is_canary(v)}


def _canaries_only(
    held: Mapping[str, list[Range]], serving: list[ModelVersion]
) -> dict[str, list[Range]]:
    """Production's buckets are what is left over, so it never holds on to any."""
    canaries = {v.model_id for v in serving if _is_canary(v)}
    return {target: ranges for target, ranges in held.items() if target in canaries}


def _is_canary(version: ModelVersion) -> bool:
    return version.stage == DeploymentStage.CANARY


def _target(version: ModelVersion, ranges: list[Range]) -> dict[str, Any]:
    kept_here = f"/api/model-registry/models/{version.model_id}/artifact"
    return {
        "model_id": version.model_id,
        "artifact_uri": kept_here if version.artifact_id else version.artifact_path,
        "sha256": version.artifact_digest or None,
        "basis_points": sum(high - low for low, high in ranges),
        "ranges": ranges,
    }


def _ranges(buckets: Iterable[int]) -> list[Range]:
    """Sorted buckets as half-open ranges."""
    ranges: list[Range] = []
    for b in sorted(buckets):
        if ranges and ranges[-1][1] == b:
            ranges[-1] = (ranges[-1][0], b + 1)
        else:
            ranges.append((b, b + 1))
    return ranges
