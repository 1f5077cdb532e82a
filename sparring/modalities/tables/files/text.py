"""Text files of separated values: their separator, their header, and their rows as columns of raw text."""

from __future__ import annotations

import csv
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from sparring.errors import InputError
from sparring.modalities.tables.files.decoding import decoded
from sparring.modalities.tables.files.header import Row, find_header
from sparring.modalities.tables.files.memory import check_text
from sparring.modalities.tables.files.missing import without_markers

if TYPE_CHECKING:
    from pyarrow import ChunkedArray

SEPARATORS = (",", ";", "\t", "|")
SPACED = (".txt", ".dat", ".data")  # suffixes of files whose cells may be separated by spaces
PROBED_ROWS = 100  # from which the separator and the header are detected
CHUNK_CELLS = 1_000_000  # converted to Arrow at a time
MAX_FOOTER = 10  # last rows that may be notes or totals
TOTAL = re.compile(
    r"(grand |sub)?total[s:]?|sum|summe|gesamt|insgesamt|totale|somme|suma|soma|totaal|итого|всего|合计|总计|計|合計",
    re.IGNORECASE,
)
MAX_SHOWN = 40  # characters of a line in a message
KEYS = re.compile(r"[^,\\]+(,[^,\\]+)+\\\w+")  # names of keys in one column, and what the other columns are
RULER = re.compile(r"[-=_+:*]{3,}")  # the cells of a line that is drawn below a header

Columns = dict[str, "ChunkedArray"]


@dataclass(frozen=True)
class RawTable:
    """A table as its file has it.

    Attributes:
        columns: names, and text as it is written, null where it is missing.
        commas: True if an ambiguous comma in a number is a decimal comma.
    """

    columns: Columns
    commas: bool


@dataclass
class Ragged:
    """Rows that are shorter than the header.

    Attributes:
        first: number of values, and the first line that has so few.
        counts: number of values, and how many lines have so few.
        last: position of the last such rows, and their number of values.
    """

    first: dict[int, int] = field(default_factory=dict)
    counts: Counter[int] = field(default_factory=Counter)
    last: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=MAX_FOOTER))

    def add(self, line: int, row: int, values: int) -> None:
        self.first.setdefault(values, line)
        self.counts[values] += 1
        self.last.append((row, values))

    def leave_out(self, rows: int) -> None:
        """Forget the rows from a position on."""
        self.counts.subtract(values for row, values in self.last if row >= rows)

    def note(self, width: int) -> list[str]:
        """A message for the user about rows with fewer than `width` values."""
        short = [n for n, count in self.counts.items() if n < width and count]
        if not short:
            return []
        first = min(short, key=self.first.__getitem__)
        others = sum(self.counts[n] for n in short) - 1
        more = f", and {others} more lines also have fewer" if others else ""
        return [f"line {self.first[first]} has {first} values, the header has {width}{more}; the rest are missing"]


def read_text(path: Path, content: bytes, notes: list[str]) -> RawTable:
    """The table in a text file.

    Args:
        path: of the file, for messages; the suffix .tsv determines the separator.
        notes: messages for the user are appended.

    Raises:
        InputError: if it is empty, or a row has more values than the header.
    """
    text = decoded(path.name, content, notes)
    if not text.strip():
        raise InputError(f"{path} is empty")
    declared = re.match(r'"?sep=(.)"?\n', text, re.IGNORECASE)  # as Excel reads it
    start = declared.end() if declared else 0
    separator = declared[1] if declared else "\t" if path.suffix.lower() == ".tsv" else _separator(text, path)
    check_text(path, len(content), text.count(separator) + text.count("\n"))
    rows = _rows(text, start, separator, path)
    columns = read_rows(rows, path, notes)
    return RawTable(columns, separator == ";")


