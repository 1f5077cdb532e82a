"""Tables of columns of different kinds: CSV, Parquet, and frames in memory."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparring.data.items import Items
from sparring.errors import InputError, needs
from sparring.writing import reason

if TYPE_CHECKING:
    from pandas import DataFrame, Series

SEPARATORS = (",", ";", "\t", "|")
MISSING = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "<NA>")  # as they are written; "None" may be a level
NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
COMMA = r"[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+"  # a decimal comma, maybe with points between thousands
MOSTLY = 0.9  # of a column that are numbers, from which on the others are taken for mistakes
FEW = 50  # different values, up to which numbers and words together are taken for codes


def read_table(path: Path) -> Items:
    """The rows of a `.csv`, `.tsv` or `.parquet`.

    Separator, encoding, a missing header and decimal commas are found out, and told.

    Raises:
        InputError: where it is empty, or no table.
    """
    pandas = needs("pandas", "tables", "reads tables")
    notes: list[str] = []
    try:
        if path.suffix.lower() == ".parquet":
            needs("pyarrow", "tables", "reads Parquet files")
            frame = pandas.read_parquet(path)
        else:
            frame = _from_text(path, notes)
    except OSError as error:
        raise InputError(f"cannot read {path}: {reason(error)}") from error
    except ValueError as error:  # of pandas' parsers, and of Arrow
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is no table: {str(error).splitlines()[0]}") from error
    return of_frame(frame, path.name.split(".")[0], str(path), notes)


def of_frame(frame: Any, name: str = "frame", path: str = "", notes: list[str] | None = None) -> Items:
    """A frame of pandas, or what can become one (`to_pandas`): Arrow's and Polars' do.

    Raises:
        InputError: where it has no rows, fewer than two columns, two of one name, or one that cannot be used.
    """
    pandas = needs("pandas", "tables", "reads tables")
    if not isinstance(frame, pandas.DataFrame) and hasattr(frame, "to_pandas"):
        frame = frame.to_pandas()
    if not isinstance(frame, pandas.DataFrame):
        raise InputError(f"{type(frame).__name__} is neither the path of data nor a frame")
    path, notes = path or name, notes if notes is not None else []
    frame = frame.rename(columns=str).reset_index(drop=True)
    if len(frame) < 2:
        raise InputError(f"{path} has {len(frame)} rows; give at least two")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise InputError(f"{path} has two columns that are called {twice[0]!r}; give each a name of its own")
    if frame.shape[1] < 2:
        raise InputError(
            f"{path} has one column, {frame.columns[0]!r}; a table needs two (are they separated by , or ;?)"
        )
    return Items(name, "rows", frame.assign(**{c: _usable(frame[c], path, notes) for c in frame}), notes=tuple(notes))


def _from_text(path: Path, notes: list[str]) -> DataFrame:
    import pandas

    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
        notes.append(f"{path.name} is not in UTF-8; it is read as Windows-1252")
    lines = text.lstrip("\r\n").split("\n", 1)
    if not text.strip():
        raise InputError(f"{path} is empty")
    separator = "\t" if path.suffix.lower() == ".tsv" else max(SEPARATORS, key=lines[0].count)
    first = next(csv.reader([lines[0].rstrip("\r")], delimiter=separator, skipinitialspace=True))
    names = [name.strip() for name in first]
    header = not all(re.fullmatch(NUMBER, name) for name in names)
    if header and len(set(names)) < len(names):  # pandas would give the second another name
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{path} has two columns that are called {twice!r}; give each a name of its own")
    if not header:
        notes.append(f"{path.name} has no header; its columns are called x0, x1, ...")
    frame: DataFrame = pandas.read_csv(
        io.StringIO(text), sep=separator, header=0 if header else None, skipinitialspace=True, keep_default_na=False,
        na_values=list(MISSING), dtype_backend="numpy_nullable", index_col=False, low_memory=False,
    )  # fmt: skip
    frame.columns = pandas.Index(names if header else [f"x{i}" for i in range(frame.shape[1])])
    return frame


def _usable(column: Series, path: str, notes: list[str]) -> Series:
    """A column with numbers and dates that were written as text read as such.

    Raises:
        InputError: where it is empty, or of mixed kinds.
    """
    from pandas.api import types

    name, known = column.name, column.dropna()
    if not len(known):
        raise InputError(f"{path}: column {name!r} is empty; remove it")
    if types.is_float_dtype(column.dtype) and (abs(known.astype(float)) == float("inf")).any():
        raise InputError(f"{path}: column {name!r} holds infinite numbers; clean it first")
    if types.is_object_dtype(column.dtype):
        kinds = {type(value).__name__ for value in known}
        if len(kinds) > 1:
            raise InputError(f"{path}: column {name!r} holds {' and '.join(sorted(kinds))}; make them one")
    if not (types.is_string_dtype(column.dtype) or types.is_object_dtype(column.dtype)) or kinds_differ(known):
        return column
    return _written(column, known.astype(str).str.strip(), path, notes)


def kinds_differ(known: Series) -> bool:
    """Whether a column of objects holds anything but text."""
    return not isinstance(known.iloc[0], str)


def _written(column: Series, known: Series, path: str, notes: list[str]) -> Series:
    """Text that may be numbers with commas, dates, or numbers with a few mistakes."""
    import pandas

    if known.str.fullmatch(COMMA + "|" + r"[+-]?\d+").all() and known.str.contains(",").any():
        notes.append(f"column {column.name!r} has decimal commas")
        plain = known.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
        return plain.astype(float).reindex(column.index).astype("Float64")
    numbers = known.str.fullmatch(NUMBER)
    if MOSTLY <= numbers.mean() < 1 and known.nunique() > FEW:
        wrong = known[~numbers].iloc[0]
        row = int(known[~numbers].index[0]) + 1
        raise InputError(f"{path}: column {column.name!r} holds numbers and, in row {row}, {wrong!r}; clean it first")
    if known.str.fullmatch(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?").all():
        dates = pandas.to_datetime(known, errors="coerce", format="ISO8601")
        if dates.notna().all():
            return dates.reindex(column.index)
    return column
