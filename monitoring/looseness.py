"""Where a rollback policy lets more through than the defaults do. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from monitoring.models import ModeOnBreach, RollbackPolicy, WithoutPredecessor

# Fields that let more harm through the larger they are.
LIMITS = (
    "max_error_rate",
    "max_latency_factor",
    "max_ood_rate",
    "max_input_drift",
    "window_minutes",
    "min_requests",
    "min_requests_drift",
    "initial_delay_seconds",
    "cooldown_seconds",
)
# The others that may let more through, and what is said where they do.
CHOICES: Mapping[str, tuple[Callable[[RollbackPolicy], bool], str]] = {
    "dry_run": (lambda policy: policy.dry_run, "dry run: breaches are only told"),
    "mode": (lambda p: p.mode == ModeOnBreach.NOTIFY, "breaches open an incident only"),
    "without_predecessor": (
        lambda policy: policy.without_predecessor == WithoutPredecessor.HOLD,
        "production is held where there is nothing to hand back to",
    ),
}


def loosened(policy: RollbackPolicy) -> list[str]:
    """Where the policy lets more through than the defaults, as words for a lasting banner."""
    return loosens(policy, RollbackPolicy())


def loosens(policy: RollbackPolicy, former: RollbackPolicy) -> list[str]:
    """Where it lets more through than the defaults and than ``former`` did: what is for a reviewer.

    So a policy that was loosened once can be tightened by whoever may tighten one.
    """
    return list(_looser(policy, RollbackPolicy(), former))


def _looser(
    policy: RollbackPolicy, default: RollbackPolicy, former: RollbackPolicy
) -> Iterator[str]:
    for name in LIMITS:
        chosen, usual = getattr(policy, name), getattr(default, name)
        if chosen > max(usual, getattr(former, name)):
            yield f"{name.replace('_', ' ')} {chosen:g} instead of {usual:g}"
    usual = default.window_minutes
    if policy.bake_minutes is not None and policy.bake_minutes < min(usual, _bake(former, usual)):
        yield f"bake minutes {policy.bake_minutes} instead of {usual}"
    for is_loose, said in CHOICES.values():
        if is_loose(policy) and not is_loose(former):
            yield said


def _bake(policy: RollbackPolicy, usual: int) -> int:
    return usual if policy.bake_minutes is None else policy.bake_minutes
