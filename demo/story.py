"""What every chapter needs: who acts, where it is printed, and how a version goes its way."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assay import (
    DeploymentStage,
    Evaluation,
    EvaluationFailed,
    ModelRegistryEntry,
    Registry,
)
from demo import remote
from demo.console import Console
from demo.people import Cast, Person
from demo.remote import Serving
from demo.training import Trained

EXPECTED_P95_MS = 5.0  # what the trainers promise of one answer; measured ones are far below
CANARY_PERCENTAGE = 10.0
ASK_EVERY = 0.3  # seconds
EVALUATION_WITHIN = 120.0
PROVEN_WITHIN = 120.0


class NotAsTold(Exception):
    """A step did not go as the story says; the message is the sentence."""


@dataclass(frozen=True)
class Family:
    """A registered model of the story."""

    name: str
    prefix: str  # of its versions' model_id
    team: str
    trainer: Person
    risk_tier: str


@dataclass(frozen=True)
class Story:
    """One telling."""

    console: Console
    cast: Cast
    home: Path
    seed: int

    def page(self, path: str, about: str = "") -> None:
        """Name a page to look at."""
        self.console.page(f"{self.cast.installation.url}{path}", about)

    def model_page(self, model_id: str, about: str = "") -> None:
        """Name the page of a model version."""
        self.page(f"/models/{model_id}/", about)

    def expect(self, holds: bool, told: str, otherwise: str) -> None:
        """Print ``told`` where it holds.

        Raises:
            NotAsTold: It does not; the message is ``otherwise``.
        """
        if not holds:
            raise NotAsTold(otherwise)
        self.console.as_told(told)

    def registry(self, person: Person) -> Registry:
        """The registry as ``person`` may use it."""
        return self.cast.registry(person)

    def serving(self, family: Family, *arguments: str) -> AbstractContextManager[Serving]:
        """A serving process for a family; ``arguments`` are the stream and its options."""
        stream, *options = arguments
        place = self.home / "serving" / family.prefix
        return remote.serving(
            [stream, family.name, "--home", str(place), *options],
            environment=self.cast.gateway(family.name),
            log=self.home / "log" / f"serving-{family.prefix}.log",
        )


def next_number(registry: Registry, family: Family) -> int:
    """The number of the family's next version: a second telling goes on where the first ended."""
    known = registry.list_models(team=family.team)
    numbers = [entry.number or 0 for entry in known if entry.name == family.name]
    return max(numbers, default=0) + 1


def register(story: Story, family: Family, number: int, trained: Trained, description: str) -> str:
    """Register a trained model with its artifact, and ask for a review; gives its model_id."""
    registry = story.registry(family.trainer)
    model_id = f"{family.prefix}_v{number}"
    registry.register_model(
        ModelRegistryEntry(
            model_id=model_id,
            name=family.name,
            version=f"{number}.0.0",
            framework="pytorch",
            model_type="classification",
            owner=family.trainer.username,
            team=family.team,
            risk_tier=family.risk_tier,
            description=description,
            training_data_hash=trained.data_hash,
            training_dataset_size=trained.rows,
            training_timestamp=datetime.now(UTC),
            evaluation_metrics=trained.metrics,
            expected_latency_p95_ms=EXPECTED_P95_MS,
            tags={"demo": "", "seed": str(story.seed)},
        )
    )
    registry.upload_artifact(model_id, io.BytesIO(trained.network.artifact()))
    registry.update_deployment_status(model_id, DeploymentStage.SANDBOX)
    return model_id


def evaluate(
    story: Story,
    family: Family,
    model_id: str,
    *,
    dataset: str,
    reference: str | None = None,
    protected: Sequence[str] = (),
    favourable: str | None = None,
) -> Evaluation:
    """Have Assay measure a version on a data set, as evidence for the gate.

    Raises:
        NotAsTold: The evaluation failed; the message is its reason.
    """
    registry = story.registry(family.trainer)
    asked = registry.request_evaluation(
        model_id,
        dataset=dataset,
        reference_dataset=reference,
        protected_attributes=protected,
        favourable_label=favourable,
        gate=True,
    )
    try:
        return registry.wait_for_evaluation(
            model_id, asked.evaluation_id, timeout=EVALUATION_WITHIN, poll_seconds=ASK_EVERY
        )
    except EvaluationFailed as failure:
        raise NotAsTold(f"{model_id} could not be measured: {failure}") from failure


def upload(story: Story, family: Family, name: str, content: bytes) -> str:
    """Keep a data set under ``name``; gives the name."""
    story.registry(family.trainer).upload_dataset(name, io.BytesIO(content))
    return name


def await_proof(story: Story, registry: Registry, model_id: str) -> int:
    """Wait until the canary's verdict is ok; gives the requests it rests on.

    Raises:
        NotAsTold: It does not become ok.
    """
    deadline = time.monotonic() + PROVEN_WITHIN
    while True:
        check = registry.check_rollback_triggers(model_id)
        requests = max((int(trigger["requests"]) for trigger in check.triggers), default=0)
        story.console.live(f"{model_id}: {check.verdict} on {requests:,} requests")
        if check.verdict == "ok":
            return requests
        if time.monotonic() > deadline or check.verdict == "rollback":
            said = "; ".join(check[1]) or "no reason given"
            raise NotAsTold(f"The canary {model_id} is {check.verdict}, not ok: {said}")
        time.sleep(ASK_EVERY)