def read_rows(rows: Iterable[tuple[int, Row]], path: Path, notes: list[str]) -> Columns:
    """The columns of a table.

    Args:
        rows: of all cells, the header among them, each with the number of its line.
        path, notes: for messages.

    Raises:
        InputError: if there are no rows, or a row has more values than the header.
    """
    rows = iter(rows)
    first = list(islice(rows, PROBED_ROWS))
    if any(map(_is_ruler, (row for _, row in first))):  # a printed list, whose cells are padded
        first, rows = list(_unpadded(first)), _unpadded(rows)
    if not any(any(row) for _, row in first):
        raise InputError(f"{path} is empty")
    header = find_header([[cell.strip() for cell in row] for _, row in first], path.name)
    ragged = Ragged()
    body = _even(chain(first[header.rows :], rows), len(header.names), path, ragged)
    arrays = _arrays(body, len(header.names))
    columns = _without_unnamed(dict(zip(header.names, arrays, strict=True)), first, header.rows)
    notes += [note for note in header.notes if not _is_about_dropped(note, header.names, columns)]
    columns = _split_keys(_without_footer(columns, notes), notes)
    ragged.leave_out(len(next(iter(columns.values()))) if columns else 0)
    notes += ragged.note(len(columns))
    return without_markers(columns, notes)


def _is_ruler(row: Row) -> bool:
    cells = [cell.strip() for cell in row if cell.strip()]
    return bool(cells) and all(map(RULER.fullmatch, cells))


def _unpadded(rows: Iterable[tuple[int, Row]]) -> Iterator[tuple[int, Row]]:
    """Rows without rulers, and their cells without spaces around them."""
    return ((line, [cell.strip() for cell in row]) for line, row in rows if not _is_ruler(row))


def _lines(text: str, start: int) -> Iterator[str]:
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def _rows(text: str, start: int, separator: str, path: Path) -> Iterator[tuple[int, Row]]:
    """Cells of each row, with the number of its last line.

    Raises:
        InputError: if a cell is far too long, which is so where a quotation mark is not closed.
    """
    reader = csv.reader(_lines(text, start), delimiter=separator, skipinitialspace=True)
    before = text.count("\n", 0, start)
    try:
        for row in reader:
            yield reader.line_num + before, row
    except csv.Error as error:
        line = reader.line_num + before
        raise InputError(f"{path} is not a table: line {line}: {error}; is a quotation mark not closed?") from error


def _separator(text: str, path: Path) -> str:
    """The separator that gives most rows the same number of cells."""
    best = max(SEPARATORS, key=lambda separator: _evenness(text, separator))
    spaced = path.suffix.lower() in SPACED and not any(_evenness(text, best))
    return " " if spaced else best


def _evenness(text: str, separator: str) -> tuple[float, int]:
    """Share of the first rows that have the most frequent number of cells, and that number."""
    if separator not in text:
        return 0.0, 0
    try:
        rows = islice(csv.reader(_lines(text, 0), delimiter=separator, skipinitialspace=True), PROBED_ROWS)
        widths = Counter(len(row) for row in rows if any(row))
    except csv.Error:
        return 0.0, 0
    wide = {width: count for width, count in widths.items() if width > 1}
    if not wide:
        return 0.0, 0
    usual = max(wide, key=lambda width: (wide[width], width))
    return wide[usual] / widths.total(), usual


def _even(rows: Iterable[tuple[int, Row]], width: int, path: Path, ragged: Ragged) -> Iterator[Row]:
    """Rows of equal length; empty ones are left out.

    Raises:
        InputError: if a row has more values than the header.
    """
    count = 0
    for line, row in rows:
        count += any(row)
        if len(row) == width:
            if row[0] or any(row):
                yield row
        elif len(row) > width:
            if any(row[width:]):
                found = max(i + 1 for i, cell in enumerate(row) if cell)
                raise InputError(f"{path} is not a table: line {line} has {found} values, the header has {width}")
            yield row[:width]
        elif any(row):
            ragged.add(line, count - 1, len(row))
            yield row + [""] * (width - len(row))


