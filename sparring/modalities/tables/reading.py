"""Tables in files, folders and archives, and data frames in memory.

Text and workbooks become columns of raw text first (`files.text`, `files.workbook`), so that no character is lost
before it is known what a column holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparring.data.items import Items
from sparring.data.sources import FileSource, FolderSource, Unreadable, archive, archives, is_visible
from sparring.errors import InputError, needs
from sparring.files import describe_error, resolved
from sparring.modalities.tables.columns.typing import in_memory
from sparring.modalities.tables.files import compressed, folders, frames, parts
from sparring.modalities.tables.files.folders import TEXT
from sparring.modalities.tables.files.memory import MAX_TEXT_INFLATION, MAX_UNPACKED
from sparring.modalities.tables.files.plain import as_series, plain
from sparring.modalities.tables.files.records import RECORDS, read_records
from sparring.modalities.tables.files.text import read_text
from sparring.modalities.tables.files.workbook import OTHER_WORKBOOKS, WORKBOOKS, read_workbook

if TYPE_CHECKING:
    from pandas import DataFrame

MIN_STEPS = 16  # of a series
FREE_TEXT = (".txt", ".tab", ".dat", ".data")  # tables if they are given, but not if they lie in a folder
TABLES = (*TEXT, *FREE_TEXT, *RECORDS, ".parquet", *WORKBOOKS, *OTHER_WORKBOOKS)  # suffixes


def read(path: Path) -> Items | None:
    """The rows of a table, of the only table in a folder or an archive, or of all Parquet files in a folder; None for
    other paths. Rows of Parquet files that do not fit into the memory stay there (`parts.Parts`).

    Raises:
        InputError: as `read_table` does.
    """
    if is_table(path):
        return of_parts(parts.Parts(path, (path,))) if parts.is_large(path) else read_table(path)
    found = folders.in_folder(path) if path.is_dir() else None
    if found is not None:
        return of_parts(found)
    files = tables_in(path)
    if files is None or len(files) != 1:
        return None
    notes: list[str] = []
    [(file, content)] = contents(files)
    return Items(resolved(path).name.split(".")[0], "rows", parsed(file, content, notes), notes=tuple(notes))


def is_table(path: Path) -> bool:
    """True for a file with the suffix of a table, compressed or not."""
    return compressed.without_suffix(path).suffix.lower() in TABLES and not path.is_dir()


def tables_in(path: Path) -> FileSource | None:
    """The tables in a folder or an archive; None if there are none. A folder that holds an archive has none: the
    archive is read instead.

    Raises:
        InputError: if it cannot be read.
    """
    try:
        if path.is_dir():
            inside = [] if archives(path) else sorted(path.iterdir())
            found: FileSource = FolderSource(path, tuple(p.name for p in inside if _is_text(p.name) and p.is_file()))
        else:
            opened = archive(path, _is_text)
            if opened is None:
                return None
            found = opened[0]
    except OSError as error:
        raise InputError(f"cannot read {path}: {describe_error(error)}") from error
    return found if len(found) else None


def _is_text(name: str) -> bool:
    return name.lower().endswith(TEXT) and is_visible(name)


def contents(files: FileSource) -> Iterator[tuple[Path, bytes]]:
    """Name and bytes of each table in a folder or an archive.

    Raises:
        InputError: if one cannot be read, or if an archive unpacks to far more than text does.
    """
    if files.path.is_file():
        limit = MAX_UNPACKED + MAX_TEXT_INFLATION * files.path.stat().st_size
        if files.unpacked_size() > limit:
            raise InputError(f"{files.path} unpacks to more than {limit / 2**20:,.0f} MiB of text; unpack it first")
    for i, content in files.contents():
        name = Path(files.names[i])
        if isinstance(content, Unreadable):
            raise InputError(f"{files.path}: {name} cannot be read: {content.why}")
        yield name, content


def adopt(data: Any) -> Items | None:
    """The rows of a data frame; None for other objects."""
    return of_frame(data) if is_frame(data) else None


def is_frame(data: Any) -> bool:
    """True for a data frame of pandas, or an object that can become one."""
    return hasattr(data, "to_pandas") or type(data).__module__.partition(".")[0] == "pandas"


def read_table(path: Path) -> Items:
    """The rows of a text file, a workbook or a `.parquet`.

    Separator, encoding, lines before the header, a missing header, missing values and decimal commas are detected and
    noted.

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
    needs("pandas", "tables", "reads tables")
    notes: list[str] = []
    name = path.name.split(".")[0]
    try:
        if path.suffix.lower() != ".parquet":
            plain_path, content = compressed.without_suffix(path), compressed.content(path)
            return Items(name, "rows", parsed(plain_path, content, notes), notes=tuple(notes))
        needs("pyarrow", "tables", "reads Parquet files")
        return of_frame(frames.read_parquet(path), name, str(path), notes)
    except OSError as error:
        raise InputError(f"cannot read {path}: {describe_error(error)}") from error
    except ValueError as error:  # from Arrow
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is not a table: {str(error).splitlines()[0]}") from error


