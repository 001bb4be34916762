"""Every model and version has a file of its own, whatever the file system."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.manifests import naming
from tests.manifests import strategies


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("fraud_detector", "models/fraud_detector"),
        ("Fraud Detector", "models/fraud-detector~cbe008eaad9254a1"),
        ("con", "models/con~1143da2bc54c495c"),
        ("..", "models/~"),
        ("模型", "models/~"),
        ("É" * 256, f"models/{'e' * 40}~"),
    ],
)
def test_safe_names_are_kept_and_others_stay_readable(name: str, folder: str) -> None:
    found = naming.folder(name)

    assert found == folder or (folder.endswith("~") and found.startswith(folder))


@given(st.sets(strategies.names, min_size=2, max_size=20))
def test_no_two_names_meet_where_case_and_composition_are_not_told_apart(names: set[str]) -> None:
    folders = {unicodedata.normalize("NFC", naming.folder(name)).casefold() for name in names}

    assert len(folders) == len(names)


@given(strategies.names, st.integers(1, 2**31 - 1), strategies.lines_of(64))
def test_every_part_of_a_path_is_a_name_that_every_file_system_takes(
    name: str, number: int, version: str
) -> None:
    path = naming.version_file(name, number, version)

    parts = path.split("/")
    assert len(parts) == 4
    for part in parts:
        assert part.isascii()
        assert 0 < len(part) <= 100
        assert not set(part) & set('<>:"\\|?*')
        assert not part.startswith(".")
        assert not part.endswith((".", " "))


def test_files_are_sorted_by_number() -> None:
    names = ["1000000-a.yaml", "000002-b.yaml", "model.yaml", "000010-c.yaml"]

    assert sorted(names, key=naming.order) == [
        "model.yaml",
        "000002-b.yaml",
        "000010-c.yaml",
        "1000000-a.yaml",
    ]
