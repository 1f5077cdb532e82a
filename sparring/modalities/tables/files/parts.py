"""Tables in Parquet files that are read in pieces: those that do not fit into the memory, and folders of such files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparring.errors import InputError, needs
from sparring.memory import memory
from sparring.modalities.tables.files import frames
from sparring.modalities.tables.files.memory import CELL_BYTES

if TYPE_CHECKING:
    from pandas import DataFrame
    from pyarrow import RecordBatch, Schema

SUFFIX = ".parquet"
PIECE = 65_536  # rows that are decoded at once
HIDDEN = ".", "_"  # beginnings of names of files that are no parts, such as _SUCCESS
MEMORY_SHARE = 8  # rows that are drawn from all take at most one of so many parts of the memory


@dataclass(frozen=True)
class Parts:
    """The rows of Parquet files with the same columns, in the order of the files' names. They stay in the files.

    It has what is read of a data frame: its length, its columns and their types.

    Attributes:
        path: of the file, or of the folder.
        files: the files.
    """

    path: Path
    files: tuple[Path, ...]

    @cached_property
    def _footers(self) -> list[Any]:
        parquet = needs("pyarrow.parquet", "tables", "reads Parquet files")
        footers = []
        for file in self.files:
            with _readable(file), parquet.ParquetFile(file) as opened:
                footers.append((opened.metadata, opened.schema_arrow))
        return footers

    @cached_property
    def schema(self) -> Schema:
        """The columns, which all files have. Whole numbers of one file and decimals of another become decimals, as
        parts with gaps have them. Dates of a data frame's index are the first column, and its other indices are left
        out, as for a single file.

        Raises:
            InputError: if a file has other columns, or one holds lists, structures or binary data.
        """
        import pyarrow

        schemas = [_without_index(schema) for _, schema in self._footers]
        first, *others = schemas
        whole: Schema = first
        if len(set(first.names)) < len(first):
            twice = next(name for name in first.names if first.names.count(name) > 1)
            raise InputError(f"{self.files[0]} has several columns {twice!r}; give them different names")
        for file, schema in zip(self.files[1:], others, strict=True):
            if other := set(schema.names) ^ set(first.names):
                has = "has a" if min(other) in schema.names else "has no"
                raise InputError(
                    f"{file} {has} column {min(other)!r}, unlike {self.files[0]}; give files with the same columns"
                )
            for i, field in enumerate(whole):
                both = pyarrow.schema([field]), pyarrow.schema([schema.field(field.name)])
                try:
                    whole = whole.set(i, pyarrow.unify_schemas(both, promote_options="permissive").field(0))
                except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError) as error:
                    raise InputError(
                        f"{file}: column {field.name!r} holds {both[1].field(0).type}, but {field.type} in the files "
                        "before it; write it alike in all files"
                    ) from error
        frames.check_types(str(self.path), whole)
        return whole

    def __len__(self) -> int:
        return sum(meta.num_rows for meta, _ in self._footers)

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    @property
    def columns(self) -> list[str]:
        """Their names."""
        return list(self.schema.names)

    @cached_property
    def _statistics(self) -> dict[str, list[Any]]:
        """Of each column, what the files say of each group of rows: None where they say nothing."""
        found: dict[str, list[Any]] = {name: [] for name in self.columns}
        for meta, _ in self._footers:
            for group in (meta.row_group(g) for g in range(meta.num_row_groups)):
                for column in (group.column(i) for i in range(group.num_columns)):
                    if column.path_in_schema in found:
                        found[column.path_in_schema].append(column.statistics)
        return found

    @cached_property
    def nullable(self) -> frozenset[str]:
        """Columns that may have gaps: those in which some are counted, or not all were."""
        groups = self._statistics.items()
        return frozenset(name for name, all_ in groups if any(s is None or s.null_count != 0 for s in all_))

    @cached_property
    def numbered(self) -> frozenset[str]:
        """Columns of whole numbers whose range is as long as the table, as numbers of rows have it."""
        found = set()
        for name, groups in self._statistics.items():
            known = [s for s in groups if s is not None and s.has_min_max and type(s.min) is int is type(s.max)]
            if name not in self.nullable and groups and len(known) == len(groups):
                span = max(s.max for s in known) - min(s.min for s in known) + 1
                found |= {name} if span == len(self) else set()
        return frozenset(found)

    @cached_property
    def dtypes(self) -> Any:
        """Types of the columns in data frames."""
        return next(self.pieces()).dtypes

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the files."""
        return tuple(file.name for file in self.files)

    @property
    def modified(self) -> str:
        """Sizes and dates of the files, which change with their content."""
        return " ".join(f"{s.st_size} {s.st_mtime_ns}" for s in (file.stat() for file in self.files))

    @property
    def bytes(self) -> int:
        """Memory that all rows would take as a data frame, about."""
        return len(self) * len(self.columns) * CELL_BYTES

    def pieces(self) -> Iterator[DataFrame]:
        """All rows, in data frames of equal types.

        Raises:
            InputError: if a file is damaged, or a column holds infinite numbers.
        """
        for _, piece in self._numbered():
            yield piece

    def rows(self, wanted: NDArray[np.int64]) -> DataFrame:
        """Rows by their numbers, in this order."""
        import pandas

        order = np.argsort(wanted, kind="stable")
        ascending, found = wanted[order], []
        for start, piece in self._numbered(ascending):
            first, last = np.searchsorted(ascending, [start, start + len(piece)])
            if last > first:
                found.append(piece.iloc[ascending[first:last] - start])
        drawn: DataFrame = pandas.concat(found, ignore_index=True).iloc[np.argsort(order)]
        return drawn.reset_index(drop=True)

    def drawn(self, most: int, seed: int = 0) -> DataFrame:
        """Rows at random, without replacement and in their order: at most this many, and as many as fit well into the
        memory. If a column has gaps and none was drawn, its last value is one, so that gaps can be represented.
        """
        room = memory() // MEMORY_SHARE // (len(self.columns) * CELL_BYTES)
        count = min(len(self), most, max(2, room))
        frame = self.rows(np.sort(np.random.default_rng(seed).choice(len(self), count, replace=False)))
        for name in self.columns:
            gaps = any(s is not None and s.null_count for s in self._statistics[name])
            if gaps and frame[name].notna().all():
                frame.loc[len(frame) - 1, name] = None
        return frame

    def frame(self) -> DataFrame:
        """All rows in memory."""
        import pandas

        pieces = list(self.pieces())
        return pandas.concat(pieces, ignore_index=True) if pieces else self.schema.empty_table().to_pandas()

    def _frame(self, batch: RecordBatch, file: str) -> DataFrame:
        """Rows of a file with the types that columns are fitted to."""
        from pyarrow import Table

        table = Table.from_batches([batch]).select(self.columns)
        frame = frames.typed_frame(table.replace_schema_metadata().cast(self.schema), self.nullable)
        frame = frame.assign(**{name: frames.usable(values, file, []) for name, values in frame.items()})
        frames.check_finite(frame, file)
        return frame

    def _numbered(self, wanted: NDArray[np.int64] | None = None) -> Iterator[tuple[int, DataFrame]]:
        """The number of the first row of each piece, and the piece. Row groups of which none is wanted are not read.

        Args:
            wanted: numbers of rows, ascending.
        """
        from pyarrow import parquet

        start = 0
        for file, (meta, _) in zip(self.files, self._footers, strict=True):
            with _readable(file), parquet.ParquetFile(file) as opened:
                for group in range(meta.num_row_groups):
                    end = start + meta.row_group(group).num_rows
                    if wanted is not None and np.searchsorted(wanted, start) == np.searchsorted(wanted, end):
                        start = end
                        continue
                    for batch in opened.iter_batches(PIECE, [group], self.columns):
                        yield start, self._frame(batch, str(file))
                        start += batch.num_rows


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    """Turns what Arrow says of a damaged file into an `InputError`."""
    from pyarrow import ArrowException

    try:
        yield
    except (ArrowException, OSError) as error:
        raise InputError(f"{file} is damaged: {str(error).splitlines()[0]}") from error


