"""Text columns that may hold numbers with commas, dates, or numbers with a few errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import Series

NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
DECIMAL = r"[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?"  # a decimal comma, optional points between thousands
THOUSANDS = r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?|[+-]?\d+(\.\d+)?"  # commas between thousands, optional decimal point
ISO = r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?(Z|[+-]\d{2}:?\d{2})?"
DATE = r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})"
MIN_NUMBER_SHARE = 0.9  # share of numbers in a column above which the other values are errors,
MAX_CODES = 50  # unless it has at most this many different values, which may be codes
MAX_NAMED = 3  # values in a message


def convert_text(column: Series, path: str, notes: list[str], commas: bool) -> Series:
    """A text column, converted to numbers or dates if it holds nothing else.

    Args:
        path, notes: for messages.
        commas: True if an ambiguous comma is a decimal comma.

    """
    present = column.dropna().astype(str).str.strip()
    numbers = _numbers(present, notes, commas)
    if numbers is not None:
        return numbers.reindex(column.index).astype("Float64")
    digits = present.str.fullmatch(NUMBER)
    if MIN_NUMBER_SHARE <= digits.mean() < 1 and present.nunique() > MAX_CODES:
        return _numbers_and_others(column, present, digits, path, notes)
    dates = _dates(present, notes)
    return column if dates is None else dates.reindex(column.index)


def _numbers_and_others(column: Series, present: Series, digits: Series, path: str, notes: list[str]) -> Series:
    """A column of numbers and a few other values. If some of these contain digits they are codes, and so are all
    values; otherwise they are missing.
    """
    others = present[~digits]
    row = int(others.index[0]) + 1
    found = f"{path}: column {column.name!r} holds numbers and, in row {row}, {others.iloc[0]!r}"
    if others.str.contains(r"\d").any():
        notes.append(f"{found}; it is read as text")
        return column
    words = ", ".join(map(repr, others.unique()[:MAX_NAMED]))
    notes.append(f"{found}; not numbers and taken as missing: {words} ({len(others)} in all)")
    return present[digits].astype(float).reindex(column.index).astype("Float64")


def _numbers(present: Series, notes: list[str], commas: bool) -> Series | None:
    if not present.str.contains(",").any():
        return None
    thousands, decimal = (bool(present.str.fullmatch(pattern).all()) for pattern in (THOUSANDS, DECIMAL))
    if thousands and not (decimal and commas):
        notes.append(f"column {present.name!r} has commas between thousands")
        return present.str.replace(",", "", regex=False).astype(float)
    if decimal:
        notes.append(f"column {present.name!r} has decimal commas")
        return present.str.replace(".", "", regex=False).str.replace(",", ".", regex=False).astype(float)
    return None


def _dates(present: Series, notes: list[str]) -> Series | None:
    import pandas

    if present.str.fullmatch(ISO).all():
        zoned = present.str.contains(r"(?:Z|[+-]\d{2}:?\d{2})$", regex=True).any() and present.str.contains(":").any()
        return _parsed(pandas.to_datetime(present, errors="coerce", format="ISO8601", utc=True if zoned else None))
    parts = present.str.extract(f"^{DATE}$")
    if parts.isna().any().any():
        return None
    first, second = (parts[i].astype(int).max() for i in (0, 1))
    days_first = second <= 12 and (first > 12 or "." in present.iloc[0])
    notes.append(f"column {present.name!r} is read as {'day, month' if days_first else 'month, day'}, year")
    day, month = (parts[0], parts[1]) if days_first else (parts[1], parts[0])
    return _parsed(pandas.to_datetime(parts[2] + "-" + month + "-" + day, errors="coerce", format="%Y-%m-%d"))


def _parsed(dates: Series) -> Series | None:
    return dates if dates.notna().all() else None