def parsed(path: Path, content: bytes, notes: list[str]) -> DataFrame:
    """The table in the content of a text file, a file of records or a workbook.

    Args:
        path: of the file, for messages; the suffix says which it is.
        notes: messages for the user are appended.

    Raises:
        InputError: if it is empty or not a table.
    """
    return _checked(columns(path, content, notes), str(path))


def columns(path: Path, content: bytes, notes: list[str]) -> DataFrame:
    """The columns in such a content, which may be a single one. The arguments and errors are those of `parsed`."""
    needs("pandas", "tables", "reads tables")
    needs("pyarrow", "tables", "reads tables")
    import pandas

    suffix = path.suffix.lower()
    if suffix in OTHER_WORKBOOKS:
        raise InputError(f"{path} is a workbook in a format that is not read; save it as .xlsx or .csv")
    reader = read_workbook if suffix in WORKBOOKS else read_records if suffix in RECORDS else read_text
    raw = reader(path, content, notes)
    typed = {}
    for name, column in raw.columns.items():
        values = plain(name, column)
        if values is None and column.null_count == len(column):
            notes.append(f"column {name!r} is empty")
            values = as_series(name, column)
        typed[name] = as_series(name, column) if values is None else values
    frame = pandas.DataFrame(typed, columns=list(typed))
    if raw.commas:
        frame.attrs["semicolons"] = True  # evidence for decimal commas
    return frame


def of_frame(frame: Any, name: str = "frame", path: str = "", notes: list[str] | None = None) -> Items:
    """The rows of a pandas data frame, or of an object that can become one (`to_pandas`), such as those of Arrow and
    Polars.

    Args:
        path, notes: of the file that it comes from, for messages.

    Raises:
        InputError: if it has no rows, a single column that is not a series of numbers, or a column that cannot be used.
    """
    import pandas

    path, notes = path or name, notes if notes is not None else []
    frame = frames.named(frames.as_frame(frame), notes)
    if len(frame) < 2:
        raise InputError(_too_few(path, len(frame)))
    usable = {column: frames.usable(values, path, notes) for column, values in frame.items()}
    return Items(name, "rows", _checked(pandas.DataFrame(usable, columns=list(usable)), path), notes=tuple(notes))


def of_parts(found: parts.Parts) -> Items:
    """The rows of Parquet files, in memory if they fit."""
    name, notes = resolved(found.path).name.split(".")[0], found.notes
    if len(found) < 2 or found.fits:
        return of_frame(found.frame(), name, str(found.path), notes)
    if len(found.columns) < 2:
        raise InputError(f"{found.path} has one column, {found.columns[0]!r}, and does not fit into the memory")
    return Items(name, "rows", found, notes=(*notes, "the table is larger than the memory and is read in pieces"))


def _too_few(path: str, rows: int) -> str:
    return f"{path} has {rows} rows; give at least two"


def _checked(frame: DataFrame, path: str) -> DataFrame:
    """The same frame.

    Raises:
        InputError: if it has too few rows or columns, or infinite numbers.
    """
    from pandas.api import types

    if len(frame) < 2:
        raise InputError(_too_few(path, len(frame)))
    frames.check_finite(frame, path)
    if frame.shape[1] < 2 and not (
        len(frame) >= MIN_STEPS and types.is_numeric_dtype(in_memory(frame).iloc[:, 0].dtype)
    ):
        needed = f"a table needs two (separated by , or ;), a series {MIN_STEPS} numbers"
        raise InputError(f"{path} has one column, {frame.columns[0]!r}; {needed}")
    return frame
