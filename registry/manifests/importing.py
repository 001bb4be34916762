"""Apply a tree of manifests: all of it or nothing, by the verbs that everybody calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from registry.errors import InvalidInput, PromotionBlocked, RegistryError, TransitionRefused
from registry.manifests import reading
from registry.manifests.kinds import Body
from registry.manifests.reading import Manifest
from registry.manifests.refusals import Fault, ManifestRefused
from registry.models import ModelFamily

BATCH = 200  # manifests compared with the registry in one go
TOLD_AT_MOST = 20  # refusals named before an import gives up
Tell = Callable[[str], None]


def apply(
    folder: Path, *, user: User, tell: Tell, progress: Tell, dry_run: bool = False
) -> Mapping[str, int]:
    """Bring the registry to what the manifests below ``folder`` declare; in ``user``'s name.

    What is not declared stays as it is. A dry run does the very same and takes it back.

    Args:
        tell: Called with a line for each thing that is made or changed.
        progress: Called now and then with how far it is.

    Returns:
        How many were registered, changed and unchanged.

    Raises:
        ManifestRefused: Something cannot be; nothing was changed.
    """
    _check(folder, progress)
    run = _Import(user, tell, progress, newest=_newest_family())
    with transaction.atomic():
        run.all(reading.files(folder))
        transaction.set_rollback(dry_run)
    return run.done


def _check(folder: Path, progress: Tell) -> None:
    """Read everything once before anything is locked."""
    faults: list[Fault] = []
    for count, path in enumerate(reading.files(folder), 1):
        try:
            reading.read(path)
        except ManifestRefused as refusal:
            faults += refusal.faults
        if len(faults) >= TOLD_AT_MOST:
            break
        if count % 5_000 == 0:
            progress(f"{count} manifests checked")
    if faults:
        raise ManifestRefused(faults[:TOLD_AT_MOST])


def _newest_family() -> int:
    found: int | None = ModelFamily.objects.aggregate(newest=Max("pk"))["newest"]
    return found or 0


@dataclass
class _Import:
    """One import under way."""

    user: User
    tell: Tell
    progress: Tell
    newest: int  # primary key of the newest registered model there was before
    done: Counter[str] = field(
        default_factory=lambda: Counter(registered=0, changed=0, unchanged=0)
    )
    waiting: list[Path] = field(default_factory=list)

    def all(self, paths: Iterable[Path]) -> None:
        """Apply them; whatever touches a registered model that was there before comes last.

        Its lock is held until the commit, and a rollback needs it.
        """
        for batch in _batches(map(reading.read, paths)):
            self._batch(batch, held=self._held(batch))
        for batch in _batches(map(reading.read, self.waiting)):
            self._batch(batch, held=frozenset())

    def _held(self, batch: list[Manifest]) -> frozenset[str]:
        names = {manifest.values["name"] for manifest in batch}
        rows = ModelFamily.objects.filter(name__in=names, pk__lte=self.newest)
        return frozenset(rows.values_list("name", flat=True))

    def _batch(self, batch: list[Manifest], *, held: frozenset[str]) -> None:
        current = batch[0].kind.current([manifest.key for manifest in batch])
        new: list[Manifest] = []
        for manifest in batch:
            body = current.get(manifest.key)
            changed = _differing(manifest, body) if body else frozenset()
            if body is not None and not changed:
                self._count("unchanged")
            elif manifest.values["name"] in held:
                self.waiting.append(manifest.path)
            elif body is None:
                new.append(manifest)
            else:
                self._change(manifest, changed)
        if new:
            self._create(new)

    def _create(self, new: list[Manifest]) -> None:
        """Make them at once; where that is refused, one by one, to find out which it is."""
        kind = new[0].kind
        try:
            with transaction.atomic():
                kind.create([manifest.values for manifest in new], self.user)
        except (RegistryError, ValidationError) as refusal:
            if len(new) == 1:
                raise ManifestRefused(_faults(new[0], refusal)) from refusal
            for manifest in new:
                self._create([manifest])
            return
        for manifest in new:
            self._count("registered")
            self.tell(f"register {kind.name} {manifest.key}")

    def _change(self, manifest: Manifest, changed: frozenset[str]) -> None:
        try:
            manifest.kind.change(manifest.values, changed, self.user)
        except (RegistryError, ValidationError) as refusal:
            raise ManifestRefused(_faults(manifest, refusal)) from refusal
        self._count("changed")
        self.tell(f"change {manifest.kind.name} {manifest.key}: {', '.join(sorted(changed))}")

    def _count(self, outcome: str) -> None:
        self.done[outcome] += 1
        if self.done.total() % 5_000 == 0:
            self.progress(f"{self.done.total()} manifests applied")


def _batches(manifests: Iterator[Manifest]) -> Iterator[list[Manifest]]:
    """Up to BATCH manifests of one kind that follow each other."""
    for _, alike in groupby(manifests, key=lambda manifest: manifest.kind.name):
        while batch := list(islice(alike, BATCH)):
            yield batch


def _differing(manifest: Manifest, body: Body) -> frozenset[str]:
    """The fields that are declared otherwise than they are.

    Raises:
        ManifestRefused: One of them never changes.
    """
    kind = manifest.kind
    changed = frozenset(
        name for name, value in manifest.values.items() if not kind.agrees(name, value, body)
    )
    fixed = [name for name in sorted(changed) if name in kind.fixed]
    if fixed:
        raise ManifestRefused([manifest.fault(name, kind.fixed[name]) for name in fixed])
    return changed


def _faults(manifest: Manifest, refusal: RegistryError | ValidationError) -> list[Fault]:
    if isinstance(refusal, InvalidInput):
        return reading.faults(manifest.loaded, manifest.kind, refusal.errors)
    if isinstance(refusal, ValidationError):
        return [manifest.fault(name, " ".join(said)) for name, said in refusal.message_dict.items()]
    moved = isinstance(refusal, PromotionBlocked | TransitionRefused)
    return [manifest.fault("stage" if moved else manifest.kind.metadata[0], str(refusal))]
