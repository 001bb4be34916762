"""What the API costs over the database: the same rows over HTTP, and by SQL alone."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from uuid import uuid4

from benchmarks.crowds import Client, Crowd, Http, Pace, Place, Step, sql
from benchmarks.filled import EACH, FAMILIES, fill, model_id
from config.embedded.locations import Home
from tests.running import Running, run_assay

CROWDS = (1, 8)  # clients at once
SECONDS = 2.0  # of each crowd, each way
HEADS = f"{'HTTP':>8s}   {'p50 ms':>8s} {'p99 ms':>8s} {'SQL':>8s}   {'p50 ms':>8s} {'p99 ms':>8s} SQL ÷ HTTP"
COUNTING = "1000000/1"  # requests are counted as they always are, and none is refused

ENTRY = """
select v.*, f.name, f.risk_tier, a.size, a.format from registry_modelversion v
join registry_modelfamily f on f.id = v.family_id
left join registry_artifact a on a.sha256 = v.artifact_id
"""
LIST = f"{ENTRY} order by v.id desc limit 51".encode()
FILTERED = f"""
{ENTRY} where v.stage = 'sandbox'
and exists (select from registry_versiontag where version_id = v.id and key = 'nlp')
and exists (select from registry_versiontag
            where version_id = v.id and key = 'task' and value = 'ranking')
order by v.id desc limit 51
""".encode()
GET = f"{ENTRY} where v.model_id = %s".encode()
TAGS = b"select version_id, key, value from registry_versiontag where version_id = any(%s)"
ALIASES = b"select version_id, name from registry_alias where version_id = any(%s)"
# One statement, because the database holds that each version has come into its stage.
REGISTER = b"""
with made as (
  insert into registry_modelversion (model_id, family_id, version, number, framework, model_type,
    owner, team, description, source, run_id, artifact_path, declared_sha256, training_data_hash,
    evaluation_metrics, metadata, stage, stage_entered_at, registered_by, registered_at, revision)
  select %s, id, %s, %s, 'pytorch', 'ranking', 'bench', 'bench', '', '', '', '', '', '', '{}', '{}',
    'development', now(), 'user:1', now(), 1 from registry_modelfamily where name = %s
  returning id)
insert into registry_stagetransition (version_id, kind, from_stage, to_stage, actor, at)
select id, 'registered', '', 'development', 'user:1', now() from made
"""
RESOLVE = b"""
select a.name, a.revision, a.set_at, a.set_by, v.model_id, v.version from registry_alias a
join registry_modelfamily f on f.id = a.family_id join registry_modelversion v on v.id = a.version_id
where f.name = %s and a.name = 'champion'
"""
MOVE = b"""
update registry_alias set revision = revision + 1, set_at = now(),
  version_id = (select id from registry_modelversion where model_id = %s)
