"""Columns of plain numbers and truth values among columns of raw text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import Series
    from pyarrow import ChunkedArray

INTEGER = r"^-?([1-9][0-9]*|0)$"
# Decimals as programs write them: shortest, and with a point or a power. Others are kept as text, so that they can be
# written as they were.
DECIMAL = (
    r"^(-?([1-9][0-9]{0,14}|0)\.(0{0,3}[0-9]{0,16}[1-9]|0)"
    r"|-?[1-9](\.[0-9]{0,16}[1-9])?e[+-][0-9]{2,3}|-?[0-9]{16,}\.0)$"
)
INFINITE = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+|[iI]nf(inity)?)([eE][+-]?[0-9]+)?\s*$"
THOUSANDS = r"^-?[1-9][0-9]{0,2}\.[0-9]{3}$"  # 1.234 may be a large number with a point between thousands
TRUTH = {"True", "False"}  # other words for them are kept as text
PROBED = 32  # values at the start; most columns of text are recognized by them


def as_series(name: str, column: ChunkedArray) -> Series:
    """A column of raw text, null where it is missing, in pandas."""
    import pandas

    return pandas.Series(pandas.array(column, pandas.StringDtype("pyarrow")), name=name)


def plain(name: str, column: ChunkedArray) -> Series | None:
    """A column whose values are all integers, decimals or truth values, each written as programs do, so that writing
    them again gives the same text; None for other columns.

    Whole numbers become Int64, or UInt64 if they are too large for it; those that are larger still stay text.
    """
    import pyarrow
    import pyarrow.compute as pc

    present = column.drop_null()
    if not len(present) or not _all(present.slice(0, PROBED), INFINITE):
        return _truth(name, column, present)
    if _all(present, DECIMAL) and not _all(present, THOUSANDS):
        return _typed(name, pc.cast(column, pyarrow.float64()), "Float64")
    if not _all(present, INTEGER):
        infinite = _all(present, INFINITE) and pc.any(pc.match_substring_regex(present, "[iI]nf")).as_py()
        return (
            _typed(name, pc.cast(pc.utf8_trim_whitespace(column), pyarrow.float64()), "Float64") if infinite else None
        )
    for kind, dtype in ((pyarrow.int64(), "Int64"), (pyarrow.uint64(), "UInt64")):
        try:
            return _typed(name, pc.cast(column, kind), dtype)
        except pyarrow.ArrowInvalid:  # out of its range
            continue
    return None


def _all(present: ChunkedArray, pattern: str) -> bool:
    import pyarrow.compute as pc

    return bool(pc.all(pc.match_substring_regex(present, pattern)).as_py())


def _truth(name: str, column: ChunkedArray, present: ChunkedArray) -> Series | None:
    import pyarrow.compute as pc

    words = set(present.slice(0, PROBED).to_pylist())
    if not words or not words <= TRUTH or not set(present.unique().to_pylist()) <= TRUTH:
        return None
    return _typed(name, pc.equal(column, "True"), "boolean")


def _typed(name: str, values: ChunkedArray, dtype: str) -> Series:
    """Values in a nullable dtype, without the many copies that pandas makes: a table may have many columns."""
    import pandas

    kinds = {"boolean": pandas.arrays.BooleanArray, "Float64": pandas.arrays.FloatingArray}
    array = kinds.get(dtype, pandas.arrays.IntegerArray)(
        values.fill_null(False if dtype == "boolean" else 0).to_numpy(), values.is_null().to_numpy()
    )
    return pandas.Series(array, name=name, copy=False)
