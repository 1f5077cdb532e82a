"""Tables in CSV and Parquet files, and data frames in memory."""

from __future__ import annotations

import csv
import io
import re
import tarfile
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparring.data.items import Items
from sparring.data.sources import MAX_FILE_BYTES, archives
from sparring.errors import InputError, needs
from sparring.files import describe_error
from sparring.modalities.tables.text_columns import convert_text

if TYPE_CHECKING:
    from pandas import DataFrame, Series

SEPARATORS = (",", ";", "\t", "|")
MISSING = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "<NA>")  # as they are typed; "None" may be a level
MIN_STEPS = 16  # of a series
MAX_PROBED_ROWS = 1000  # rows from which codes are distinguished from numbers, and whose values are counted


TEXT = (".csv", ".tsv")
TABLES = (*TEXT, ".parquet")  # suffixes


def read(path: Path) -> Items | None:
    """The rows of a table, or of the only table in a folder or an archive; None for other paths.

    Raises:
        InputError: as `read_table` does.
    """
    if path.suffix.lower() in TABLES:
        return read_table(path)
    files = tables_in(path)
    if len(files) != 1:
        return None
    [(file, content)] = files
    notes: list[str] = []
    frame = parsed(Path(file), content, notes)
    return Items(path.resolve().name.split(".")[0], "rows", frame, notes=tuple(notes))


def tables_in(path: Path) -> list[tuple[str, bytes]]:
    """Names and contents of the tables in a folder or an archive. A folder that holds an archive has none: the archive
    is read instead.

    Raises:
        InputError: if they cannot be read.
    """
    try:
        if path.is_dir():
            files = [] if archives(path) else sorted(path.iterdir())
            return [(p.name, p.read_bytes()) for p in files if p.suffix.lower() in TEXT and p.is_file()]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                members = [m for m in archive.infolist() if _is_table(m.filename, m.file_size)]
                return sorted((m.filename, archive.read(m)) for m in members)
        if tarfile.is_tarfile(path):
            with tarfile.open(path) as opened:
                tables = [m for m in opened if m.isreg() and _is_table(m.name, m.size)]
                return sorted((m.name, opened.extractfile(m).read()) for m in tables)  # type: ignore[union-attr]
    except (OSError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise InputError(
            f"cannot read {path}: {describe_error(error) if isinstance(error, OSError) else error}"
        ) from error
    return []


def _is_table(name: str, size: int) -> bool:
    return name.lower().endswith(TEXT) and size <= MAX_FILE_BYTES and not Path(name).name.startswith(".")


def adopt(data: Any) -> Items | None:
    """The rows of a data frame; None for other objects."""
    return of_frame(data) if is_frame(data) else None


def is_frame(data: Any) -> bool:
    """True for a data frame of pandas, or an object that can become one."""
    return hasattr(data, "to_pandas") or type(data).__module__.partition(".")[0] == "pandas"


def read_table(path: Path) -> Items:
    """The rows of a `.csv`, `.tsv` or `.parquet`.

    Separator, encoding, a missing header and decimal commas are detected and noted.

    Raises:
        InputError: if it is empty or not a table.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise InputError(f"cannot read {path}: {describe_error(error)}") from error
    return _read_table(path, (status.st_size, status.st_mtime_ns))


@lru_cache(maxsize=1)  # kinds of data are asked one after another, and a large table is parsed once
def _read_table(path: Path, stamp: tuple[int, int]) -> Items:  # noqa: ARG001
    pandas = needs("pandas", "tables", "reads tables")
    notes: list[str] = []
    name = path.name.split(".")[0]
    try:
        if path.suffix.lower() != ".parquet":
            return Items(name, "rows", parsed(path, path.read_bytes(), notes), notes=tuple(notes))
        needs("pyarrow", "tables", "reads Parquet files")
        return of_frame(pandas.read_parquet(path), name, str(path), notes)
    except OSError as error:
        raise InputError(f"cannot read {path}: {describe_error(error)}") from error
    except ValueError as error:  # from Arrow
        if isinstance(error, InputError):
            raise
        raise InputError(_not_a_table(path, error)) from error


def parsed(path: Path, content: bytes, notes: list[str]) -> DataFrame:
    """The table in the content of a text file.

    Args:
        path: of the file, for messages; the suffix may determine the separator.
        notes: messages for the user are appended.

    Raises:
        InputError: if it is empty or not a table.
    """
    needs("pandas", "tables", "reads tables")
    try:
        frame, commas = _from_text(path, content, notes)
    except (ValueError, csv.Error) as error:  # from pandas' parsers
        if isinstance(error, InputError):
            raise
        raise InputError(_not_a_table(path, error)) from error
    converted: DataFrame = of_frame(frame, path.stem, str(path), notes, commas).items
    return converted


def _not_a_table(path: Path, error: ValueError | csv.Error) -> str:
    return f"{path} is not a table: {str(error).splitlines()[0]}"


def of_frame(
    frame: Any, name: str = "frame", path: str = "", notes: list[str] | None = None, commas: bool = False
) -> Items:
    """The rows of a pandas data frame, or of an object that can become one (`to_pandas`), such as those of Arrow and
    Polars.

    Args:
        path, notes: of the file that it comes from, for messages.
        commas: True if an ambiguous comma in a number is a decimal comma.

    Raises:
        InputError: if it has no rows, a single column that is not a series of numbers, two columns with one name, or a
            column that cannot be used.
    """
    pandas = needs("pandas", "tables", "reads tables")
    if not isinstance(frame, pandas.DataFrame) and hasattr(frame, "to_pandas"):
        frame = frame.to_pandas()
    if not isinstance(frame, pandas.DataFrame):
        raise InputError(f"{type(frame).__name__} is not data; give a path or a data frame")
    path, notes = path or name, notes if notes is not None else []
    if isinstance(frame.index, pandas.DatetimeIndex):
        frame = frame.rename_axis(frame.index.name or "date").reset_index()
    frame = frame.rename(columns=str).reset_index(drop=True)
    if len(frame) < 2:
        raise InputError(f"{path} has {len(frame)} rows; give at least two")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise InputError(f"{path} has two columns named {twice[0]!r}; rename one of them")
    usable = pandas.DataFrame({column: _usable(frame[column], path, notes, commas) for column in frame})
    series = len(frame) >= MIN_STEPS and pandas.api.types.is_numeric_dtype(usable.iloc[:, 0].dtype)
    if frame.shape[1] < 2 and not series:
        needed = f"a table needs two (separated by , or ;), a series {MIN_STEPS} numbers"
        raise InputError(f"{path} has one column, {frame.columns[0]!r}; {needed}")
    return Items(name, "rows", usable, notes=tuple(notes))


def _from_text(path: Path, content: bytes, notes: list[str]) -> tuple[DataFrame, bool]:
    """The data frame, and whether commas in it are decimal commas."""
    import pandas

    text = _decoded(path.name, content, notes)
    if not text.strip():
        raise InputError(f"{path} is empty")
    bare = re.sub(r'"[^"]*"', "", text.lstrip("\n").split("\n", 1)[0])
    separator = "\t" if path.suffix.lower() == ".tsv" else max(SEPARATORS, key=bare.count)
    lines = csv.reader(io.StringIO(text.lstrip("\n")), delimiter=separator, skipinitialspace=True)
    names = [name.strip() for name in next(lines)]
    header = not all(_number(name) for name in names)
    if header and len(set(names)) < len(names):  # pandas would rename the second one
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{path} has two columns named {twice!r}; rename one of them")
    if not header:
        notes.append(f"{path.name} has no header; its columns are named x0, x1, ...")
    first = [row for row, _ in zip(lines, range(MAX_PROBED_ROWS), strict=False)]
    for i, row in enumerate(first):
        if len(row) > len(names):
            line = i + 1 + header
            raise InputError(f"{path} is not a table: line {line} has {len(row)} values, the first has {len(names)}")
    codes = {i: "string" for i in range(len(names)) if any(_is_code(row[i]) for row in first if i < len(row))}
    frame: DataFrame = pandas.read_csv(
        io.StringIO(text), sep=separator, header=0 if header else None, skipinitialspace=True, keep_default_na=False,
        na_values=list(MISSING), dtype_backend="numpy_nullable", index_col=False, low_memory=False,
        names=list(range(len(names))), dtype=codes,
    )  # fmt: skip
    frame.columns = pandas.Index(names if header else [f"x{i}" for i in range(frame.shape[1])])
    return frame, separator == ";"


def _decoded(name: str, content: bytes, notes: list[str]) -> str:
    """The text of a file, with uniform line ends."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = content.decode("utf-16")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", errors="replace")
            notes.append(f"{name} is not UTF-8; it is read as Windows-1252")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _number(text: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text) is not None


