"""Text columns as numbers and dates in memory, for kinds of data that calculate with them, such as series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sparring.modalities.tables.columns.forms import DateForm, Form
from sparring.modalities.tables.columns.recognition import Reading, file_context, recognized
from sparring.modalities.tables.columns.values import is_text

if TYPE_CHECKING:
    from pandas import DataFrame, Series


def readings(frame: DataFrame) -> dict[str, Reading]:
    """How the text of each column is read; columns of words and codes are left out."""
    context = file_context(frame)
    found = {str(name): recognized(frame[name], context) for name in frame if is_text(frame[name])}
    return {name: reading for name, reading in found.items() if reading.form is not None}


def in_memory(frame: DataFrame, found: dict[str, Reading] | None = None) -> DataFrame:
    """A frame whose columns of text are numbers and dates where they are written as such."""
    found = readings(frame) if found is None else found
    return frame.assign(
        **{name: as_values(frame[name], reading.form) for name, reading in found.items() if reading.form}
    )


def as_values(values: Series, form: Form) -> Series:
    """Text in a form as numbers, or as dates with the beginning of each period; times and durations are numbers."""
    import pandas

    numbers = form.numbers(values.tolist())
    if form.measure != "dates":
        return pandas.Series(numbers, values.index, "Float64", name=values.name)
    moments, missing = form.comparable(numbers), np.isnan(numbers)
    dates = pandas.Series(
        np.nan_to_num(moments).astype(np.int64).astype("datetime64[us]"), values.index, name=values.name
    )
    dates = dates.mask(missing)
    return dates.dt.tz_localize("UTC") if isinstance(form, DateForm) and form.offsets else dates
