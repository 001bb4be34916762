"""Desired traffic in the words of gateways: known answers, exact sums, names that are valid."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from registry.errors import NotFound
from registry.exports import kubernetes, names, nginx, rendering
from registry.exports.desired import Desired, Inexpressible, Share, percents
from registry.models import ModelVersion
from tests.conftest import take

Caller = Callable[..., APIClient]
Maker = Callable[..., ModelVersion]
API = "/api/model-registry/families/Fraud%20Detector/traffic/exports"
DNS_LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")

BOTH = Desired(
    "fraud-detector",
    7,
    "r1",
    (Share("fraud-v2", 1250), Share("fraud-v1", 8750)),
    production="fraud-v1",
    newest="fraud-v2",
)
CANARY_ALONE = Desired("fraud-detector", 8, "r1", (Share("fraud-v2", 1000),), newest="fraud-v2")
NOTHING = Desired("fraud-detector", 9, "r1", ())

METADATA = """\
metadata:
  name: fraud-detector
  annotations:
    assay/family: fraud-detector
    assay/revision: "7"
    assay/models: "{\\"fraud-v2\\": \\"fraud-v2\\", \\"fraud-v1\\": \\"fraud-v1\\"}"
"""
HTTPROUTE = f"""\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
{METADATA}spec:
  rules:
    - backendRefs:
        - name: fraud-v2
          port: 80
          weight: 1250
        - name: fraud-v1
          port: 80
          weight: 8750
"""
VIRTUALSERVICE = f"""\
apiVersion: networking.istio.io/v1
kind: VirtualService
{METADATA}spec:
  hosts:
    - fraud-detector
  http:
    - route:
        - destination:
            host: fraud-v2
          weight: 13
        - destination:
            host: fraud-v1
          weight: 87
"""
KSERVE = f"""\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
{METADATA}    assay/latest-revision: fraud-v2
spec:
  predictor:
    canaryTrafficPercent: 13
"""
SELDON = f"""\
apiVersion: mlops.seldon.io/v1alpha1
kind: Experiment
{METADATA}spec:
  default: fraud-v1
  candidates:
    - name: fraud-v2
      weight: 1250
    - name: fraud-v1
      weight: 8750
