"""Durations: 26:10:05, 3 days 04:05:06, 2h 50m, PT2H50M."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from sparring.modalities.tables.columns.forms.base import Floats, Measure, Texts, TimeForm, spread, unique_texts
from sparring.modalities.tables.columns.forms.dates import DAY, SECOND

MIN_SHARE = 0.95  # of the texts that are durations
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
CLOCK = re.compile(
    r"(?P<sign>-?)(?:(?P<days>\d+)(?P<word> days?,? |d |\.(?=\d\d:\d\d:)))?"
    r"(?P<first>\d+):(?P<second>[0-5]\d)(?::(?P<third>[0-5]\d))?(?:[.,](?P<fraction>\d{1,9}))?"
)
UNIT = re.compile(r"(\d+)(\s*)([^\W\d_]+\.?)(\s*,?\s*)")
ISO = re.compile(r"P(?:(?P<D>\d+)D)?(?:T(?:(?P<H>\d+)H)?(?:(?P<M>\d+)M)?(?:(?P<S>\d+)S)?)?", re.IGNORECASE)
UNITS = {
    **dict.fromkeys(("d", "day", "days", "tag", "tage", "tg", "jour", "jours", "día", "días"), DAY),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "std", "stunde", "stunden", "heures"), HOUR),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "minuten"), MINUTE),
    **dict.fromkeys(("s", "sec", "secs", "sek", "second", "seconds", "sekunden"), SECOND),
}
Style = Literal["clock", "units", "iso"]


@dataclass(frozen=True)
class DurationForm(TimeForm):
    """How durations are written. Numbers count units of time.

    Attributes:
        style: with colons ("clock"), with the name of each unit ("units"), or as ISO 8601 has it ("iso").
        unit_: microseconds of the smallest unit that is written.
        parts: numbers between colons.
        first: microseconds of the first of them: an hour, or a minute in 03:25.
        width: digits of the first of them, at least.
        days: what stands between days and hours, such as " days "; "" if there are no days.
        point: decimal mark of seconds and the number of their decimals.
        names: the names of units with the spaces around them, the largest unit first.
    """

    kind: str = "duration"
    style: Style = "clock"
    unit_: int = SECOND
    parts: int = 3
    first: int = HOUR
    width: int = 1
    days: str = ""
    point: tuple[str, int] = (".", 0)
    names: tuple[tuple[int, str], ...] = ()
    measure: ClassVar[Measure] = "durations"

    @property
    def dtype(self) -> str:
        return "string"

    def numbers(self, texts: Sequence[Any]) -> Floats:
        different, codes = unique_texts(texts)
        read = {"clock": self._clock, "units": units_microseconds, "iso": _iso}[self.style]
        return spread(np.array([read(text) for text in different], np.float64) / self.unit_, codes)

    def _clock(self, text: str) -> float:
        found = CLOCK.fullmatch(text)
        if found is None or (found["third"] is None) != (self.parts == 2) or (bool(found["days"]) and not self.days):
            return np.nan
        below = self.first // 60
        value = int(found["days"] or 0) * DAY + int(found["first"]) * self.first + int(found["second"]) * below
        value += int(found["third"] or 0) * SECOND + int((found["fraction"] or "0").ljust(6, "0")[:6])
        return -value if found["sign"] else value

    def texts(self, numbers: Floats) -> Texts:
        written = np.empty(len(numbers), object)
        write = {"clock": self._write_clock, "units": self._write_units, "iso": self._write_iso}[self.style]
        for i, x in enumerate(numbers):
            if not np.isnan(x):
                value = round(x) * self.unit_
                written[i] = ("-" if value < 0 else "") + write(abs(value))
        return written

    def _write_clock(self, value: int) -> str:
        days, value = divmod(value, DAY) if self.days else (0, value)
        below = self.first // 60
        text = f"{value // self.first:0{self.width}}:{value % self.first // below:02}"
        if self.parts == 3:
            text += f":{value % MINUTE // SECOND:02}"
        if self.point[1]:
            text += self.point[0] + f"{value % SECOND:06}".ljust(self.point[1], "0")[: self.point[1]]
        return (f"{days}{self.days}" if self.days else "") + text

    def _write_units(self, value: int) -> str:
        written: list[str] = []
        for size, name in self.names:
            count, value = divmod(value, size)
            if count or (size == self.unit_ and not written):
                written.append(f"{count}{name}")
        return "".join(written).rstrip(" ,")

    def _write_iso(self, value: int) -> str:
        counts = []
        for size, letter in ((DAY, "D"), (HOUR, "H"), (MINUTE, "M"), (SECOND, "S")):
            count, value = divmod(value, size)
            counts.append(f"{count}{letter}" if count else "")
        time = "".join(counts[1:]) or ("" if counts[0] else "0S")
        return f"P{counts[0]}" + (f"T{time}" if time else "")


def units_microseconds(text: str) -> float:
    """The duration of a text such as 2h 50m in microseconds; NaN if it is none."""
    pieces = list(UNIT.finditer(text))
    sizes = [UNITS.get(piece[3].lower().rstrip("."), 0) for piece in pieces]
    if (
        not pieces
        or "".join(piece.group() for piece in pieces) != text
        or 0 in sizes
        or sizes != sorted(set(sizes))[::-1]
    ):
        return np.nan
    return float(sum(int(piece[1]) * size for piece, size in zip(pieces, sizes, strict=True)))


def _iso(text: str) -> float:
    found = ISO.fullmatch(text)
    if found is None or not any(found.groups()):
        return np.nan
    sizes = {"D": DAY, "H": HOUR, "M": MINUTE, "S": SECOND}
    return float(sum(int(found[name] or 0) * size for name, size in sizes.items()))


def duration_form(texts: Sequence[str]) -> DurationForm | None:
    """The form of the durations in some different texts; None if most of them are none."""
    for find in (_clock_form, _units_form, _iso_form):
        form = find(texts)
        if form is not None and float((~np.isnan(form.numbers(texts))).mean()) >= MIN_SHARE:
            return form
    return None


def _clock_form(texts: Sequence[str]) -> DurationForm | None:
    found = [match for match in map(CLOCK.fullmatch, texts) if match is not None]
    if not found:
        return None
    parts = 3 if found[0]["third"] else 2
    decimals = max(len(match["fraction"] or "") for match in found)
    minutes = parts == 2 and (decimals > 0 or max(int(match["first"]) for match in found) < 60)
    smallest = SECOND // 10 ** min(6, decimals) if parts == 3 or minutes else MINUTE
    words = Counter(match["word"] for match in found if match["word"])
    return DurationForm(
        unit_=smallest, parts=parts, first=MINUTE if minutes else HOUR, point=(".", decimals),
        width=min(len(match["first"]) for match in found), days=max(words, key=words.__getitem__, default=""),
    )  # fmt: skip


def _units_form(texts: Sequence[str]) -> DurationForm | None:
    names: dict[int, Counter[str]] = {}
    for text in texts:
        for piece in UNIT.finditer(text) if not np.isnan(units_microseconds(text)) else ():
            size = UNITS[piece[3].lower().rstrip(".")]
            names.setdefault(size, Counter())[piece[2] + piece[3] + piece[4]] += 1
    if len(names) < 2:  # with one unit it is a number
        return None
    joined = {
        size: max(seen, key=lambda name: (len(name) - len(name.rstrip()), seen[name])) for size, seen in names.items()
    }
    ordered = tuple(sorted(joined.items(), reverse=True))
    return DurationForm(style="units", unit_=min(names), names=ordered)


def _iso_form(texts: Sequence[str]) -> DurationForm | None:
    return DurationForm(style="iso", unit_=SECOND) if any(map(ISO.fullmatch, texts)) else None
