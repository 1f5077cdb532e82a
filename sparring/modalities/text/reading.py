"""Texts in files: a line each, a column of a table or a key of records, a file each, or one long text."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sparring.data.classes import classify
from sparring.data.items import Items
from sparring.data.sources import FileSource, Unreadable, archive, folder, is_visible
from sparring.errors import InputError, nearest
from sparring.files import describe_error, resolved
from sparring.modalities.tables.files import compressed, frames
from sparring.modalities.tables.files.decoding import decoded
from sparring.modalities.tables.files.folders import TEXT, parts_in
from sparring.modalities.tables.files.parts import SUFFIX, Parts, is_large
from sparring.modalities.tables.files.records import RECORDS
from sparring.modalities.tables.reading import columns, is_frame
from sparring.modalities.text import recognition
from sparring.modalities.text.texts import Texts

if TYPE_CHECKING:
    from pandas import DataFrame
    from pyarrow import DataType

KIND = "text"
FREE_TEXT = ".txt"
HEAD = 2**16  # bytes of a table by which it is recognized
PIECE = 80  # characters, about, of the parts of a long text without line ends
LABEL_NAMES = re.compile(r"label|class|category|target|sentiment|topic|y", re.IGNORECASE)


def read(path: Path) -> Items | None:
    """The texts in a file or a folder; None if it holds other data.

    Raises:
        InputError: if it holds texts that cannot be used.
    """
    suffix = compressed.without_suffix(path).suffix.lower()
    if (found := parts_in(path) if path.is_dir() else None) is not None:
        return _of_parts(found)
    if path.is_dir() or suffix not in (FREE_TEXT, *TEXT, *RECORDS, SUFFIX):
        files = _files(path)
        return None if files is None or len(files) < 2 else of_files(files)
    if suffix == FREE_TEXT:
        notes: list[str] = []
        lines = _lines(path, notes)
        return None if recognition.is_table(lines) else of_lines(path, lines, notes)
    if not _has_few_columns(path, suffix):
        return None
    if is_large(path):
        return _of_parts(Parts(path, (path,)))
    frame, notes = _frame(path, suffix)
    chosen = _only_text(frame)
    return None if chosen is None else of_frame(frame, chosen, path, notes)


def read_asked(path: Path) -> Items | None:
    """The same if the user asked for texts: any table with a column of text, and lines of any file of text."""
    suffix = compressed.without_suffix(path).suffix.lower()
    parts = parts_in(path) if path.is_dir() else None
    if path.is_dir() and parts is None:
        return read(path)
    if parts is None and suffix not in (*TEXT, *RECORDS, SUFFIX):
        if _files(path) is not None:
            return read(path)
        notes: list[str] = []
        return of_lines(path, _lines(path, notes), notes)
    frame, notes = _frame(path, suffix) if parts is None else (parts.frame(), parts.notes)
    found = texts_of(frame)
    if not found:
        raise InputError(f"{path} has no column of text; its columns are {', '.join(map(str, frame))}")
    return of_frame(frame, recognition.longest_text(found), path, notes)


def adopt(data: Any) -> Items | None:
    """The texts in a list, or in a data frame that consists of texts, perhaps with their labels; None for others."""
    if isinstance(data, list | tuple) and data and all(isinstance(text, str) for text in data):
        return Items("texts", KIND, checked(Texts(tuple(data), "row", np.arange(len(data)) + 1), "the list"))
    if not is_frame(data):
        return None
    frame = frames.named(frames.as_frame(data), [])
    chosen = _only_text(frame)
    return None if chosen is None else of_frame(frame, chosen, Path("frame"), [])


def checked(texts: Texts, where: str) -> Texts:
    """The same texts.

    Raises:
        InputError: if there are fewer than two.
    """
    count = sum(1 for text in texts.texts if text.strip())
    if count < 2:
        raise InputError(f"{where} has {count} {texts.unit}{'s' * (count != 1)} of text; give at least two")
    return texts


# Lines, and a long text.


def _lines(path: Path, notes: list[str]) -> list[str]:
    """The lines of a file.

    Raises:
        InputError: if it cannot be read, is empty or is not text.
    """
    try:
        content = compressed.content(path)
    except OSError as error:
        raise InputError(f"cannot read {path}: {describe_error(error)}") from error
    text = decoded(path.name, content, notes)
    if not text.strip():
        raise InputError(f"{path} is empty; give a file with a text in each line")
    lines = text.split("\n")
    return lines[:-1] if not lines[-1] else lines


def of_lines(path: Path, lines: Sequence[str], notes: Sequence[str]) -> Items:
    """The texts in the lines of a file."""
    continuous, glue = recognition.is_continuous(lines), "\n"
    if continuous and len(lines) < recognition.MAX_LINES:
        lines, glue = _pieces("\n".join(lines)), ""
    texts = Texts(
        tuple(lines if continuous else (line.strip() for line in lines)),
        "line",
        np.arange(len(lines)) + 1,
        continuous=continuous,
        glue=glue,
    )
    return Items(resolved(path).name.split(".")[0], KIND, checked(texts, str(path)), notes=tuple(notes))


def _pieces(text: str) -> list[str]:
    """Parts of a text that end after a space where possible."""
    return re.findall(rf".{{1,{PIECE}}}(?:\s|$)|.{{1,{PIECE}}}", text, re.DOTALL)


# Files of one text each.


def _files(path: Path) -> FileSource | None:
    """The files of text in a folder or an archive that holds nothing else; None for others."""
    if path.is_dir():
        inside = (p for p in path.rglob("*") if is_visible(p.relative_to(path).as_posix()) and p.is_file())
        return folder(path, is_visible) if all(map(_is_text, inside)) else None  # which stops at the first other file
    opened = archive(path, is_visible) if path.suffix.lower() == ".zip" else None
    return opened[0] if opened is not None and all(_is_text(Path(name)) for name in opened[0].names) else None


def _is_text(path: Path) -> bool:
    return path.suffix.lower() == FREE_TEXT


def of_files(files: FileSource) -> Items:
    """The text in each file; the folders around them are classes."""
    notes: list[str] = []
    texts = [""] * len(files)
    for i, content in files.contents():
        if isinstance(content, Unreadable):
            raise InputError(f"{files.path}: {files.names[i]} cannot be read: {content.why}")
        texts[i] = decoded(files.names[i], content, notes).strip()
    labels, classes, held = classify(files.names)
    read_texts = Texts(tuple(texts), "file", np.arange(len(files)) + 1)
    name = resolved(files.path).name.split(".")[0]
    return Items(
        name, KIND, checked(read_texts, str(files.path)), labels, classes, held=held, notes=tuple(dict.fromkeys(notes))
    )


# Tables and records.


def _holds_files(kind: DataType) -> bool:
    """True for a column of structs or bytes, as images are stored."""
    from pyarrow import types

    return bool(types.is_nested(kind) or types.is_binary(kind) or types.is_large_binary(kind))


def _has_few_columns(path: Path, suffix: str) -> bool:
    """True if a table has one column or two, by its beginning."""
    if suffix == SUFFIX:
        from importlib.util import find_spec

        if find_spec("pyarrow") is None:
            return False
        from pyarrow import ArrowException, parquet

        try:
            kinds = parquet.read_schema(path).types
            return len(kinds) <= 2 and not any(map(_holds_files, kinds))
        except (ArrowException, OSError):
            return False  # the table's reader says what is wrong
    try:
        head = compressed.content(path)[:HEAD].decode("utf-8-sig", errors="replace").splitlines()
    except OSError:
        return False
    lines = [line for line in head if line.strip()]
    if not lines:
        return False
    if suffix in RECORDS:
        try:
            first = json.loads(lines[0])
        except ValueError:
            return False
        return isinstance(first, dict) and len(first) <= 2
    separator = "\t" if suffix == ".tsv" else max(recognition.SEPARATORS, key=lines[0].count)
    try:
        widths = {len(row) for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=separator)}
    except csv.Error:
        return False
    return len(lines) > 1 and max(widths) <= 2


def _of_parts(found: Parts) -> Items | None:
    """The texts in Parquet files; None if they hold other data.

    Raises:
        InputError: if they do not fit into the memory.
    """
    if not _has_few_columns(found.files[0], SUFFIX):
        return None
    if not found.fits and not texts_of(next(found.pieces())):
        return None
    frame = found.frame() if found.fits else found.drawn(recognition.PROBED)
    chosen = _only_text(frame)
    if chosen is not None and not found.fits:
        raise InputError(
            f"{found.path} holds texts in column {chosen!r}, which must fit into the memory; give fewer rows, or "
            "--recipe table to learn them as levels of a column"
        )
    return None if chosen is None else of_frame(frame, chosen, found.path, found.notes)


def _frame(path: Path, suffix: str) -> tuple[DataFrame, list[str]]:
    notes: list[str] = []
    try:
        if suffix == SUFFIX:
            return frames.read_parquet(path), notes
        return columns(compressed.without_suffix(path), compressed.content(path), notes), notes
    except OSError as error:
        raise InputError(f"cannot read {path}: {describe_error(error)}") from error


def texts_of(frame: DataFrame) -> dict[str, list[str]]:
    """The columns of text, "" where a value is missing."""
    from pandas.api import types

    text = [name for name in frame if types.is_string_dtype(frame[name].dtype) or frame[name].dtype == object]
    return {str(name): [value if isinstance(value, str) else "" for value in frame[name]] for name in text}


def _only_text(frame: DataFrame) -> str | None:
    """The column of text of a table that has no other column, except for one of labels; None for other tables."""
    found = texts_of(frame)
    if len(frame.columns) == 1:
        return next(iter(found), None) if len(frame) > 1 else None
    free = [name for name, values in found.items() if recognition.is_free_text(values)]
    if len(frame.columns) != 2 or len(free) != 1:
        return None
    return free[0] if labels_in(frame, free[0])[0] is not None else None


def labels_in(frame: DataFrame, column: str) -> tuple[str | None, list[str]]:
    """The column of classes beside that of texts, and its values: the only one, or the only one that is named so."""
    others = [name for name in frame if str(name) != column]
    known = [name for name in others if not frame[name].isna().any()]
    labels = [name for name in known if recognition.is_label([str(value) for value in frame[name]])]
    named = [name for name in labels if LABEL_NAMES.fullmatch(str(name))]
    chosen = labels if len(labels) == 1 else named
    if len(chosen) != 1:
        return None, []
    return str(chosen[0]), [str(value) for value in frame[chosen[0]]]


def of_frame(frame: DataFrame, column: str, path: Path, notes: Sequence[str]) -> Items:
    """The texts in a column of a table, with their classes if a column has some."""
    found = texts_of(frame)
    texts = Texts(
        tuple(text.strip() for text in found.pop(column)),
        "row",
        np.arange(len(frame)) + 1,
        column,
        {name: tuple(values) for name, values in found.items()},
    )
    said = [*notes, f"texts are in column {column!r}"] if len(frame.columns) > 1 else list(notes)
    label, values = labels_in(frame, column)
    classes = tuple(sorted(set(values)))
    labels = None
    if label is not None:
        said.append(f"classes are in column {label!r}")
        labels = np.array([classes.index(value) for value in values], np.int64)
    name = resolved(path).name.split(".")[0]
    return Items(name, KIND, checked(texts, str(path)), labels, classes, notes=tuple(said))


def texts_in(items: Items, column: str) -> Texts:
    """The texts of a data set, in the column of this name if one is given.

    Raises:
        InputError: if there is no such column, or no column of text.
    """
    texts = items.items
    if not isinstance(texts, Texts):
        found = texts_of(texts)
        if not found:
            raise InputError(f"{items.name!r} has no column of text; its columns are {', '.join(map(str, texts))}")
        chosen = _called(column, list(found), items.name) if column else recognition.longest_text(found)
        table: Texts = of_frame(texts, chosen, Path(items.name), ()).items
        return table
    if not column or column == texts.column:
        return texts
    chosen = _called(column, [texts.column, *texts.others] if texts.column else [], items.name)
    return Texts(texts.others[chosen], texts.unit, texts.numbers, chosen)


def _called(column: str, names: Sequence[str], where: str) -> str:
    if column not in names:
        choice = nearest(column, names) if names else "it has no columns"
        raise InputError(f"column={column} was given, but {where!r} has no such column of text; {choice}")
    return column
