"""Recognition of the form of dates and times over a whole column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from sparring.errors import InputError
from sparring.modalities.tables.columns.forms.dates import (
    DAY,
    UNITS,
    DateForm,
    Fields,
    Period,
    compiled,
    directives,
    read,
)
from sparring.modalities.tables.columns.forms.layouts import (
    DIGITS_ONLY,
    HALF,
    MIN_SHARE,
    Layout,
    layout,
    patterns_of,
    share_read,
)
from sparring.modalities.tables.columns.forms.names import (
    MONTHS,
    SHORT_MONTHS,
    WEEKDAYS,
    completed,
    month_numbers,
    weekday_numbers,
)

MIN_WHOLE = 20  # different whole numbers that are dates or times
MIN_WIDTH_SHARE = 0.05  # of whole numbers that have as many digits
MIN_MINUTES = 30  # different last two digits of whole numbers that are times
MAX_LAYOUTS = 6  # different layouts of the texts of one column
MAX_OFFSETS = 64  # changes of the offset from UTC that are kept
MAY = 5  # whose short name is its full name in many languages
LAST_YEAR = 2049  # that two digits stand for, as spreadsheets have it
KNOWN = frozenset("YymdbapoHIMSfzGVuqj")  # directives


@dataclass(frozen=True)
class Dates:
    """A form of dates, and what is uncertain about it.

    Attributes:
        form: of the dates.
        alternative: another pattern that all values have as well; "" if there is none.
    """

    form: DateForm
    alternative: str = ""


def date_form(texts: Sequence[str], day_first: bool | None = None) -> Dates | None:
    """The form of the dates or times in some different texts; None if most of them are none.

    Args:
        day_first: order of other columns, for dates that can be read both ways.
    """
    layouts = [
        found
        for found in map(layout, texts)
        if found is not None and len(found.digits) + bool({"M", "P"} & set(found.marks)) > 1
    ]
    if len(layouts) < MIN_SHARE * len(texts):
        return None
    groups: dict[str, list[Layout]] = {}
    for found in layouts:
        groups.setdefault(found.marks, []).append(found)
    common = sorted(groups, key=lambda marks: -len(groups[marks]))[:MAX_LAYOUTS]
    solved = [patterns for marks in common if (patterns := patterns_of(groups[marks]))]
    ways = _consistent(solved, texts)
    return _completed(ways, texts, day_first) if ways else None


def told_form(pattern: str, texts: Sequence[str]) -> DateForm:
    """The form of dates with a pattern that the user gave.

    Raises:
        InputError: if the pattern cannot be used.
    """
    pattern = pattern.replace("%B", "%b").replace("%A", "%a").replace("%e", "%-d").replace("%f", "%6f")
    pattern = pattern.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S")
    unknown = [name for name in directives(pattern) if name not in KNOWN]
    if unknown or not directives(pattern):
        raise InputError(
            f"{pattern!r} is no pattern of dates: %{unknown[0] if unknown else ''} is unknown; write %d/%m/%Y %H:%M"
        )
    form = DateForm(pattern=pattern, first_year=_first_year((pattern,), texts))
    form = _named(replace(form, period=_period(pattern)), texts)
    return _with_unit(_with_offsets(form, texts), texts)


def digits_form(texts: Sequence[str]) -> Dates | None:
    """The form of dates in digits only, such as 20230623; None if most texts are no such dates."""
    widths = Counter(map(len, texts)).most_common(1)[0][0]
    for pattern in DIGITS_ONLY.get(widths, ()):
        if share_read([pattern], texts) >= MIN_SHARE:
            form = DateForm(pattern=pattern, period=_period(pattern), first_year=_first_year((pattern,), texts))
            return Dates(_with_unit(form, texts))
    return None


def whole_form(values: Sequence[int]) -> DateForm | None:
    """The form of dates or times in different whole numbers, such as 20230623, 202306 or 905; None if they are none."""
    likely = [value for value in values if value > 0]
    if len(likely) < MIN_WHOLE:
        return None
    widths = Counter(len(str(value)) for value in likely)
    width = max(width for width, count in widths.items() if count >= MIN_WIDTH_SHARE * len(likely))
    if width >= 6:
        texts = [f"{value:0{width + width % 2}}" for value in likely]  # a zero in front is lost
        found = digits_form(texts)
        if found is not None:
            return found.form
    return _whole_times(likely, width)


def _whole_times(values: Sequence[int], width: int) -> DateForm | None:
    """The form of hours, minutes and perhaps seconds in whole numbers: all of the last two digits occur, up to 59."""
    pattern = {3: "%H%M", 4: "%H%M", 5: "%H%M%S", 6: "%H%M%S"}.get(width)
    if pattern is None or len({value % 100 for value in values}) < MIN_MINUTES:
        return None
    texts = [f"{value:0{4 if pattern == '%H%M' else 6}}" for value in values]
    return _with_unit(DateForm(pattern=pattern), texts) if share_read([pattern], texts) >= MIN_SHARE else None


def _consistent(solved: list[list[str]], texts: Sequence[str]) -> list[tuple[str, ...]]:
    """The ways to read all layouts with one order of day, month and year: the patterns of each, the most detailed
    first. Ways that do not read nearly all texts are left out.
    """
    ways: dict[tuple[str, ...], None] = {}
    for order in ("ymd", "dmy", "mdy", ""):
        chosen = [next((p for p in patterns if _order(p) in (order, _order(p)[:2])), "") for patterns in solved]
        patterns = sorted({p for p in chosen if p}, key=lambda p: (-len(directives(p)), p))
        one_kind = len({_has_date(p) for p in patterns}) == 1
        if one_kind and share_read(patterns, texts) >= MIN_SHARE:
            ways[tuple(patterns)] = None
    return list(ways)


def _order(pattern: str) -> str:
    """The order of day, month and year in a pattern."""
    letters = {"Y": "y", "G": "y", "b": "m"}
    return "".join(letters.get(name, name) for name in directives(pattern) if name in "YyGmdb")


def _has_date(pattern: str) -> bool:
    return bool(set(directives(pattern)) - DateForm.time_of_day)


def _completed(ways: list[tuple[str, ...]], texts: Sequence[str], day_first: bool | None) -> Dates:
    """The form of the most likely way to read texts."""
    ordered = sorted(ways, key=lambda patterns: _unlikely(patterns[0], texts, day_first))
    patterns = ordered[0]
    form = DateForm(pattern=patterns[0], others=patterns[1:], first_year=_first_year(patterns, texts))
    form = _named(replace(form, period=_period(form.pattern)), texts)
    alternative = next((p[0] for p in ordered[1:] if {_order(p[0]), _order(patterns[0])} == {"dmy", "mdy"}), "")
    return Dates(_with_unit(_with_offsets(form, texts), texts), alternative)


def completed_form(form: DateForm, texts: Sequence[str]) -> DateForm:
    """A form that was recognized from some texts, with the unit, the offsets and the years of all of them."""
    form = replace(form, first_year=_first_year((form.pattern, *form.others), texts))
    return _with_unit(_with_offsets(form, texts), texts)


def _unlikely(pattern: str, texts: Sequence[str], day_first: bool | None) -> tuple[float, int, int]:
    """How unlikely a pattern is next to others that texts have as well."""
    values = DateForm(pattern=pattern).moments(texts)
    missing = round(float(np.isnan(values).mean()), 3)
    fields = Fields.of(values[~np.isnan(values)].astype(np.int64))
    years = len(np.unique(fields.year)) if "%y" in pattern else 0  # days have more different values than years
    if _order(pattern) not in ("dmy", "mdy"):
        return missing, years, 2 if _order(pattern) == "ymd" and "%Y" not in pattern else 0
    if day_first is None:
        timed = set(directives(pattern)) & DateForm.time_of_day
        if len(texts) > 2 and len(np.unique(fields.day)) == 1 and not timed:
            return missing, years, 0  # the first of each month
        day_first = "/" not in pattern
    return missing, years, 1 if (_order(pattern) == "dmy") == day_first else 3


def _first_year(patterns: tuple[str, ...], texts: Sequence[str]) -> int:
    """The first of the hundred years that two digits stand for: after the largest gap between the years of the data."""
    if not any("%y" in pattern for pattern in patterns):
        return 1969
    moments = DateForm(pattern=patterns[0], others=patterns[1:], first_year=2000).moments(texts)
    known = moments[~np.isnan(moments)].astype(np.int64) // DAY
    if not len(known):
        return 1969
    years = np.unique(known.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970 - 2000) % 100
    gaps = np.diff([*years, years[0] + 100])
    first = int(years[(int(gaps.argmax()) + 1) % len(years)])
    span = 100 - int(gaps.max())
    return first + (2000 if 2000 + first + span <= LAST_YEAR else 1900)


def _named(form: DateForm, texts: Sequence[str]) -> DateForm:
    """A form with the names of months and weekdays, and AM and PM, as most texts write them."""
    seen: dict[str, dict[int, Counter[str]]] = {"M": {}, "A": {}, "P": {}}
    for found in map(layout, texts):
        for mark, token in zip(found.marks, found.tokens, strict=True) if found else ():
            name = token.lower().rstrip(".")
            numbers = {"M": month_numbers(), "A": weekday_numbers(), "P": {"am": 0, "a": 0, "pm": 1, "p": 1}}
            if mark in seen:
                seen[mark].setdefault(numbers[mark][name], Counter())[token] += 1
    most = {mark: {i: names.most_common(1)[0][0] for i, names in numbers.items()} for mark, numbers in seen.items()}
    short = not any(name.lower() in _full_months() for i, name in most["M"].items() if i != MAY)
    months = _dotted(most["M"], SHORT_MONTHS if short else MONTHS, 1)
    halves = _halves(texts) if most["P"] else form.halves
    return replace(form, months=months, weekdays=_dotted(most["A"], WEEKDAYS, 0), halves=halves)


def _dotted(seen: dict[int, str], languages: dict[str, str], first: int) -> tuple[str, ...]:
    """Names of all months or weekdays; with points if most of the seen ones have some."""
    names = completed({i: name.rstrip(".") for i, name in seen.items()}, languages, first)
    dotted = sum(name.endswith(".") for name in seen.values()) * 2 > len(seen)
    return tuple(seen.get(i, f"{name}." if dotted else name) for i, name in enumerate(names, first))


@cache
def _full_months() -> frozenset[str]:
    return frozenset(form.lower() for names in MONTHS.values() for name in names.split() for form in name.split("/"))


def _halves(texts: Sequence[str]) -> tuple[str, str]:
    """How AM and PM are written most often."""
    written = Counter(found.group() for text in texts for found in HALF.finditer(text))
    most = {
        half: max((w for w in written if w[0].lower() == half), key=written.__getitem__, default="") for half in "ap"
    }
    am, pm = most["a"], most["p"]
    upper = (am or pm)[:1].isupper()
    return am or ("A" if upper else "a") + pm[1:], pm or ("P" if upper else "p") + am[1:]


def _period(pattern: str) -> Period:
    """What a pattern without days counts."""
    names = set(directives(pattern))
    if names & DateForm.time_of_day or "d" in names or "u" in names or "j" in names:
        return ""
    return "week" if "V" in names else "quarter" if "q" in names else "month" if names & set("mbB") else "year"


def _with_offsets(form: DateForm, texts: Sequence[str]) -> DateForm:
    """A form with the offsets from UTC, and how they are written."""
    if "%z" not in form.pattern:
        return form
    moments, offsets = read(form.pattern, texts, form.first_year)
    order = np.argsort(moments, kind="stable")[: int((~np.isnan(moments)).sum())]
    changes: list[tuple[int, int]] = []
    for i in order:
        if not changes or changes[-1][1] != offsets[i]:
            changes.append((int(moments[i]), int(offsets[i])))
    if len(changes) > MAX_OFFSETS:
        changes = [(0, Counter(offsets[order].tolist()).most_common(1)[0][0])]
    zones: dict[int, str] = {}
    for i in order:
        zones.setdefault(int(offsets[i]), _zone(form.pattern, texts[i]))
    return replace(form, offsets=tuple(changes), zones=tuple(zones.items()))


def _zone(pattern: str, text: str) -> str:
    found = compiled(pattern).fullmatch(text)
    return found["z"] if found else ""


def _with_unit(form: DateForm, texts: Sequence[str]) -> DateForm:
    """A form with the largest unit that all values are multiples of."""
    if form.period:
        return form
    moments = form.moments(texts)
    counted = moments[~np.isnan(moments)].astype(np.int64)
    if not len(counted):
        return replace(form, unit_=1)
    return replace(form, unit_=next(unit for unit in UNITS if not (counted % unit).any()))
