"""Desired traffic as resources of a Kubernetes cluster. Pure.

Each says only what follows from the traffic document, to be applied beside what the cluster's own
people say of the same resource (hosts, gateways, containers): docs/how-to-traffic.md.
"""

from __future__ import annotations

import json
from typing import Any

from registry.exports import names
from registry.exports.desired import WHOLE, Desired, Inexpressible, percents
from registry.manifests import writing

PORT = 80  # of every version's Service
MOST_BACKENDS = 16  # of one rule of an HTTPRoute


def httproute(desired: Desired) -> str:
    """An HTTPRoute of the Gateway API, gateway.networking.k8s.io/v1.

    Weights are relative to their sum, so they are basis points; a lone backend gets everything
    whatever its weight, so the rest is always somebody's.

    Raises:
        Inexpressible: There are more backends than a rule may have.
    """
    weights = names.backends(desired)
    if len(weights) > MOST_BACKENDS:
        raise Inexpressible(
            f"A rule of an HTTPRoute has {MOST_BACKENDS} backends at most, and {desired.family} "
            f"needs {len(weights)}."
        )
    refs = [{"name": name, "port": PORT, "weight": points} for name, points in weights.items()]
    spec = {"rules": [{"backendRefs": refs}]}
    return _resource("gateway.networking.k8s.io/v1", "HTTPRoute", desired, spec)


def virtualservice(desired: Desired) -> str:
    """A VirtualService of Istio, networking.istio.io/v1, whose weights are percents of 100."""
    weights = percents(names.backends(desired))
    route = [{"destination": {"host": name}, "weight": weight} for name, weight in weights.items()]
    spec = {"hosts": [names.label(desired.family)], "http": [{"route": route}]}
    return _resource("networking.istio.io/v1", "VirtualService", desired, spec)


def kserve(desired: Desired) -> str:
    """An InferenceService of KServe, serving.kserve.io/v1beta1: its canaryTrafficPercent.

    That is the share of the latest revision; the one rolled out before has what is left, and 0
    pins all to it. So the latest revision must be the version whose turn came last.

    Raises:
        Inexpressible: The traffic is not shared between that version and production.
    """
    canaries = [s.model_id for s in desired.shares if s.model_id != desired.production]
    if desired.production is None:
        raise Inexpressible(
            f"KServe always gives the rest to a revision, and {desired.family} has no production "
            "version; use httproute."
        )
    if [c for c in canaries if c != desired.newest]:
        raise Inexpressible(
            f"KServe shares traffic between its latest revision and the one before; {desired.family} "
            f"has {len(canaries)} canaries, or one older than production; use httproute."
        )
    shares = {share.model_id: share.basis_points for share in desired.shares}
    percent = percents(shares).get(desired.newest or desired.production, 0)
    spec = {"predictor": {"canaryTrafficPercent": percent}}
    more = {"assay/latest-revision": desired.newest or desired.production}
    return _resource("serving.kserve.io/v1beta1", "InferenceService", desired, spec, more)


def seldon(desired: Desired) -> str:
    """An Experiment of Seldon Core 2, mlops.seldon.io/v1alpha1, over one Model a version.

    A candidate gets its weight divided by the sum of all.
    """
    weights = names.backends(desired)
    stable = desired.production and names.label(desired.production)
    spec = {
        "default": stable or names.fallback(desired.family),
        "candidates": [{"name": name, "weight": points} for name, points in weights.items()],
    }
    if spec["default"] not in weights:
        raise Inexpressible(f"No share of {desired.family} is left for {spec['default']}.")
    return _resource("mlops.seldon.io/v1alpha1", "Experiment", desired, spec)


def _resource(
    version: str,
    kind: str,
    desired: Desired,
    spec: dict[str, Any],
    annotations: dict[str, str] | None = None,
) -> str:
    called = {names.label(share.model_id): share.model_id for share in desired.shares}
    facts = {
        "assay/family": desired.family,
        "assay/revision": str(desired.revision),
        "assay/models": json.dumps(called, ensure_ascii=False),
    }
    if desired.rest:
        facts["assay/rest"] = (
            f"{100 * desired.rest / WHOLE:g} % to {names.fallback(desired.family)}"
        )
    document = {
        "apiVersion": version,
        "kind": kind,
        "metadata": {
            "name": names.label(desired.family),
            "annotations": facts | (annotations or {}),
        },
        "spec": spec,
    }
    return writing.dump(document)
