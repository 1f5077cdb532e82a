"""Dates and times as people and databases write them: 31/01/2021, 27 Dec 2020, 08:35 PM, 1949-01, 20230623."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from sparring.modalities.tables.columns.forms.base import Floats, Measure, Texts, TimeForm, spread, unique_texts
from sparring.modalities.tables.columns.forms.names import ZONES, month_numbers, weekday_numbers

Integers = NDArray[np.int64]
Period = Literal["", "week", "month", "quarter", "year"]
SECOND = 10**6  # microseconds
DAY = 86_400 * SECOND
UNITS = (DAY, 3600 * SECOND, 60 * SECOND, SECOND, 1000, 1)
DIRECTIVE = re.compile(r"%(-?[A-Za-z]|\d?f)")
DIGITS = {  # most digits of a number
    "Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "I": 2, "M": 2, "S": 2, "j": 3, "V": 2, "G": 4, "q": 1, "u": 1,
}  # fmt: skip
WORDS = {"b": r"[^\W\d_]+\.?", "a": r"[^\W\d_]+\.?", "p": r"[AaPp]\.? ?[Mm]\.?|[AaPp]", "o": "st|nd|rd|th"}
ZONE = r"[A-Za-z]{1,5}|(?:[A-Za-z]{3})?[+\u2212-]\d{1,2}(?::?\d\d)?"
ORDINALS = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}
MAX_OFFSET = 14 * 60  # minutes


@dataclass(frozen=True)
class DateForm(TimeForm):
    """How dates or times of day are written. Numbers count units from 1970, or from midnight for times of day; or
    weeks, months, quarters or years from 1970.

    Attributes:
        pattern: in the directives of strftime, with %-d for numbers without leading zeros, %3f for three digits of a
            second, %q for a quarter, %o for an English ordinal suffix.
        others: patterns that some texts have instead, such as dates without a time.
        months, weekdays: their names, if they are written.
        halves: how AM and PM are written.
        first_year: the earliest year that two digits stand for.
        unit_: microseconds that all values are multiples of; 0 if a period is counted.
        period: what is counted: microseconds ("") or weeks, months, quarters or years.
        offsets: moments in microseconds since 1970, and the offset from UTC in minutes from then on.
        zones: how each offset is written.
    """

    kind: str = "date"
    pattern: str = "%Y-%m-%d"
    others: tuple[str, ...] = ()
    months: tuple[str, ...] = ()
    weekdays: tuple[str, ...] = ()
    halves: tuple[str, str] = ("AM", "PM")
    first_year: int = 1969
    unit_: int = 0
    period: Period = ""
    offsets: tuple[tuple[int, int], ...] = ()
    zones: tuple[tuple[int, str], ...] = ()

    time_of_day: ClassVar[frozenset[str]] = frozenset("HIMSfpz")

    @property
    def measure(self) -> Measure:  # type: ignore[override]
        return "times" if set(directives(self.pattern)) <= self.time_of_day else "dates"

    @property
    def dtype(self) -> str:
        if self.period or self.measure == "times":
            return "string"
        return "datetime64[us, UTC]" if self.offsets else "datetime64[us]"

    def numbers(self, texts: Sequence[Any]) -> Floats:
        different, codes = unique_texts(texts)
        return spread(self.from_comparable(self.moments(different)), codes)

    def moments(self, texts: Sequence[str]) -> Floats:
        """Microseconds since 1970 in UTC, or since midnight; NaN for what is not written in this form."""
        values = np.full(len(texts), np.nan)
        for pattern in (self.pattern, *self.others):
            rows = np.flatnonzero(np.isnan(values))
            values[rows] = read(pattern, [texts[int(i)] for i in rows], self.first_year)[0]
        return values

    def from_comparable(self, moments: Floats) -> Floats:
        return _periods(moments, self.period) if self.period else np.floor(moments / (self.unit_ or 1))

    def comparable(self, numbers: Floats) -> Floats:
        return _starts(numbers, self.period) if self.period else numbers * self.unit_

    def texts(self, numbers: Floats) -> Texts:
        written = np.empty(len(numbers), object)
        different, codes = np.unique(numbers[~np.isnan(numbers)], return_inverse=True)
        written[~np.isnan(numbers)] = self._written(self.comparable(different).astype(np.int64))[codes]
        return written

    def _written(self, moments: Integers) -> Texts:
        """Texts of moments in UTC, each in the shortest pattern that loses nothing."""
        written = self._in(self.pattern, moments)
        for pattern in sorted(self.others, key=lambda pattern: -len(directives(pattern))):
            short = self._in(pattern, moments)
            exact = read(pattern, list(short), self.first_year)[0] == moments
            written[exact] = short[exact]
        return written

    def _in(self, pattern: str, moments: Integers) -> Texts:
        offsets = np.zeros(len(moments), np.int64)
        if self.offsets:
            starts = np.array([start for start, _ in self.offsets])
            minutes = np.array([offset for _, offset in self.offsets])
            offsets = minutes[(np.searchsorted(starts, moments, side="right") - 1).clip(0)]
        fields = Fields.of(moments + offsets * 60 * SECOND)
        columns = [self._column(part, fields, offsets) for part in pieces(pattern)]
        written = np.empty(len(moments), object)
        written[:] = ["".join(row) for row in zip(*columns, strict=True)]
        return written

    def _column(self, part: str, fields: Fields, offsets: Integers) -> list[str]:
        """The text of a directive, or a constant text, for each moment."""
        name = part.removeprefix("%").removeprefix("-")
        if not part.startswith("%"):
            return [part] * len(offsets)
        if name.endswith("f"):
            if part == "%-f":
                return [f"{value:06}".rstrip("0") or "0" for value in fields.micro]
            digits = int(name[:-1] or 6)
            return [f"{value:06}".ljust(digits, "0")[:digits] for value in fields.micro]
        if name in DIGITS:
            width = 1 if part[1] == "-" else DIGITS[name]
            return [f"{value:0{width}}" for value in fields.number(name)]
        if name in ("b", "B"):
            return [self.months[int(month) - 1] for month in fields.month]
        if name in ("a", "A"):
            return [self.weekdays[int(day)] for day in fields.weekday]
        if name == "p":
            return [self.halves[int(hour >= 12)] for hour in fields.hour]
        if name == "o":
            return [ORDINALS.get(int(day), "th") for day in fields.day]
        names = dict(self.zones)
        return [names[int(offset)] for offset in offsets]


def pieces(pattern: str) -> list[str]:
    """Directives and the texts between them."""
    return re.findall(r"%(?:-?[A-Za-z]|\d?f)|[^%]+", pattern)


def directives(pattern: str) -> list[str]:
    """The letters of a pattern's directives, without %, minus signs and digits."""
    return [found.lstrip("-0123456789") for found in DIRECTIVE.findall(pattern)]


