"""Where the header of a table is, and the names of its columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sparring.modalities.tables.files.missing import MARKERS

Row = list[str]
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
# A number, a date or a time, in any of the forms that people write.
VALUE = re.compile(
    r"[^\w\s]{0,3}(\d[\d.,' ]*|[.,]\d+)([eE][+-]?\d+)?[^\w\s]?"
    r"|\d{1,4}[-/.]\d{1,2}([-/.]\d{1,4})?([ T]\d{1,2}:\d{2}.*)?|\d{1,2}:\d{2}(:\d{2}.*)?"
)
MAX_HEADER_ROWS = 8
MAX_NAME_NOTES = 3
BODY_ROWS = 40  # below the header that are compared with it
MIN_ROW_NAMES = 10
VALUE_SHARE = 0.8  # of a column's cells that are values, above which it is a column of values
MAX_NAME = 40  # characters of a name in a message


@dataclass(frozen=True)
class Header:
    """The header of a table.

    Attributes:
        names: of the columns, all different.
        rows: number of the first rows that are not data.
        notes: messages for the user.
    """

    names: tuple[str, ...]
    rows: int
    notes: tuple[str, ...]


def find_header(rows: Sequence[Row], file: str) -> Header:
    """The header of a table whose first rows are given. A table without one gets the names x0, x1, ...

    Lines before the header are titles, comments that begin with #, or lines with values in few of the columns. Lines
    after it that have text in columns of values, such as units, are a part of it.

    Args:
        file: name of the file, for messages.
    """
    begin = _begin(rows)
    row, notes = _with_row_names(rows[begin], rows[begin + 1 :]), []
    commented = _commented_header(rows[:begin], row)
    if commented:
        return Header(*_named(commented, begin))
    if any(map(any, rows[:begin])):
        count = sum(any(row) for row in rows[:begin])
        lines = "1 line before the header is" if count == 1 else f"{count} lines before the header are"
        notes.append(f"{file}: {lines} left out, first {_short(rows[:begin])}")
    if _is_data(row, rows[begin + 1 : begin + 2]):
        notes.append(f"{file} has no header; its columns are named x0, x1, ...")
        return Header(tuple(f"x{i}" for i in range(len(row))), begin, tuple(notes))
    more = _more_rows(rows[begin + 1 :])
    if more:
        lines = "1 line below the names is" if len(more) == 1 else f"{len(more)} lines below the names are"
        notes.append(f"{file}: {lines} a part of the header, first {_short(more)}")
    return Header(*_named(_joined(row, more), begin + 1 + len(more), notes))


def _short(rows: Sequence[Row]) -> str:
    text = " ".join(cell for cell in next(row for row in rows if any(row)) if cell)
    return repr(text if len(text) <= MAX_NAME else text[: MAX_NAME - 3] + "...")


def _filled(row: Row) -> int:
    return sum(map(bool, row))


def _width(row: Row) -> int:
    """Number of cells up to the last one that is not empty."""
    return max((i + 1 for i, cell in enumerate(row) if cell), default=0)


def _begin(rows: Sequence[Row]) -> int:
    """Index of the first row that is not a title, a comment or a description of the file."""
    widths = Counter(_width(row) for row in rows if any(row))
    usual = max(widths, key=lambda width: (widths[width], width))
    enough = 1 if usual < 2 else max(2.0, usual / 2)
    full = [i for i, row in enumerate(rows) if _is_full(row, enough, usual) and not _is_comment(row)]
    first = next((i for i in full if not _is_description(rows, i, usual)), None)
    return next(i for i, row in enumerate(rows) if any(row)) if first is None else first


def _is_description(rows: Sequence[Row], i: int, usual: int) -> bool:
    """True for a row with values, or names that end in a colon, that has more or fewer cells than others and stands
    above names, as loggers and programs of accountants write it.
    """
    row, names, body = rows[i], rows[i + 1 : i + 2], rows[i + 2 :][:BODY_ROWS]
    if _width(row) == usual or not names or not any(VALUE.fullmatch(cell) or cell.endswith(":") for cell in row):
        return False
    [below] = names
    named = _width(below) == usual and len(set(below[:usual])) == usual and not any(map(VALUE.fullmatch, below))
    return named and any(_has_values([r[j] for r in body if j < len(r) and r[j]]) for j in range(usual))


def _with_row_names(row: Row, body: Sequence[Row]) -> Row:
    """A header with a cell for the names of rows, which R writes without a name in front of all others."""
    filled = [r for r in body if any(r)]
    names = [r[0] for r in filled]
    counted = names == [str(i + 1) for i in range(len(names))] or not any(map(VALUE.fullmatch, names))
    shorter = all(row) and all(len(r) == len(row) + 1 and r[-1] for r in filled)
    named = len(set(names)) == len(names) >= MIN_ROW_NAMES and counted and not any(map(VALUE.fullmatch, row))
    return ["", *row] if shorter and named else row


def _is_full(row: Row, enough: float, usual: int) -> bool:
    """True for a row with values in enough columns, or in all but the first one, which may have no name."""
    return _filled(row) >= enough or (_filled(row) >= usual - 1 > 0 and not row[0])


def _is_comment(row: Row) -> bool:
    return (
        bool(row) and row[0].startswith("#") and row[0] != "#" and row[0][1:2] not in ("N", "D", "V", "R")
    )  # the name of a column of numbers, and the errors of Excel, such as #N/A


def _commented_header(before: Sequence[Row], row: Row) -> Row:
    """The names in the last comment, if it has one for each column of data below; [] otherwise."""
    last = before[-1] if before else [""]
    names = [last[0].lstrip("# "), *last[1:]] if _is_comment(last) and len(last) == len(row) > 1 else []
    named = names and not any(map(VALUE.fullmatch, names)) and any(map(VALUE.fullmatch, row))
    return names if named else []


def _is_data(row: Row, below: Sequence[Row]) -> bool:
    """True if a row holds data rather than names."""
    if all(NUMBER.fullmatch(cell) for cell in row):
        return True
    if not all(NUMBER.fullmatch(cell) or VALUE.fullmatch(cell) for cell in row):
        return False
    shapes = [[NUMBER.fullmatch(cell) or re.sub(r"\d", "9", cell) for cell in r] for r in (row, *below[:1])]
    return all(a == b for a, b in zip(*shapes, strict=False) if isinstance(a, str)) if below else True


def _more_rows(rows: Sequence[Row]) -> list[Row]:
    """The first of the rows below the names that belong to the header: with text where the others have values."""
    more: list[Row] = []
    while len(more) < MAX_HEADER_ROWS - 1 and len(rows) > len(more) + 1:
        row, body = rows[len(more)], rows[len(more) + 1 :][:BODY_ROWS]
        valued = [i for i in range(len(row)) if _has_values([r[i] for r in body if i < len(r) and r[i]])]
        cells = [row[i] for i in valued]
        text = [cell for cell in cells if cell and cell not in MARKERS]
        enough = len(valued) > 1 and text and (len(text) >= len(valued) / 2 or _filled(row) == 1)
        described = bool(more) and valued[:1] == [0] and cells[0] in text and not VALUE.fullmatch(cells[0])
        if not enough or (not described and any(VALUE.fullmatch(cell) for cell in cells if cell)):
            break
        more.append(row)
    return more


def _has_values(cells: Sequence[str]) -> bool:
    values = sum(VALUE.fullmatch(cell) is not None for cell in cells)
    return values > 0 and values >= VALUE_SHARE * len(cells)


def _joined(names: Row, more: Sequence[Row]) -> Row:
    """One name for each column. Lines are joined where the first one does not name each column differently; empty
    cells of it then repeat the name to their left, as merged cells of spreadsheets are written. The first column may
    have its name in the last line.
    """
    if more and not names[0] and all(names[1:]) and len(set(names)) == len(names):
        return [[line[0] for line in more if line][-1], *names[1:]]
    for line in more:
        cells = [line[i] if i < len(line) else "" for i in range(len(names))]
        if _filled(cells) == 1 and cells[0]:  # the name of the column of dates, as pandas writes it
            names = [cells[0], *names[1:]]
        elif len(set(names)) < len(names) or any(cell and not name for name, cell in zip(names, cells, strict=True)):
            names = [f"{name} {cell}".strip() for name, cell in zip(_repeated(names), cells, strict=True)]
    return list(names)


def _repeated(names: Row) -> Row:
    left, repeated = "", []
    for name in names:
        left = name or left
        repeated.append(left)
    return repeated


def _named(cells: Sequence[str], rows: int, notes: Sequence[str] = ()) -> tuple[tuple[str, ...], int, tuple[str, ...]]:
    names, more = unique_names(cells)
    return names, rows, (*notes, *more)


def unique_names(cells: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Different names for columns, and messages for the user: a column without a name is called after its position, and
    a repeated name gets a number, as pandas does it.
    """
    names = [cell.strip() for cell in cells]
    taken, notes = set(names), []
    seen: dict[str, int] = {}
    for i, name in enumerate(names):
        repeats = seen.get(name, -1) + 1
        seen[name] = repeats
        if name and not repeats:
            continue
        new = f"{name}.{repeats}" if name else f"x{i}"
        while new in taken:
            repeats += 1
            new = f"{name}.{repeats}" if name else f"x{i}.{repeats}"
        seen[name], names[i] = repeats, new
        taken.add(new)
        notes.append(f"column {i + 1} is the second one called {name!r}" if name else f"column {i + 1} has no name")
        notes[-1] += f"; it is called {new!r}"
    if len(notes) > MAX_NAME_NOTES:
        notes = [*notes[:1], f"{len(notes) - 1} more columns have no name or one that occurs twice; they are renamed"]
    return tuple(names), tuple(notes)
