"""A table beside images: which file it is, and which of its rows describes which image."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparring.data.items import Items
from sparring.data.sources import FileSource
from sparring.errors import InputError
from sparring.modalities.tables import reading
from sparring.modalities.tables.files.folders import TEXT
from sparring.modalities.tables.files.parts import Parts

if TYPE_CHECKING:
    from pandas import DataFrame

MIN_NAMED = 0.5  # share of the images that a table names which is used without being given
MAX_LISTED = 3  # files that are listed by name


@dataclass(frozen=True)
class Beside:
    """The rows of a table that describe images.

    Attributes:
        name: of the table's file.
        column: that names the image files.
        frame: the other columns, a row for each described image.
        items: indices of the described images, ascending, (n,).
        notes: what the user should know about the table, one line each.
    """

    name: str
    column: str
    frame: DataFrame
    items: NDArray[np.int64]
    notes: tuple[str, ...]


def find(items: Items, given: str) -> Beside | None:
    """The table that describes images: the given one, or one in their folder or archive, or next to the archive under
    the same name, that names at least half of them. None if there is none.

    Raises:
        InputError: if the given table cannot be read, or names none of the images.
    """
    files = items.items
    if not isinstance(files, FileSource):
        if given:
            raise InputError(f"table={given} was given, but the images of {items.name!r} have no file names to match")
        return None
    if given:
        return _given(files, Path(given))
    found = [matched(files, name, frame) for name, frame in _candidates(files.path)]
    fitting = [beside for beside in found if beside is not None and len(beside.items) >= MIN_NAMED * len(files)]
    return max(fitting, key=lambda beside: len(beside.items), default=None)


def _given(files: FileSource, path: Path) -> Beside:
    if not path.exists():
        raise InputError(
            f"table={path} does not exist; give a table (.csv, .tsv, .parquet, .xlsx) that names the files"
        )
    rows = reading.read(path)
    if rows is None:
        raise InputError(f"table={path} is not a table; give a .csv, .tsv, .parquet or .xlsx that names the files")
    if isinstance(rows.items, Parts):
        raise InputError(f"table={path} does not fit into the memory, as it must here; give fewer rows or columns")
    beside = matched(files, path.name, rows.items)
    if beside is None or len(beside.items) < 2:
        raise InputError(
            f"table={path}: no column names the files of {files.path} (such as {files.names[0]}); add one that does"
        )
    return beside


def _candidates(path: Path) -> Iterator[tuple[str, DataFrame]]:
    """Name and rows of the tables beside images. Those that cannot be read are passed over: nobody has given them."""
    if path.is_dir():
        places = [p for p in sorted(path.iterdir()) if p.suffix.lower() in (*TEXT, ".parquet", ".xlsx")]
    else:
        places = [p for suffix in TEXT if (p := path.parent / f"{path.name.split('.')[0]}{suffix}").is_file()]
        with suppress(InputError):
            yield from _inside(path)
    for place in places:
        with suppress(InputError):
            yield place.name, reading.read_table(place).items


def _inside(path: Path) -> Iterator[tuple[str, DataFrame]]:
    """Name and rows of the tables in an archive."""
    for name, content in reading.contents(tables) if (tables := reading.tables_in(path)) is not None else ():
        with suppress(InputError):
            yield name.name, reading.parsed(name, content, [])


def matched(files: FileSource, name: str, frame: DataFrame) -> Beside | None:
    """The rows of a table that describe image files, by the column that names most of them: by path, then by file name,
    then by file name without its suffix. None if no column names any.

    Args:
        name: of the table.
    """
    index = _Index(files.names)
    rows_by_column = {column: index.rows([str(value) for value in frame[column]]) for column in frame}
    column = max(rows_by_column, key=lambda column: len(rows_by_column[column]))
    rows = rows_by_column[column]
    if not rows:
        return None
    items = np.array(sorted(rows), np.int64)
    described = frame.iloc[[rows[i] for i in items]].drop(columns=column).reset_index(drop=True)
    return Beside(name, str(column), described, items, tuple(_notes(files, name, frame[column].tolist(), rows)))


def _notes(files: FileSource, name: str, values: Sequence[Any], rows: Mapping[int, int]) -> Iterator[str]:
    """Images without a row, and rows without an image."""
    alone = [file for i, file in enumerate(files.names) if i not in rows]
    if alone:
        yield f"{len(alone):,} images have no row in {name} ({_listed(alone)}) and are left out"
    unused = [str(values[row]) for row in sorted(set(range(len(values))) - set(rows.values()))]
    if unused:
        yield f"{len(unused):,} rows of {name} are of no image, or of one that has a row ({_listed(unused)})"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:MAX_LISTED]) + (", ..." if len(names) > MAX_LISTED else "")


class _Index:
    """Finds files by what a table calls them."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = [_plain(name) for name in names]
        self.paths = {name: i for i, name in enumerate(self.names)}
        self.files: dict[str, list[int]] = defaultdict(list)
        self.stems: dict[str, list[int]] = defaultdict(list)
        for i, name in enumerate(self.names):
            self.files[PurePosixPath(name).name].append(i)
            self.stems[PurePosixPath(name).stem].append(i)

    def rows(self, values: Sequence[str]) -> dict[int, int]:
        """The first row that names each file, by the index of the file."""
        rows: dict[int, int] = {}
        for row, value in enumerate(values):
            file = self._file(_plain(value))
            if file is not None:
                rows.setdefault(file, row)
        return rows

    def _file(self, path: str) -> int | None:
        """The index of the file that a path means; None if there is none, or several."""
        if path in self.paths:
            return self.paths[path]
        last = path.rpartition("/")[2]
        named = self.files.get(last) or self.stems.get(last, [])
        if len(named) > 1:  # a path with more or fewer outer folders
            named = [i for i in named if _same_end(self.names[i], path) or _same_end(path, self.names[i])]
        return named[0] if len(named) == 1 else None


def _same_end(path: str, end: str) -> bool:
    """True if a path ends in another one, with or without its suffix."""
    return path.endswith(f"/{end}") or str(PurePosixPath(path).with_suffix("")).endswith(f"/{end}")


def _plain(path: str) -> str:
    return path.strip().replace("\\", "/").removeprefix("./").strip("/")