where name = 'champion' and family_id = (select id from registry_modelfamily where name = %s)
"""


def list_page(place: Place) -> Step:
    http = Http(place)
    return lambda: http.ask("GET", "models")


def list_page_sql(place: Place) -> Step:
    return _page_sql(place, LIST)


def filtered_page(place: Place) -> Step:
    http = Http(place)
    return lambda: http.ask("GET", "models?stage=sandbox&tags=nlp,task:ranking")


def filtered_page_sql(place: Place) -> Step:
    return _page_sql(place, FILTERED)


def get_one(place: Place) -> Step:
    http = Http(place)
    return lambda: http.ask("GET", f"models/{_any_model()}")


def get_one_sql(place: Place) -> Step:
    session = sql(place)

    def step() -> None:
        (row,) = session.execute(GET, [_any_model()]).fetchall()
        for part in (TAGS, ALIASES):
            session.execute(part, [[row[0]]]).fetchall()

    return step


def register(place: Place) -> Step:
    http = Http(place)

    def step() -> None:
        family, name, _ = _new_version()
        body = {"model_id": name, "name": family, "version": name, "framework": "pytorch"}
        more = {"model_type": "ranking", "owner": "bench", "team": "bench"}
        http.ask("POST", "models", body | more)

    return step


def register_sql(place: Place) -> Step:
    session = sql(place)

    def step() -> None:
        family, name, number = _new_version()
        session.execute(REGISTER, [name, name, number, family])

    return step


def resolve(place: Place) -> Step:
    http = Http(place)
    return lambda: http.ask("GET", f"families/bench%20{_any_family()}/aliases/champion")


def resolve_sql(place: Place) -> Step:
    session = sql(place)
    return lambda: session.execute(RESOLVE, [f"bench {_any_family()}"]).fetchall()


def move(place: Place) -> Step:
    http, turns = Http(place), _turns(place)

    def step() -> None:
        family, to = next(turns)
        http.ask("PUT", f"families/bench%20{family}/aliases/champion", {"model_id": to})

    return step


def move_sql(place: Place) -> Step:
    session, turns = sql(place), _turns(place)

    def step() -> None:
        family, to = next(turns)
        session.execute(MOVE, [to, f"bench {family}"])

    return step


CASES: dict[str, tuple[Client, Client]] = {
    "list, 50 entries": (list_page, list_page_sql),
    "list by stage and tags": (filtered_page, filtered_page_sql),
    "get": (get_one, get_one_sql),
    "register": (register, register_sql),
    "resolve an alias": (resolve, resolve_sql),
    "move an alias": (move, move_sql),
}


def main() -> None:
    """Print answers a second and their times at 1 and 8 clients, beside the limit SQL sets.

    The limit is one statement for the entry, one for its tags and one for its aliases; one
    durable commit for each write. Server, database and clients share this machine's cores.
    """
    with run_assay(ASSAY_THROTTLE_REQUESTS=COUNTING) as assay:
        fill(assay)
        _compare(assay)


def _compare(assay: Running) -> None:
    print(f"\nregistry: {FAMILIES * EACH:,} versions of {FAMILIES} models; first: clients at once")
    print(f"  {'':26s}{HEADS}")
    for size in CROWDS:
        crowd = Crowd(list(_places(assay, size)))
        for name, ways in CASES.items():
            _line(f"{size}  {name}", *(crowd.pace(way, SECONDS) for way in ways))
        crowd.disperse()


def _places(assay: Running, crowd: int) -> Iterator[Place]:
    database = Home(assay.home).database_url("assay_app")
    for client in range(crowd):
        yield Place(assay.port, assay.token("bench", "trainer"), database, client)


def _page_sql(place: Place, statement: bytes) -> Step:
    session = sql(place)

    def step() -> None:
        keys = [row[0] for row in session.execute(statement).fetchall()[:50]]
        for part in (TAGS, ALIASES):
            session.execute(part, [keys]).fetchall()

    return step


def _any_family() -> int:
    return random.randint(1, FAMILIES)


def _any_model() -> str:
    return model_id(_any_family(), random.randint(1, EACH))


def _new_version() -> tuple[str, str, int]:
    """A family, and a name and a number that no version of it has."""
    return f"bench {_any_family()}", uuid4().hex, random.randint(1_000_000, 2_000_000_000)


def _turns(place: Place) -> Iterator[tuple[int, str]]:
    """Families of this client alone, and the version each alias means next."""
    own = range(1 + place.client, FAMILIES + 1, max(CROWDS))
    for number in itertools.cycle([*range(2, EACH + 1), 1]):
        for family in own:
            yield family, model_id(family, number)


def _line(name: str, ours: Pace, limit: Pace) -> None:
    print(f"  {name:26s}", end="")
    for way in (ours, limit):
        print(f"{way.rate:8.0f}/s {way.p50_ms:8.2f} {way.p99_ms:8.2f} ", end="")
    print(f"{limit.rate / ours.rate:7.1f} ×", flush=True)
