"""Sheets of Excel workbooks, as rows of text like those of a CSV file."""

from __future__ import annotations

import datetime
import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any

from sparring.errors import InputError, needs
from sparring.modalities.tables.files.header import Row
from sparring.modalities.tables.files.memory import check_text
from sparring.modalities.tables.files.text import RawTable, read_rows

WORKBOOKS = (".xlsx", ".xlsm")
OTHER_WORKBOOKS = (".xls", ".xlsb", ".ods", ".numbers")  # whose formats are not read
MAX_EMPTY_ROWS = 1000  # in succession, after which a sheet ends
ZEROS = re.compile("0+")  # number format of codes with leading zeros


def read_workbook(path: Path, content: bytes, notes: list[str]) -> RawTable:
    """The first sheet of a workbook that holds anything.

    Args:
        path: of the file, for messages.
        notes: messages for the user are appended.

    Raises:
        InputError: if it is not a workbook, too large, or empty, or openpyxl is not installed.
    """
    _check(path, content)
    try:
        openpyxl = needs("openpyxl", "excel", "reads Excel workbooks")
    except InputError as error:
        raise InputError(f"{path}: {error}, or save the sheet as .csv") from error
    try:
        book = openpyxl.load_workbook(BytesIO(content), read_only=True, data_only=True, keep_links=False)
        for sheet in book.worksheets:
            rows = _rows(sheet)
            first = next(rows, None)
            if first is not None:
                if len(book.sheetnames) > 1:
                    notes.append(f"{path.name} has {len(book.sheetnames)} sheets; {sheet.title!r} is read")
                return RawTable(read_rows(chain([first], rows), path, notes), commas=False)
    except InputError:
        raise
    except Exception as error:  # openpyxl raises many kinds of errors on damaged files
        problem = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path} is not a workbook that can be read: {problem}; save the sheet as .csv") from error
    raise InputError(f"{path} is empty")


def _check(path: Path, content: bytes) -> None:
    """Check the sizes that the parts of a workbook unpack to.

    Raises:
        InputError: if it is not a workbook, encrypted, or too large.
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as parts:
            check_text(path, sum(part.file_size for part in parts.infolist()))
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        protected = content.startswith(b"\xd0\xcf\x11\xe0")  # an encrypted one is stored in the old format
        problem = "protected by a password, or in the format of old versions" if protected else f"damaged ({error})"
        raise InputError(f"{path} is {problem}; save the sheet as .csv") from error


def _rows(sheet: Any) -> Iterator[tuple[int, Row]]:
    """The rows of a sheet that are not empty, with their numbers."""
    empty = 0
    sheet.reset_dimensions()  # they may be far larger than what there is
    for number, cells in enumerate(sheet.iter_rows(), 1):
        row = [_text(cell) for cell in cells]
        while row and not row[-1]:
            row.pop()
        empty = 0 if row else empty + 1
        if row:
            yield number, row
        if empty > MAX_EMPTY_ROWS:
            return


def _text(cell: Any) -> str:
    """The value of a cell as it would stand in a CSV file, without rounding."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ")
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, int) and ZEROS.fullmatch(cell.number_format):
        return str(value).zfill(len(cell.number_format))
    return str(value).strip()
