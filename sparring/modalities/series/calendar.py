"""The calendar of a series: how its dates go on after the last one."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sparring.modalities.tables.columns.forms import DateForm, Form

if TYPE_CHECKING:
    from pandas import DatetimeIndex, Series

Session = tuple[int, int, int]  # weekday (0 is Monday), seconds of the day of its first and of its last step

DAY = 86_400  # seconds
MIN_REGULAR = 0.5  # share of the intervals between dates that are equal, without which dates are irregular
MAX_MISSING = 0.1  # share of steps that may be missing around the clock
SESSION_DAYS = 3  # latest days of each weekday, of which half have a time of day in a session
MIN_WEEKDAY = 0.25  # of the most frequent weekday's days, that a weekday with sessions has
MAX_SESSIONS = 100
MIN_WEEKDAYS = 10  # steps from which days of the week are distinguished
WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WORDS = {
    "D": "days", "B": "business days", "MS": "first days of months", "ME": "last days of months",
    "BME": "last business days of months", "BMS": "first business days of months",
}  # fmt: skip
LONG = {"QS": "quarter", "QE": "quarter", "YS": "year", "YE": "year"}  # beginnings of the names of frequencies
MONTHS = re.compile(r"P(\d+)M")
PER_YEAR = 12


@dataclass(frozen=True)
class Calendar:
    """How dates go on.

    Attributes:
        step: frequency of the dates, as pandas writes it, or "P3M" for the same day of every third month; "" if it is
            unknown.
        sessions: the parts of the week that have steps; () if dates simply follow each other by `step`.
    """

    step: str = ""
    sessions: tuple[Session, ...] = ()

    def after(self, end: Any, length: int) -> DatetimeIndex:
        """The next dates after a pandas timestamp without a time zone."""
        import pandas

        if self.sessions:
            found: list[Any] = []
            for day in self._days(end, length):
                found += [moment for moment in day if moment > end]
                if len(found) >= length:
                    return pandas.DatetimeIndex(found[:length])
        if months := MONTHS.fullmatch(self.step):
            step = int(months[1])
            return pandas.DatetimeIndex([end + pandas.DateOffset(months=step * i) for i in range(1, length + 1)])
        dates = pandas.date_range(end, periods=length + 2, freq=self.step)
        same = dates <= end
        if re.search(r"M[SE](-|$)|[QY][SE](-|$)", self.step):  # an end of a month before a holiday has no other one
            same |= (dates.year == end.year) & (dates.month == end.month)
        return dates[~same][:length]

    def _days(self, end: Any, length: int) -> Iterator[list[Any]]:
        """The moments of each day, from that of `end` on, without end."""
        import pandas

        interval = pandas.Timedelta(1, "D") if self.step == "D" else _interval(self.step)
        time = end - end.normalize() if self.step == "D" else pandas.Timedelta(0)
        for i in range(8 * (length + 2)):
            day = end.normalize() + pandas.Timedelta(i, "D") + time
            spans = [(first, last) for weekday, first, last in self.sessions if weekday == day.weekday()]
            yield [
                day + pandas.Timedelta(first, "s") + k * interval
                for first, last in spans
                for k in range(int((last - first) / interval.total_seconds()) + 1)
            ]

    def described(self) -> str:
        """For the user: which dates samples have."""
        if not self.step:
            return "dates are irregular; samples have numbers of steps instead"
        if not self.sessions:
            return f"samples continue the dates: {_words(self.step)}"
        if self.step == "D":
            return f"samples continue the dates: {', '.join(WEEK[day] for day, _, _ in self.sessions)}"
        hours = {day: [f"{_clock(a)}-{_clock(b)}" for d, a, b in self.sessions if d == day] for day in range(7)}
        runs: list[tuple[list[int], list[str]]] = []
        for day, spans in hours.items():
            if spans and runs and runs[-1][1] == spans and runs[-1][0][-1] == day - 1:
                runs[-1][0].append(day)
            elif spans:
                runs.append(([day], spans))
        parts = [f"{WEEK[d[0]]}{f' to {WEEK[d[-1]]}' if len(d) > 1 else ''} {' and '.join(s)}" for d, s in runs]
        return f"samples continue the dates: every {self.step}, {', '.join(parts)}"


@dataclass(frozen=True)
class Clock:
    """The clock that dates follow, which may change between winter and summer.

    Attributes:
        zone: a name such as "America/New_York", or an offset such as "UTC+02:00"; "" for dates without a time zone.
        offsets: moments in microseconds since 1970, and minutes from UTC from then on, where they are known.
    """

    zone: str = ""
    offsets: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, dates: Series, written: Form | None) -> Clock:
        """The clock of dates in memory, or of those that are written with their distance from UTC."""
        zone = getattr(dates.dt, "tz", None)
        if zone is None:
            return cls()
        if isinstance(written, DateForm) and written.offsets:
            minutes = written.offsets[-1][1]
            sign = "-" if minutes < 0 else "+"
            return cls(f"UTC{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}", written.offsets)
        return cls(str(zone))

    def local(self, dates: Series) -> Series:
        """Dates in UTC as this clock shows them, without a time zone."""
        import pandas

        if not self.zone:
            return dates
        if not self.offsets:
            return dates.dt.tz_convert(self.zone).dt.tz_localize(None)
        starts, minutes = (np.array(column) for column in zip(*self.offsets, strict=True))
        naive = dates.dt.tz_convert("UTC").dt.tz_localize(None)
        moments = naive.to_numpy().astype("datetime64[us]").astype(np.int64)
        shift = minutes[(np.searchsorted(starts, moments, side="right") - 1).clip(0)]
        return naive + pandas.to_timedelta(shift, unit="min")

    def universal(self, dates: DatetimeIndex) -> DatetimeIndex:
        """Dates as this clock shows them, in UTC."""
        if not self.zone:
            return dates
        winter = np.zeros(len(dates), bool)  # of an hour that comes twice, the later one
        return dates.tz_localize(self.zone, ambiguous=winter, nonexistent="shift_forward").tz_convert("UTC")


def _words(step: str) -> str:
    """A frequency in words."""
    weekday = next((day for day in WEEK if step == f"W-{day[:3].upper()}"), "")
    if weekday or step[:2] in LONG:
        return f"every {weekday or LONG[step[:2]]}"
    return WORDS.get(step, f"every {step}")


def _interval(step: str) -> Any:
    """The time between two steps of a frequency below a day. pandas writes "h" for an hour, and does not read it."""
    import pandas

    return pandas.Timedelta(step if step[:1].isdigit() else f"1{step}")


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}" + (f":{seconds % 60:02}" if seconds % 60 else "")


def fit_calendar(dates: Series) -> Calendar:
    """The calendar of dates.

    Args:
        dates: in order and without a time zone; an hour may come twice.
    """
    import pandas
    from pandas.tseries.frequencies import to_offset

    steps = dates.diff().iloc[1:]
    steps = steps[steps > pandas.Timedelta(0)]
    if len(steps) < 2:
        return Calendar()
    interval = steps.mode().iloc[0]
    if interval < pandas.Timedelta(1, "D"):
        if (steps == interval).mean() < MIN_REGULAR:
            return Calendar()
        step = str(getattr(to_offset(interval), "freqstr", ""))
        missing = (dates.iloc[-1] - dates.iloc[0]) / interval + 1 - len(dates)
        return Calendar(step) if missing <= MAX_MISSING * len(dates) else _in_sessions(dates, step)
    if interval == pandas.Timedelta(1, "D"):
        return _daily(dates)
    return Calendar(_longer(dates, interval, float((steps == interval).mean())))


def _daily(dates: Series) -> Calendar:
    """Days of the week. The others may occur now and then."""
    counts = np.bincount(dates.dt.day_of_week, minlength=len(WEEK))
    used = [day for day in range(len(WEEK)) if counts[day] > MIN_WEEKDAY * counts.max()]
    if len(used) == len(WEEK) or len(dates) < MIN_WEEKDAYS:
        return Calendar("B" if len(dates) < MIN_WEEKDAYS and (dates.dt.day_of_week < 5).all() else "D")
    return Calendar("B") if used == [0, 1, 2, 3, 4] else Calendar("D", tuple((day, 0, 0) for day in used))


def _in_sessions(dates: Series, step: str) -> Calendar:
    """The times of each weekday that half of its latest days have."""
    interval = int(_interval(step).total_seconds())
    if interval < 1:
        return Calendar()
    days = dates.dt.normalize()
    seconds = (dates - days).dt.total_seconds().astype(int)
    weekdays = days.drop_duplicates().dt.day_of_week.value_counts()
    sessions: list[Session] = []
    for weekday in sorted(weekdays.index[weekdays > MIN_WEEKDAY * weekdays.max()]):
        on_it = dates.dt.day_of_week == weekday
        latest = days[on_it].drop_duplicates().iloc[-SESSION_DAYS:]
        times = seconds[on_it & days.isin(latest)].value_counts()
        sessions += [(int(weekday), *run) for run in _runs(sorted(times.index[times >= len(latest) / 2]), interval)]
    return Calendar(step, tuple(sessions)) if 0 < len(sessions) <= MAX_SESSIONS else Calendar()


def _runs(times: Sequence[int], interval: int) -> list[tuple[int, int]]:
    """First and last of the times that follow each other."""
    runs: list[tuple[int, int]] = []
    for time in times:
        if runs and time - runs[-1][1] == interval:
            runs[-1] = (runs[-1][0], int(time))
        else:
            runs.append((int(time), int(time)))
    return runs


def _longer(dates: Series, interval: Any, regular: float) -> str:
    """The frequency of dates that are more than a day apart; "" if there is none."""
    import pandas

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer versions return an offset instead of its name; both can be used
        found = pandas.infer_freq(dates) if len(dates) > 2 else None
    if found is not None:
        return str(getattr(found, "freqstr", found))
    if interval >= pandas.Timedelta(27, "D"):
        return _monthly(dates)
    if regular < MIN_REGULAR:
        return ""
    if interval == pandas.Timedelta(7, "D"):
        return f"W-{WEEK[int(dates.dt.day_of_week.mode().iloc[0])][:3].upper()}"
    return f"{interval.days}D"


def _monthly(dates: Series) -> str:
    """The frequency of dates that are months apart, some of which may be missing."""
    months = (dates.dt.year * PER_YEAR + dates.dt.month).diff().iloc[1:]
    apart = int(months.mode().iloc[0])
    if apart < 1 or (months == apart).mean() < MIN_REGULAR:
        return ""
    day, left, work = dates.dt.day, dates.dt.days_in_month - dates.dt.day, (dates.dt.day_of_week < 5).all()
    prefix = "" if apart == 1 else str(apart)
    if (day == 1).all():
        return f"{prefix}MS"
    if (left == 0).all():
        return f"{prefix}ME"
    if work and (left <= 4).all():
        return f"{prefix}BME"
    if work and (day <= 4).all():
        return f"{prefix}BMS"
    return f"P{apart}M"
