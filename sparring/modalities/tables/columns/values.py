"""Conversion of a column's values to NumPy arrays, Python objects and text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparring.modalities.tables.columns import arrow

if TYPE_CHECKING:
    from pandas import Series

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
MISSING = "missing"  # as a missing value is typed


def is_date(values: Series) -> bool:
    """True for a column of dates or times."""
    from pandas.api import types

    return bool(types.is_datetime64_any_dtype(values.dtype))


def is_text(values: Series) -> bool:
    """True for a column of text, which numbers and dates may be written in."""
    from pandas.api import types

    if str(values.dtype) == "category" or types.is_numeric_dtype(values.dtype) or is_date(values):
        return False
    if not (types.is_object_dtype(values.dtype) or types.is_string_dtype(values.dtype)):
        return False
    present = values.dropna()
    return bool(len(present)) and isinstance(present.iloc[0], str)


def numbers(values: Series, unit: int) -> Floats:
    """A column of numbers or dates as floats, NaN for missing values. Times of day and durations are seconds.

    Args:
        unit: microseconds per unit for dates; 0 for numbers.
    """
    if not unit:
        if arrow.is_exact(values.dtype):
            return arrow.as_floats(values)
        plain: Floats = values.to_numpy(np.float64, na_value=np.nan)
        return plain
    missing = values.isna().to_numpy()
    x = np.full(len(values), np.nan)
    x[~missing] = microseconds(values[~missing]) // unit
    return x


def microseconds(values: Series) -> NDArray[np.int64]:
    """Dates as microseconds since 1970, in UTC if they have a time zone."""
    if str(values.dtype).endswith("[pyarrow]"):  # days
        values = values.astype("datetime64[us]")
    naive = values.dt.tz_convert("UTC").dt.tz_localize(None) if values.dt.tz is not None else values
    counted: NDArray[np.int64] = naive.dt.as_unit("us").to_numpy().astype("datetime64[us]").astype(np.int64)
    return counted


def rounded(x: Floats, step: float) -> Floats:
    """Values rounded to multiples of a power of ten; unchanged if it is 0."""
    if not step:
        return x
    return np.round(np.round(x / step) * step, max(0, round(-np.log10(step))))


def as_python(values: Series) -> list[Any]:
    """Values as Python objects, None for missing ones; Arrow's decimals as floats."""
    import pandas

    values = pandas.Series(arrow.as_floats(values)) if arrow.is_exact(values.dtype) else values
    missing = values.isna().to_numpy()
    return [None if gap else v for v, gap in zip(values.tolist(), missing, strict=True)]


def shown(value: Any) -> str:
    """A level as it is typed."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return str(value)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
