"""What people and jobs do with the running product, over HTTP with tokens of their own."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar

import psycopg
from psycopg.rows import dict_row

from demo.browser import Browser
from tests.flows import files
from tests.running import ROLES, ROOT, Running

Found = TypeVar("Found")

JOB = "sam"  # serves every model, with a token for each
SHOWN = re.compile(r'<code id="token">(\w+\S*)</code>')
FAMILY = "select family_id from registry_modelversion where model_id = %s"
PASSED = {"constitutional_compliance": True, "bias_check_passed": True}
HEALTHY = {"error_rate": 0.01, "ood_rate": 0.05, "input_drift_score": 0.1, "latency_p95_ms": 40.0}
SOON = 20.0  # seconds; most things take a hundredth of it
_numbers = itertools.count(1)


@dataclass(frozen=True)
class People:
    """The people of one running product."""

    running: Running
    passwords: dict[str, str] = field(default_factory=dict)  # of those who use the console
    jobs: dict[int, str] = field(default_factory=dict)  # tokens of serving jobs by family

    def ask(
        self,
        who: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        expect: int = 200,
        token: str | None = None,
    ) -> Any:
        """One call by somebody of ROLES, with a job's token, or of nobody in particular; its answer.

        Raises:
            AssertionError: The status is not ``expect``.
        """
        if who and token is None:
            token = self.running.token(who, ROLES[who])
        status, answer = self.running.call(method, path, body, token=token)
        assert status == expect, f"{who} {method} {path}: {status} {answer}"
        return answer

    def upload(self, path: str, content: bytes) -> Any:
        """Put the bytes of a file, as the trainer; the answer."""
        token = self.running.token("tom", ROLES["tom"])
        request = urllib.request.Request(
            f"{self.running.url}/api/model-registry/{path}",
            method="PUT",
            data=content,
            headers={
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/octet-stream",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def register(self, family: str = "", **fields: Any) -> str:
        """A new version in a family of its own, unless one is given; its model_id."""
        number = next(_numbers)
        name = family or f"Model {uuid.uuid4().hex[:8]}"
        entry = {
            "model_id": f"{name.replace(' ', '_').lower()}_v{number}",
            "name": name,
            "version": f"{number}.0.0",
            "framework": "pytorch",
            "model_type": "classification",
            "owner": "ml_team",
            "team": "fraud_prevention",
            "expected_latency_p95_ms": 100.0,
        }
        found: str = self.ask("tom", "POST", "models", entry | fields, expect=201)["model_id"]
        return found

    def move(self, model_id: str, to: str, *, expect: int = 200, **more: Any) -> Any:
        """Ask for a stage, as the trainer."""
        body = {"status": to, **more}
        return self.ask("tom", "PATCH", f"models/{model_id}/deployment", body, expect=expect)

    def blockers(self, model_id: str, to: str, **more: Any) -> list[str]:
        """What the gate says when it refuses the move."""
        refusal = self.move(model_id, to, expect=409, **more)
        found: list[str] = refusal["blockers"]
        return found

    def review(self, model_id: str, *, by: str = "rita", **flags: bool) -> Any:
        """Settle both checks as passed, or the flags given."""
        body = {"metadata": flags or PASSED}
        return self.ask(by, "PATCH", f"models/{model_id}", body)

    def review_in_console(self, model_id: str, *, by: str, scope: str) -> None:
        """Tick both checks and sign for a stage on the review page, with a password."""
        browser = self._browser(by)
        page = browser.get(f"/admin/governance/review/{model_id}/")
        form = page.form("constitutional_compliance", "bias", "scope", "password")
        given = {
            "constitutional_compliance": "pass",
            "bias": "pass",
            "note": "I have read the evidence.",
            "scope": scope,
            "password": self.passwords[by],
        }
        said = browser.submit(page, form, given).messages
        assert any(word.startswith(f"You approved {model_id} for {scope}") for word in said), said

    def password(self, who: str) -> str:
        """The password somebody signs in and signs with."""
        if who not in self.passwords:
            self.running.token(who, ROLES[who])
            self.passwords[who] = self.running.manage("password", who).split()[-1]
        return self.passwords[who]

    @cached_property
    def _administrator(self) -> Browser:
        """A browser in which the first administrator has signed in, as the terminal told them."""
        said = self.running.said.read_text(errors="replace")
        self.passwords["admin"] = said.partition("user admin, password ")[2].split()[0]
        return self._browser("admin")

    def _browser(self, who: str) -> Browser:
        """A browser in which somebody has signed in to the console."""
        browser = Browser(self.running.url)
        browser.sign_in(who, self.password(who))
        return browser

    def evaluate(self, model_id: str, *, fair: bool) -> dict[str, Any]:
        """Upload the model, have it measured as evidence on data, and wait; how that ended."""
        name = "fair" if fair else "unfair"
        self.upload(f"models/{model_id}/artifact", files.model())
        self.upload(f"datasets/{name}", files.data(fair=fair))
        asked = {
            "dataset": name,
            "protected_attributes": ["CLAN"],
            "favourable_label": "yes",
            "gate": True,
        }
        path = f"models/{model_id}/evaluations"
        begun = self.ask("tom", "POST", path, asked, expect=202)
        path = f"{path}/{begun['evaluation_id']}"

        def ended() -> dict[str, Any] | None:
            found: dict[str, Any] = self.ask("tom", "GET", path)
            return found if found["state"] not in ("queued", "running") else None

        return eventually(ended, seconds=60)

    def report(self, model_id: str, **figures: Any) -> Any:
        """One snapshot of a thousand requests up to now; healthy unless figures say otherwise."""
        snapshot = HEALTHY | {"timestamp": now(), "num_requests": 1000} | figures
        path, token = f"models/{model_id}/performance", self.serving_token(model_id)
        return self.ask(JOB, "POST", path, snapshot, expect=201, token=token)

    def serving_token(self, model_id: str) -> str:
        """The token of the job that serves a version's model, as the administrator issues it."""
        family: int = self.rows(FAMILY, model_id)[0]["family_id"]
        if family not in self.jobs:
            page = self._administrator.get("/admin/registry/apitoken/add/")
            form = page.form("username", "role", "family")
            given = {"username": JOB, "role": "serving", "family": str(family)}
            shown = SHOWN.search(self._administrator.submit(page, form, given).text)
            assert shown
            self.jobs[family] = shown[1]
        return self.jobs[family]

    def in_canary(self, family: str = "", *, share: float = 10.0, **fields: Any) -> str:
        """A reviewed version in canary; its model_id."""
        model_id = self.register(family, **fields)
        self.move(model_id, "sandbox")
        self.review(model_id)
        self.move(model_id, "canary", canary_percentage=share)
        return model_id

    def in_production(self, family: str = "", **fields: Any) -> str:
        """A version that went all the way; its model_id."""
        model_id = self.in_canary(family, **fields)
        self.report(model_id)
        self.move(model_id, "production")
        return model_id

    def entry(self, model_id: str) -> Any:
        """What the registry says of a version now."""
        return self.ask("tom", "GET", f"models/{model_id}")

    def stage(self, model_id: str) -> str:
        """Where a version is now."""
        found: str = self.entry(model_id)["deploy_status"]
        return found

    def incidents(self, model_id: str) -> list[dict[str, Any]]:
        """A version's incidents, newest first."""
        answer = self.ask("tom", "GET", f"incidents?model_id={model_id}")
        found: list[dict[str, Any]] = answer["incidents"]
        return found

    def rolled_back(self, model_id: str) -> dict[str, Any]:
        """Wait until a version is rolled back by itself; why it was."""
        return eventually(lambda: self.entry(model_id)["rollback"])

    def run(self, *arguments: str, **environment: str) -> str:
        """Run Python in process, as a job on the product's own machine would; what it printed."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.running.environment
            | {"DJANGO_SETTINGS_MODULE": "config.settings"}
            | environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=60,
        )
        return done.stdout

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Rows of the product's own database, as its application's role sees them."""
        with self.database() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            return cursor.execute(query, values or None).fetchall()

    def execute(self, statement: str, *values: Any, role: str = "assay_app") -> None:
        """Change rows of the product's own database, past the product."""
        with self.database(role) as connection:
            connection.execute(statement, values or None)

    def database(self, role: str = "assay_app") -> psycopg.Connection:
        """A connection to the product's own database."""
        return psycopg.connect(self.running.database_url(role))


def now() -> str:
    """The time as snapshots give it."""
    return datetime.now(UTC).isoformat()


def eventually(look: Callable[[], Found | None], *, seconds: float = SOON) -> Found:
    """What ``look`` finds, as soon as it finds something.

    Raises:
        AssertionError: It found nothing for ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while True:
        if found := look():
            return found
        assert time.monotonic() < deadline, f"nothing after {seconds:g} s"
        time.sleep(0.05)
