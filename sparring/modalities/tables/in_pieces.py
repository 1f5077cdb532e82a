"""Rows that do not fit into the memory, encoded piece by piece into a file."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sparring.data.store import Progress, Stored, store_blocks
from sparring.modalities.tables.columns import Category, Column, Mixture, Number
from sparring.modalities.tables.files.parts import Parts

if TYPE_CHECKING:
    from pandas import Series

    from sparring.modalities.tables.table import Table

VERSION = "rows-1"
CONFIDENCE = 0.95


def encode(table: Table, data: Parts, progress: Progress) -> tuple[Stored, list[str]]:
    """Rows of codes and scalars in a file of the cache, float32 (n, columns + scalars), and notes for the user.

    Levels that are not among those that the columns were fitted to count as the rarest one. What cannot be represented
    is counted: such levels, missing values where the columns have none, and numbers beyond their ranges.
    """
    fitted = json.dumps([asdict(column) for column in table.columns], default=str)
    version = f"{VERSION} {hashlib.blake2b(fitted.encode(), digest_size=12).hexdigest()}"
    unknown = dict.fromkeys((c.name for c in table.learned), 0)

    def blocks() -> Iterator[NDArray[np.float32]]:
        done = 0
        for frame in data.pieces():
            for column in table.learned:
                unknown[column.name] += _unknown(column, frame[column.name])
            yield table.codes(frame)
            done += len(frame)
            progress(done, len(data))

    width = len(table.learned) + len(table.scalars)
    stored, notes = store_blocks(data, blocks, width, version, lambda: _notes(table, data, unknown))
    return stored, notes


def _notes(table: Table, data: Parts, unknown: dict[str, int]) -> list[str]:
    """How exact the columns are."""
    fitted = max(sum(count for _, counts in column.counted() for count in counts) for column in table.learned)
    notes = [
        f"columns are fitted to {fitted:,} of {len(data):,} rows, drawn at random: the share of rows below any value "
        f"is off by at most {deviation(fitted):.2%}, with a probability of {CONFIDENCE:.0%}"
    ]
    return notes + [
        f"column {name!r}: {count:,} rows have {_what(table, name)}" for name, count in unknown.items() if count
    ]


def _unknown(column: Column, values: Series) -> int:
    """How many values a column cannot represent."""
    if isinstance(column, Category):
        return int((column.indices(values) == len(column.levels) + len(column.rare)).sum())
    assert isinstance(column, Number | Mixture)
    x = column.numbers(values)
    if isinstance(column, Number):
        known = [spike for spike in column.spikes if spike is not None]
        low, high = min([*column.knots[:1], *known]), max([*column.knots[-1:], *known])
        gaps = None in column.spikes
    else:
        low, high, gaps = column.low, column.high, column.missing > 0
    return int(((x < low) | (x > high) | (np.isnan(x) & (not gaps))).sum())


def _what(table: Table, name: str) -> str:
    if any(isinstance(column, Category) and column.name == name for column in table.learned):
        return "levels that are not among these, and count as the rarest"
    return "no number, or one beyond the range of these, and take the nearest one"


def deviation(n: int) -> float:
    """The largest difference between a distribution function and that of n independent draws, at all values at once,
    which is not exceeded with the probability `CONFIDENCE`. Massart 1990, doi:10.1214/aop/1176990746.
    """
    return math.sqrt(math.log(2 / (1 - CONFIDENCE)) / (2 * n))
