"""What training jobs say: models, their artifacts, and what happened to them."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path

from assay import files, wire
from assay.answers import Alias, Artifact, Download, Stats
from assay.awaiting import Listing
from assay.entries import DeploymentStage, ModelRegistryEntry
from assay.events import Event
from assay.files import PathOrFile
from assay.session import ACCEPTED, Session, path
from assay.transport import Request


class Records:
    """The part of the registry that records what exists."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def register_model(self, entry: ModelRegistryEntry) -> ModelRegistryEntry:
        """Record a new model version, in development; gives the entry as recorded.

        Raises:
            Conflict: The ``model_id``, or the version in its family, is taken.
            InvalidInput: A field is not acceptable, or only the registry may set it.
        """
        answer = self.session.write(
            "POST",
            "models",
            document=wire.declared(entry),
            headers={"Idempotency-Key": str(uuid.uuid4())},
            repeatable=True,
        )
        return wire.read(ModelRegistryEntry, answer)

    def get_model(self, model_id: str) -> ModelRegistryEntry:
        """The entry of one model version; NotFound if there is none.

        Args:
            model_id: Or ``family@alias``, such as ``"Fraud Detector@champion"``: the version that
                the alias means now. No ``model_id`` has an ``@``.
        """
        family, at, alias = model_id.rpartition("@")
        wanted = self.get_alias(family, alias).model_id if at else model_id
        return wire.read(ModelRegistryEntry, self.session.get("models", wanted))

    def get_alias(self, family: str, alias: str) -> Alias:
        """Which version ``alias`` means now; NotFound if it means none."""
        return wire.read(Alias, self.session.get("families", family, "aliases", alias))

    def set_alias(self, family: str, alias: str, model_id: str) -> Alias:
        """Let ``alias`` mean this version from now on. Aliases move no traffic: stages do.

        Raises:
            InvalidInput: The alias reads like a version, or the version is another family's.
        """
        asked = {"model_id": model_id}
        answer = self.session.write("PUT", "families", family, "aliases", alias, document=asked)
        return wire.read(Alias, answer)

    def remove_alias(self, family: str, alias: str) -> None:
        """Let ``alias`` mean nothing any more; NotFound if it meant nothing."""
        self.session.send(Request("DELETE", path("families", family, "aliases", alias), ACCEPTED))

    def list_models(
        self,
        *,
        deploy_status: DeploymentStage | str | None = None,
        framework: str | None = None,
        team: str | None = None,
        owner: str | None = None,
        tags: Iterable[str] | str | None = None,
        q: str | None = None,
    ) -> Listing[ModelRegistryEntry]:
        """Every entry that fits all that is asked, as a whole list, however many pages it takes.

        Args:
            tags: Tag names, all of which a model must have; a str may hold several, with commas.
            q: Beginnings of words in names and descriptions.
        """
        found = self.session.pages(
            "models",
            key="models",
            stage=deploy_status,
            framework=framework,
            team=team,
            owner=owner,
            tags=tags if tags is None or isinstance(tags, str) else ",".join(tags),
            q=q,
        )
        return Listing(wire.read(ModelRegistryEntry, entry) for entry in found)

    def update_model(
        self, model_id: str, metadata: Mapping[str, object] | None = None, **fields: object
    ) -> ModelRegistryEntry:
        """Change what may change: description, tags, expected_latency_p95_ms, owner, metadata.

        The metadata keys ``constitutional_compliance`` and ``bias_check_passed`` settle that check
        in the caller's name; other keys are stored as given.

        Raises:
            PermissionRefused: A check is settled and the caller may not review this model.
            InvalidInput: A field is not one of these.
        """
        asked = fields if metadata is None else {"metadata": metadata, **fields}
        answer = self.session.write("PATCH", "models", model_id, document=asked)
        return wire.read(ModelRegistryEntry, answer)

    def upload_artifact(self, model_id: str, source: PathOrFile) -> Artifact:
        """Stream the model's bytes, their sha256 ahead of them, so that none are stored altered."""
        with files.opened(source) as file:
            where = path("models", model_id, "artifact")
            request = Request("PUT", where, files.sent_headers(file), file)
            return wire.read(Artifact, wire.loads(self.session.send(request).body))

    def download_artifact(self, model_id: str, target: str | os.PathLike[str]) -> Download:
        """Write the model's bytes to ``target``, which appears whole or not at all.

        Raises:
            DigestMismatch: They are not the bytes that were recorded.
        """
        with files.appearing(Path(target)) as file:
            request = Request("GET", path("models", model_id, "artifact"))
            sha256 = self.session.send(request, into=file).headers["etag"].strip('"')
            files.check(file, sha256)
        return Download(Path(target), sha256)

    def history(self, model_id: str) -> Listing[Event]:
        """Everything recorded of a model version, newest first."""
        found = self.session.pages("models", model_id, "history", key="events")
        return Listing(wire.read(Event, event) for event in found)

    def stats(self) -> Stats:
        """How many model versions there are, by stage, framework and team."""
        return wire.read(Stats, self.session.get("stats"))
