"""Images in Parquet files, a row for each, as the Hugging Face Hub stores data sets of images."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparring.data.classes import HELD, TRAIN, printable
from sparring.data.items import Items
from sparring.data.sources import MAX_FILE_BYTES, Content, FileSource, Unreadable, is_visible
from sparring.errors import InputError, needs
from sparring.modalities.images.image_files import signature

SUFFIX = ".parquet"
BATCH = 64  # rows that are read at once
LABELS = ("label", "labels", "class", "cls", "fine_label")  # the first of these columns is the class


def files_in(path: Path) -> list[Path]:
    """Parquet files: this one, or those below a folder."""
    if path.is_file():
        return [path]
    return sorted(p for p in path.rglob(f"*{SUFFIX}") if is_visible(p.relative_to(path).as_posix()) and p.is_file())


@dataclass(frozen=True)
class ParquetSource(FileSource):
    """The images in Parquet files. Their names are `FILE/ROW`.

    Attributes:
        files: the Parquet files.
        column: that holds the images, as bytes or as structs with `bytes`.
    """

    files: tuple[Path, ...] = ()
    column: str = ""

    def contents(self, wanted: Collection[int] | None = None) -> Iterator[tuple[int, Content]]:
        files = {_name(file, self.path): file for file in self.files}
        for name, same in groupby(enumerate(self.names), lambda pair: pair[1].rpartition("/")[0]):
            rows = {int(one.rpartition("/")[2]): i for i, one in same if wanted is None or i in wanted}
            if rows:
                for row, content in _contents(files[name], self.column, rows):
                    yield rows[row], content

    def unpacked_size(self) -> int:
        return sum(file.stat().st_size for file in self.files)

    @property
    def modified(self) -> str:
        return " ".join(f"{file.stat().st_size}.{file.stat().st_mtime_ns}" for file in self.files if file.exists())


def read(path: Path, name: str) -> Items | None:
    """The images in a Parquet file, or in those of a folder; None if there are none. Files called test or validation
    are held out if others are called train.

    Raises:
        InputError: if a file is damaged, or they do not have the same columns.
    """
    files = files_in(path)
    column = _column(files)
    if not column:
        return None
    names, held = [], []
    labels: list[Any] = []
    field = _label(files[0])
    for file in files:
        with _opened(file) as opened:
            if column not in opened.schema_arrow.names or (field and field not in opened.schema_arrow.names):
                raise InputError(f"{file} has other columns than {files[0].name}; give files of one set")
            count = opened.metadata.num_rows
            with _undamaged(file):
                labels += opened.read([field])[field].to_pylist() if field else []
        stem = _name(file, path)
        names += [f"{stem}/{row:09}" for row in range(count)]
        held += [next((w for w in re.split(r"[-_./]", stem.lower()) if w in TRAIN | HELD), "")] * count
    if len(names) < 2:
        raise InputError(f"{path} has only {len(names)} rows; give at least two images")
    source = ParquetSource(path, tuple(names), tuple(files), column)
    apart = np.array([word in HELD for word in held]) if TRAIN & set(held) and HELD & set(held) else None
    index, classes = _classes(labels, _class_names(files[0], field))
    said = f"; their classes are in column {field!r}" if index is not None else ""
    note = (
        f"{len(names):,} images in column {column!r} of {len(files)} Parquet file{'s' if len(files) > 1 else ''}{said}"
    )
    return Items(name, "images", source, index, classes, held=apart, notes=(note,))


def _name(file: Path, root: Path) -> str:
    return (file.relative_to(root) if file != root else Path(file.name)).with_suffix("").as_posix()


def _contents(file: Path, column: str, rows: Collection[int]) -> Iterator[tuple[int, Content]]:
    """Row and image of the wanted rows, of which only some are in memory."""
    with _opened(file) as opened, _undamaged(file):
        begin = 0
        for group in range(opened.num_row_groups):
            count = opened.metadata.row_group(group).num_rows
            if any(row in rows for row in range(begin, begin + count)):
                for batch in opened.iter_batches(BATCH, row_groups=[group], columns=[column]):
                    for value in batch.column(0):
                        if begin in rows:
                            yield begin, _image(value.as_py())
                        begin += 1
            else:
                begin += count


def _image(value: Any) -> Content:
    content = value.get("bytes") if isinstance(value, dict) else value
    if content is None:
        path = value.get("path") if isinstance(value, dict) else None
        return Unreadable(f"holds the path {path!r} and no image" if path else "holds no image")
    return Unreadable("too large") if len(content) > MAX_FILE_BYTES else bytes(content)


def _column(files: Sequence[Path]) -> str:
    """The column with images; "" if there is none. The first file decides that has more than missing values."""
    for file in files:
        with _opened(file) as opened, _undamaged(file):
            firsts = {name: _first(opened, name) for name in _candidates(opened)}
        for name, first in firsts.items():
            if isinstance(first, bytes) and signature(first[:512]):
                return name
        if opened.metadata.num_rows and None not in firsts.values():
            return ""
    return ""


def _candidates(opened: Any) -> list[str]:
    """Columns that may hold images, by their type."""
    types = needs("pyarrow.types", "tables", "reads .parquet")
    return [
        field.name
        for field in opened.schema_arrow
        if types.is_binary(field.type)
        or types.is_large_binary(field.type)
        or (types.is_struct(field.type) and field.type.get_field_index("bytes") >= 0)
    ]


def _first(opened: Any, column: str) -> Content | None:
    """The first value of a column that is not missing."""
    for batch in opened.iter_batches(BATCH, columns=[column]):
        for value in batch.column(0):
            plain = value.as_py()
            if plain is not None and (not isinstance(plain, dict) or plain.get("bytes") is not None):
                return _image(plain)
    return None


def _label(file: Path) -> str:
    with _opened(file) as opened:
        return next((name for name in LABELS if name in opened.schema_arrow.names), "")


def _class_names(file: Path, field: str) -> list[str]:
    """Names of the classes, as the `datasets` library stores them in the schema; [] if it did not."""
    with _opened(file) as opened:
        stored = (opened.schema_arrow.metadata or {}).get(b"huggingface", b"{}")
    try:
        names = json.loads(stored)["info"]["features"][field]["names"]
        return [str(name) for name in names]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []


def _classes(labels: list[Any], names: list[str]) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """The class of each image, and the names of the classes that occur."""
    if names:  # an index outside of them, such as -1, is no label
        labels = [None if isinstance(v, int) and not 0 <= v < len(names) else v for v in labels]
    if not labels or any(not isinstance(label, int | str) for label in labels):
        return None, ()
    found = sorted(set(labels), key=lambda label: (isinstance(label, str), label))
    if len(found) < 2:
        return None, ()
    named = [names[v] if isinstance(v, int) and 0 <= v < len(names) else printable(str(v)) for v in found]
    index = {label: i for i, label in enumerate(found)}
    return np.array([index[label] for label in labels], np.int64), tuple(named)


def _opened(file: Path) -> Any:
    parquet = needs("pyarrow.parquet", "tables", "reads .parquet")
    with _undamaged(file):
        return parquet.ParquetFile(file, pre_buffer=False)


@contextmanager
def _undamaged(file: Path) -> Iterator[None]:
    """Names the file that cannot be read."""
    arrow = needs("pyarrow", "tables", "reads .parquet")
    try:
        yield
    except (arrow.ArrowException, OSError) as error:
        raise InputError(f"{file} is cut off or damaged ({str(error).splitlines()[0]}); replace it") from error
