"""docs/governance.md says what the constitution says."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.urls import Resolver404, resolve

from governance import constitution
from governance.console.forms import MoveForm, ReviewForm
from registry.models import RiskTier

TEXT = (Path(__file__).resolve().parent.parent.parent / "docs" / "governance.md").read_text()


@pytest.mark.parametrize("tier", constitution.current().tiers.values(), ids=RiskTier.values)
def test_the_tiers_stand_in_the_docs_as_they_are_in_force(tier: constitution.Tier) -> None:
    cells = [
        tier.name,
        str(tier.quorum),
        (" and " if tier.distinct_roles else " or ").join(tier.roles),
        f"{tier.max_age.days} days",
        "one stage each" if tier.scope == constitution.PER_STAGE else "canary and production",
        "needed" if tier.artifact_required else "may be absent",
        "must pass" if tier.evidence_required else "must not fail",
        "console" if tier.console_only else "console or API",
    ]

    assert f"| {' | '.join(cells)} |" in TEXT


@pytest.mark.parametrize("form", [ReviewForm, MoveForm])
def test_every_field_is_documented(form: type[ReviewForm | MoveForm]) -> None:
    for name in form.base_fields:
        assert f"`{name}`" in TEXT, name


@pytest.mark.parametrize(
    "address",
    [
        "/admin/governance/review/",
        "/admin/governance/review/some.model/",
        "/admin/governance/review/some.model/promote/",
        "/admin/governance/approval/1/withdraw/",
        "/admin/registry/attestation/1/revoke/",
        "/admin/registry/delivery/1/retry/",
        "/admin/registry/apitoken/1/revoke/",
        "/admin/registry/modelfamily/1/tier/",
        "/admin/registry/modelfamily/1/policy/",
    ],
)
def test_the_documented_addresses_answer(address: str) -> None:
    found = resolve(address)

    assert found.func.__name__ != "catch_all_view"
    with pytest.raises(Resolver404):
        resolve("/governance/review/")
