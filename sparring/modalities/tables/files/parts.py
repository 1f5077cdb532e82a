"""Tables in Parquet files that are read in pieces: those that do not fit into the memory, and folders of such files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
            with parquet.ParquetFile(file) as opened:
                footers.append((opened.metadata, opened.schema_arrow))
        return footers

    @cached_property
    def schema(self) -> Schema:
        """The columns, which all files have.

        Raises:
            InputError: if a file has other columns, or one holds lists, structures or binary data.
        """
        first = self._footers[0][1].remove_metadata()
        for file, (_, schema) in zip(self.files, self._footers, strict=True):
            if not schema.remove_metadata().equals(first):
                other = next(
                    (f for f in schema if f.name not in first.names or not f.equals(first.field(f.name))), None
                )
                what = f"column {other.name!r} ({other.type})" if other is not None else "fewer columns"
                raise InputError(f"{file} has {what}, unlike {self.files[0]}; give files with the same columns")
        frames.check_types(str(self.path), first)
        return first

    @cached_property
    def nullable(self) -> frozenset[str]:
        """Columns that may have gaps: those in which some are counted, or none were."""
        groups = [meta.row_group(g) for meta, _ in self._footers for g in range(meta.num_row_groups)]
        found = set()
        for group in groups:
            for i in range(group.num_columns):
                statistics = group.column(i).statistics
                if statistics is None or statistics.null_count is None or statistics.null_count > 0:
                    found.add(group.column(i).path_in_schema)
        return frozenset(found)

    def __len__(self) -> int:
        return sum(meta.num_rows for meta, _ in self._footers)

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    @cached_property
    def columns(self) -> list[str]:
        """Their names."""
        return list(self.schema.names)

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
        memory.
        """
        room = memory() // MEMORY_SHARE // (len(self.columns) * CELL_BYTES)
        count = min(len(self), most, max(2, room))
        return self.rows(np.sort(np.random.default_rng(seed).choice(len(self), count, replace=False)))

    def frame(self) -> DataFrame:
        """All rows in memory."""
        import pandas

        pieces = list(self.pieces())
        return pandas.concat(pieces, ignore_index=True) if pieces else self.schema.empty_table().to_pandas()

    def _frame(self, batch: RecordBatch, file: str) -> DataFrame:
        """Rows of a file with the types that columns are fitted to."""
        from pyarrow import Table

        frame = frames.typed_frame(Table.from_batches([batch]), self.nullable)
        frame = frame.assign(**{str(name): frames.usable(values, file, []) for name, values in frame.items()})
        frames.check_finite(frame, file)
        return frame

    def _numbered(self, wanted: NDArray[np.int64] | None = None) -> Iterator[tuple[int, DataFrame]]:
        """The number of the first row of each piece, and the piece. Row groups of which none is wanted are not read.

        Args:
            wanted: numbers of rows, ascending.
        """
        from pyarrow import ArrowException, parquet

        start = 0
        for file, (meta, _) in zip(self.files, self._footers, strict=True):
            try:
                with parquet.ParquetFile(file) as opened:
                    for group in range(meta.num_row_groups):
                        end = start + meta.row_group(group).num_rows
                        if wanted is not None and np.searchsorted(wanted, start) == np.searchsorted(wanted, end):
                            start = end
                            continue
                        for batch in opened.iter_batches(PIECE, [group], self.columns):
                            yield start, self._frame(batch, str(file))
                            start += batch.num_rows
            except (ArrowException, OSError) as error:
                raise InputError(f"{file} is damaged: {str(error).splitlines()[0]}") from error


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
    """The Parquet files of a folder that has no other files; None for other folders."""
    files = tuple(sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith(HIDDEN)))
    if not files or any(file.suffix.lower() != SUFFIX for file in files):
        return None
    return Parts(path, files)


def taken(data: DataFrame | Parts, rows: NDArray[np.int64]) -> DataFrame:
    """Rows of a table by their numbers, in this order."""
    return data.rows(rows) if isinstance(data, Parts) else data.iloc[rows].reset_index(drop=True)


def pieces(data: DataFrame | Parts) -> Iterable[DataFrame]:
    """All rows of a table, in data frames that fit into the memory."""
    return data.pieces() if isinstance(data, Parts) else [data]
