"""The order of a series' steps by their dates: which rows are steps, in which order, and what is said about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sparring.errors import InputError
from sparring.modalities.series.calendar import Calendar

if TYPE_CHECKING:
    from pandas import DataFrame, Series

Rows = NDArray[np.int64]

MAX_ODD = 0.01  # share of rows without a date, or with that of another row, that are left out
DAYS_BETWEEN_CLOCK_CHANGES = 150  # at least
LATEST_CLOCK_CHANGE = 4  # hour of the day
USUAL_SHARE = 0.01  # of the intervals between dates: an interval that is longer than all usual ones is a gap
SORTED = "rows are sorted by date"
MAX_CHECKED = 300  # long intervals that are compared with the calendar
MIN_USUAL = 3  # intervals of a usual length, at least


def in_order(dates: Series, frame: DataFrame, name: str) -> tuple[Rows, list[str]]:
    """The rows of a series in the order of time, and notes for the user.

    Args:
        dates: of the rows, as they lie in the file.
        frame: the columns whose rows are compared, where a date comes twice.
        name: of the data, for messages.

    Raises:
        InputError: if many rows have no date, or that of another row.
    """
    rows, notes = np.arange(len(dates)), list[str]()
    if many := int(dates.isna().sum()):
        if many > max(1, MAX_ODD * len(dates)):
            row = int(dates.isna().to_numpy().argmax()) + 1
            raise InputError(
                f"{name!r} has no date in row {row}, nor in {many - 1} others; fill it in or remove the row"
            )
        notes.append(f"{_rows(many)} no date and {'is' if many == 1 else 'are'} left out")
        rows = rows[dates.notna().to_numpy()]
    if is_descending(dates.iloc[rows]):
        rows = rows[::-1]
        notes.append("the newest rows come first; they are read from the last to the first")
    steps = dates.iloc[rows].diff().iloc[1:]
    if (steps > steps * 0).all():
        return rows, notes
    if again := repeated_hours(dates.iloc[rows]):
        others = f" and {len(again) - 1} more" if len(again) > 1 else ""
        notes.append(f"the hour from {again[0]}{others} comes twice, at the end of summer time; both are steps")
        return rows, notes
    if not dates.iloc[rows].is_monotonic_increasing:
        rows = rows[dates.iloc[rows].argsort(kind="stable")]
        notes.append(SORTED)
    return _once(rows, dates, frame, name, notes)


def _once(rows: Rows, dates: Series, frame: DataFrame, name: str, notes: list[str]) -> tuple[Rows, list[str]]:
    """Rows of which each has a date of its own."""
    same = frame.assign(**{str(dates.name): dates}).iloc[rows].duplicated().to_numpy()
    if same.any():
        notes.append(f"{_rows(int(same.sum()))} the date and the values of another one; each is kept once")
        rows = rows[~same]
    again = dates.iloc[rows].duplicated(keep="last").to_numpy()
    many = int(again.sum())
    if many > max(1, MAX_ODD * len(rows)):
        first = dates.iloc[rows][again].iloc[0]
        raise InputError(f"{name!r} has the date {first} twice, with other values; a series has one row for each step")
    if many:
        first = dates.iloc[rows][again].iloc[0]
        notes.append(f"{_rows(many)} the date of another one, first {first}; the last one is kept")
    return rows[~again], notes


def _rows(many: int) -> str:
    return "1 row has" if many == 1 else f"{many:,} rows have"


def is_descending(dates: Series) -> bool:
    """True if the newest dates come first."""
    steps = dates.diff().iloc[1:]
    back, forth = int((steps < steps * 0).sum()), int((steps > steps * 0).sum())
    return back > 0 and forth <= len(dates) // DAYS_BETWEEN_CLOCK_CHANGES and dates.iloc[-1] < dates.iloc[0]


def repeated_hours(dates: Series) -> list[str]:
    """The hours that come twice, because clocks were set back; [] if there are others that do, or none.

    Args:
        dates: in the order of time otherwise.
    """
    import pandas

    steps, hour = dates.diff(), pandas.Timedelta(hours=1)
    back = (steps <= steps * 0).to_numpy()
    forth = steps[~back].dropna()
    if not back.any() or not len(forth) or getattr(dates.dt, "tz", None) is not None:
        return []
    interval = forth.mode().iloc[0]
    changes = (dates.iloc[-1] - dates.iloc[0]).days // DAYS_BETWEEN_CLOCK_CHANGES + 1
    as_clocks = (steps[back] == interval - hour).all() and (dates[back].dt.hour <= LATEST_CLOCK_CHANGE).all()
    if interval > hour or not as_clocks or back.sum() > changes:
        return []
    return [f"{date:%Y-%m-%d %H:%M}" for date in dates[back]]


def gaps(dates: Series, calendar: Calendar) -> list[str]:
    """A note about intervals between dates that are longer than usual; [] if there are none.

    Args:
        dates: of the steps, in order and without a time zone.
        calendar: of these dates, which may have nights and weekends.
    """
    dates = dates.reset_index(drop=True)
    steps = dates.diff().iloc[1:]
    counts = steps.value_counts()
    usual = counts[counts >= max(MIN_USUAL, USUAL_SHARE * len(steps))]
    if not len(usual):
        return []
    longer = steps[steps > counts.index[0]]
    if calendar.sessions and len(longer) <= MAX_CHECKED:
        longer = longer[[calendar.after(dates.iloc[i - 1], 1)[0] < dates.iloc[i] for i in longer.index]]
    else:
        longer = steps[steps > usual.index.max()]
    if not len(longer):
        return []
    end = int(longer.idxmax())
    longest = f"from {dates.iloc[end - 1]} to {dates.iloc[end]}"
    which = f"a gap {longest}" if len(longer) == 1 else f"{len(longer):,} gaps, the longest {longest}"
    return [f"dates have {which}; the steps around it follow each other"]
