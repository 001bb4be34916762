"""Write the registry out as manifests: all of it, or what one event is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from registry.manifests import kinds, loading, writing
from registry.manifests.kinds import Body, Kind, Of
from registry.manifests.refusals import ManifestRefused
from registry.manifests.tree import SCHEMAS, Tree
from registry.models import ModelFamily, ModelVersion

BATCH = 200  # read and written in one go
TOLD_EACH = 5_000  # manifests
SURELY_READABLE = 8 * 1024  # bytes; too few to be nested or to hold more than a manifest may
Tell = Callable[[str], None]


def export(folder: Path, *, progress: Tell) -> Mapping[str, int]:
    """Write every manifest below ``folder``, and the schemas that editors check them by.

    Files that say the same already stay as they are. Files of what this registry does not have
    are left alone: use an empty folder, or one this registry was exported to before.

    Args:
        progress: Called now and then with how far it is, and with what cannot be written.

    Returns:
        How many were written, unchanged and left out.
    """
    tree, done = Tree(folder), Counter(written=0, unchanged=0, left_out=0)
    with tree.locked():
        tree.place_schemas()
    for of, keys in _everything():
        before = done.total()
        with tree.locked():
            done += write(tree, of, keys, complain=progress)
        if done.total() // TOLD_EACH > before // TOLD_EACH:
            progress(f"{done.total()} manifests")
    return done


def write(tree: Tree, of: Of, keys: Sequence[str], *, complain: Tell) -> Counter[str]:
    """Write the manifests about families or versions; the tree must be locked."""
    done: Counter[str] = Counter()
    for kind in kinds.about(of):
        for body in kind.current(keys).values():
            try:
                changed = tree.place(kind.file(body), _content(kind, body))
            except ManifestRefused as refusal:
                complain(f"left out: {refusal}")
                done["left_out"] += 1
            else:
                done["written" if changed else "unchanged"] += 1
    return done


def _everything() -> Iterator[tuple[Of, list[str]]]:
    """Families by name, then versions by model_id; by primary key, so no cursor is held open."""
    for of, model, column in (
        (Of.FAMILY, ModelFamily, "name"),
        (Of.VERSION, ModelVersion, "model_id"),
    ):
        last = 0
        rows = model._default_manager.order_by("pk").values_list("pk", column)
        while page := list(rows.filter(pk__gt=last)[:BATCH]):
            last = page[-1][0]
            yield of, [key for _, key in page]


def _content(kind: Kind, body: Body) -> bytes:
    """The file, as an import takes it.

    Raises:
        ManifestRefused: No import would: it is too large, or nested too deeply.
    """
    name = kind.file(body)
    schema = f"{'../' * name.count('/')}{SCHEMAS}/{kind.name}.json"
    text = f"# yaml-language-server: $schema={schema}\n{writing.dump(kind.document(body))}"
    content = text.encode()
    if len(content) > SURELY_READABLE:
        loading.load(content, file=name)
    return content
