"""Tables of several series below one another, and dates in two columns, as one series with columns for its channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sparring.errors import InputError
from sparring.modalities.tables.columns.recognition import recognized
from sparring.modalities.tables.columns.typing import as_values, in_memory, readings
from sparring.modalities.tables.columns.values import numbers
from sparring.modalities.tables.reading import MIN_STEPS

if TYPE_CHECKING:
    from pandas import DataFrame, Series

FORMS = "forms"  # attribute of a frame: how its columns are written as text
DENSE = 0.6  # share of the dates that series below one another have on average, at least


def calculable(frame: DataFrame) -> tuple[DataFrame, tuple[str, ...]]:
    """A frame whose dates and numbers that are written as text are in memory as such, and notes about them. Its
    attribute "forms" has their forms by column. A column of days and one of times of day become one.
    """
    found = readings(frame)
    if not found:
        return frame, ()
    converted = in_memory(frame, found)
    forms = {name: reading.form for name, reading in found.items()}
    notes = [note for reading in found.values() for note in reading.notes]
    times = [name for name, form in forms.items() if form is not None and form.measure == "times"]
    days = [name for name in converted if is_dates(converted[name])]
    if (
        len(times) == len(days) == 1
        and (converted[days[0]].dropna().dt.normalize() == converted[days[0]].dropna()).all()
    ):
        import pandas

        [day], [time] = days, times
        form = forms[time]
        moments = pandas.to_timedelta(converted[time].astype("float64") * (form.unit if form else 1), unit="us")
        place = list(converted).index(day)
        together = (converted[day] + moments).rename(f"{day} {time}")
        converted = converted.drop(columns=[day, time])
        converted.insert(place, together.name, together)
        notes.append(f"columns {day!r} and {time!r} are read together as dates")
        forms = {name: form for name, form in forms.items() if name not in (day, time)}
    converted.attrs[FORMS] = forms
    return converted, tuple(notes)


def retold(frame: DataFrame, patterns: Mapping[str, str]) -> DataFrame:
    """A frame whose dates are read by patterns that the user gave, in place of those that were recognized.

    Args:
        frame: of `calculable`.
        patterns: such as "%d/%m/%Y", by name of the column.

    Raises:
        InputError: if a column does not hold dates that are written so.
    """
    import pandas

    forms = dict(frame.attrs.get(FORMS, {}))
    for name, pattern in patterns.items():
        form = forms.get(name)
        if form is None or not is_dates(frame[name]):
            written = ", ".join(n for n in forms if is_dates(frame[n])) or "none"
            raise InputError(f"columns={name}={pattern}: {name!r} holds no dates as text; columns that do: {written}")
        texts = pandas.Series(form.texts(form.from_comparable(numbers(frame[name], 1))), frame.index, name=name)
        told = recognized(texts, pattern=pattern).form
        assert told is not None
        forms[name], frame = told, frame.assign(**{name: as_values(texts, told)})
    frame.attrs[FORMS] = forms
    return frame


def is_dates(column: Series) -> bool:
    from pandas.api import types

    return bool(types.is_datetime64_any_dtype(column.dtype))


def date_column(frame: DataFrame) -> str | None:
    """Name of the column of dates; of several ones, the first that is in order. None if there is none."""
    names = [str(name) for name in frame if is_dates(frame[name])]
    ordered = [n for n in names if frame[n].is_monotonic_increasing or frame[n].is_monotonic_decreasing]
    return next(iter(names if len(names) == 1 else ordered), None)


def side_by_side(frame: DataFrame, dates: str) -> tuple[DataFrame, str] | None:
    """Series that lie below one another, such as the prices of several shares, with columns for each; and a note. None
    if rows are not of several series.

    Args:
        frame: with a column of dates, one of words that tells the series apart, and otherwise numbers.
    """
    from pandas.api import types

    words = [n for n in frame if n != dates and not types.is_numeric_dtype(frame[n].dtype) and frame[n].nunique() > 1]
    values = [n for n in frame if n != dates and types.is_numeric_dtype(frame[n].dtype)]
    if len(words) != 1 or not values or frame[[dates, *words]].isna().any(axis=None):
        return None
    [which] = words
    counts = frame[which].value_counts()
    few = counts.min() < MIN_STEPS or len(frame) < DENSE * len(counts) * frame[dates].nunique()
    if few or frame.duplicated([dates, which]).any():
        return None
    wide = frame.pivot(index=dates, columns=which, values=values).sort_index()
    wide = wide.reorder_levels([1, 0], axis=1).reindex(columns=[(w, n) for w in frame[which].unique() for n in values])
    wide.columns = [f"{series} {number}" for series, number in wide.columns]
    joined = wide.astype("Float64").reset_index()
    joined.attrs = dict(frame.attrs)
    return (
        joined,
        f"{len(counts)} series, told apart by {which!r}, lie below one another; they are learned side by side",
    )
