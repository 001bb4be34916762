"""People and whether they work: one year of the American Community Survey in Massachusetts.

A row is a person. RAC1P (race) and SEX are kept apart from what a model may see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

Ints = npt.NDArray[np.int64]
Floats32 = npt.NDArray[np.float32]

REFERENCE = "employment_MA_reference.pq"  # 2015, with its answers
ANALYSIS = "employment_MA_analysis.pq"  # 2016 to 2018
ANSWERS = "employment_MA_analysis_target.pq"  # theirs, row by row
AMOUNTS = ("AGEP", "SCHL")  # age in years; schooling, which the survey codes in rising order
CODES = (
    *("MAR", "RELP", "DIS", "ESP", "CIT", "MIG", "MIL"),  # household, ability, origin, moves
    *("ANC", "NATIVITY", "DEAR", "DEYE", "DREM"),  # ancestry, birth, hearing, sight, memory
)
PROTECTED = ("RAC1P", "SEX")
CLASSES = ("not employed", "employed")
EMPLOYED = CLASSES.index("employed")
GROUPS: Mapping[str, Mapping[int, str]] = {
    "RAC1P": {
        1: "White alone",
        2: "Black or African American alone",
        3: "American Indian alone",
        4: "Alaska Native alone",
        5: "American Indian or Alaska Native, tribe specified or not",
        6: "Asian alone",
        7: "Native Hawaiian or other Pacific Islander alone",
        8: "Some other race alone",
        9: "Two or more races",
    },
    "SEX": {1: "Male", 2: "Female"},
}


@dataclass(frozen=True, eq=False)
class Census:
    """The people of one survey year; all arrays have one value a person."""

    year: int
    ids: Ints
    columns: Mapping[str, Ints]  # as the survey codes them, PROTECTED included
    employed: Ints  # 0 or 1

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def race(self) -> Ints:
        """RAC1P of each person."""
        return self.columns["RAC1P"]

    @property
    def working_age(self) -> npt.NDArray[np.bool_]:
        """Who is 16 or older: the survey counts nobody younger as employed."""
        return self.columns["AGEP"] >= 16

    def shuffled(self, seed: int) -> Self:
        """The same people, their protected attributes dealt out anew: nothing to find there."""
        rng = np.random.default_rng([seed, self.year])
        dealt = rng.permutation(len(self))
        groups = {name: self.columns[name][dealt] for name in PROTECTED}
        return replace(self, columns={**self.columns, **groups})


@dataclass(frozen=True)
class Encoding:
    """How a person becomes numbers: two amounts, then one column a code that was seen."""

    levels: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, people: Census) -> Self:
        """Take the codes that occur; of two, one column says all."""
        seen = {name: np.unique(people.columns[name]).tolist() for name in CODES}
        return cls(
            {name: tuple(found if len(found) > 2 else found[:1]) for name, found in seen.items()}
        )

    @property
    def names(self) -> list[str]:
        """The features' names, in order."""
        codes = [f"{name}={level}" for name, levels in self.levels.items() for level in levels]
        return [*AMOUNTS, *codes]

    def features(self, people: Census) -> Floats32:
        """The matrix [people, features]; a code never seen is no column's."""
        amounts = [people.columns[name] for name in AMOUNTS]
        codes = [
            people.columns[name] == level
            for name, levels in self.levels.items()
            for level in levels
        ]
        return np.stack([*amounts, *codes], axis=1).astype(np.float32)


def read(folder: Path, year: int) -> Census:
    """Read the people of ``year`` (2015 to 2018)."""
    if year == 2015:
        rows = pq.read_table(folder / REFERENCE)
    else:
        rows = pq.read_table(folder / ANALYSIS)
        rows = rows.append_column("employed", pq.read_table(folder / ANSWERS)["employed"])
    rows = rows.filter(pc.equal(rows["year"], year))
    names = (*AMOUNTS, *CODES, *PROTECTED)
    return Census(
        year=year,
        ids=_integers(rows["id"]),
        columns={name: _integers(rows[name]) for name in names},
        employed=_integers(rows["employed"]),
    )


def _integers(column: pa.ChunkedArray) -> Ints:
    if pa.types.is_dictionary(column.type):
        column = column.cast(pa.string())
    return np.array(column.cast(pa.int64()).to_numpy(), dtype=np.int64)  # a copy, to write to
