"""Data frames, and Parquet files, whose columns have types of their own."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparring.errors import InputError, needs
from sparring.modalities.tables.files.header import unique_names
from sparring.modalities.tables.files.memory import CELL_BYTES, check_memory

if TYPE_CHECKING:
    from pandas import DataFrame, Series
    from pyarrow import DataType, Schema
    from pyarrow import Table as ArrowTable

# Python's types whose values become a type of Arrow, and those that stay as they are.
EXACT = ("date", "Decimal", "time", "timedelta")
PLAIN = ("str", "bool", "int", "float")


def read_parquet(path: Path) -> DataFrame:
    """The data frame in a Parquet file. Days, decimals, times and durations keep their types of Arrow; whole numbers
    and truth values with gaps become nullable.

    Raises:
        InputError: if a column holds lists, structures or binary data, or the table does not fit into the memory.
    """
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        rows, schema = file.metadata.num_rows, file.schema_arrow
        check_memory(path, rows * len(schema) * CELL_BYTES, f"{rows:,} rows of {len(schema):,} columns")
        check_types(str(path), schema)
        table = file.read()
    return typed_frame(
        table, {name for name, column in zip(schema.names, table.columns, strict=True) if column.null_count}
    )


def check_types(path: str, schema: Schema) -> None:
    """Check that the columns of a table of Arrow can be read.

    Raises:
        InputError: if one holds lists, structures or binary data.
    """
    from pyarrow import types

    for field in schema:
        if types.is_nested(field.type) or _is_binary(field.type):
            raise InputError(_unusable(path, field.name, field.type))


def typed_frame(table: ArrowTable, gaps: Collection[str]) -> DataFrame:
    """A table of Arrow as a data frame.

    Args:
        gaps: columns whose whole numbers and truth values become nullable.
    """
    import pyarrow
    from pyarrow import types

    schema = table.schema
    for i, field in enumerate(schema):
        if types.is_decimal(field.type) and field.type.bit_width < 128:  # which Arrow computes little with
            wide = pyarrow.decimal128(field.type.precision, field.type.scale)
            table = table.set_column(i, field.name, table.column(i).cast(wide))
    frame: DataFrame = table.to_pandas(types_mapper=_exact)
    for i, field in enumerate(schema):
        kind = _nullable(field.type) if field.name in gaps else None
        if kind is not None and field.name in frame and not hasattr(frame[field.name].dtype, "na_value"):
            frame[field.name] = table.column(i).to_pandas(types_mapper=lambda _, kind=kind: kind)
    return frame


def joined(pieces: Sequence[DataFrame]) -> DataFrame:
    """Data frames with the same columns below one another. Each may have other categories; if they differ, they have no
    order.
    """
    import pandas

    names = [name for name, dtype in pieces[0].dtypes.items() if str(dtype) == "category"]
    for name in names:
        lists = [list(piece[name].cat.categories) for piece in pieces]
        if any(one != lists[0] for one in lists):
            all_ = list(dict.fromkeys(level for one in lists for level in one))
            pieces = [piece.assign(**{name: piece[name].cat.set_categories(all_, ordered=False)}) for piece in pieces]
    return pandas.concat(pieces, ignore_index=True)


def check_finite(frame: DataFrame, path: str) -> None:
    """Check that no column holds infinite numbers.

    Raises:
        InputError: if one does.
    """
    from pandas.api import types

    for name, column in frame.items():
        if types.is_float_dtype(column.dtype) and (abs(column.dropna().astype(float)) == float("inf")).any():
            raise InputError(f"{path}: column {name!r} holds infinite numbers; replace them")


def _unusable(path: str, name: Any, kind: Any) -> str:
    return (
        f"{path}: column {name!r} holds {kind}; convert it to numbers, text or dates, or remove it from the data "
        f"(columns={name}=omit leaves out only what can be read)"
    )


def _is_binary(kind: DataType) -> bool:
    from pyarrow import types

    return bool(types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind))


def _exact(kind: DataType) -> Any:
    """The pandas dtype that holds days, decimals, times and durations exactly; None for other types."""
    import pandas
    from pyarrow import types

    exact = types.is_date(kind) or types.is_decimal(kind) or types.is_time(kind) or types.is_duration(kind)
    return pandas.ArrowDtype(kind) if exact else None


def _nullable(kind: DataType) -> Any:
    """The pandas dtype of whole numbers or truth values with gaps, which floats would round; None for other types."""
    import pandas
    from pyarrow import types

    if types.is_boolean(kind):
        return pandas.BooleanDtype()
    if not types.is_integer(kind):
        return None
    return pandas.api.types.pandas_dtype(str(kind).replace("uint", "UInt").replace("int", "Int"))


def write_parquet(frame: DataFrame, path: Path) -> None:
    """Write a data frame. pandas reads days, decimals and times back as the objects of Python that it writes for
    them.
    """
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.Table.from_pandas(frame, preserve_index=False)
    described = json.loads(table.schema.metadata[b"pandas"])
    for column in described["columns"]:
        if column["numpy_type"].endswith("[pyarrow]"):
            column["numpy_type"] = "timedelta64[ns]" if column["numpy_type"].startswith("duration") else "object"
    table = table.replace_schema_metadata({b"pandas": json.dumps(described).encode()})
    parquet.write_table(table, path)


def as_frame(data: Any) -> DataFrame:
    """A pandas data frame, or an object that can become one (`to_pandas`), such as those of Arrow and Polars. Dates of
    an index become a column; columns get different names.

    Raises:
        InputError: for other objects.
    """
    pandas = needs("pandas", "tables", "reads tables")
    if not isinstance(data, pandas.DataFrame) and hasattr(data, "to_pandas"):
        data = data.to_pandas()
    if not isinstance(data, pandas.DataFrame):
        raise InputError(f"{type(data).__name__} is not data; give a path or a data frame")
    if isinstance(data.index, pandas.DatetimeIndex | pandas.PeriodIndex):
        dates = data.index.to_timestamp() if isinstance(data.index, pandas.PeriodIndex) else data.index
        data = data.reset_index(drop=True)
        data.insert(0, dates.name or "date", dates, allow_duplicates=True)
    frame: DataFrame = data.reset_index(drop=True)
    return frame


def named(frame: DataFrame, notes: list[str]) -> DataFrame:
    """The same frame with different names of text for its columns.

    Args:
        notes: messages for the user are appended.
    """
    names, more = unique_names([_name(label) for label in frame.columns])
    notes += more
    return frame.set_axis(list(names), axis=1)


def _name(label: Any) -> str:
    """The name of a column; several levels of names are joined."""
    return " ".join(str(part) for part in label if str(part)) if isinstance(label, tuple) else str(label)


def usable(column: Series, path: str, notes: list[str]) -> Series:
    """A column of a data frame as columns can be fitted to it: objects of Python get a type.

    Args:
        path, notes: for messages.

    Raises:
        InputError: if it holds values of mixed or unsupported types.
    """
    from pandas.api import types

    present = column.dropna()
    if not len(present):
        notes.append(f"column {column.name!r} is empty")
        return column.astype("string") if types.is_object_dtype(column.dtype) else column
    column = _of_objects(column, present, path)
    dtype = column.dtype
    if types.is_complex_dtype(dtype) or not _is_supported(dtype):
        raise InputError(_unusable(path, column.name, dtype))
    return column


def _is_supported(dtype: Any) -> bool:
    from pandas.api import types

    if getattr(dtype, "pyarrow_dtype", None) is not None and _exact(dtype.pyarrow_dtype) is not None:
        return True
    tests = (
        types.is_bool_dtype, types.is_numeric_dtype, types.is_string_dtype, types.is_object_dtype,
        types.is_datetime64_any_dtype,
    )  # fmt: skip
    return str(dtype) == "category" or any(test(dtype) for test in tests)


def _of_objects(column: Series, present: Series, path: str) -> Series:
    """A column of Python's objects, of categories, or of NumPy's or Arrow's moments and durations, in the type that
    columns are fitted to.

    Raises:
        InputError: if its values are of several types, or of one that is not supported.
    """
    import pyarrow
    from pandas.api import types

    dtype = column.dtype
    if types.is_timedelta64_dtype(dtype) or str(dtype).startswith("timestamp["):
        values = pyarrow.array(column, from_pandas=True)
    elif not (types.is_object_dtype(dtype) or str(dtype) == "category"):
        return column
    else:
        kinds = {type(value).__name__ for value in present}
        if len(kinds) > 1:
            mixed = " and ".join(sorted(kinds))
            raise InputError(f"{path}: column {column.name!r} holds {mixed}; convert them to one type")
        kind = kinds.pop()
        if kind not in (*PLAIN, *EXACT):
            raise InputError(_unusable(path, column.name, kind))
        if kind in ("str", "float") or (str(dtype) == "category" and kind in PLAIN):
            return column
        try:
            values = pyarrow.array(column.astype(object), from_pandas=True)
        except (OverflowError, pyarrow.ArrowInvalid):  # of whole numbers beyond 64 bits
            return column.map(str, na_action="ignore")
    nullable = _nullable(values.type)
    converted: Series = values.to_pandas(types_mapper=(lambda _: nullable) if nullable is not None else _exact)
    return converted.rename(column.name)
