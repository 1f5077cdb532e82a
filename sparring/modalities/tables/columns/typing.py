"""Text columns as numbers and dates in memory, for kinds of data that calculate with them, such as series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sparring.modalities.tables.columns.forms import DateForm, Form
from sparring.modalities.tables.columns.recognition import (
    Reading,
    file_context,
    recognized,
    whole_dates,
    whole_texts,
)
from sparring.modalities.tables.columns.values import is_date, is_text

if TYPE_CHECKING:
    from pandas import DataFrame, Series


def readings(frame: DataFrame) -> dict[str, Reading]:
    """How the text of each column is read, and whole numbers that are dates where there are no others; columns of words
    and codes are left out.
    """
    context = file_context(frame)
    found = {str(name): recognized(frame[name], context) for name in frame if is_text(frame[name])}
    found = {name: reading for name, reading in found.items() if reading.form is not None}
    dated = any(reading.form is not None and reading.form.measure == "dates" for reading in found.values())
    return found if dated or any(is_date(frame[name]) for name in frame) else found | _whole_dates(frame)


def _whole_dates(frame: DataFrame) -> dict[str, Reading]:
    """How columns of whole numbers that are dates are read."""
    from pandas.api import types

    whole = {str(name): whole_dates(frame[name]) for name in frame if types.is_integer_dtype(frame[name].dtype)}
    return {name: reading for name, reading in whole.items() if reading.form and reading.form.measure == "dates"}


def in_memory(frame: DataFrame, found: dict[str, Reading] | None = None) -> DataFrame:
    """A frame whose columns of text are numbers and dates where they are written as such."""
    found = readings(frame) if found is None else found
    return frame.assign(
        **{name: as_values(frame[name], reading.form) for name, reading in found.items() if reading.form}
    )


def as_values(values: Series, form: Form) -> Series:
    """Text in a form as numbers, or as dates with the beginning of each period; times and durations are numbers."""
    import pandas

    numbers = form.numbers(values.tolist() if is_text(values) else whole_texts(values, form))
    if form.measure != "dates":
        return pandas.Series(numbers, values.index, "Float64", name=values.name)
    moments, missing = form.comparable(numbers), np.isnan(numbers)
    dates = pandas.Series(
        np.nan_to_num(moments).astype(np.int64).astype("datetime64[us]"), values.index, name=values.name
    )
    dates = dates.mask(missing)
    return dates.dt.tz_localize("UTC") if isinstance(form, DateForm) and form.offsets else dates
