"""What the text of a column is: numbers, dates, times, durations, or codes and words that are kept as they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from shlex import quote
from typing import TYPE_CHECKING

import numpy as np

from sparring.errors import InputError
from sparring.modalities.tables.columns.forms.angles import AngleForm, angle_form
from sparring.modalities.tables.columns.forms.base import Form
from sparring.modalities.tables.columns.forms.date_recognition import (
    completed_form,
    date_form,
    digits_form,
    told_form,
    whole_form,
)
from sparring.modalities.tables.columns.forms.dates import DateForm, directives
from sparring.modalities.tables.columns.forms.durations import duration_form
from sparring.modalities.tables.columns.forms.epochs import EpochForm, epoch_form
from sparring.modalities.tables.columns.forms.number_recognition import Context, number_form
from sparring.modalities.tables.columns.forms.numbers import NumberForm, parts
from sparring.modalities.tables.columns.values import is_text

if TYPE_CHECKING:
    from pandas import DataFrame, Series

MAX_PROBED = 2000  # different texts that a form is recognized from
MAX_CONTEXT = 300  # different texts of each column that the others' ambiguous values are read by
MAX_BAD_SHARE = 0.05  # of a column's values that may be errors; they become missing
MIN_CODES = 3  # values such as C536379 among whole numbers, so that all of them are codes
MAX_EXACT_TEXTS = 100  # different decimals that are kept as text if some end in a zero and others do not
MIN_DIGIT_DATES = 10  # different dates without separators, so that they are no other numbers
MAX_NAMED = 3  # values in a message
PLAIN_INTEGER = re.compile(r"[+-]?\d+")
LEADING_ZERO = re.compile(r"[+-]?0\d+")
POWER_CODE = re.compile(r"\d+[eE]\d+")  # 1E5 as the name of something: a power has a point or a sign
NO_DATES = (0, 99999999, 999999, 88888888)  # that databases write where there is no date
CODE = re.compile(r"(?=.*[^\W\d_])(?=.*\d)[\w/.-]+")
DATE_LIKE = re.compile(
    r"\d{1,4}([-/.])\d{1,2}\1\d{2,4}|\d{4}[-/.]\d{1,2}|\d{1,2}:\d{2}(:\d{2})?"
    r"|\d{1,2}[-/. ][^\W\d_]{3,9}\.?[-/. ,]+\d{2,4}"
)
SEPARATED = re.compile(r"\d+([.,]\d+)?|\d{1,3}([.,']\d{3})+([.,]\d+)?")
NUMBER_LIKE = re.compile(r"\W{0,2}\d[\d.,' ]*\W?")


@dataclass(frozen=True)
class Reading:
    """How the text of a column is read.

    Attributes:
        form: of its values; None if they are words or codes.
        bad: texts that are not written so, and how many; they are missing.
        notes: what was recognized, for the user, a line each.
        evidence: pattern of dates that could be read with day and month exchanged; "" if there is one way only.
    """

    form: Form | None = None
    bad: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    alternative: str = ""


def recognized(values: Series, context: Context = Context(), pattern: str = "", number: bool = False) -> Reading:
    """How the text of a column is read.

    Args:
        context: of the other columns of the file.
        pattern: of dates that the user gave; "" to recognize what there is.
        number: True if the user says that they are numbers; whatever is none is missing.

    Raises:
        InputError: if the column is not what the user says.
    """
    counts = text_counts(values)
    name, texts = str(values.name), list(counts)
    if not texts:
        return Reading()
    if pattern:
        return _told_dates(name, counts, pattern)
    probed = texts[:: -(-len(texts) // MAX_PROBED)]
    found = _form(probed, context)
    form, alternative = found
    if form is None and not number and not is_code(texts):
        return Reading(notes=_unrecognized(name, counts))
    if isinstance(form, DateForm) and len(texts) > len(probed):
        form = completed_form(form, texts)  # with the units, offsets and years of all values
        if np.isnan(form.numbers(texts)).any():  # the others may tell the day from the month
            form, alternative = _form(texts, context)
    if form is None or (not number and isinstance(form, NumberForm) and is_code(texts)):
        if number:
            raise InputError(
                f"column {name!r} holds text such as {texts[0]!r}, not numbers; choose category or identifier"
            )
        return Reading()
    read = ~np.isnan(form.numbers(texts))
    bad = {text: counts[text] for text, good in zip(texts, read, strict=True) if not good}
    if not number and not _tolerable(form, texts, bad, counts):
        return Reading(notes=_unrecognized(name, counts))
    return _said(
        Reading(form, bad, alternative=alternative), name, next(t for t, good in zip(texts, read, strict=True) if good)
    )


def text_counts(values: Series) -> Counter[str]:
    """The different texts of a column without surrounding spaces, in the order of their first occurrence, and how often
    each occurs. Empty ones are left out.
    """
    counts: Counter[str] = Counter()
    for text, count in values.dropna().value_counts(sort=False).items():
        if stripped := str(text).strip():
            counts[stripped] += int(count)
    return counts


def _form(texts: Sequence[str], context: Context) -> tuple[Form | None, str]:
    """The form of most texts, and another pattern of dates that they may have."""
    if all(map(PLAIN_INTEGER.fullmatch, texts)):
        dates = digits_form(texts) if len(texts) >= MIN_DIGIT_DATES and len(texts[0]) != 6 else None
        return (dates.form if dates else number_form(texts, context)), ""
    if dates := date_form(texts, context.day_first):
        return dates.form, dates.alternative
    return duration_form(texts) or angle_form(texts) or number_form(texts, context), ""


def is_code(texts: Sequence[str]) -> bool:
    """True for texts of digits that are names rather than quantities: with zeros in front, such as postal codes; 1E5;
    whole numbers too large to count with; decimals some of which end in a zero, such as versions.
    """
    if any(map(LEADING_ZERO.fullmatch, texts)) or any(map(POWER_CODE.fullmatch, texts)):
        return True
    if all(map(PLAIN_INTEGER.fullmatch, texts)):
        return not any(text.startswith("+") for text in texts)
    decimals = [text.partition(".")[2] for text in texts if re.fullmatch(r"\d+\.\d+", text)]
    if len(texts) > MAX_EXACT_TEXTS or len(decimals) < len(texts) - MIN_CODES or len(set(map(len, decimals))) < 2:
        return False
    return any(text.endswith("0") and len(text) > 1 for text in decimals)


def _tolerable(form: Form, texts: list[str], bad: dict[str, int], counts: Counter[str]) -> bool:
    """True if the values that do not have a form are a few errors."""
    if not bad:
        return True
    if sum(bad.values()) > MAX_BAD_SHARE * counts.total():
        return False
    whole = isinstance(form, NumberForm) and not form.decimals[1] and not form.label and not form.thousands
    codes = sum(count for text, count in bad.items() if CODE.fullmatch(text))
    return not (whole and codes >= MIN_CODES) and len(texts) > len(bad)


def _told_dates(name: str, counts: Counter[str], pattern: str) -> Reading:
    texts = list(counts)
    form = told_form(pattern, texts)
    read = ~np.isnan(form.numbers(texts))
    bad = {text: counts[text] for text, good in zip(texts, read, strict=True) if not good}
    if sum(bad.values()) * 2 > counts.total():
        raise InputError(
            f"columns={name}={pattern}: {next(iter(bad))!r} in column {name!r} is not written so; correct the pattern"
        )
    return _said(Reading(form, bad), name, texts[int(read.argmax())])


def _said(reading: Reading, name: str, example: str) -> Reading:
    """A reading with what the user should know."""
    form, notes = reading.form, []
    if isinstance(form, DateForm):
        note = f"column {name!r} holds {form.measure} such as {example!r}, read as {_order(form.pattern)}{form.pattern}"
        if reading.alternative:
            note += f"; {reading.alternative} fits as well: to choose it, give columns='{name}={reading.alternative}'"
        notes.append(note)
    elif isinstance(form, EpochForm):
        notes.append(f"column {name!r} holds dates such as {example!r}, read as {form.counted} since 1970")
    elif isinstance(form, NumberForm):
        if not form.plain or form.exponent:
            notes.append(f"column {name!r} holds numbers such as {example!r}{_marks(form)}{_left_out(form)}")
    elif isinstance(form, AngleForm):
        notes.append(f"column {name!r} holds degrees such as {example!r}")
    elif form is not None:
        notes.append(f"column {name!r} holds {form.measure} such as {example!r}")
    if reading.bad:
        listed = ", ".join(map(repr, list(reading.bad)[:MAX_NAMED])) + (", ..." if len(reading.bad) > MAX_NAMED else "")
        total = sum(reading.bad.values())
        what = f"{form.measure}: {listed}" if form is not None else listed
        verb = "value is" if total == 1 else "values are"
        notes.append(
            f"column {name!r}: {total} {verb} taken as missing, as not {what} (columns='{name}=category' keeps all)"
        )
    return replace(reading, notes=tuple(notes))


def _order(pattern: str) -> str:
    """The order of day, month and year in words, if the months are numbers."""
    words = {"Y": "year", "y": "year", "m": "month", "d": "day"}
    named = [words[name] for name in directives(pattern) if name in words]
    return f"{', '.join(named)}: " if len(named) == len(words) - 1 else ""


def _marks(form: NumberForm) -> str:
    """What ambiguous marks of a number mean."""
    if form.decimal == "," and form.decimals[1]:
        return ", with decimal commas"
    if form.thousands in (".", ","):
        return f", with {'commas' if form.thousands == ',' else 'points'} between thousands"
    return ""


def _left_out(form: NumberForm) -> str:
    """What is not written again."""
    if form.flags:
        return f"; remarks after numbers ({', '.join(repr(flag[1:]) for flag in form.flags[:MAX_NAMED])}) are left out"
    return ""


def _unrecognized(name: str, counts: Counter[str]) -> tuple[str, ...]:
    """A warning if most of some texts look like dates, times or numbers, but have no form in common."""
    total = counts.total()
    for kind, expression, advice in (
        ("dates or times", DATE_LIKE, f"{quote(f'columns={name}=%d.%m.%Y')} or another pattern of strftime"),
        ("numbers", NUMBER_LIKE, quote(f"columns={name}=number")),
    ):
        like = [text for text in counts if expression.fullmatch(text) and not PLAIN_INTEGER.fullmatch(text)]
        if sum(counts[text] for text in like) > total / 2 and _are_separate(kind, like):
            others = next((text for text in counts if text not in set(like)), like[-1])
            return (f"column {name!r} is read as text: some values look like {kind} ({like[0]!r}), others do not "
                    f"({others!r}); if they are, give {advice}",)  # fmt: skip
    return ()


def _are_separate(kind: str, like: list[str]) -> bool:
    """False for codes of digits, such as telephone numbers, that are no numbers."""
    if kind != "numbers":
        return True
    return sum((p := parts(text)) is not None and bool(SEPARATED.fullmatch(p.core)) for text in like) > len(like) / 2


def whole_texts(values: Series, form: Form) -> list[str | None]:
    """Whole numbers such as 20230623 or 905 as texts of a form, with the zeros in front that numbers lack."""
    width = len(form.texts(np.zeros(1))[0])
    plain = values.tolist()
    missing = values.isna().to_numpy()
    return [None if gap else f"{int(value):0{width}}" for value, gap in zip(plain, missing, strict=True)]


def whole_dates(values: Series) -> Reading:
    """How whole numbers are read if they are dates, such as 20230623 or 202306, times, such as 905, or moments, such as
    1614556800000.
    """
    present = values.dropna()
    counts = Counter(int(value) for value in present)
    different = sorted(counts)
    form: Form | None = whole_form(different) or epoch_form(str(values.name), different) if counts else None
    if form is None:
        return Reading()
    texts = [f"{value:0{len(form.texts(np.zeros(1))[0])}}" for value in counts]
    read = ~np.isnan(form.numbers(texts))
    bad = {str(value): counts[value] for value, good in zip(counts, read, strict=True) if not good}
    share = sum(count for text, count in bad.items() if int(text) not in NO_DATES) / counts.total()
    if share > MAX_BAD_SHARE:
        return Reading()
    return _said(
        Reading(form, bad), str(values.name), str(next(v for v, good in zip(counts, read, strict=True) if good))
    )


def file_context(frame: DataFrame) -> Context:
    """What the columns of a file say about ambiguous values of others."""
    from pandas.api import types

    decimal, day_first, marked = "", None, False
    if any(types.is_float_dtype(dtype) for dtype in frame.dtypes) and "semicolons" in frame.attrs:
        decimal = "."
    for name in frame:
        if not is_text(frame[name]):
            continue
        texts = list(text_counts(frame[name].head(20 * MAX_CONTEXT)))[:MAX_CONTEXT]
        form, alternative = _form(texts, Context()) if texts else (None, "")
        if isinstance(form, DateForm) and not alternative and day_first is None:
            day_first = _is_day_first(form.pattern)
        elif isinstance(form, NumberForm) and not decimal and not is_code(texts):
            decimal = _decimal_mark(form, texts)
        marked |= isinstance(form, NumberForm) and bool(form.thousands or form.label)
    return Context(decimal, bool(frame.attrs.get("semicolons")), day_first, marked)


def _is_day_first(pattern: str) -> bool | None:
    """True or False for a pattern with day and month in front as numbers; None for others."""
    return {"dm": True, "md": False}.get("".join(directives(pattern))[:2])


def _decimal_mark(form: NumberForm, texts: Sequence[str]) -> str:
    """The decimal mark of numbers that can be read in one way only; "" for others."""
    cores = [p.core for text in texts if (p := parts(text)) is not None]
    sure = any("." in core and "," in core for core in cores) or any(
        re.search(rf"{re.escape(form.decimal)}(\d{{1,2}}|\d{{4,}})$", core) for core in cores
    )
    return form.decimal if sure else ""
