"""Cells by group, label and prediction: merging, marginals, order."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.divergence import Counts
from monitoring.evaluations.cells import Cells

ROWS = st.lists(
    st.tuples(st.integers(-3, 3), st.integers(0, 2), st.booleans(), st.booleans()),
    min_size=1,
    max_size=60,
)
Row = tuple[int, int, bool, bool]


def cells_of(rows: list[Row]) -> Cells:
    race, sex, favoured, chosen = (np.array(column) for column in zip(*rows, strict=True))
    return Cells.of({"race": race, "sex": sex}, favoured, chosen)


def as_table(cells: Cells) -> dict[tuple[int, ...], list[int]]:
    return {
        tuple(key): c for key, c in zip(cells.keys.tolist(), cells.counts.tolist(), strict=True)
    }


def by_hand(rows: list[Row], *columns: int) -> dict[tuple[int, ...], list[int]]:
    table: dict[tuple[int, ...], list[int]] = {}
    for row in sorted(rows, key=lambda row: tuple(row[c] for c in columns)):
        key = tuple(int(row[c]) for c in columns)
        table.setdefault(key, [0, 0, 0, 0])[2 * row[2] + row[3]] += 1
    return table


@given(ROWS)
def test_cells_count_what_one_would_count_by_hand(rows: list[Row]) -> None:
    assert as_table(cells_of(rows)) == by_hand(rows, 0, 1)


@given(ROWS)
def test_marginals_are_the_cells_of_fewer_attributes_in_order_of_their_codes(
    rows: list[Row],
) -> None:
    cells = cells_of(rows)

    assert list(as_table(cells.by(["race"])).items()) == list(by_hand(rows, 0).items())
    assert as_table(cells.by(["sex", "race"])) == by_hand(rows, 1, 0)
    assert cells.by(["sex"]).rows.sum() == len(rows)


@given(ROWS, st.integers(1, 59), st.randoms())
def test_cells_of_shards_add_to_the_whole_in_any_order(
    rows: list[Row], cut: int, random: Random
) -> None:
    shards = [cells_of(part) for part in (rows[:cut], rows[cut:]) if part]
    random.shuffle(shards)

    merged = sum(shards[1:], start=shards[0])

    assert as_table(merged) == as_table(cells_of(rows))


@given(ROWS, st.randoms())
def test_the_order_of_rows_does_not_matter(rows: list[Row], random: Random) -> None:
    shuffled = random.sample(rows, len(rows))

    assert as_table(cells_of(shuffled)) == as_table(cells_of(rows))


def test_shards_may_name_their_attributes_in_another_order() -> None:
    one = Cells.of({"a": ints(1), "b": ints(2)}, flags(True), flags(True))
    other = Cells.of({"b": ints(2), "a": ints(1)}, flags(True), flags(False))

    assert as_table(one + other) == {(1, 2): [0, 0, 1, 1]}


def test_an_attribute_that_was_not_counted_has_no_marginal() -> None:
    with pytest.raises(ValueError, match="not in"):
        Cells.of({"a": ints(1)}, flags(True), flags(True)).by(["age"])


def ints(*values: int) -> Counts:
    return np.array(values, dtype=np.int64)


def flags(*values: bool) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.array(values, dtype=np.bool_)
