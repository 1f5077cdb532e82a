"""Values of a column as Python and NumPy have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pandas import Series

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
MISSING = "missing"


def is_date(values: Series) -> bool:
    from pandas.api import types

    return bool(types.is_datetime64_any_dtype(values.dtype))


def numbers(values: Series, unit: int) -> Floats:
    """A column of numbers or dates as floats, NaN where one is missing."""
    if not unit:
        found: Floats = values.to_numpy(np.float64, na_value=np.nan)
        return found
    gone = values.isna().to_numpy()
    x = np.full(len(values), np.nan)
    x[~gone] = microseconds(values[~gone]) // unit
    return x


def microseconds(values: Series) -> NDArray[np.int64]:
    plain = values.dt.tz_convert("UTC").dt.tz_localize(None) if values.dt.tz is not None else values
    found: NDArray[np.int64] = plain.dt.as_unit("us").to_numpy().astype("datetime64[us]").astype(np.int64)
    return found


def rounded(x: Floats, step: float) -> Floats:
    """To multiples of a power of ten, where it is above 0."""
    if not step:
        return x
    return np.round(np.round(x / step) * step, max(0, round(-np.log10(step))))


def as_python(values: Series) -> list[Any]:
    """Values as Python has them, None where one is missing."""
    gone = values.isna().to_numpy()
    return [None if missing else v for v, missing in zip(values.tolist(), gone, strict=True)]


def shown(value: Any) -> str:
    """A level as it is typed."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return str(value)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
