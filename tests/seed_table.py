"""Every block of the seed in one table: who runs it, in what order and state, what is then seen.

The tests read it, and ``python -m tests.seed_table`` prints it into docs/seed.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests import seed_blocks, seed_proofs
from tests.seed_steps import STORY, How, Use

DOCUMENT = Path(__file__).parent.parent / "docs" / "seed.md"

MEANING = {
    "tom": "a trainer",
    "rita": "a reviewer who is none of the model's own people",
    "otto": "an operator",
    "local": "whoever sits at this machine: no credentials, see above; trainer and operator",
    "nobody": "nobody: it is not run",
}

TABLE = (
    *STORY,
    Use(
        heading="Automatic Rollback Handler",
        how=How.WORKER,
        caller="local",
        before="a canary; the block is a module in ASSAY_HANDLER_MODULES and was imported once",
        then="the worker runs the handler when the canary degrades, and it is rolled back",
    ),
    Use(
        heading="Register via API",
        how=How.CURL,
        caller="local",
        before="an empty registry",
        then="201, the entry is in development; the same again is 409 and names it",
    ),
    Use(
        heading="Test API Endpoints",
        how=How.CURL,
        caller="local",
        before="the model above; in tests/, where test_model.json is",
        then="the list has the model, the counts count it, another is registered",
    ),
    Use(
        heading="1. List Models",
        how=How.REQUEST,
        caller="local",
        before="one model fits all four filters, another none",
        then="each filter finds the first and not the second",
    ),
    Use(
        heading="2. Get Model Details",
        how=How.REQUEST,
        caller="local",
        before="the model is registered",
        then="its entry, with the seed's names",
    ),
    Use(
        heading="3. Register Model",
        how=How.REQUEST,
        caller="local",
        before="any; the body is that of tests/test_model.json under another name",
        then="201 and the entry",
    ),
    Use(
        heading="4. Update Deployment",
        how=How.REQUEST,
        caller="local",
        before="the model is in sandbox; first unreviewed, then reviewed",
        then="first 409 with the blockers, then canary with 10 %",
    ),
    Use(
        heading="5. Generate Model Card",
        how=How.REQUEST,
        caller="local",
        before="the model is in canary",
        then="201: revision, Markdown, JSON and the address of the page",
    ),
    Use(
        heading="6. Check Rollback",
        how=How.REQUEST,
        caller="local",
        before="the canary has reported nothing",
        then="the four triggers with their verdicts; no rollback",
    ),
    Use(
        heading="7. Execute Rollback",
        how=How.REQUEST,
        caller="local",
        before="the model is in canary",
        then="it is rolled back for the given reason, and an incident is open",
    ),
    Use(
        heading="8. Get Stats",
        how=How.REQUEST,
        caller="local",
        before="the models above",
        then="counts by stage, framework and team; open incidents",
    ),
    Use(
        heading="Co-Pilot Commands",
        how=How.REQUEST,
        caller="local",
        before="a reviewed model in sandbox; then rolled back",
        then="POST promotes as PATCH does; GET shows why it was rolled back",
    ),
    Use(
        heading="memory_model_performance",
        how=How.READ,
        caller="nobody",
        before="the migrated database",
        then="the table has each column and both indexes",
    ),
    Use(
        heading="Models Tab in Sidebar",
        how=How.READ,
        caller="local",
        before="any page",
        then="the sidebar has the entry with this id, label and icon",
    ),
    Use(
        heading="In MainPanel",
        how=How.READ,
        caller="local",
        before="any",
        then="the entry leads to the page of all models, at /models/",
    ),
    Use(
        heading="Run Unit Tests",
        how=How.READ,
        caller="nobody",
        before="`make test` has installed pytest",
        then="the two lines pass, six cases",
    ),
    Use(
        heading="📊 System Architecture",
        how=How.READ,
        caller="nobody",
        before="the whole product is running",
        then="tests/flows goes the way of the arrows with real processes",
    ),
    Use(
        heading="Event Flow",
        how=How.READ,
        caller="nobody",
        before="the whole product is running",
        then="tests/flows goes the way of the arrows with real processes",
    ),
)

# What the seed calls a file, and what answers for it here.
HOMES = {
    "backend/services/model_registry.py": ("registry/", "assay/registry.py"),
    "backend/services/model_rollback_monitor.py": (
        "monitoring/rollbacks.py",
        "monitoring/triggers.py",
        "monitoring/playbooks/engine.py",
    ),
    "backend/api/model_registry.py": ("registry/api/", "monitoring/api/", "governance/api.py"),
    "backend/monitoring_models.py": ("monitoring/models/snapshots.py",),
    "frontend/src/components/ModelsPanel.tsx": (
        "monitoring/views/models.py",
        "templates/monitoring/models.html",
    ),
    "tests/test_model_registry_api.py": ("tests/test_model_registry_api.py",),
}

OPENING = """\
# The seed, and what became of it

Printed by `python -m tests.seed_table`; `tests/test_seed.py` runs what it says and keeps it current.

The seed is `tests/seed.md`, word for word. The tests take its lines from there by heading. They change two things: the
import lines ask `assay` (`from backend.services.model_registry import …` and `from backend.clarity import …` become
`from assay import …`), and the port in the address is that of the product under test. Times without an offset are the
caller's local time; the story runs under TZ=Asia/Tokyo and TZ=America/Los_Angeles.

curl lines carry no credentials. They work where `make up` runs the product (ASSAY_LOCAL_ACCESS=1), from this machine
only: the peer is loopback, Host is localhost, 127.0.0.1 or [::1], no proxy header is there, Origin and Sec-Fetch-Site
are absent or the same, and unsafe methods carry `application/json`. The caller is then the user `local`, a trainer and
operator who never reviews.
"""


def document() -> str:
    """docs/seed.md as it should be."""
    return "\n".join([OPENING, *_callers(), *_uses(), *_lists(), *_steps(), *_homes()])


def _callers() -> Iterator[str]:
    yield "| caller | who it is |\n|---|---|"
    for name, meaning in MEANING.items():
        yield f"| {name} | {meaning} |"


def _uses() -> Iterator[str]:
    yield "\n## Every block\n\nThose run as Python are one story, in this order.\n"
    yield "| | block | run | by | before | then | test |\n|---|---|---|---|---|---|---|"
    for number, use in enumerate(TABLE, 1):
        about = f" of `{use.model_id}`" if use.model_id else ""
        yield (
            f"| {number} | {use.heading}{about} | {use.how} | {use.caller} | {use.before} "
            f"| {use.then} | `{seed_proofs.proof_of(use.heading, use.how)}` |"
        )


def _lists() -> Iterator[str]:
    for heading, lines in seed_proofs.LISTS.items():
        yield f"\n## {heading.lstrip('🎯✅ ')}\n\n| the seed says | a test that shows it |\n|---|---|"
        for line, test in lines.items():
            yield f"| {line} | `{test}` |"


def _steps() -> Iterator[str]:
    for heading, lines in seed_proofs.STEPS.items():
        yield f"\n## {heading}\n\n| the seed says | a test that shows it |\n|---|---|"
        for line, test in lines.items():
            yield f"| {line} | `{test}` |"


def _homes() -> Iterator[str]:
    yield "\n## Files created\n"
    yield "| the seed's file | here | a test of what it was for |\n|---|---|---|"
    for item in seed_blocks.listed_under("📝 Files Created"):
        path = item.split("`")[1]
        homes = ", ".join(f"`{home}`" for home in HOMES[path])
        yield f"| `{path}` | {homes} | `{seed_proofs.FILES[path]}` |"
    yield ""


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
