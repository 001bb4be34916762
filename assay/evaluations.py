"""Evidence: data sets, evaluation jobs and the reference profile they leave."""

from __future__ import annotations

import time
from collections.abc import Sequence

from assay import files, wire
from assay.answers import Dataset, Evaluation
from assay.awaiting import Document
from assay.errors import EvaluationFailed, TimedOut
from assay.files import PathOrFile
from assay.session import Session, path
from assay.transport import Request


class Evaluations:
    """The part of the registry that measures models on held-out data."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def upload_dataset(self, name: str, source: PathOrFile) -> Dataset:
        """Stream a safetensors data set, its sha256 ahead of it."""
        with files.opened(source) as file:
            request = Request("PUT", path("datasets", name), files.sent_headers(file), file)
            return wire.read(Dataset, wire.loads(self.session.send(request).body))

    def request_evaluation(
        self,
        model_id: str,
        *,
        dataset: str,
        protected_attributes: Sequence[str] = (),
        favourable_label: str | None = None,
        gate: bool = False,
        reference_dataset: str | None = None,
    ) -> Evaluation:
        """Ask for a model to be measured on a data set; gives the job, queued.

        Args:
            favourable_label: The class people want to be in; needed with ``protected_attributes``.
            gate: Whether its result is the evidence that reviewers sign.
            reference_dataset: What the reference profile is made of.
        """
        asked = {
            "dataset": dataset,
            "protected_attributes": list(protected_attributes),
            "favourable_label": favourable_label,
            "gate": gate,
            "reference_dataset": reference_dataset,
        }
        answer = self.session.write(
            "POST",
            "models",
            model_id,
            "evaluations",
            document={name: value for name, value in asked.items() if value is not None},
        )
        return wire.read(Evaluation, answer)

    def evaluation(self, model_id: str, evaluation_id: int | str) -> Evaluation:
        """How far an evaluation is and, once done, its results."""
        found = self.session.get("models", model_id, "evaluations", str(evaluation_id))
        return wire.read(Evaluation, found)

    def wait_for_evaluation(
        self,
        model_id: str,
        evaluation_id: int | str,
        *,
        timeout: float = 3600,
        poll_seconds: float = 1,
    ) -> Evaluation:
        """Block until an evaluation is done, asking every ``poll_seconds``.

        Raises:
            EvaluationFailed: It failed or was cancelled; the message has its reason.
            TimedOut: It is still going after ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        while not (found := self.evaluation(model_id, evaluation_id)).ended:
            if time.monotonic() + poll_seconds > deadline:
                raise TimedOut(f"Evaluation {evaluation_id} is {found.state} after {timeout} s.")
            time.sleep(poll_seconds)
        if found.state != "done":
            raise EvaluationFailed(f"Evaluation {evaluation_id} {found.state}: {found.error}")
        return found

    def profile(self, model_id: str) -> Document:
        """The frozen reference profile of the latest evaluation that is done."""
        return Document(self.session.get("models", model_id, "profile"))
