"""How missing values are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyarrow import ChunkedArray

# Of databases, statistics programs and spreadsheets; missing in any column, except where they may be one code of many.
WORDS = (
    "NA", "N/A", "n/a", "NaN", "nan", "NAN", "-nan", "-NaN", "NULL", "null", "<NA>", "<na>", "(null)", r"\N", "NaT",
    "#N/A", "#NA", "#N/A N/A", "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NV", "#WERT!",
    "1.#QNAN", "-1.#IND", "1.#IND", "-1.#QNAN",
)  # fmt: skip
# Missing only among numbers, dates and codes with digits: elsewhere they may be levels.
SIGNS = (
    ".", "..", "...", "?", "-", "--", "---", "\u2010", "\u2013", "\u2014", "*", "**", ":", "/", "x", "X",
    "0000-00-00", "0000-00-00 00:00:00", "0000/00/00", "00/00/0000", "00.00.0000", "00-00-0000",
    "None", "none", "na", "Na", "n.a.", "N.A.", "n.d.", "nil", "Null", "missing", "Missing", "unknown", "Unknown",
)  # fmt: skip
MARKERS = frozenset((*WORDS, *SIGNS))
# A number, a date, a time or a code with digits. A sign at the end is not one of a number: 1+ is a degree.
HAS_DIGITS = r"^[^\w+]*[+-]?\w{0,4}[^\w+]{0,2}\d[\w.,:/ '\-]*[^\w+]{0,2}[A-Za-z%]{0,3}\.?$"
SHORT_CODE = re.compile(r"(?!YES$|TRUE$|HIGH$)[A-Z]{2,5}")  # of countries: NA is Namibia
MIN_CODES = 3  # different ones, among which NA is one
MAX_LEVELS = 20  # different codes with letters and digits, among which "none" is a level
NAMED_CODE = r"^\d*[^\W\d_]+\d*$|^\d+[^\W\d_]+[\w]*$"
MIN_SHARE = 0.9  # of a column's other values that have digits
MAX_NAMED = 3  # columns in a message


def without_markers(columns: Mapping[str, ChunkedArray], notes: list[str]) -> dict[str, ChunkedArray]:
    """Columns of text whose missing values are null; a note says which markers were taken as missing.

    Args:
        columns: names, and text without null.
        notes: messages for the user are appended.
    """
    import pyarrow
    import pyarrow.compute as pc

    known = pyarrow.array(["", *MARKERS], pyarrow.large_string())
    cleaned, found = {}, dict[str, list[str]]()
    for name, column in columns.items():
        trimmed = pc.utf8_trim_whitespace(column)
        suspects = pc.is_in(trimmed, known)
        if not pc.any(suspects).as_py():
            cleaned[name] = column
            continue
        markers = _markers(trimmed.filter(suspects).unique().to_pylist(), trimmed.filter(pc.invert(suspects)))
        missing = pc.is_in(trimmed, pyarrow.array(["", *markers], pyarrow.large_string()))
        cleaned[name] = pc.if_else(missing, pyarrow.scalar(None, pyarrow.large_string()), column)
        for marker in markers:
            found.setdefault(marker, []).append(name)
    if found:
        notes.append("taken as missing: " + "; ".join(f"{m!r} in {_listed(names)}" for m, names in found.items()))
    return cleaned


def _markers(suspects: list[str], others: Any) -> list[str]:
    """Those of the suspects in a column that are missing values, judged by the column's other values."""
    import pyarrow.compute as pc

    suspects = [s for s in suspects if s]
    if not suspects:
        return []
    different = others.unique()
    count = len(different)
    if len(suspects) == 1 and count >= MIN_CODES and _is_one_of(suspects[0], different.to_pylist()[:1000]):
        return []
    digits = pc.sum(pc.match_substring_regex(different, HAS_DIGITS)).as_py() or 0
    numeric = count > 0 and digits >= MIN_SHARE * count
    levels = count <= MAX_LEVELS and pc.any(pc.match_substring_regex(different, NAMED_CODE)).as_py()
    return [s for s in suspects if s in WORDS or (numeric and not (levels and s.isalpha() and len(s) > 1))]


def _is_one_of(suspect: str, codes: list[str]) -> bool:
    """True for codes such as those of countries, among which NA or NAN is one."""
    if suspect == "NA":
        return all(map(SHORT_CODE.fullmatch, codes))
    return suspect.isupper() and all(len(code) == len(suspect) and SHORT_CODE.fullmatch(code) for code in codes)


def _listed(names: list[str]) -> str:
    first = ", ".join(repr(name) for name in names[:MAX_NAMED])
    return first if len(names) <= MAX_NAMED else f"{first} and {len(names) - MAX_NAMED} more columns"
