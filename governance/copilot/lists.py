"""Answer with lists: versions, incidents, and what may be said."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse

from governance.copilot.changes import API
from governance.copilot.grammar import Asked
from governance.copilot.naming import Named
from governance.copilot.places import incident_record, of_version
from governance.copilot.replies import Call, Kind, Record, Reply
from monitoring.models import Incident
from registry.models import ModelFamily, ModelVersion

SHOWN = 20  # rows; the page cited shows the rest
FILTERS = ("stage", "framework", "team", "owner")
EXAMPLES = (
    "promote fraud detector to canary at 10 %",
    "what blocks fraud detector from production?",
    "why was fraud detector rolled back?",
    "how is fraud detector doing?",
    "list canaries",
    "inbox",
)


def models(asked: Asked) -> Reply:
    """The newest versions that fit."""
    wanted = {name: asked.slots[name] for name in FILTERS if name in asked.slots}
    exact = {f"{name}__iexact": value for name, value in wanted.items()}
    rows = ModelVersion.objects.filter(**exact).select_related("family")
    found = list(rows[: SHOWN + 1])
    said = f"{len(found)} version{'s' * (len(found) != 1)}{_of(wanted)}."
    if len(found) > SHOWN:
        said = f"More than {SHOWN} versions{_of(wanted)}; these are the newest."
    query = f"?{urlencode(wanted)}" if wanted else ""
    head = ("model_id", "model", "stage", "framework", "team")
    table = [(v.model_id, v.family.name, _stage(v), v.framework, v.team) for v in found[:SHOWN]]
    return Reply(
        Kind.ANSWER,
        (said if found else f"There is no version{_of(wanted)}.",),
        call=Call("GET", f"{API}/models{query}"),
        table=(head, *table) if table else (),
        records=(
            Record("the list", f"{reverse('models')}{query}"),
            *map(of_version, found[:SHOWN]),
        ),
    )


def incidents(named: Named | None) -> Reply:
    """The open incidents, of one version or model where one is named."""
    rows = Incident.objects.filter(resolved_at=None).select_related("version").order_by("-pk")
    path = f"{API}/incidents?state=open"
    if named is not None and isinstance(named.thing, ModelFamily):
        rows = rows.filter(version__family=named.thing)
    elif named is not None:
        rows = rows.filter(version=named.thing.pk)
        path += f"&{urlencode({'model_id': str(named.thing)})}"
    found = list(rows[:SHOWN])
    return Reply(
        Kind.ANSWER,
        tuple(f"{i.severity}: {i.summary}" for i in found) or ("No incident is open.",),
        call=Call("GET", path),
        records=tuple(map(incident_record, found)),
    )


def help_() -> Reply:
    """What may be said."""
    return Reply(Kind.ANSWER, ("You can say, for example:",), choices=EXAMPLES)


def _of(wanted: dict[str, str]) -> str:
    words = {"stage": "in", "framework": "of framework", "team": "of team", "owner": "owned by"}
    return "".join(f" {words[name]} {value}" for name, value in wanted.items())


def _stage(version: ModelVersion) -> str:
    share = version.canary_percentage
    return version.stage if share is None else f"{version.stage} {share:f} %"
