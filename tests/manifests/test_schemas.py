"""The schemas that editors use say what the importer's own rules say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from jsonschema import Draft202012Validator
from rest_framework import serializers

from monitoring import policies
from registry.manifests import kinds, loading, reading
from registry.manifests.kinds import Kind
from registry.manifests.refusals import ManifestRefused
from registry.models import ModelVersion
from tests.manifests.makers import exported
from tests.manifests.test_refusals import FILES, MODEL, POLICY, VERSION

KINDS = list(kinds.kinds().values())


def schema(kind: Kind) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(kind.schema.read_text())
    return found


def fields(kind: Kind) -> dict[str, dict[str, Any]]:
    """What the schema says of each field, metadata and spec together."""
    parts = schema(kind)["properties"]
    return {**parts["metadata"]["properties"], **parts["spec"]["properties"]}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_schema_is_one_and_names_its_kind(kind: Kind) -> None:
    Draft202012Validator.check_schema(schema(kind))

    assert schema(kind)["properties"]["kind"] == {"const": kind.name}
    assert kind.schema.stem == kind.name


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_fields_lengths_and_what_is_required_are_those_of_the_rules(kind: Kind) -> None:
    rules, said = kind.serializer().fields, fields(kind)
    parts = schema(kind)["properties"]

    assert set(said) == set(rules)
    assert set(parts["metadata"]["properties"]) == set(kind.metadata)
    required = {*parts["metadata"]["required"], *parts["spec"]["required"]}
    assert required == {name for name, field in rules.items() if field.required}
    for name, field in rules.items():
        if isinstance(field, serializers.CharField):
            most = {k: said[name][k] for k in ("maxLength", "minLength") if k in said[name]}
            assert most == dict(limits(field)), name
        if isinstance(field, serializers.ChoiceField):
            assert said[name]["enum"] == list(field.choices), name


def limits(field: serializers.CharField) -> Iterator[tuple[str, int]]:
    if field.max_length is not None:
        yield "maxLength", field.max_length
        if not field.allow_blank:
            yield "minLength", 1


@pytest.mark.django_db
def test_every_exported_manifest_is_valid_and_carries_its_schema(
    make_version: Callable[..., ModelVersion], trainer: User, tmp_path: Path
) -> None:
    version = make_version("canary", tags={"nlp": ""}, metadata={"NO": [1, "x"]})
    make_version(version="1.10", training_dataset_size=10, evaluation_metrics={"f1": 0.9})
    policies.change(version.family, {"bake_minutes": 5}, actor="user:1")

    tree = exported(tmp_path)

    assert len(tree) == 4
    for name, content in tree.items():
        loaded = loading.load(content, file=name)
        first = content.decode().splitlines()[0]
        beside = (tmp_path / name).parent / first.partition("$schema=")[2]
        Draft202012Validator(json.loads(beside.read_text())).validate(loaded.value)


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (VERSION, '"1.10"', "1.10"),
        (VERSION, "kind: ModelVersion", "kind: Model"),
        (VERSION, "assay/v1", "assay/v2"),
        (VERSION, "spec:", "spek:"),
        (VERSION, "  framework: sklearn\n", ""),
        (VERSION, "sklearn", "sklearn\n  colour: red"),
        (VERSION, "sklearn", f"sklearn\n  run_id: {'x' * 201}"),
        (VERSION, "sklearn", "sklearn\n  stage: live"),
        (VERSION, "sklearn", "sklearn\n  canary_percentage: 5"),
        (VERSION, "sklearn", "sklearn\n  stage: sandbox\n  canary_percentage: 5"),
        (VERSION, "sklearn", "sklearn\n  artifact_sha256: abc"),
        (VERSION, "sklearn", "sklearn\n  training_dataset_size: -1"),
        (VERSION, "sklearn", "sklearn\n  evaluation_metrics: {f1: true}"),
        (VERSION, "sklearn", "sklearn\n  tags: {'a,b': ''}"),
        (VERSION, "sklearn", "sklearn\n  former_owners: ml"),
        (VERSION, "  name: Fraud", "  name: Fr:aud"),
        (VERSION, "  name: Fraud", "  name: Fraud\n  number: 0"),
        (MODEL, "ml_team", "NULL_team\n  risk_tier: none"),
        (POLICY, "0.02", "1"),
        (POLICY, "0.02", "0.02\n  window_minutes: 0"),
        (POLICY, "0.02", "0.02\n  dry_run: yes"),
    ],
    ids=str,
)
def test_both_refuse(text: str, old: str, new: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(text.replace(old, new, 1))
    name = loading.load(text.encode(), file="").value["kind"]
    value = loading.load(broken.read_bytes(), file="").value

    assert not Draft202012Validator(schema(kinds.kinds()[name])).is_valid(value)
    with pytest.raises(ManifestRefused):
        reading.read(broken)


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_both_take(text: str, tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(text)
    manifest = reading.read(tmp_path / "good.yaml")

    Draft202012Validator(schema(manifest.kind)).validate(manifest.loaded.value)
