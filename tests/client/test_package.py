"""The package is what a training job can install: typed, alone, and small to import."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import assay

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "assay"
GUIDE = ROOT / "docs" / "client.md"
OURS = {"config", "registry", "monitoring", "governance"}
# What compares profiles needs arrays; only those who import these modules need numpy.
WITH_ARRAYS = {"bins.py", "divergence.py", "drift.py", "monitor.py", "ood.py", "profiles.py"}
WITH_SIGNATURES = {"notes.py"}  # imports cryptography where it checks one, and not before


def imported(file: Path) -> set[str]:
    """The top-level names that ``file`` imports."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    plain = {a.name for node in nodes if isinstance(node, ast.Import) for a in node.names}
    froms = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in plain | froms}


@pytest.mark.parametrize("file", sorted(PACKAGE.glob("*.py")), ids=lambda file: file.name)
def test_a_module_imports_nothing_of_the_server(file: Path) -> None:
    assert not imported(file) & (OURS | {"django", "rest_framework"})


@pytest.mark.parametrize(
    "file",
    sorted(file for file in PACKAGE.glob("*.py") if file.name not in WITH_ARRAYS | WITH_SIGNATURES),
    ids=lambda file: file.name,
)
def test_the_core_needs_the_standard_library_alone(file: Path) -> None:
    # _typeshed exists for the type checker only.
    assert imported(file) <= set(sys.stdlib_module_names) | {"assay", "_typeshed"}


def test_importing_it_loads_neither_django_nor_arrays() -> None:
    script = (
        "import assay, sys; print({'django', 'numpy', 'torch', 'cryptography'} & set(sys.modules))"
    )

    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True
    )

    assert ran.stdout == "set()\n"


def test_every_public_name_is_there_and_says_what_it_is() -> None:
    undocumented = [name for name in assay.__all__ if not getattr(assay, name).__doc__]

    assert undocumented == []
    assert assay.__all__ == sorted(assay.__all__)


def test_an_installed_package_brings_its_types(tmp_path: Path) -> None:
    environ = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}

    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index", "-q"),
            *("--no-build-isolation", "-w", str(tmp_path), str(copy_of_the_project(tmp_path))),
        ],
        check=True,
        env=environ,
    )

    (wheel,) = tmp_path.glob("assay-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"assay/py.typed", "assay/__init__.py", "assay/router.py"} <= names
    assert not [name for name in names if name.partition("/")[0] in OURS]


def copy_of_the_project(tmp_path: Path) -> Path:
    """What a wheel is built of, elsewhere, so that building leaves nothing in the checkout."""
    copy = tmp_path / "project"
    (copy / "assay").mkdir(parents=True)
    (copy / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    for file in [*PACKAGE.glob("*.py"), PACKAGE / "py.typed"]:
        (copy / "assay" / file.name).write_bytes(file.read_bytes())
    return copy


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL))
def test_the_guides_examples_use_what_there_is(block: str) -> None:
    tree = ast.parse(block)
    compile(tree, "docs/client.md", "exec")

    imports = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module == "assay"]
    assert imports
    assert {alias.name for node in imports for alias in node.names} <= set(assay.__all__)


def test_the_guide_names_every_question_and_every_error() -> None:
    guide = GUIDE.read_text()
    questions = {name for name in dir(assay.Registry) if not name.startswith("_")}
    errors = {name for name in assay.__all__ if _is_error(getattr(assay, name))}

    assert [name for name in sorted(questions | errors) if f"`{name}" not in guide] == []


def _is_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, assay.AssayError)
