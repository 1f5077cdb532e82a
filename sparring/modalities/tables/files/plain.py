"""Columns of plain numbers and truth values among columns of raw text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import Series
    from pyarrow import ChunkedArray

INTEGER = r"^\s*[+-]?[0-9]+\s*$"
DECIMAL = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$"
INFINITE = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+|[iI]nf(inity)?)([eE][+-]?[0-9]+)?\s*$"
CODE = r"^\s*0[0-9]+\s*$"  # digits with a leading zero, such as postal codes
TRUTH = ({"True", "False"}, {"true", "false"}, {"TRUE", "FALSE"})  # in one way of writing them
PROBED = 32  # values at the start; most columns of text are recognized by them


def as_series(name: str, column: ChunkedArray) -> Series:
    """A column of raw text, null where it is missing, in pandas."""
    import pandas

    return pandas.Series(pandas.array(column, pandas.StringDtype("pyarrow")), name=name)


def plain(name: str, column: ChunkedArray) -> Series | None:
    """A column whose values are all integers, decimals with a point, or truth values; None for other columns.

    Whole numbers become Int64, or UInt64 if they are too large for it; those that are larger still stay text, as do
    digits with a leading zero.
    """
    import pyarrow
    import pyarrow.compute as pc

    present = column.drop_null()
    if not len(present) or not _all(present.slice(0, PROBED), INFINITE):
        return _truth(name, column, present)
    if not _all(present, INFINITE) or pc.any(pc.match_substring_regex(present, CODE)).as_py():
        return None
    digits = pc.replace_substring_regex(pc.utf8_trim_whitespace(column), r"^\+", "")
    if not _all(present, INTEGER):
        return _typed(name, pc.cast(digits, pyarrow.float64()), "Float64")
    for kind, dtype in ((pyarrow.int64(), "Int64"), (pyarrow.uint64(), "UInt64")):
        try:
            return _typed(name, pc.cast(digits, kind), dtype)
        except pyarrow.ArrowInvalid:  # out of its range
            continue
    return None


def _all(present: ChunkedArray, pattern: str) -> bool:
    import pyarrow.compute as pc

    return bool(pc.all(pc.match_substring_regex(present, pattern)).as_py())


def _truth(name: str, column: ChunkedArray, present: ChunkedArray) -> Series | None:
    import pyarrow.compute as pc

    words = set(present.slice(0, PROBED).to_pylist())
    spelling = next((spelling for spelling in TRUTH if words and words <= spelling), None)
    if spelling is None or not set(present.unique().to_pylist()) <= spelling:
        return None
    return _typed(name, pc.equal(column, next(word for word in spelling if word[0] in "tT")), "boolean")


def _typed(name: str, values: ChunkedArray, dtype: str) -> Series:
    """Values in a nullable dtype, without the many copies that pandas makes: a table may have many columns."""
    import pandas

    kinds = {"boolean": pandas.arrays.BooleanArray, "Float64": pandas.arrays.FloatingArray}
    array = kinds.get(dtype, pandas.arrays.IntegerArray)(
        values.fill_null(False if dtype == "boolean" else 0).to_numpy(), values.is_null().to_numpy()
    )
    return pandas.Series(array, name=name, copy=False)