def _is_code(text: str) -> bool:
    """True for digits with a leading zero, such as postal codes, which are not numbers."""
    return re.fullmatch(r"0\d+", text) is not None


def _usable(column: Series, path: str, notes: list[str], commas: bool) -> Series:
    """A column whose numbers and dates that were written as text are converted.

    Raises:
        InputError: if it is empty, or of mixed or unsupported types.
    """
    from pandas.api import types

    name, present, dtype = column.name, column.dropna(), column.dtype
    if not len(present):
        raise InputError(f"{path}: column {name!r} is empty; remove it")
    plain = types.is_bool_dtype, types.is_numeric_dtype, types.is_string_dtype, types.is_object_dtype
    dated = types.is_datetime64_any_dtype(dtype) and "pyarrow" not in str(dtype)
    if types.is_complex_dtype(dtype) or not (dated or str(dtype) == "category" or any(test(dtype) for test in plain)):
        raise InputError(f"{path}: column {name!r} holds {dtype}; convert it to numbers, text or dates")
    if types.is_float_dtype(dtype) and (abs(present.astype(float)) == float("inf")).any():
        raise InputError(f"{path}: column {name!r} holds infinite numbers; replace them")
    if types.is_object_dtype(dtype) or str(dtype) == "category":
        kinds = {type(value).__name__ for value in present}
        if len(kinds) > 1:
            raise InputError(f"{path}: column {name!r} holds {' and '.join(sorted(kinds))}; convert them to one type")
        kind = kinds.pop()
        if kind == "date":
            return present.astype("datetime64[us]").reindex(column.index)
        if kind not in ("str", "bool", "int", "float"):
            raise InputError(f"{path}: column {name!r} holds {kind}; convert it to numbers, text or dates")
    if types.is_bool_dtype(dtype) or types.is_numeric_dtype(dtype) or not isinstance(present.iloc[0], str):
        return column
    return column if str(dtype) == "category" else convert_text(column, path, notes, commas)
