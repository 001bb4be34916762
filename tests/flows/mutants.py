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
TRIGGERS = "monitoring/triggers.py"
WIRING = "config/subscriptions.py"
MUTANTS = (
    Mutant("condition: checks passed", "g", GATE, "    checks_passed,\n"),
    Mutant("condition: signatures given", "g", GATE, "    signatures_given,\n"),
    Mutant("condition: bias not failed", "g", GATE, "    bias_not_failed,\n"),
    Mutant("condition: artifact held", "g", GATE, "    artifact_held,\n"),
    Mutant("condition: evidence measured", "g", GATE, "    evidence_measured,\n"),
    Mutant("condition: canary healthy", "g", GATE, "    canary_healthy,\n"),
    Mutant("check: passed", "g", GATE, 'elif settled.verdict != "pass":', "elif False:"),
    Mutant("check: not by own people", "g", GATE, "elif settled.own_person:", "elif False:"),
    Mutant("check: of this subject", "g", GATE, "elif settled.changes:", "elif False:"),
    Mutant("signature: not withdrawn", "g", GATE, "if self.withdrawn:", "if False:"),
    Mutant("signature: not of own people", "g", GATE, "if self.own_person:", "if False:"),
    Mutant("signature: of this subject", "g", GATE, "if self.changes:", "if False:"),
    Mutant("signature: not expired", "g", GATE, "self.expires_at <= now", "False"),
    Mutant("signature: distinct roles", "g", GATE, "not (demands.distinct_roles and role_taken)", "True"),
    Mutant("signature: the quorum", "g", GATE, "if len(signed) >= demands.quorum:", "if signed:"),
    Mutant("canary: ok, not only watched", "g", GATE, 'health.verdict != "ok"', "False"),
    Mutant("review: four eyes", "g", "governance/reviewers.py", "    if sentence is not None:", "    if False:"),
    Mutant("review: console only at tier high", "g", "governance/reviews.py", ".console_only and not console", ".console_only and False"),
    Mutant(
        *("trigger: error rate", "r", TRIGGERS),
        "        _judge(Metric.ERROR_RATE, window.error_rate, limits.max_error_rate, limits.min_requests),\n",
    ),
    Mutant("trigger: latency", "r", TRIGGERS, "        _judge_latency(window, limits),\n"),
    Mutant(
        *("trigger: ood rate", "r", TRIGGERS),
        "        _judge(Metric.OOD_RATE, window.ood_rate, limits.max_ood_rate, limits.min_requests),\n",
    ),
    Mutant(
        *("trigger: input drift", "r", TRIGGERS),
        "        _judge(\n            Metric.INPUT_DRIFT,\n            window.input_drift,\n            limits.max_input_drift,\n            limits.min_requests_drift,\n        ),\n",
    ),
    Mutant("hand-back to the predecessor", "r", "monitoring/rollbacks.py", "restore=target)", "restore=None)"),
    Mutant("handler: rollback playbook", "d", WIRING, 'Subscriber("monitoring.playbooks.model_rollback"),'),
    Mutant("handler: log", "d", WIRING, '        Subscriber("monitoring.notifications.log.announce", Kind.OUTSIDE),\n'),
    Mutant("handler: mail", "d", WIRING, '        Subscriber("monitoring.notifications.mail.announce", Kind.OUTSIDE),\n'),
    Mutant("handler: users'", "d", "registry/ledger/events.py", '        yield f"{PULLED}{name}"', "        yield from ()"),
    Mutant("delivery: after commit", "d", "registry/ledger/events.py", "transaction.on_commit(", "(lambda *_, **__: None)("),
    Mutant("check: after commit", "d", "monitoring/scheduling.py", "transaction.on_commit(", "(lambda *_, **__: None)("),
    Mutant("beat: deliver", "d", "config/celery.py", '    "deliver what is owed": {"task": "registry.tasks.deliver_owed", "schedule": 5.0},\n'),
    Mutant("beat: send", "d", "config/celery.py", '    "send what is owed": {"task": "registry.tasks.send_owed", "schedule": 5.0},\n'),
    Mutant(
        *("beat: check", "d", "config/celery.py", '"monitoring.tasks.evaluate_rollback_triggers"'),
        '"config.tasks.note_beat"',
    ),
)  # fmt: skip


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
