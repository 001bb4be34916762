"""What a data set says it holds, checked by its header alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitoring.evaluations.headers import Header, Tensor
from monitoring.evaluations.refusals import DataSetInvalid

DESCRIPTION = "assay.dataset"
GROUP = "group."


@dataclass(frozen=True, slots=True)
class DataSetSchema:
    """The columns of a data set and what its codes mean."""

    rows: int
    features: tuple[str, ...]
    classes: tuple[str, ...]  # label i is classes[i]
    groups: Mapping[str, Mapping[int, str]]  # attribute → code → what it means
    categorical: tuple[str, ...] = ()  # features whose values are codes, not amounts
    window_rows: int | None = None  # rows of a drift window, if the rows are in order of time


def read(header: Header) -> DataSetSchema:
    """Check a data set.

    Raises:
        DataSetInvalid: A field is missing or not as it must be; the message names it.
    """
    described = header.described(DESCRIPTION)
    if not isinstance(described, dict):
        raise DataSetInvalid(
            f"metadata {DESCRIPTION}",
            'is missing; it must be a JSON object such as {"features": ["age"], "classes": '
            '["no", "yes"], "groups": {"SEX": {"1": "male", "2": "female"}}}',
        )
    features = _names(described, "features", at_least=1)
    rows = _rows(header.tensors, columns=len(features))
    categorical = _names(described, "categorical", at_least=0)
    if unknown := set(categorical) - set(features):
        raise DataSetInvalid("categorical", f"names {min(unknown)!r}, which is no feature")
    return DataSetSchema(
        rows=rows,
        features=features,
        classes=_names(described, "classes", at_least=2),
        groups=_groups(header.tensors, described.get("groups", {}), rows),
        categorical=categorical,
        window_rows=_window(described.get("window_rows")),
    )


def _names(described: Mapping[str, Any], field: str, *, at_least: int) -> tuple[str, ...]:
    names = described.get(field, [])
    if not isinstance(names, list) or not all(_is_name(n) for n in names):
        raise DataSetInvalid(field, "must be a list of names, in printable characters")
    if len(set(names)) < max(at_least, len(names)):
        raise DataSetInvalid(field, f"must be {at_least} or more names, none of them twice")
    return tuple(names)


def _rows(tensors: Mapping[str, Tensor], *, columns: int) -> int:
    features = tensors.get("features")
    rows = features.shape[0] if features and len(features.shape) == 2 else 0
    if features != Tensor("F32", (rows, columns)) or not rows:
        wanted = f"F32 [rows, {columns}] with one column for each name"
        raise DataSetInvalid("features", f"must be {wanted}, and is {features or 'missing'}")
    _check(tensors, "labels", rows)
    return rows


def _groups(
    tensors: Mapping[str, Tensor], described: Any, rows: int
) -> Mapping[str, Mapping[int, str]]:
    if not isinstance(described, dict):
        raise DataSetInvalid("groups", "must map each attribute to what its codes mean")
    stored = {name.removeprefix(GROUP) for name in tensors if name.startswith(GROUP)}
    if unknown := tensors.keys() - {"features", "labels"} - {f"{GROUP}{name}" for name in stored}:
        raise DataSetInvalid(min(unknown), "is no field of a data set; groups are group.<name>")
    for attribute in stored | described.keys():
        _check(tensors, f"{GROUP}{attribute}", rows)
    return {name: _meanings(name, described.get(name, {})) for name in sorted(stored)}


def _meanings(attribute: str, described: Any) -> dict[int, str]:
    if not isinstance(described, dict):
        raise DataSetInvalid(f"groups.{attribute}", "must map codes to what they mean")
    if not _is_name(attribute) or not all(_is_name(meaning) for meaning in described.values()):
        raise DataSetInvalid(f"groups.{attribute}", "must say in text what each code means")
    try:
        return {int(code): meaning for code, meaning in described.items()}
    except ValueError as error:
        raise DataSetInvalid(f"groups.{attribute}", "has a code that is no integer") from error


def _is_name(value: Any) -> bool:
    """Text that every database and page can hold."""
    return isinstance(value, str) and value != "" and value.isprintable()


def _check(tensors: Mapping[str, Tensor], field: str, rows: int) -> None:
    wanted, found = Tensor("I64", (rows,)), tensors.get(field)
    if found != wanted:
        raise DataSetInvalid(field, f"must be {wanted}, and is {found or 'missing'}")


def _window(described: Any) -> int | None:
    if described is None:
        return None
    if isinstance(described, bool) or not isinstance(described, int) or described < 1:
        raise DataSetInvalid("window_rows", "must be a whole number of rows")
    return described