def _without_index(schema: Schema) -> Schema:
    """A schema without the columns that are the index of a data frame, unless they are dates."""
    import pyarrow
    from pyarrow import types

    described = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    index = {name for name in described.get("index_columns", []) if isinstance(name, str)}
    dates = [field for field in schema if field.name in index and types.is_timestamp(field.type)]
    others = [field for field in schema if field.name not in index]
    return pyarrow.schema([field.with_nullable(True) for field in (*dates, *others)])


def is_large(path: Path) -> bool:
    """True for a Parquet file whose table does not fit into the memory."""
    if path.suffix.lower() != SUFFIX or not path.is_file():
        return False
    parquet = needs("pyarrow.parquet", "tables", "reads Parquet files")
    from pyarrow import ArrowException

    try:
        with parquet.ParquetFile(path) as file:
            return bool(file.metadata.num_rows * file.metadata.num_columns * CELL_BYTES > memory())
    except (ArrowException, OSError):
        return False  # the table's reader says what is wrong


def in_folder(path: Path) -> Parts | None:
    """The Parquet files of a folder that has no other files; None for other folders, and for those with one such file.

    Raises:
        InputError: if there are further such files in folders within it.
    """
    inside = [p for p in sorted(path.iterdir()) if not p.name.startswith(HIDDEN)]
    files = tuple(p for p in inside if not p.is_dir())
    if any(file.suffix.lower() != SUFFIX for file in files):
        return None
    for within in (p for p in inside if p.is_dir() and (files or "=" in p.name)):
        if next(within.rglob(f"*{SUFFIX}"), None) is not None:
            raise InputError(
                f"{path} holds Parquet files in folders within it, such as {within.name}, which are not joined; put "
                "the files of a table into one folder, with what the folders' names say as a column"
            )
    return Parts(path, files) if len(files) > 1 else None


def taken(data: DataFrame | Parts, rows: NDArray[np.int64]) -> DataFrame:
    """Rows of a table by their numbers, in this order."""
    return data.rows(rows) if isinstance(data, Parts) else data.iloc[rows].reset_index(drop=True)


def pieces(data: DataFrame | Parts) -> Iterable[DataFrame]:
    """All rows of a table, in data frames that fit into the memory."""
    return data.pieces() if isinstance(data, Parts) else [data]