def _arrays(rows: Iterator[Row], width: int) -> list[ChunkedArray]:
    """Columns as Arrow arrays, which take far less memory than Python's text."""
    import pyarrow

    text = pyarrow.large_string()
    chunks: list[list[pyarrow.Array]] = [[] for _ in range(width)]
    while chunk := list(islice(rows, max(16, CHUNK_CELLS // width))):
        for parts, cells in zip(chunks, zip(*chunk, strict=True), strict=True):
            parts.append(pyarrow.array(cells, text))
    return [pyarrow.chunked_array(parts, text) for parts in chunks]


def _without_unnamed(columns: Columns, first: Sequence[tuple[int, Row]], header_rows: int) -> Columns:
    """The columns without those that have neither a name nor a value, which spreadsheets add at the end."""
    import pyarrow.compute as pc

    row = first[header_rows - 1][1] if header_rows else []
    if all(cell.strip() for cell in row):
        return columns
    named = {name for name, cell in zip(columns, row, strict=False) if cell.strip()}
    return {
        name: column
        for name, column in columns.items()
        if name in named or pc.any(pc.not_equal(pc.utf8_trim_whitespace(column), "")).as_py()
    }


def _split_keys(columns: Columns, notes: list[str]) -> Columns:
    """The columns with one for each key, where the first one has several, as in files of Eurostat: geo,sex\\time."""
    import pyarrow
    import pyarrow.compute as pc

    name = next(iter(columns), "")
    if not KEYS.fullmatch(name):
        return columns
    keys = name.partition("\\")[0].split(",")
    parts = pc.split_pattern(columns[name], ",").to_pylist()
    if any(len(part) != len(keys) for part in parts) or set(keys) & set(columns):
        return columns
    notes.append(f"column {name!r} is read as the columns {', '.join(keys)}")
    split = {key: pyarrow.chunked_array([cells]) for key, cells in zip(keys, zip(*parts, strict=True), strict=True)}
    typed = {key: cells.cast(pyarrow.large_string()) for key, cells in split.items()}
    return typed | {other: column for other, column in columns.items() if other != name}


def _is_about_dropped(note: str, names: Sequence[str], columns: Columns) -> bool:
    dropped = [name for name in names if name not in columns]
    return any(note.endswith(f"has no name; it is called {name!r}") for name in dropped)


def _without_footer(columns: Columns, notes: list[str]) -> Columns:
    """The columns without the last rows that are notes, such as a source, or totals."""
    names, n = list(columns), len(next(iter(columns.values()))) if columns else 0
    if len(names) < 2:
        return columns
    begin = max(1, n - MAX_FOOTER)
    last = list(zip(*(column.slice(begin).to_pylist() for column in columns.values()), strict=True))
    kept = len(last)
    while kept and (_is_note(last[kept - 1]) or _is_total(last[kept - 1], columns)):
        kept -= 1
    if kept == len(last) or begin + kept < 2:
        return columns
    text = " ".join(cell for cell in last[kept] if cell)
    shown = text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."
    count = len(last) - kept
    rows = "the last row is" if count == 1 else f"the last {count} rows are"
    notes.append(f"{rows} no data and left out: {shown!r}")
    return {name: column.slice(0, begin + kept) for name, column in columns.items()}


def _is_note(row: Sequence[str]) -> bool:
    """True for a row with text in its first column only, in a table of more than two columns."""
    return len(row) > 2 and not any(row[1:]) and re.search(r"[^\W\d]", row[0]) is not None and " " in row[0].strip()


def _is_total(row: Sequence[str], columns: Columns) -> bool:
    import pyarrow.compute as pc

    first = next((i for i, cell in enumerate(row) if cell), None)
    if first is None or not TOTAL.fullmatch(row[first].strip()):
        return False
    column = list(columns.values())[first]
    return int(pc.sum(pc.equal(column, row[first])).as_py()) == 1
