"""All types of columns, and what they share: frequencies of codes, and values with the dtype of the data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from sparring.errors import InputError
from sparring.modalities.tables.columns import arrow
from sparring.modalities.tables.columns.category import Category, plain_number
from sparring.modalities.tables.columns.column import Column
from sparring.modalities.tables.columns.forms import Form
from sparring.modalities.tables.columns.identifier import Identifier, largest
from sparring.modalities.tables.columns.number import KNOTS_PER_BIN, Mixture, Number
from sparring.modalities.tables.columns.values import Floats

if TYPE_CHECKING:
    from pandas import Series

TEXT_DTYPES = ("string", "str", "object")
__all__ = [
    "KINDS", "KNOTS_PER_BIN", "Category", "Column", "Identifier", "Mixture", "Number", "frequencies", "plain_number",
    "typed",
]  # fmt: skip

KINDS: dict[str, type[Column]] = {
    "category": Category, "number": Number, "identifier": Identifier, "mixture": Mixture,
}  # fmt: skip


def frequencies(column: Column) -> list[int]:
    """Count of each code in the data."""
    if isinstance(column, Category):
        return [*column.counts, *([sum(column.rare_counts)] if column.rare else [])]
    if isinstance(column, Mixture):
        return [*[column.missing][: column.missing], *column.counts]
    assert isinstance(column, Number)
    return [*column.spike_counts, *column.bin_counts]


def in_form(form: Form, dtype: str, values: Floats) -> Series:
    """Numbers as text in a form, or as whole numbers such as 20230623."""
    import pandas

    texts = form.texts(values)
    if dtype in TEXT_DTYPES:
        return pandas.Series(texts, dtype=dtype)
    return pandas.Series(pandas.array([None if text is None else int(text) for text in texts], dtype=dtype))


def typed(column: Column, values: Any) -> Series:
    """Decoded values as a column with the dtype of the data.

    Raises:
        InputError: if they do not fit the dtype, as in a damaged model.
    """
    try:
        return _typed(column, values)
    except (ValueError, TypeError) as error:
        raise InputError(f"column {column.name!r} of the model is damaged: {error}") from error


def _typed(column: Column, values: Any) -> Series:
    import pandas

    form = column.form if isinstance(column, Number | Mixture) and not column.unit else None
    if form is not None and (form.measure != "numbers" or column.dtype in TEXT_DTYPES):
        return in_form(form, column.dtype, values)
    if isinstance(column, Number | Mixture) and column.unit:
        missing = np.isnan(values)
        counted = np.where(missing, 0, values).astype(np.int64) * column.unit
        dates = pandas.Series(counted.astype("datetime64[us]")).mask(missing)
        timezone = re.search(r", (.+)\]", column.dtype)
        return (dates.dt.tz_localize("UTC") if timezone else dates).astype(column.dtype)
    if arrow.is_exact(column.dtype):
        return (
            arrow.from_objects(values, column.dtype)
            if values.dtype == object
            else arrow.from_floats(values, column.dtype)
        )
    if column.dtype.startswith("category"):
        levels = column.order if isinstance(column, Category) else None
        return pandas.Series(values).astype(pandas.CategoricalDtype(levels, column.dtype.endswith("ordered")))
    integers = column.dtype.lower().startswith(("int", "uint"))
    if values.dtype == object:  # levels and identifiers, exactly as they are
        plain = [v if v is None or not integers else min(int(v), largest(column.dtype)) for v in values]
        if column.dtype.startswith("float"):
            return pandas.Series([np.nan if v is None else v for v in plain], dtype=column.dtype)
        if integers and column.dtype.islower():  # pandas reads some large unsigned integers as floats
            return pandas.Series(np.array(plain, column.dtype))
        if column.dtype == "object":
            return pandas.Series(plain, dtype=object)
        return pandas.Series(pandas.array(plain, dtype=column.dtype))
    series = pandas.Series(values)
    return (series.round() if integers else series).astype(column.dtype)
