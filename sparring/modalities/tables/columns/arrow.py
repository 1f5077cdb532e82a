"""Columns of Arrow's decimals, times of day and durations, as Parquet files have them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pandas import ArrowDtype, Series

DECIMAL = re.compile(r"decimal(\d+)\((\d+), (-?\d+)\)\[pyarrow\]")
MEASURED = re.compile(r"(?:time32|time64|duration)\[(s|ms|us|ns)\]\[pyarrow\]")
SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}  # in units
DAY = 86_400  # seconds


def is_exact(dtype: Any) -> bool:
    """True for the pandas dtype of decimals, times or durations of Arrow."""
    return bool(DECIMAL.fullmatch(str(dtype)) or MEASURED.fullmatch(str(dtype)))


def is_measured(dtype: Any) -> bool:
    """True for the dtype of times or durations, which count a unit of time."""
    return MEASURED.fullmatch(str(dtype)) is not None


def measure(dtype: Any) -> Literal["times", "durations", ""]:
    """What times or durations of Arrow are; "" for other dtypes."""
    if not is_measured(dtype):
        return ""
    return "times" if str(dtype).startswith("time") else "durations"


def is_whole(dtype: Any) -> bool:
    """True for the dtype of decimals without decimal places, as databases store large whole numbers."""
    found = DECIMAL.fullmatch(str(dtype))
    return found is not None and int(found[3]) <= 0


def named(dtype: str) -> str | ArrowDtype:
    """The pandas dtype of a name; pandas itself does not know the names of decimals."""
    import pandas
    import pyarrow

    found = DECIMAL.fullmatch(dtype)
    if found is None:
        return dtype
    kinds = {"32": "decimal32", "64": "decimal64", "128": "decimal128", "256": "decimal256"}
    return pandas.ArrowDtype(getattr(pyarrow, kinds[found[1]])(int(found[2]), int(found[3])))


def as_floats(values: Series) -> NDArray[np.float64]:
    """Decimals as numbers, times since midnight and durations in seconds; NaN where they are missing."""
    import pyarrow
    import pyarrow.compute as pc

    array, measured = pyarrow.array(values, from_pandas=True), MEASURED.fullmatch(str(values.dtype))
    if measured is None:
        plain = pc.cast(array, pyarrow.float64())
    else:
        whole = pyarrow.int32() if str(values.dtype).startswith("time32") else pyarrow.int64()
        plain = pc.divide(pc.cast(pc.cast(array, whole), pyarrow.float64()), float(SECOND[measured[1]]))
    floats: NDArray[np.float64] = plain.to_numpy(zero_copy_only=False).astype(np.float64)
    return floats


def from_floats(x: NDArray[np.float64], dtype: str) -> Series:
    """The inverse of `as_floats`: values of a dtype."""
    import pandas
    import pyarrow
    import pyarrow.compute as pc

    kind, missing, measured = pandas.api.types.pandas_dtype(named(dtype)), np.isnan(x), MEASURED.fullmatch(dtype)
    filled = np.where(missing, 0.0, x)
    if measured is None:
        plain = pyarrow.array(filled, mask=missing)
    else:
        units = np.round(filled * SECOND[measured[1]]).astype(np.int64)
        if dtype.startswith("time"):
            units = units.clip(0, DAY * SECOND[measured[1]] - 1)
        plain = pyarrow.array(units, pyarrow.int64(), mask=missing)
        plain = pc.cast(plain, pyarrow.int32()) if dtype.startswith("time32") else plain
    return pandas.Series(pandas.array(pc.cast(plain, kind.pyarrow_dtype), kind))


def from_objects(values: Any, dtype: str) -> Series:
    """Levels or identifiers, None where they are missing, as decimals of a dtype."""
    import pandas

    kind = pandas.api.types.pandas_dtype(named(dtype))
    quantum = Decimal(1).scaleb(-kind.pyarrow_dtype.scale)
    plain = [None if value is None else Decimal(str(value)).quantize(quantum) for value in values]
    return pandas.Series(pandas.array(plain, kind))
