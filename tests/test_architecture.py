"""The shape of the code, checked like any other promise."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ["assay", "registry", "monitoring", "governance", "config"]  # each may import those before
PURE = [
    "registry/exports/desired.py",
    "registry/exports/kubernetes.py",
    "registry/exports/names.py",
    "registry/exports/nginx.py",
    "registry/manifests/loading.py",
    "registry/manifests/naming.py",
    "registry/manifests/refusals.py",
    "registry/manifests/writing.py",
    "monitoring/triggers.py",
    "monitoring/evidence.py",
    "monitoring/weighing.py",
    "monitoring/shares.py",
    "monitoring/comparing.py",
    "monitoring/decisions.py",
    "monitoring/playbooks/condition.py",
    "monitoring/playbooks/definition.py",
    "monitoring/playbooks/kinds.py",
    "monitoring/playbooks/reference.py",
    "monitoring/bars.py",
    "monitoring/charts.py",
    "monitoring/columns.py",
    "monitoring/pages/figures.py",
    "monitoring/evaluations/conditions.py",
    "monitoring/evaluations/fairness.py",
    "monitoring/evaluations/metrics.py",
    "governance/cards.py",
    "governance/copilot/grammar.py",
    "governance/copilot/likeness.py",
    "governance/copilot/replies.py",
    "governance/copilot/words.py",
    "governance/checks.py",
    "governance/conditions.py",
    "governance/measured.py",
    "governance/progressions/deciding.py",
    "governance/progressions/steps.py",
    "config/scenarios/arrivals.py",
    "config/scenarios/comparing.py",
    "config/scenarios/expectations.py",
    "config/scenarios/fields.py",
    "config/scenarios/reading.py",
    "config/scenarios/series.py",
]
FRAMEWORKS = {"django", "celery", "rest_framework", "redis", "psycopg"}
CLOCKS = {"clock.now", "datetime.now", "timezone.now", "time.time", "datetime.utcnow"}
TORCH_HOMES = {
    "monitoring/evaluations/architectures.py",
    "monitoring/evaluations/inference.py",
    "monitoring/evaluations/loading.py",
    "monitoring/evaluations/measure.py",
}


def sources(package: str) -> list[Path]:
    return [p for p in (ROOT / package).rglob("*.py") if "migrations" not in p.parts]


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """The whole syntax tree of a file."""
    return tuple(ast.walk(ast.parse(path.read_text())))


def imports(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def calls(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def attributes(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node)


ASKED = {
    "utcnow",
    "today",
    "time_ns",
    "localtime",
    "localdate",
    "gmtime",
    "auto_now",
    "auto_now_add",
}
ASKED_OF = {"now": {"datetime", "timezone"}, "time": {"time"}}
CLOCK_HOMES = {"django.utils.timezone", "django.db.models.functions", "time"}
IMPORTED = {"now", "Now", "time", "time_ns", "localtime", "localdate"}


def other_clocks(source: str) -> Iterator[str]:
    """Every way in which a module tells the time by itself."""
    tree = ast.parse(source)
    called = {  # what a name stands for
        name.asname: name.name.split(".")[-1]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
        if name.asname
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in CLOCK_HOMES:
            yield from (name.name for name in node.names if name.name in IMPORTED)
        elif isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value).split(".")[-1]
            if node.attr in ASKED or called.get(owner, owner) in ASKED_OF.get(node.attr, ()):
                yield ast.unparse(node)
        elif isinstance(node, ast.keyword) and node.arg in {"auto_now", "auto_now_add"}:
            yield node.arg


def callers_of(call: str) -> set[str]:
    return {
        str(path.relative_to(ROOT))
        for layer in LAYERS
        for path in sources(layer)
        if call in calls(path)
    }


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_point_one_way(layer: str) -> None:
    above = LAYERS[LAYERS.index(layer) + 1 :]
    if layer == "assay":
        above = LAYERS[1:]

    upward = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(layer)
        for name in imports(path)
        if name.split(".")[0] in above
    ]

    assert upward == []


def test_the_client_needs_no_framework() -> None:
    used = {name.split(".")[0] for path in sources("assay") for name in imports(path)}

    assert used & FRAMEWORKS == set()


@pytest.mark.parametrize("path", PURE)
def test_pure_modules_know_no_framework_no_database_and_no_clock(path: str) -> None:
    used = {name.split(".")[0] for name in imports(ROOT / path)}
    models = {name for name in imports(ROOT / path) if name.endswith(".models")}

    assert used & FRAMEWORKS == set()
    assert models == set()
    assert set(calls(ROOT / path)) & CLOCKS == set()


@pytest.mark.parametrize(
    ("call", "home"),
    [
        ("StageTransition.objects.create", "registry/lifecycle.py"),
        ("StageTransition.objects.bulk_create", "registry/lifecycle.py"),
        ("Event.objects.bulk_create", "registry/ledger/events.py"),
        ("Attestation.objects.create", "registry/attestations.py"),
        ("Incident.objects.create", "monitoring/incidents.py"),
        ("RecordedVerdict.objects.create", "monitoring/verdicts.py"),
    ],
)
def test_what_matters_is_written_in_one_place(call: str, home: str) -> None:
    assert callers_of(call) == {home}


def test_gates_attest_and_scenarios_take_them_for_open() -> None:
    """The latter only of models in a database of their own, which is emptied before each."""
    assert callers_of("attestations.write") == {
        "governance/gates.py",
        "config/scenarios/world.py",
    }
    assert callers_of("emptying.empty") == {"config/scenarios/reporting.py"}


@pytest.mark.parametrize("layer", ["registry", "monitoring", "governance"])
def test_times_come_from_one_clock(layer: str) -> None:
    """So that a rehearsal can tell the time to all that decides or records."""
    read = [
        f"{path.relative_to(ROOT)} asks {clock}"
        for path in sources(layer)
        if path.name != "clock.py"
        for clock in other_clocks(path.read_text())
    ]

    assert read == []


@pytest.mark.parametrize(
    "line",
    [
        "from django.utils import timezone\nat = timezone.now()",
        "from django.utils.timezone import now\nat = now()",
        "from django.utils import timezone as tz\nat = tz.now()",
        "from datetime import datetime\nat = datetime.now(UTC)",
        "import datetime as dt\nat = dt.datetime.now(dt.UTC)",
        "at = datetime.utcnow()",
        "today = date.today()",
        "models.DateTimeField(default=timezone.now)",
        "models.DateTimeField(auto_now_add=True)",
        "from django.db.models.functions import Now",
        "import time\nat = time.time()",
        "from time import time\nat = time()",
        "at = datetime.fromtimestamp(time.time_ns() / 1e9)",
    ],
)
def test_each_other_clock_would_be_found(line: str) -> None:
    assert list(other_clocks(line))


@pytest.mark.parametrize("line", ["at = clock.now()", "since = now()", "x = time.monotonic()"])
def test_the_one_clock_is_no_other(line: str) -> None:
    assert list(other_clocks(line)) == []


@pytest.mark.parametrize("layer", LAYERS)
def test_no_signal_is_connected_and_no_save_is_overridden(layer: str) -> None:
    for path in sources(layer):
        tree = ast.parse(path.read_text())
        overrides = [
            node.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef)
            and node.name in {"save", "delete"}
            and "request" not in {argument.arg for argument in node.args.args}  # HTTP's DELETE
        ]
        assert overrides == [], path
        assert "django.dispatch" not in set(imports(path)), path


@pytest.mark.parametrize("layer", LAYERS)
def test_files_have_one_subject(layer: str) -> None:
    long = [
        f"{path.relative_to(ROOT)}: {lines}"
        for path in sources(layer)
        if (lines := len(path.read_text().splitlines())) > 300
    ]

    assert long == []


def test_torch_is_imported_only_where_models_are_run() -> None:
    homes = {
        str(path.relative_to(ROOT))
        for layer in LAYERS
        for path in sources(layer)
        if any(name.split(".")[0] == "torch" for name in imports(path))
    }

    assert homes <= TORCH_HOMES


def test_the_web_process_and_the_control_worker_load_no_torch() -> None:
    program = (
        "import sys, config.wsgi, config.celery; from django.urls import get_resolver;"
        "get_resolver().url_patterns; config.celery.app.loader.import_default_modules();"
        "sys.exit('torch' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False, timeout=60)

    assert done.returncode == 0
