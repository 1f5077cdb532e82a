"""Encoded rows in the user's units, and rows in the user's units as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparring.errors import InputError
from sparring.metrics.tables import Rows
from sparring.modalities.tables.columns import Category, Column, Mixture, Number, measure_of, typed
from sparring.modalities.tables.random import row_keys, uniform

if TYPE_CHECKING:
    from pandas import DataFrame


def decoded(columns: Sequence[Column], encoded: NDArray[np.float64], start: int) -> Any:
    """Encoded rows as a pandas data frame, with the columns and dtypes of the data.

    Args:
        columns: all of them, identifiers too.
        encoded: codes of the learned columns, then scalars, (n, codes + scalars).
        start: number of rows that were generated before these.
    """
    import pandas

    keys = row_keys(encoded, start)
    values, next_code, next_scalar = {}, 0, sum(column.width > 0 for column in columns)
    for i, column in enumerate(columns):
        codes, scalars = np.zeros(len(encoded), np.int64), np.zeros(len(encoded))
        if column.width:
            codes, next_code = encoded[:, next_code].astype(np.int64), next_code + 1
        if column.bare_codes is not None:
            scalars, next_scalar = encoded[:, next_scalar], next_scalar + 1
        values[column.name] = typed(column, column.decode(codes, scalars, uniform(keys, i), start))
    return pandas.DataFrame(values)


def as_numbers(learned: Sequence[Column], frame: DataFrame) -> Rows:
    """Rows as numbers.

    Args:
        learned: the columns that are compared.

    Raises:
        InputError: if a column has another type.
    """
    values = []
    for column in learned:
        series = frame[column.name]
        try:
            if isinstance(column, Number | Mixture):
                values.append(column.numbers(series))
            else:
                assert isinstance(column, Category)
                values.append(column.indices(series).astype(float))
        except (TypeError, ValueError, AttributeError) as error:
            expected = measure_of(column)
            raise InputError(
                f"column {column.name!r} holds {series.dtype}, but {expected} are expected; convert it"
            ) from error
    category = np.array([not isinstance(c, Number | Mixture) for c in learned])
    return Rows(np.stack(values, 1).astype(np.float64), category)
