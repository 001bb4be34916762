"""Registered models over HTTP: read, described, and named by aliases that people move."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from rest_framework.test import APIClient

from registry import aliases, tokens
from registry.errors import InvalidInput
from registry.models import Alias, Event, ModelFamily, ModelVersion, Stakeholder

Maker = Callable[..., ModelVersion]
Caller = Callable[..., APIClient]

API = "/api/model-registry"
FAMILY = f"{API}/families/{quote('Fraud Detector')}"
CHAMPION = f"{FAMILY}/aliases/champion"


def put(client: APIClient, version: ModelVersion, url: str = CHAMPION, **headers: str) -> Any:
    return client.put(url, {"model_id": version.model_id}, format="json", headers=headers)


@pytest.mark.django_db
def test_the_list_takes_as_many_queries_for_many_models_as_for_one(
    api: Caller, make_version: Maker, django_assert_num_queries: Any
) -> None:
    client = api("trainer")
    client.get(f"{API}/families")
    for index in range(5):
        version = make_version(name=f"Model {index}")
        aliases.put(version.family, "champion", version, actor="user:1")

    with django_assert_num_queries(4):  # token, models, aliases, versions
        answer = client.get(f"{API}/families?limit=4")

    names = [family["name"] for family in answer.json()["families"]]
    assert names == ["Model 4", "Model 3", "Model 2", "Model 1"]
    assert answer.json()["families"][0]["aliases"] == {"champion": version.model_id}
    assert answer.json()["next"]


@pytest.mark.django_db
def test_a_model_is_described_anew_by_whoever_read_it(api: Caller, make_version: Maker) -> None:
    version = make_version()
    client = api("trainer")
    etag = client.get(FAMILY)["ETag"]

    first = client.patch(FAMILY, {"owner": "ada"}, format="json", headers={"If-Match": etag})
    second = client.patch(FAMILY, {"owner": "bob"}, format="json", headers={"If-Match": etag})

    assert (first.status_code, second.status_code) == (200, 412)
    assert first.json()["owner"] == "ada"
    assert first["ETag"] == client.get(FAMILY)["ETag"] != etag
    assert Stakeholder.objects.filter(version=version, part="owner", name="ada").exists()
    assert Event.objects.filter(event_type="model.described").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("field", "remedy"), [("name", "register"), ("risk_tier", "reviewer")])
def test_what_is_fixed_says_so(api: Caller, make_version: Maker, field: str, remedy: str) -> None:
    make_version()

    answer = api("trainer").patch(FAMILY, {field: "high"}, format="json")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/{field}"
    assert remedy in answer.json()["detail"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["", "/aliases/champion", "/rollback-policy"])
def test_what_has_not_changed_is_not_sent_again(
    api: Caller, make_version: Maker, path: str
) -> None:
    version = make_version()
    client = api("trainer")
    put(client, version)
    etag = client.get(f"{FAMILY}{path}")["ETag"]

    again = client.get(f"{FAMILY}{path}", headers={"If-None-Match": f'"other", {etag}'})

    assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)
    assert client.get(f"{FAMILY}{path}", headers={"If-None-Match": '"x"'}).status_code == 200


@pytest.mark.django_db
def test_an_alias_is_set_moved_shown_and_removed(api: Caller, make_version: Maker) -> None:
    old, new = make_version(), make_version()
    client = api("trainer")

    statuses = [put(client, version).status_code for version in (old, old, new)]

    assert statuses == [201, 200, 200]
    assert client.get(CHAMPION).json()["model_id"] == new.model_id
    assert client.get(FAMILY).json()["aliases"] == {"champion": new.model_id}
    shown = [client.get(f"{API}/models/{v.model_id}").json()["aliases"] for v in (old, new)]
    assert shown == [[], ["champion"]]
    assert client.delete(CHAMPION).status_code == 204
    assert client.get(CHAMPION).status_code == 404
    kinds = Event.objects.filter(event_type__startswith="model.alias.").order_by("pk")
    assert [(e.event_type, e.payload.get("former_model_id")) for e in kinds] == [
        ("model.alias.set", None),
        ("model.alias.set", old.model_id),
        ("model.alias.removed", None),
    ]


@pytest.mark.django_db
def test_an_alias_moved_by_somebody_else_is_not_overwritten(
    api: Caller, make_version: Maker
) -> None:
    old, new = make_version(), make_version()
    client = api("trainer")
    read = put(client, old)["ETag"]
    put(client, new)

    refused = [
        put(client, old, **{"If-Match": read}),
        put(client, old, **{"If-None-Match": "*"}),
        client.delete(CHAMPION, headers={"If-Match": read}),
        put(client, old, f"{FAMILY}/aliases/unknown", **{"If-Match": read}),
    ]

    assert [answer.status_code for answer in refused] == [412] * 4
    assert client.get(CHAMPION).json()["model_id"] == new.model_id


@pytest.mark.django_db
def test_a_removed_alias_never_gets_an_old_tag_back(api: Caller, make_version: Maker) -> None:
    version = make_version()
    client = api("trainer")
    before = put(client, version)["ETag"]
    client.delete(CHAMPION)

    assert put(client, version)["ETag"] != before


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["v1", "V12", "7", "latest", "Latest", "a b", "a.b", "a@b", "ä"])
def test_an_alias_reads_like_no_version(api: Caller, make_version: Maker, name: str) -> None:
    version = make_version()

    answer = put(api("trainer"), version, f"{FAMILY}/aliases/{quote(name)}")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/alias"
    with pytest.raises(IntegrityError, match="alias_looks_like_no_version"), transaction.atomic():
        Alias.objects.create(
            family=version.family, name=name, version=version, revision=1, set_by="user:1"
        )


@pytest.mark.django_db
def test_an_alias_means_a_version_of_its_own_model(api: Caller, make_version: Maker) -> None:
    own, other = make_version(), make_version(name="Other")

    answer = put(api("trainer"), other)

    assert answer.status_code == 422
    with pytest.raises(IntegrityError, match="alias_means_a_version_of"), transaction.atomic():
        Alias.objects.create(
            family=own.family, name="champion", version=other, revision=1, set_by="user:1"
        )


@pytest.mark.django_db
def test_two_aliases_of_a_model_have_two_names(make_version: Maker) -> None:
    version = make_version()
    aliases.put(version.family, "champion", version, actor="user:1")

    with pytest.raises(IntegrityError, match="one_version_an_alias"), transaction.atomic():
        Alias.objects.create(
            family=version.family, name="champion", version=version, revision=9, set_by="user:1"
        )


@given(name=st.text(max_size=12) | st.from_regex(r"[vV]?[0-9]+", fullmatch=True))
def test_the_verb_refuses_what_is_no_word_of_plain_letters(name: str) -> None:
    plain = name.isascii() and name and all(c.isalnum() or c in "_-" for c in name)
    like_a_version = name.lower().removeprefix("v").isdigit() or name.lower() == "latest"

    if plain and not like_a_version:
        aliases.check_name(name)
    else:
        with pytest.raises(InvalidInput, match="/alias"):
            aliases.check_name(name)


@pytest.mark.usefixtures("committed")
@examples(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wishes=st.lists(st.integers(0, 2), min_size=4, max_size=10))
def test_rivals_leave_one_meaning_and_an_unbroken_story(
    make_version_once: Callable[[], list[ModelVersion]], wishes: list[int]
) -> None:
    versions = make_version_once()
    family = versions[0].family
    before = Event.objects.order_by("-pk").values_list("pk", flat=True)[0]

    def move(wish: int) -> None:
        try:
            aliases.put(family, "champion", versions[wish], actor="user:1")
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(move, wishes))

    now = aliases.find(family, "champion").version.model_id
    story = list(Event.objects.filter(pk__gt=before, event_type="model.alias.set").order_by("pk"))
    told = [(e.payload["former_model_id"], e.payload["model_id"]) for e in story]
    assert all(later[0] == earlier[1] for earlier, later in pairwise(told))
    assert told == [] or told[-1][1] == now
    assert Alias.objects.filter(family=family).count() == 1


@pytest.fixture
def make_version_once(make_version: Maker) -> Callable[[], list[ModelVersion]]:
    """Three versions of one model, the same for every example."""
    made: list[ModelVersion] = []

    def make() -> list[ModelVersion]:
        if not made:
            made.extend(make_version() for _ in range(3))
        return made

    return make


@pytest.mark.usefixtures("committed")
def test_of_rivals_who_read_the_same_revision_one_wins(make_version: Maker) -> None:
    versions = [make_version() for _ in range(4)]
    token = tokens.issue("tom", role="trainer")
    etag = f'"{ModelFamily.objects.get().revision}"'

    def attempt(index: int) -> int:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        try:
            changes = {"description": versions[index].model_id}
            answer = client.patch(FAMILY, changes, format="json", headers={"If-Match": etag})
            return int(answer.status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(attempt, range(4)))

    assert statuses == [200, 412, 412, 412]


@pytest.mark.django_db
def test_an_operator_tightens_the_rollback_policy_and_loosens_nothing(
    api: Caller, make_version: Maker
) -> None:
    make_version()
    client = api("operator")
    url = f"{FAMILY}/rollback-policy"
    etag = client.get(url)["ETag"]

    tight = client.patch(url, {"max_error_rate": 0.02}, format="json", headers={"If-Match": etag})
    late = client.patch(url, {"max_error_rate": 0.03}, format="json", headers={"If-Match": etag})
    loose = client.patch(url, {"max_error_rate": 0.5}, format="json")

    assert (tight.status_code, late.status_code, loose.status_code) == (200, 412, 403)
    assert "reviewer" in loose.json()["detail"]
    assert client.get(url).json()["max_error_rate"] == 0.02
    assert Event.objects.filter(event_type="policy.changed").count() == 1


@pytest.mark.django_db
def test_only_operators_change_the_policy(api: Caller, make_version: Maker) -> None:
    make_version()

    answer = api("trainer").patch(f"{FAMILY}/rollback-policy", {"min_requests": 1}, format="json")

    assert answer.status_code == 403
