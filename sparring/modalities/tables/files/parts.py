"""Tables in Parquet files that are read in pieces: those that do not fit into the memory, and folders of such files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparring.data.about import passed_over
from sparring.errors import needs
from sparring.memory import memory
from sparring.modalities.tables.files import frames, schemas
from sparring.modalities.tables.files.memory import CELL_BYTES, check_memory
from sparring.modalities.tables.files.schemas import PIECE

if TYPE_CHECKING:
    from pandas import DataFrame
    from pyarrow import RecordBatch, Schema

SUFFIX = ".parquet"
MEMORY_SHARE = 8  # rows that are drawn from all take at most one of so many parts of the memory


@dataclass(frozen=True)
class Parts:
    """The rows of Parquet files with the same columns, in the order of the files' names. They stay in the files. Dates
    of a data frame's index are the first column, and its other indices are left out, as for a single file.

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
            with schemas.readable(file), parquet.ParquetFile(file) as opened:
                footers.append((opened.metadata, opened.schema_arrow))
        return footers

    @cached_property
    def _raw(self) -> Schema:
        """The columns, by their names in the files."""
        schema = schemas.joint(self.files, [schemas.without_index(schema) for _, schema in self._footers])
        frames.check_types(str(self.path), schema)
        return schema

    @cached_property
    def _named(self) -> tuple[list[str], list[str]]:
        """Names of the columns, and notes about them."""
        raw = self._raw.names
        first = self._footers[0][1]
        names, notes = schemas.names(first)
        own = dict(zip(schemas.without_index(first).names, names, strict=True))
        return [own[name] for name in raw], notes

    def __len__(self) -> int:
        return sum(meta.num_rows for meta, _ in self._footers)

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    @property
    def columns(self) -> list[str]:
        """Their names."""
        return self._named[0]

    @property
    def notes(self) -> list[str]:
        """What the user should know about reading them."""
        count = [f"{len(self):,} rows in {len(self.files):,} files"] if len(self.files) > 1 else []
        return [*count, *(passed_over(self.path) if self.path.is_dir() else []), *self._named[1]]

    @cached_property
    def _statistics(self) -> dict[str, list[Any]]:
        """Of each column, what the files say of each group of rows: None where they say nothing."""
        names = dict(zip(self._raw.names, self.columns, strict=True))
        found: dict[str, list[Any]] = {name: [] for name in self.columns}
        for meta, _ in self._footers:
            for group in (meta.row_group(g) for g in range(meta.num_row_groups)):
                for column in (group.column(i) for i in range(group.num_columns)):
                    if column.path_in_schema in names:
                        found[names[column.path_in_schema]].append(column.statistics)
        return found

    @cached_property
    def nullable(self) -> frozenset[str]:
        """Columns that may have gaps: those in which some are counted, or not all were, and whole numbers that a file
        has as decimals.
        """
        from pyarrow import types

        groups = self._statistics.items()
        gaps = {name for name, all_ in groups if any(s is None or s.null_count != 0 for s in all_)}
        for field, name in zip(self._raw, self.columns, strict=True):
            kinds = [schema.field(field.name).type for _, schema in self._footers]
            gaps |= {name} if types.is_integer(field.type) and any(map(types.is_floating, kinds)) else set()
        return frozenset(gaps)

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

    @property
    def fits(self) -> bool:
        """True if a data frame of all rows fits into the memory."""
        return self.bytes <= memory()

    def pieces(self) -> Iterator[DataFrame]:
        """All rows, in data frames of equal types.

        Raises:
            InputError: if a file is damaged, or a column holds infinite numbers.
        """
        for _, piece in self._numbered():
            yield piece

    def rows(self, wanted: NDArray[np.int64]) -> DataFrame:
        """Rows by their numbers, in this order."""
        order = np.argsort(wanted, kind="stable")
        ascending, found = wanted[order], []
        for start, piece in self._numbered(ascending):
            first, last = np.searchsorted(ascending, [start, start + len(piece)])
            if last > first:
                found.append(piece.iloc[ascending[first:last] - start])
        return frames.joined(found).iloc[np.argsort(order)].reset_index(drop=True)

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
        """All rows in memory.

        Raises:
            InputError: if they do not fit.
        """
        check_memory(self.path, self.bytes, f"{len(self):,} rows of {len(self.columns):,} columns")
        pieces = list(self.pieces())
        return frames.joined(pieces) if pieces else self._raw.empty_table().rename_columns(self.columns).to_pandas()

    def _frame(self, batch: RecordBatch, file: str) -> DataFrame:
        """Rows of a file with the types that columns are fitted to."""
        from pyarrow import Table

        table = Table.from_batches([batch])
        columns = [schemas.converted(table.column(field.name), field, file) for field in self._raw]
        frame = frames.typed_frame(Table.from_arrays(columns, names=self.columns), self.nullable)
        frame = frame.assign(**{name: frames.usable(values, file, []) for name, values in frame.items()})
        frames.check_finite(frame, file)
        return frame

    def _numbered(self, wanted: NDArray[np.int64] | None = None) -> Iterator[tuple[int, DataFrame]]:
        """The number of the first row of each piece, and the piece. Row groups of which none is wanted are not read.

        Args:
            wanted: numbers of rows, ascending.
        """
        for start, file, batch in self._batches(wanted):
            yield start, self._frame(batch, str(file))

    def _batches(self, wanted: NDArray[np.int64] | None) -> Iterator[tuple[int, Path, RecordBatch]]:
        from pyarrow import parquet

        start = 0
        for file, (meta, _) in zip(self.files, self._footers, strict=True):
            with schemas.readable(file), parquet.ParquetFile(file) as opened:
                for group in range(meta.num_row_groups):
                    end = start + meta.row_group(group).num_rows
                    if wanted is not None and np.searchsorted(wanted, start) == np.searchsorted(wanted, end):
                        start = end
                        continue
                    for batch in opened.iter_batches(PIECE, [group], self._raw.names):
                        yield start, file, batch
                        start += batch.num_rows


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


def taken(data: DataFrame | Parts, rows: NDArray[np.int64]) -> DataFrame:
    """Rows of a table by their numbers, in this order."""
    return data.rows(rows) if isinstance(data, Parts) else data.iloc[rows].reset_index(drop=True)


def pieces(data: DataFrame | Parts) -> Iterable[DataFrame]:
    """All rows of a table, in data frames that fit into the memory."""
    return data.pieces() if isinstance(data, Parts) else [data]
