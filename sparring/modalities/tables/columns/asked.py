"""Numbers and dates that users type in conditions."""

from __future__ import annotations

import math
import re

import numpy as np

from sparring.errors import InputError
from sparring.modalities.tables.columns import arrow
from sparring.modalities.tables.columns.forms import DateForm, Form
from sparring.modalities.tables.columns.forms.date_recognition import date_form
from sparring.modalities.tables.columns.forms.dates import SECOND
from sparring.modalities.tables.columns.forms.durations import duration_form
from sparring.modalities.tables.columns.kinds import Category, Column, Mixture, Number, plain_number
from sparring.modalities.tables.columns.values import Floats

ISO_PARTS = re.compile(r"\d{4}(-\d\d(-\d\d([T ]\d\d(:\d\d(:\d\d(\.\d+)?)?)?)?)?)?")
ISO_MOMENT = DateForm(pattern="%Y-%m-%dT%H:%M:%S", others=("%Y-%m-%dT%H:%M:%S.%6f",), unit_=1)
ISO_START = "1970-01-01T00:00:00"


def typed_number(column: Column, value: str, text: str) -> float:
    """The number of a column that the user typed: in the column's own form, with a decimal point, or for dates in ISO
    8601.

    Args:
        text: the condition, for messages.

    Raises:
        InputError: if it is none.
    """
    measure, x = measure_of(column), math.nan
    if isinstance(column, Category):
        x = column.number(value)
    elif column.form is not None:
        x = float(column.form.numbers([value])[0])
        if math.isnan(x):
            x = (
                plain_number(value)
                if measure == "numbers"
                else float(column.form.from_comparable(_moments(value, measure))[0])
            )
    elif measure == "numbers":
        x = plain_number(value)
    else:
        moment = float(_moments(value, measure)[0])
        unit = column.unit if isinstance(column, Number | Mixture) and column.unit else SECOND
        x = moment / unit
    if not math.isfinite(x):
        example = _example(column)
        raise InputError(f"{text!r}: {value!r} is not a {measure[:-1]}, but {column.name!r} holds {measure}{example}")
    return x


def measure_of(column: Column) -> str:
    """What the numbers of a column count: "numbers", "dates", "times" or "durations"."""
    if column.form is not None:
        return column.form.measure
    if isinstance(column, Number | Mixture) and column.unit:
        return "dates"
    return arrow.measure(column.dtype) or "numbers"


def _moments(value: str, measure: str) -> Floats:
    """Microseconds of a date in ISO 8601 or with the name of a month, of a time or of a duration, (1,); NaN for other
    texts. Day and month as numbers are only read in a column's own form.
    """
    form: Form | None = None
    if measure == "dates" and ISO_PARTS.fullmatch(value):
        form, value = ISO_MOMENT, value.replace(" ", "T") + ISO_START[len(value) :]
    elif (found := date_form([value])) is not None:
        form = found.form if measure != "dates" or re.match("%Y|.*%b", found.form.pattern) else None
    elif measure == "durations":
        form = duration_form([value])
    if form is None or (form.measure == "dates") != (measure == "dates"):
        return np.array([np.nan])
    return form.comparable(form.numbers([value]))


def _example(column: Column) -> str:
    """An example of a column's values as they are typed."""
    if column.form is None or not isinstance(column, Number | Mixture):
        return ""
    values = (
        [*column.knots, *(s for s in column.spikes if s is not None)] if isinstance(column, Number) else [column.low]
    )
    return f" such as {column.form.texts(np.array(values[:1]))[0]}" if values else ""