@dataclass(frozen=True)
class Fields:
    """Years, months, ... of moments, each (n,)."""

    year: Integers
    month: Integers
    day: Integers
    hour: Integers
    minute: Integers
    second: Integers
    micro: Integers
    days: Integers

    @classmethod
    def of(cls, moments: Integers) -> Fields:
        """Fields of microseconds since 1970."""
        days, rest = np.divmod(moments, DAY)
        dates = days.astype("datetime64[D]")
        months = dates.astype("datetime64[M]").astype(np.int64)
        day = (dates - dates.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1
        seconds, micro = np.divmod(rest, SECOND)
        minutes, second = np.divmod(seconds, 60)
        hour, minute = np.divmod(minutes, 60)
        return cls(months // 12 + 1970, months % 12 + 1, day, hour, minute, second, micro, days)

    @property
    def weekday(self) -> Integers:
        """0 for Monday."""
        return (self.days + 3) % 7

    def number(self, name: str) -> Integers:
        """The number that a directive writes."""
        if name in ("G", "V"):
            thursday = Fields.of((self.days - self.weekday + 3) * DAY)
            return thursday.year if name == "G" else (thursday.number("j") - 1) // 7 + 1
        if name == "j":
            return self.days - _days(self.year, np.ones_like(self.year), np.ones_like(self.year)) + 1
        plain = {"Y": self.year, "m": self.month, "d": self.day, "H": self.hour, "M": self.minute, "S": self.second}
        derived = {
            "y": self.year % 100, "I": (self.hour + 11) % 12 + 1, "q": (self.month + 2) // 3, "u": self.weekday + 1,
        }  # fmt: skip
        return {**plain, **derived}[name]


def compiled(pattern: str) -> re.Pattern[str]:
    """The regular expression of a pattern. Numbers may have leading zeros or not, except between other digits."""
    parts = pieces(pattern)
    expression, used = [], set()
    for i, part in enumerate(parts):
        if not part.startswith("%"):
            expression.append(r"\s+".join(map(re.escape, re.split(r"\s+", part))))
            continue
        name = part[1:].lstrip("-")
        beside = [
            p for p in (*parts[max(0, i - 1) : i], *parts[i + 1 : i + 2]) if p.startswith("%") and p[-1] in DIGITS
        ]
        group = f"?P<{name[-1]}>" if name[-1] not in used else "?:"
        used.add(name[-1])
        if name.endswith("f"):
            expression.append(rf"({group}\d{{1,9}})")
        elif name == "z":
            expression.append(f"({group}{ZONE})")
        elif name in DIGITS:
            exact = (beside and part[1] != "-") or name in ("Y", "G", "y")
            expression.append(rf"({group}\d{{{'' if exact else '1,'}{DIGITS[name]}}})")
        else:
            expression.append(f"({group}{WORDS[name.lower()]})")
    return re.compile("".join(expression), re.IGNORECASE)


def read(pattern: str, texts: Sequence[str], first_year: int) -> tuple[Floats, Integers]:
    """Moments of texts in microseconds, NaN for those that the pattern does not fit or that do not exist, and their
    offsets from UTC in minutes, both (n,).
    """
    expression = compiled(pattern)
    found = [expression.fullmatch(text) for text in texts]
    rows = np.array([i for i, match in enumerate(found) if match is not None], np.int64)
    groups: dict[str, list[str]] = {
        name: [match[name] for match in found if match is not None] for name in expression.groupindex
    }
    moments, offsets = np.full(len(texts), np.nan), np.zeros(len(texts), np.int64)
    if len(rows):
        moments[rows], offsets[rows] = _moments(groups, len(rows), first_year)
    return moments, offsets


def _moments(groups: Mapping[str, list[str]], n: int, first_year: int) -> tuple[Floats, Integers]:
    def number(name: str, default: int) -> Integers:
        return np.array(groups[name], np.int64) if name in groups else np.full(n, default)

    year, month, day, valid = _dates(groups, number, n, first_year)
    hour, minute, second = number("H", 0), number("M", 0), number("S", 0)
    if "I" in groups:
        half = np.array([text[:1].lower() == "p" for text in groups.get("p", [""] * n)])
        valid &= (number("I", 12) >= 1) & (number("I", 12) <= 12)
        hour = number("I", 12) % 12 + 12 * half
    valid &= (hour < 24) & (minute < 60) & (second < 60)
    micro = np.array([int(text.ljust(6, "0")[:6]) for text in groups["f"]]) if "f" in groups else number("f", 0)
    offsets = np.array([zone_minutes(text) for text in groups["z"]]) if "z" in groups else np.zeros(n)
    valid &= ~np.isnan(offsets)
    whole = np.nan_to_num(offsets).astype(np.int64)
    seconds = hour * 3600 + (minute - whole) * 60 + second
    moments = _days(year, month, day) * DAY + seconds * SECOND + micro
    return np.where(valid, moments, np.nan), whole


def _dates(
    groups: Mapping[str, list[str]], number: Any, n: int, first_year: int
) -> tuple[Integers, Integers, Integers, NDArray[np.bool_]]:
    """Year, month and day, and which of them exist."""
    year, month, day = number("Y", 1970), number("m", 1), number("d", 1)
    if "y" in groups:
        year = first_year + (number("y", 70) - first_year) % 100
    if "b" in groups or "B" in groups:
        names = groups.get("b") or groups["B"]
        month = np.array([month_numbers().get(name.lower().rstrip("."), 0) for name in names], np.int64)
    if "a" in groups or "A" in groups:
        known = np.array([d.lower().rstrip(".") in weekday_numbers() for d in groups.get("a") or groups["A"]])
    else:
        known = np.ones(n, bool)
    if "q" in groups:
        known &= (number("q", 1) >= 1) & (number("q", 1) <= 4)
        month = 3 * number("q", 1) - 2
    valid = known & (month >= 1) & (month <= 12) & (year >= 1) & (day >= 1)
    month = month.clip(1, 12)
    last = _days(year + month // 12, month % 12 + 1, np.ones(n, np.int64)) - _days(year, month, np.ones(n, np.int64))
    valid &= day <= last
    if "j" in groups:
        valid &= (number("j", 1) >= 1) & (
            number("j", 1) <= 365 + (_days(year + 1, month, day) - _days(year, month, day) > 365)
        )
        day = number("j", 1)
    if "G" in groups:
        valid &= (number("V", 1) >= 1) & (number("V", 1) <= 53)
        monday = _days(number("G", 1970), np.ones(n, np.int64), np.full(n, 4))
        monday -= (monday + 3) % 7
        year, month, day = np.full(n, 1970), np.ones(n, np.int64), monday + 7 * (number("V", 1) - 1) + number("u", 1)
    return year, month, day, valid


def zone_minutes(text: str) -> float:
    """Minutes east of Greenwich of an offset such as +01:00, or a zone such as CET; NaN if it is unknown."""
    named = ZONES.get(text.lower())
    if named is not None:
        return named
    found = re.fullmatch(r"(?:utc|gmt)?([+\u2212-])(\d{1,2}):?(\d\d)?", text.lower())
    if found is None:
        return np.nan
    minutes = int(found[2]) * 60 + int(found[3] or 0)
    if minutes > MAX_OFFSET:
        return np.nan
    return -minutes if found[1] != "+" else minutes


def _days(year: Integers, month: Integers, day: Integers) -> Integers:
    """Days since 1970 of the proleptic Gregorian calendar."""
    months = (year - 1970) * 12 + month - 1
    days: Integers = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + day - 1
    return days


def _periods(moments: Floats, period: str) -> Floats:
    """Weeks, months, quarters or years since 1970 of moments; NaN for NaN."""
    known = ~np.isnan(moments)
    counts = np.full(len(moments), np.nan)
    fields = Fields.of(moments[known].astype(np.int64))
    months = (fields.year - 1970) * 12 + fields.month - 1
    each = {"week": (fields.days + 3) // 7, "month": months, "quarter": months // 3, "year": months // 12}
    counts[known] = each[period]
    return counts


def _starts(counts: Floats, period: str) -> Floats:
    """The moments at which periods begin; NaN for NaN."""
    known = ~np.isnan(counts)
    starts = np.full(len(counts), np.nan)
    whole = counts[known].astype(np.int64)
    months = {"month": 1, "quarter": 3, "year": 12}.get(period, 0)
    days = 7 * whole - 3 if period == "week" else (whole * months).astype("datetime64[M]").astype("datetime64[D]")
    starts[known] = days.astype(np.int64) * DAY
    return starts
