"""Every endpoint and page, for every role, with own and other team's models: as the table says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver

from monitoring import rollbacks
from monitoring.models import Incident
from registry import aliases, tokens
from registry.models import Attestation, ModelFamily, ModelVersion
from tests.authorization import ROLES, TABLE
from tests.conftest import NOW
from tests.registry.test_api import SEED_ENTRY

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db

ELSEWHERE = "203.0.113.7"  # RFC 5737: no machine of ours

API = "api/model-registry/"
FREE = {"healthz", "readyz", "login/", "logout/", ""}  # nobody's data, or the way in
STOCK = re.compile(r"^\^?admin/")  # the console; its own test names what each role reaches
WAY_IN = re.compile(r"/(login|logout|jsi18n)/$|[(]")  # and the patterns that catch the rest
REVIEWERS = {"admin/governance/review/<pk>/change/"}  # leads to the page where they sign
BODIES: dict[str, Any] = {
    "PATCH models/<model_id>": {"description": "Said anew."},
    "PATCH models/<model_id>/deployment": {"status": "sandbox"},
    "POST models/<model_id>/deployment": {"status": "sandbox"},
    "PATCH models/<model_id>/progression": {"action": "pause"},
    "POST models/<model_id>/evaluations": {"dataset": "none"},
    "PATCH families/<name>": {"description": "Said anew."},
    "PATCH families/<name>/rollback-policy": {"max_error_rate": 0.01},
}


@dataclass(frozen=True)
class Row:
    """One method of one address, and whose models each role reaches by it."""

    method: str
    address: str
    cells: dict[str, str]


def rows() -> Iterator[Row]:
    for line in TABLE.strip().splitlines():
        method, address, *cells = line.split()
        assert len(cells) == len(ROLES), line
        yield Row(method, address, dict(zip(ROLES, cells, strict=True)))


ROWS = list(rows())


def addresses() -> set[tuple[str, str]]:
    """Every method of every address that the product answers, outside the console."""

    def walk(patterns: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
        for pattern in patterns:
            path = f"{prefix}{pattern.pattern}"
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, path)
            else:
                yield re.sub(r"<\w+:(\w+)>", r"<\1>", path), pattern.callback

    found = set()
    for path, callback in walk(get_resolver().url_patterns):
        view = getattr(callback, "cls", None) or getattr(callback, "view_class", None)
        methods = callback.cls().allowed_methods if hasattr(callback, "cls") else _handled(view)
        found |= {(method, path) for method in methods if method not in ("OPTIONS", "HEAD")}
    return {(method, path) for method, path in found if path not in FREE}


def _handled(view: Any) -> list[str]:
    return (
        [name.upper() for name in view.http_method_names if hasattr(view, name)]
        if view
        else ["GET"]
    )


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    ours = {(method, path) for method, path in addresses() if not STOCK.match(path)}
    listed = {(row.method, row.address) for row in ROWS if not STOCK.match(row.address)}

    assert ours - listed == set(), "Give each of these a row in tests/authorization.py."
    assert listed - ours == set(), "Nothing answers there any more."


@pytest.fixture
def world(make_version: Maker) -> dict[str, dict[str, str]]:
    """What can be acted on: the same of the own team's and of another's."""
    return {team: _things(make_version, team) for team in ("ours", "theirs")}


def _things(make: Maker, team: str) -> dict[str, str]:
    name = f"Model of {team}"
    version = make(model_id=f"of_{team}", name=name, team=team)
    fallen = make("canary", model_id=f"fallen_{team}", name=name, team=team)
    rollbacks.roll_back(fallen, actor="user:1", now=NOW, reason="It fell.")
    aliases.put(version.family, "champion", version, actor="user:1")
    return {
        "model_id": version.model_id,
        "fallen": fallen.model_id,
        "name": quote(name),
        "family": str(version.family_id),
        "alias": "champion",
        "kind": "nginx",
        "pk": str(Incident.objects.get(version=fallen).pk),
        "evaluation_id": "1",
        "event_id": "1",
        "webhook_id": "00000000-0000-4000-8000-000000000000",
        "delivery_id": "1",
        "revision": "1",
        "object_id": str(Attestation.objects.get(version=fallen).pk),
        "team": team,
    }


@pytest.fixture
def caller(db: None, user_with: Callable[..., User]) -> Callable[[str, bool], Client]:
    """A client of somebody of a role and the team `ours`: with a token, or signed in."""

    def make(role: str, by_token: bool) -> Client:
        if role == "nobody":
            return Client()
        user = user_with(*([] if role == "administrator" else [role]), username=f"{role}-of-ours")
        user.groups.add(Group.objects.get_or_create(name=f"{tokens.TEAM_GROUP}ours")[0])
        user.is_superuser = role == "administrator"
        user.is_staff = user.is_superuser or role in tokens.SIGNING_ROLES
        user.save()
        client = Client()
        if by_token and role != "administrator":
            serves = ModelFamily.objects.get(name="Model of ours") if role == "serving" else None
            token = tokens.issue(user.username, role=role, family=serves)
            client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        else:
            client.force_login(user)
        return client

    return make


def test_each_role_reaches_what_the_table_says(
    world: dict[str, dict[str, str]], caller: Callable[[str, bool], Client]
) -> None:
    other = {}
    for row in ROWS:
        with taken_back():
            found = _reached(row, world, caller)
        if found != row.cells:
            other[f"{row.method} {row.address}"] = found

    assert len(ROWS) > 50
    assert other == {}


@contextmanager
def taken_back() -> Iterator[None]:
    """What happens in here did not happen: one world serves every row."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _reached(
    row: Row, world: dict[str, dict[str, str]], caller: Callable[[str, bool], Client]
) -> dict[str, str]:
    by_token = row.address.startswith((API, "metrics"))
    found = {}
    for role in ROLES:
        client = caller(role, by_token)
        found[role] = _cell({team: _may(row, client, world[team]) for team in world})
    return found


