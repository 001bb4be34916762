"""Take one condition, trigger or handler out of a copy of the code at a time: a flow must fail.

    python -m tests.flows.mutants [WORD]

It prints what was taken out and the test that failed for it. WORD: only those with it in the name.
It takes some twenty minutes, so the suite does not run it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "build", "*.egg-info")
FLOWS = {"g": "test_governance_flow.py", "r": "test_rollback_flow.py", "d": "test_delivery_flow.py"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is taken out: ``there`` becomes ``instead``, once."""

    name: str
    flow: str  # the key of FLOWS that is to notice
    path: str
    there: str
    instead: str = ""


GATE = "governance/conditions.py"
REVIEWS = "governance/reviews.py"
TRIGGERS = "monitoring/triggers.py"
WIRING = "config/subscriptions.py"
EVENTS = "registry/ledger/events.py"
BEAT = "config/celery.py"
NEVER = "(lambda *_, **__: None)("
ELSE = '"config.tasks.note_beat"'  # what beat ticks instead
ROLES = "not (demands.distinct_roles and role_taken)"
LEFT = '    triggers = tuple(t for t in triggers if t.metric != "{}")\n'
WEIGHED = "    return Assessment("  # a window's triggers have just been judged

CONDITIONS = [
    Mutant(f"condition: {name}", "g", GATE, f"    {name},\n")
    for name in (
        "checks_passed",
        "signatures_given",
        "bias_not_failed",
        "artifact_held",
        "evidence_measured",
        "canary_healthy",
    )
]
PARTS_OF_CONDITIONS = [
    Mutant("check: passed", "g", GATE, 'elif settled.verdict != "pass":', "elif False:"),
    Mutant("check: not by own people", "g", GATE, "elif settled.own_person:", "elif False:"),
    Mutant("check: of this subject", "g", GATE, "elif settled.changes:", "elif False:"),
    Mutant("signature: not withdrawn", "g", GATE, "if self.withdrawn:", "if False:"),
    Mutant("signature: not of own people", "g", GATE, "if self.own_person:", "if False:"),
    Mutant("signature: of this subject", "g", GATE, "if self.changes:", "if False:"),
    Mutant("signature: not expired", "g", GATE, "self.expires_at <= now", "False"),
    Mutant("signature: distinct roles", "g", GATE, ROLES, "True"),
    Mutant("signature: the quorum", "g", GATE, "if len(signed) >= demands.quorum:", "if signed:"),
    Mutant("canary: ok, not only watched", "g", GATE, 'health.verdict != "ok"', "False"),
    Mutant("four eyes", "g", "governance/reviewers.py", "if sentence is not None:", "if False:"),
    Mutant("tier high: console", "g", REVIEWS, ".console_only and not console", ".name is None"),
]
TRIGGERS_AND_WHAT_FOLLOWS = [
    *(
        Mutant(f"trigger: {metric}", "r", TRIGGERS, WEIGHED, f"{LEFT.format(metric)}{WEIGHED}")
        for metric in ("error_rate", "latency_p95_ms", "ood_rate", "input_drift_score")
    ),
    Mutant("hand-back", "r", "monitoring/rollbacks.py", "restore=target)", "restore=None)"),
]
HANDLERS = [
    Mutant("handler: playbook", "d", WIRING, "joined(ANSWERED, ", "joined("),
    *(
        Mutant(f"handler: {name}", "d", WIRING, f'Subscriber("{path}", Kind.OUTSIDE),')
        for name, path in (
            ("log", "monitoring.notifications.log.announce"),
            ("mail", "monitoring.notifications.mail.announce"),
        )
    ),
    Mutant("handler: users'", "d", EVENTS, "in cursor.fetchall()", "in ()"),
]
STARTS = [
    Mutant("delivery after commit", "d", EVENTS, "transaction.on_commit(", NEVER),
    Mutant("check after commit", "d", "monitoring/scheduling.py", "transaction.on_commit(", NEVER),
    Mutant("beat: deliver", "d", BEAT, '"registry.tasks.deliver_owed"', ELSE),
    Mutant("beat: send", "d", BEAT, '"registry.tasks.send_owed"', ELSE),
    Mutant("beat: check", "d", BEAT, '"monitoring.tasks.evaluate_rollback_triggers"', ELSE),
]
MUTANTS = [
    *CONDITIONS,
    *PARTS_OF_CONDITIONS,
    *TRIGGERS_AND_WHAT_FOLLOWS,
    *HANDLERS,
    *STARTS,
]
NOTHING = [Mutant(f"nothing, in {name}", key, GATE, "", "") for key, name in FLOWS.items()]


def main(word: str) -> int:
    """Try every mutant on the code as it is now; how many no test noticed.

    Raises:
        SystemExit: A flow fails although nothing is taken out.
    """
    chosen = [mutant for mutant in MUTANTS if word in mutant.name]
    survivors = 0
    with tempfile.TemporaryDirectory(prefix="assay-mutants-") as place:
        shutil.copytree(ROOT, original := Path(place) / "original", ignore=LEFT_OUT)
        for mutant in NOTHING:
            if any(mutant.flow == other.flow for other in chosen) and try_out(mutant, original):
                raise SystemExit(f"{FLOWS[mutant.flow]} fails although nothing is taken out.")
        for mutant in chosen:
            noticed = try_out(mutant, original)
            survivors += noticed is None
            print(f"{mutant.name:35} {noticed or 'NOT NOTICED'}", flush=True)
    return survivors


def try_out(mutant: Mutant, original: Path) -> str | None:
    """Run the flow on a copy without the thing; the first test that failed.

    Raises:
        ValueError: The code has no such place, or more than one.
    """
    with tempfile.TemporaryDirectory(prefix="assay-mutant-") as place:
        shutil.copytree(original, copy := Path(place) / "copy")
        take_out(mutant, copy / mutant.path)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", f"tests/flows/{FLOWS[mutant.flow]}"],
            cwd=copy,
            capture_output=True,
            text=True,
            check=False,
        )
    failed = re.search(r"^(?:FAILED|ERROR) tests/flows/(\S+)", done.stdout, re.MULTILINE)
    return failed[1] if failed else None


def take_out(mutant: Mutant, path: Path) -> None:
    """Change the code at the one place."""
    code = path.read_text()
    if mutant.there and code.count(mutant.there) != 1:
        raise ValueError(f"{path.name} has {mutant.there!r} {code.count(mutant.there)} times")
    if mutant.there:
        path.write_text(code.replace(mutant.there, mutant.instead))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
