"""Columns of text that may be numbers with commas, dates, or numbers with a few mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparring.errors import InputError

if TYPE_CHECKING:
    from pandas import Series

NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
DECIMAL = r"[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?"  # a decimal comma, maybe with points between thousands
THOUSANDS = r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?|[+-]?\d+(\.\d+)?"  # commas between thousands, maybe with a decimal point
ISO = r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?(Z|[+-]\d{2}:?\d{2})?"
DATE = r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})"
MOSTLY = 0.9  # of a column that are numbers, from which on the others are taken for mistakes
FEW = 50  # different values, up to which numbers and words together are taken for codes


def read_written(column: Series, path: str, notes: list[str], commas: bool) -> Series:
    """A column of text, read as numbers or dates where it holds nothing else.

    Args:
        path, notes: for messages.
        commas: whether a comma is a decimal one where it might be either.

    Raises:
        InputError: where nearly all are numbers.
    """
    known = column.dropna().astype(str).str.strip()
    numbers = _numbers(known, notes, commas)
    if numbers is not None:
        return numbers.reindex(column.index).astype("Float64")
    digits = known.str.fullmatch(NUMBER)
    if MOSTLY <= digits.mean() < 1 and known.nunique() > FEW:
        wrong = known[~digits].iloc[0]
        row = int(known[~digits].index[0]) + 1
        raise InputError(f"{path}: column {column.name!r} holds numbers and, in row {row}, {wrong!r}; clean it first")
    dates = _dates(known, notes)
    return column if dates is None else dates.reindex(column.index)


def _numbers(known: Series, notes: list[str], commas: bool) -> Series | None:
    if not known.str.contains(",").any():
        return None
    thousands, decimal = (bool(known.str.fullmatch(pattern).all()) for pattern in (THOUSANDS, DECIMAL))
    if thousands and not (decimal and commas):
        notes.append(f"column {known.name!r} has commas between thousands")
        return known.str.replace(",", "", regex=False).astype(float)
    if decimal:
        notes.append(f"column {known.name!r} has decimal commas")
        return known.str.replace(".", "", regex=False).str.replace(",", ".", regex=False).astype(float)
    return None


def _dates(known: Series, notes: list[str]) -> Series | None:
    import pandas

    if known.str.fullmatch(ISO).all():
        zoned = known.str.contains(r"(?:Z|[+-]\d{2}:?\d{2})$", regex=True).any() and known.str.contains(":").any()
        return _parsed(pandas.to_datetime(known, errors="coerce", format="ISO8601", utc=True if zoned else None))
    parts = known.str.extract(f"^{DATE}$")
    if parts.isna().any().any():
        return None
    first, second = (parts[i].astype(int).max() for i in (0, 1))
    days_first = second <= 12 and (first > 12 or "." in known.iloc[0])
    notes.append(f"column {known.name!r} is read as {'day, month' if days_first else 'month, day'}, year")
    day, month = (parts[0], parts[1]) if days_first else (parts[1], parts[0])
    return _parsed(pandas.to_datetime(parts[2] + "-" + month + "-" + day, errors="coerce", format="%Y-%m-%d"))


def _parsed(dates: Series) -> Series | None:
    return dates if dates.notna().all() else None
