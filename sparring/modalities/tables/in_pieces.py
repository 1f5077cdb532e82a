"""Rows that do not fit into the memory, encoded piece by piece into a file."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sparring.data.store import Progress, Stored, store_blocks
from sparring.modalities.tables.columns import Category, Column, Mixture, Number, shown, typed
from sparring.modalities.tables.files.parts import Parts

if TYPE_CHECKING:
    from pandas import Series

    from sparring.modalities.tables.table import Table

VERSION = "rows-2"
CONFIDENCE = 0.95


def encode(table: Table, data: Parts, progress: Progress) -> tuple[Stored, list[str]]:
    """Rows of codes and scalars in a file of the cache, float32 (n, columns + scalars), and notes for the user.

    Of what the columns were not fitted to, levels become the rarest one, numbers the nearest one, and missing values
    one that the column has. They are counted.
    """
    fitted = json.dumps([asdict(column) for column in table.columns], default=str)
    version = f"{VERSION} {hashlib.blake2b(fitted.encode(), digest_size=12).hexdigest()}"
    changed = {column.name: np.zeros(2, np.int64) for column in table.learned}

    def blocks() -> Iterator[NDArray[np.float32]]:
        done = 0
        for frame in data.pieces():
            for column in table.learned:
                changed[column.name] += _changed(column, frame[column.name])
            yield table.codes(frame)
            done += len(frame)
            progress(done, len(data))

    width = len(table.learned) + len(table.scalars)
    stored, notes = store_blocks(data, blocks, width, version, lambda: _notes(table, data, changed))
    return stored, notes


def _notes(table: Table, data: Parts, changed: Mapping[str, NDArray[np.int64]]) -> list[str]:
    """How exact the columns are.

    Args:
        changed: of each column, how many missing values and how many other values it does not have.
    """
    fitted = max(sum(count for _, counts in column.counted() for count in counts) for column in table.learned)
    notes = [
        f"columns are fitted to {fitted:,} of {len(data):,} rows, drawn at random: the share of rows below any value "
        f"is off by at most {deviation(fitted):.2%}, with a probability of {CONFIDENCE:.0%}"
    ]
    for column in table.learned:
        missing, others = changed[column.name]
        if missing:
            notes.append(
                f"column {column.name!r}: {missing:,} rows have no value, unlike all rows drawn, and count as "
                f"{_instead_of_gap(column)}"
            )
        if others:
            notes.append(f"column {column.name!r}: {others:,} rows have {_unlike(column)}")
    return notes


def _changed(column: Column, values: Series) -> tuple[int, int]:
    """How many missing values, and how many other values, a column cannot represent."""
    if isinstance(column, Category):
        unknown = column.indices(values) == len(column.levels) + len(column.rare)
        missing = values.isna().to_numpy()
        return int((unknown & missing).sum()), int((unknown & ~missing).sum())
    assert isinstance(column, Number | Mixture)
    x = column.numbers(values)
    gaps = None in column.spikes if isinstance(column, Number) else column.missing > 0
    if isinstance(column, Mixture):
        outside = (x < column.low) | (x > column.high)
    else:
        beyond = (x < column.knots[0]) | (x > column.knots[-1]) if column.bins else ~np.isnan(x)
        outside = beyond & ~np.isin(x, [spike for spike in column.spikes if spike is not None])
    return 0 if gaps else int(np.isnan(x).sum()), int(outside.sum())


def _instead_of_gap(column: Column) -> str:
    """What a missing value becomes."""
    if isinstance(column, Category):
        return "the rarest level"
    assert isinstance(column, Number | Mixture)
    codes, scalars = column.encode_numbers(np.array([np.nan]))
    value = typed(column, column.decode(codes, scalars, np.zeros(1)))
    return shown(column.written(value).iloc[0])


def _unlike(column: Column) -> str:
    if isinstance(column, Category):
        return "levels that are not among those drawn, and count as the rarest"
    return "numbers beyond those drawn, and count as the nearest of these"


def deviation(n: int) -> float:
    """The largest difference between a distribution function and that of n independent draws, at all values at once,
    which is not exceeded with the probability `CONFIDENCE`. Massart 1990, doi:10.1214/aop/1176990746.
    """
    return math.sqrt(math.log(2 / (1 - CONFIDENCE)) / (2 * n))
