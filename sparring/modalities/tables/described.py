"""Columns of a table as JSON: what rows can be asked for, for programs that build forms or requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sparring.modalities.tables.columns import Category, Column, Mixture, Number, frequencies, measure_of, shown


def column_as_json(column: Column) -> dict[str, Any]:
    """Name, kind and dtype of a column, and the levels of a category or the range of a number or a date."""
    kind = column.kind if column.width else "identifier"
    described: dict[str, Any] = {"name": column.name, "kind": kind, "dtype": column.dtype}
    if isinstance(column, Category):
        shares, levels = frequencies(column), [shown(level) for level in column.levels]
        return described | {"levels": levels, "shares": [share / sum(shares) for share in shares[: len(levels)]]}
    if isinstance(column, Number):
        spikes = [spike for spike in column.spikes if spike is not None]
        return described | _bounds(column, [*column.knots, *spikes])
    return described | (_bounds(column, [column.low, column.high]) if isinstance(column, Mixture) else {})


def _bounds(column: Number | Mixture, values: Sequence[float]) -> dict[str, Any]:
    """The smallest and the largest value: numbers, dates in ISO 8601, or times as they are written."""
    low, high = min(values), max(values)
    if column.form is not None and measure_of(column) != "numbers" and not column.unit:
        return {name: column.form.texts(np.array([value]))[0] for name, value in (("low", low), ("high", high))}
    if not column.unit:
        return {"low": low, "high": high}
    first, last = (str(np.datetime64(int(value) * column.unit, "us")) for value in (low, high))
    return {"low": first, "high": last}