def test_nobody_else_enters_the_console_and_its_records_are_only_read(
    caller: Callable[[str, bool], Client], world: dict[str, dict[str, str]]
) -> None:
    outsiders = [caller(role, False) for role in ("nobody", "trainer", "serving", "operator")]
    reviewer = caller("reviewer", False)
    pages = {path for _, path in addresses() if STOCK.match(path) and not WAY_IN.search(path)}
    stock = {path for path in pages if re.search(r"/(add|change|delete)/$", path)}
    writing = [Row("POST", path, {}) for path in stock - REVIEWERS]

    entered = [
        page
        for page in sorted(pages)
        for client in outsiders
        if _may(Row("GET", page, {}), client, world["ours"] | {"id": "1", "content_type_id": "1"})
    ]
    written = [row for row in writing if _may(row, reviewer, world["ours"])]

    assert len(pages) > 50
    assert len(writing) > 20
    assert (entered, written) == ([], [])


def _cell(may: dict[str, bool]) -> str:
    return {(True, True): "any", (True, False): "own", (False, False): "-"}.get(
        (may["ours"], may["theirs"]), f"odd: {may}"
    )


def _may(row: Row, client: Client, things: dict[str, str]) -> bool:
    path = re.sub(r"<(\w+)>", lambda part: things[part[1]], row.address)
    answer = client.generic(row.method, f"/{path}", REMOTE_ADDR=ELSEWHERE, **_body(row, things))
    assert answer.status_code < 500
    signing_in = answer.status_code == 302 and "/login/" in answer["Location"]
    return not signing_in and answer.status_code not in (401, 403)


def _body(row: Row, things: dict[str, str]) -> dict[str, Any]:
    if row.method == "GET":
        return {}
    if not row.address.startswith(API):
        form = {"to": "sandbox", "reason": "Because.", "risk_tier": "high", "note": "Because."}
        return {"data": "&".join(f"{k}={v}" for k, v in form.items()), "content_type": FORM}
    short = f"{row.method} {row.address.removeprefix(API)}"
    body: dict[str, Any] = BODIES.get(short) or _of(short, things)
    return {"data": json.dumps(body), "content_type": "application/json"}


FORM = "application/x-www-form-urlencoded"


def _of(short: str, things: dict[str, str]) -> dict[str, Any]:
    """Bodies that speak of a model of one of the teams."""
    if short == "POST models":
        return {**SEED_ENTRY, "model_id": "new", "name": "New", "team": things["team"]}
    if short == "POST events":
        return {"event_type": "custom.thing", "payload": {"model_id": things["model_id"]}}
    return {"model_id": things["model_id"]} if "aliases" in short and short[:3] == "PUT" else {}