"""
NGINX = """\
# fraud-detector, revision 7
# fraud-v2 is fraud-v2
# fraud-v1 is fraud-v1
split_clients "r1:${assay_key}" $fraud_detector_upstream {
    12.50% fraud-v2;
    * fraud-v1;
}
"""


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("httproute", HTTPROUTE),
        ("virtualservice", VIRTUALSERVICE),
        ("kserve", KSERVE),
        ("seldon", SELDON),
        ("nginx", NGINX),
    ],
)
def test_a_canary_beside_production(kind: str, expected: str) -> None:
    assert rendering.KINDS[kind](BOTH) == expected


def test_without_production_the_rest_is_the_callers_own_fallback() -> None:
    spare = "fraud-detector-fallback"

    route = yaml.safe_load(kubernetes.httproute(CANARY_ALONE))
    service = yaml.safe_load(kubernetes.virtualservice(CANARY_ALONE))
    experiment = yaml.safe_load(kubernetes.seldon(CANARY_ALONE))

    (rule,) = route["spec"]["rules"]
    assert [(r["name"], r["weight"]) for r in rule["backendRefs"]] == [
        ("fraud-v2", 1000),
        (spare, 9000),
    ]
    assert route["metadata"]["annotations"]["assay/rest"] == f"90 % to {spare}"
    assert [r["weight"] for r in service["spec"]["http"][0]["route"]] == [10, 90]
    assert experiment["spec"]["default"] == spare
    assert f"    10.00% fraud-v2;\n    * {spare};" in nginx.split_clients(CANARY_ALONE)


def test_where_nothing_serves_the_fallback_has_everything() -> None:
    (rule,) = yaml.safe_load(kubernetes.httproute(NOTHING))["spec"]["rules"]

    assert rule["backendRefs"] == [
        {"name": "fraud-detector-fallback", "port": 80, "weight": 10_000}
    ]
    assert "    * fraud-detector-fallback;" in nginx.split_clients(NOTHING)


@pytest.mark.parametrize(
    ("shares", "newest", "percent"),
    [
        ([("v1", 10_000)], "v1", 100),  # nothing else was ever out
        ([("v2", 2500), ("v1", 7500)], "v2", 25),
        ([("v1", 10_000)], "v2", 0),  # rolled back: all to the revision before
    ],
)
def test_kserve_gives_the_latest_revision_its_share(
    shares: list[tuple[str, int]], newest: str, percent: int
) -> None:
    told = kubernetes.kserve(
        Desired("f", 1, "r1", tuple(Share(*s) for s in shares), production="v1", newest=newest)
    )

    assert yaml.safe_load(told)["spec"] == {"predictor": {"canaryTrafficPercent": percent}}


@pytest.mark.parametrize(
    ("desired", "said"),
    [
        (CANARY_ALONE, "has no production"),
        (NOTHING, "has no production"),
        (
            Desired(
                *("f", 1, "r1"),
                (Share("v3", 100), Share("v2", 100), Share("v1", 9800)),
                production="v1",
                newest="v3",
            ),
            "2 canaries",
        ),
        (
            Desired("f", 1, "r1", (Share("v2", 20), Share("v1", 9980)), "v1", "v2"),
            "nothing in whole percents",
        ),
    ],
)
def test_kserve_refuses_what_it_has_no_words_for(desired: Desired, said: str) -> None:
    with pytest.raises(Inexpressible, match=said):
        kubernetes.kserve(desired)


def test_a_rule_of_an_httproute_has_sixteen_backends() -> None:
    many = tuple(Share(f"v{number}", 100) for number in range(16))

    with pytest.raises(Inexpressible, match="16 backends at most, and f needs 17"):
        kubernetes.httproute(Desired("f", 1, "r1", many))


def test_a_salt_that_nginx_would_read_is_refused() -> None:
    with pytest.raises(Inexpressible, match="salt"):
        nginx.split_clients(Desired("f", 1, 'x" $y {', ()))


@pytest.mark.parametrize(
    ("basis_points", "expected"),
    [
        ({"a": 3333, "b": 3333, "c": 3334}, {"a": 33, "b": 33, "c": 34}),
        ({"a": 1250, "b": 8750}, {"a": 13, "b": 87}),  # of equal remainders the first
        ({"a": 10_000}, {"a": 100}),
        ({"a": 60, "b": 9940}, {"a": 1, "b": 99}),
    ],
)
def test_percents_by_largest_remainder(
    basis_points: dict[str, int], expected: dict[str, int]
) -> None:
    assert percents(basis_points) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fraud-v1", "fraud-v1"),
        ("fraud_detector_v1", "fraud-detector-v1-e106f45f34"),
        ("Fraud Detector", "fraud-detector-"),
        ("日本語", "m-"),
        ("7b", "m-7b-"),
        ("a" * 64, "a" * 52 + "-"),
        ("fraud-v1-0123456789", "fraud-v1-0123456789-"),  # would look like another's
    ],
)
def test_labels_are_known(name: str, expected: str) -> None:
    assert names.label(name).startswith(expected)
    assert DNS_LABEL.fullmatch(names.label(name))


written = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=90)
alike = st.text("aA-_ 1.", min_size=1, max_size=8)


@given(ids=st.lists(written | alike, unique=True, max_size=20))
def test_labels_are_valid_and_no_two_are_the_same(ids: list[str]) -> None:
    found = names.labels(ids)

    assert len(set(found.values())) == len(ids)
    assert all(DNS_LABEL.fullmatch(name) for name in found.values())
    assert names.labels(reversed(ids)) == found


@given(
    family=written,
    canaries=st.dictionaries(written, st.integers(1, 1200), max_size=8),
    production=st.none() | written,
)
def test_every_format_is_valid_and_adds_up(
    family: str, canaries: dict[str, int], production: str | None
) -> None:
    canaries.pop(production or "", None)
    shares = [Share(*each) for each in canaries.items()]
    if production is not None:
        shares.append(Share(production, 10_000 - sum(canaries.values())))
    desired = Desired(family, 3, "r1", tuple(shares), production)

    (rule,) = yaml.safe_load(kubernetes.httproute(desired))["spec"]["rules"]
    experiment = yaml.safe_load(kubernetes.seldon(desired))["spec"]
    block = nginx.split_clients(desired)

    assert sum(ref["weight"] for ref in rule["backendRefs"]) == 10_000
    assert all(DNS_LABEL.fullmatch(ref["name"]) for ref in rule["backendRefs"])
    assert sum(candidate["weight"] for candidate in experiment["candidates"]) == 10_000
    assert experiment["default"] in {c["name"] for c in experiment["candidates"]}
    split = [float(p) for p in re.findall(r"^    ([0-9.]+)% ", block, re.MULTILINE)]
    assert 0 <= sum(split) < 100
    assert block.count("    * ") == 1
    try:
        routes = yaml.safe_load(kubernetes.virtualservice(desired))["spec"]["http"]
    except Inexpressible:
        assert any(share.basis_points < 100 for share in shares)
    else:
        assert sum(route["weight"] for route in routes[0]["route"]) == 100
        assert all(route["weight"] > 0 for route in routes[0]["route"])


@pytest.mark.django_db
def test_the_traffic_of_now_is_exported(api: Caller, make_version: Maker) -> None:
    stable = make_version("production", model_id="fraud-v1")
    make_version("canary", model_id="fraud-v2", share=10)
    client = api("serving")

    answer = client.get(f"{API}/httproute", HTTP_ACCEPT="*/*")
    again = client.get(f"{API}/httproute", HTTP_IF_NONE_MATCH=answer["ETag"])

    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    (rule,) = yaml.safe_load(answer.content)["spec"]["rules"]
    assert [(r["name"], r["weight"]) for r in rule["backendRefs"]] == [
        ("fraud-v2", 1000),
        (stable.model_id, 9000),
    ]
    assert again.status_code == 304


@pytest.mark.django_db
def test_what_a_rollback_means_to_kserve(make_version: Maker) -> None:
    make_version("production", model_id="fraud-v1")
    sick = make_version("canary", model_id="fraud-v2", share=10)
    percent: list[Any] = []

    for stage in ("canary", "rollback"):
        if stage != "canary":
            take(sick, stage)
        told = yaml.safe_load(rendering.render("Fraud Detector", "kserve"))
        percent.append(told["spec"]["predictor"]["canaryTrafficPercent"])

    assert percent == [10, 0]


@pytest.mark.django_db
def test_what_a_format_cannot_say_is_refused_with_a_reason(
    api: Caller, make_version: Maker
) -> None:
    make_version("canary")

    answer = api("serving").get(f"{API}/kserve")

    assert answer.status_code == 409
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/inexpressible"
    assert "no production version" in answer.json()["detail"]


@pytest.mark.django_db
def test_an_unknown_format_or_family_is_not_found(api: Caller, make_version: Maker) -> None:
    make_version()
    client = api("serving")

    assert client.get(f"{API}/envoy").status_code == 404
    assert client.get(API.replace("Fraud", "No") + "/nginx").status_code == 404
    with pytest.raises(NotFound, match="httproute, virtualservice"):
        rendering.render("Fraud Detector", "envoy")


@pytest.mark.django_db
def test_the_command_prints_the_same(make_version: Maker) -> None:
    make_version("canary")
    out = StringIO()

    call_command("export_traffic", "Fraud Detector", "--as", "nginx", stdout=out)

    assert out.getvalue() == rendering.render("Fraud Detector", "nginx")
    with pytest.raises(CommandError, match="no production"):
        call_command("export_traffic", "Fraud Detector", "--as", "kserve")
    with pytest.raises(CommandError, match="Nobody"):
        call_command("export_traffic", "Nobody", "--as", "nginx")
