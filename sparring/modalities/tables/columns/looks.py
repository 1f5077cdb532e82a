"""Numbers that look like codes of categories, and what is proposed to the user where that is uncertain."""

from __future__ import annotations

import re
from shlex import quote
from typing import TYPE_CHECKING

import numpy as np

from sparring.modalities.tables.columns.forms import NumberForm
from sparring.modalities.tables.columns.kinds import Category, Column, Identifier, Number
from sparring.modalities.tables.columns.sentinels import sentinels

if TYPE_CHECKING:
    from pandas import Series

MAX_CODED_LEVELS = 100  # different whole numbers that can be codes by their look
MIN_COUNT = 8  # of nearly every code
MIN_GAP_SHARE = 0.5  # of neighboring codes that numbers are missing between
MAX_MAIN_SHARE = 0.5  # of the most frequent value: amounts are often zero
MAX_UNIQUE_SHARE = 0.5  # different values per row of a column of codes
MIN_PROPOSED = 3  # rows per code, so that a column is proposed to be a category
CODE_NAME = re.compile(
    r"(^|[\s_.-])(zip|zipcode|postcode|postal|plz|cp|code|id|icd\d*|naics|sic|fips|isic|nace|iata|icao|dept|store|sku)$",
    re.IGNORECASE,
)
CAMEL_NAME = re.compile(r"[a-z](Id|ID|Code|Zip)$")


def is_coded(present: Series) -> bool:
    """True for whole numbers that look like codes, such as departments or diagnoses: few different ones, each often,
    with gaps between them; or repeated ones whose column is called so.

    Args:
        present: the values that are not missing, of which there are more different ones than levels of a category.
    """
    values, counts = np.unique(present.to_numpy(np.float64), return_counts=True)
    if counts.max() > MAX_MAIN_SHARE * counts.sum():
        return False
    if _is_called_code(str(present.name)) and len(values) <= MAX_UNIQUE_SHARE * len(present):
        return True
    return len(values) <= MAX_CODED_LEVELS and bool(np.quantile(counts, 0.1) >= MIN_COUNT) and _has_gaps(values)


def _has_gaps(values: np.ndarray) -> bool:
    """True if numbers are missing between most neighbors, even where all are multiples of one number."""
    steps = np.diff(values).astype(np.int64)
    return bool((steps > np.gcd.reduce(steps)).mean() >= MIN_GAP_SHARE)


def _is_called_code(name: str) -> bool:
    return bool(CODE_NAME.search(name) or CAMEL_NAME.search(name))


def proposals(column: Column, values: Series) -> list[str]:
    """What the user might specify otherwise, a line each.

    Args:
        values: that the column was fitted to.
    """
    from pandas.api import types

    name = column.name
    if isinstance(column, Identifier) and (column.shapes or column.high > column.low):
        example = str(values.dropna().iloc[0])
        return [
            f"column {name!r} is different in nearly every row (such as {example!r}): samples get invented values of "
            f"the same pattern; {_told(name, 'category')} keeps those of the data, {_told(name, 'omit')} leaves it out"
        ]
    if isinstance(column, Category) and types.is_integer_dtype(values.dtype) and len(column.levels) > 20:
        return [f"column {name!r} is read as codes, not as quantities ({_told(name, 'number')})"]
    if column.kind in ("number", "mixture") and isinstance(column.form, NumberForm) and column.form.point:
        return [f"column {name!r}: samples have decimal points, which all programs read"]
    if isinstance(column, Number) and (alone := _sentinels_of(column)):
        listed = " and ".join(f"{value:g}" for value in alone)
        return [f"column {name!r} holds {listed}, far from its other numbers: samples have nothing in between"]
    if column.kind in ("number", "mixture") and column.form is None and types.is_integer_dtype(values.dtype):
        present = values.dropna()
        different, counts = np.unique(present.to_numpy(np.float64), return_counts=True)
        often = len(different) * MIN_PROPOSED <= len(present) and np.median(counts) >= MIN_PROPOSED
        if often and _has_gaps(different) and counts.max() <= MAX_MAIN_SHARE * counts.sum():
            count = f"{len(different):,} different whole numbers with gaps"
            return [f"column {name!r} has {count}; if they are codes, give {_told(name, 'category')}"]
    return []


def _told(name: str, kind: str) -> str:
    """What the user types to give a column another kind."""
    return quote(f"columns={name}={kind}")


def _sentinels_of(column: Number) -> list[float]:
    """The spikes of a column of numbers that stand for a missing value by their look."""
    if column.unit or (column.form is not None and column.form.measure != "numbers"):
        return []
    spikes = [spike for spike in column.spikes if spike is not None]
    different = np.unique([*spikes, *column.knots])
    found = different[sentinels(different, np.full(len(different), len(different)))]
    return [value for value in found.tolist() if value in spikes]
