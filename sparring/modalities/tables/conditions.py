"""What rows are asked for by, and what holds in every row: `income=>50K`, `age>=18`, `start<end`, `unique(id)`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparring.errors import InputError, nearest
from sparring.modalities.tables.columns import MISSING, Category, Column, Identifier, Mixture, Number, shown

if TYPE_CHECKING:
    from pandas import DataFrame, Series

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "!=": operator.ne, ">=": operator.ge, "<=": operator.le, "=": operator.eq, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
COMPARED = re.compile(r"(!=|>=|<=|=|>|<)\s*(.*)")
WRITTEN = re.compile(r"([^=<>!]+?)\s*(!=|>=|<=|=|>|<)\s*(.*)")
CALLED = re.compile(r"(unique|together)\(([^()]+)\)")


@dataclass(frozen=True)
class Condition:
    """A column compared with a value or with another column.

    Attributes:
        text: as it was given.
        column: its name.
        operator: one of `OPERATORS`.
        value: what it is compared with: a level as it is written, or a number.
        other: the name of the other column; "" where it is a value.
        lenient: whether it holds where a value is missing, as constraints do.
    """

    text: str
    column: str
    operator: str
    value: Any
    other: str = ""
    lenient: bool = False

    def holds(self, frame: DataFrame) -> NDArray[np.bool_]:
        """In which rows, (n,); where a value is missing, only what asks for that does."""
        compare, column = OPERATORS[self.operator], frame[self.column]
        if isinstance(self.value, str):
            levels = np.array([shown(None if gone else v) for v, gone in zip(column, column.isna(), strict=True)])
            return np.asarray(compare(levels, self.value), bool)
        other = _plain(frame[self.other]) if self.other else self.value
        missing = column.isna().to_numpy() | (frame[self.other].isna().to_numpy() if self.other else False)
        found = compare(_plain(column), other).fillna(False).to_numpy(bool)
        held: NDArray[np.bool_] = np.where(missing, self.lenient or self.operator == "!=", found)
        return held


def _plain(column: Series) -> Series:
    """Levels that are numbers as numbers."""
    return column.astype("float64") if str(column.dtype) == "category" else column


@dataclass(frozen=True)
class Unique:
    """No value of a column comes twice."""

    text: str
    column: str

    def holds(self, frame: DataFrame) -> NDArray[np.bool_]:
        """In which rows: the first of each value."""
        column = frame[self.column]
        first: NDArray[np.bool_] = (~column.duplicated() | column.isna()).to_numpy(bool)
        return first


@dataclass(frozen=True)
class Together:
    """Columns that come in combinations of the data alone.

    Attributes:
        known: the combinations, each the values as they are written.
    """

    text: str
    columns: tuple[str, ...]
    known: frozenset[tuple[str, ...]]

    def holds(self, frame: DataFrame) -> NDArray[np.bool_]:
        """In which rows."""
        return np.array([row in self.known for row in combinations(frame, self.columns)])


Rule = Condition | Unique | Together


def combinations(frame: DataFrame, names: Sequence[str]) -> list[tuple[str, ...]]:
    """The values of some columns as they are written, row by row."""
    columns = [[shown(None if gone else v) for v, gone in zip(frame[n], frame[n].isna(), strict=True)] for n in names]
    return list(zip(*columns, strict=True))


def condition(text: str, columns: Mapping[str, Column]) -> Condition:
    """A condition as it is typed.

    Raises:
        InputError: where it is none, or its columns or levels are not known.
    """
    name, compared, value = _parts(text.strip(), columns)
    column = known(name, columns)
    if isinstance(column, Identifier):
        raise InputError(f"{text!r}: {name!r} identifies rows and is not learnt; ask by another column")
    if value == MISSING:
        if compared not in ("=", "!="):
            raise InputError(f"{text!r}: what is missing cannot be compared; ask for {name}={MISSING}")
        return Condition(text, name, compared, value)
    if value in columns and compared not in ("=", "!="):
        if _measure(column) is None or _measure(column) != _measure(columns[value]):
            raise InputError(f"{text!r} compares columns that are not both numbers, or both dates")
        return Condition(text, name, compared, None, value)
    if isinstance(column, Category) and (compared in ("=", "!=") or not column.numeric):
        if compared not in ("=", "!="):
            raise InputError(f"{text!r}: {name!r} has levels, not numbers; ask for {name}=LEVEL")
        return Condition(text, name, compared, column.written(value))
    return Condition(text, name, compared, _value(column, value, text))


def _parts(text: str, columns: Mapping[str, Column]) -> tuple[str, str, str]:
    """Column, operator and value; columns are known by their names, whatever these hold."""
    for name in sorted(columns, key=len, reverse=True):
        rest = COMPARED.fullmatch(text[len(name) :].strip()) if text.startswith(name) else None
        if rest is not None:
            return name, rest[1], rest[2].strip()
    parts = WRITTEN.fullmatch(text)
    if parts is None:
        raise InputError(f"{text!r} is no condition; write it as COLUMN=VALUE, COLUMN>=NUMBER or COLUMN<OTHER")
    return parts[1].strip(), parts[2], parts[3].strip()


def _measure(column: Column) -> str | None:
    """What a column can be compared by."""
    if isinstance(column, Category):
        return "numbers" if column.numeric else None
    if isinstance(column, Number | Mixture):
        return "dates" if column.unit else "numbers"
    return None


def _value(column: Column, value: str, text: str) -> Any:
    """A number, or a date in the column's time zone."""
    import pandas

    date = _measure(column) == "dates"
    try:
        if not date:
            return float(value)
        moment = pandas.Timestamp(value)
        zoned = ", " in column.dtype
        if moment.tzinfo is None:
            return moment.tz_localize("UTC") if zoned else moment
        return moment if zoned else moment.tz_convert("UTC").tz_localize(None)
    except ValueError as error:
        what = "date" if date else "number"
        raise InputError(f"{text!r}: {value!r} is no {what}, as {column.name!r} holds") from error


def known(name: str, columns: Mapping[str, Column]) -> Column:
    """A column by its name.

    Raises:
        InputError: where there is none.
    """
    if name not in columns:
        raise InputError(f"there is no column {name!r}; {nearest(name, columns)}")
    return columns[name]


def rule(text: str, columns: Mapping[str, Column], together: Sequence[Sequence[str]] = ()) -> Rule:
    """A constraint as it is typed: a condition, `unique(COLUMN)`, or `together(ONE|OTHER)`.

    Args:
        together: the combinations of columns that go together, as `combinations` gives them.

    Raises:
        InputError: where it is none.
    """
    called = CALLED.fullmatch(text.strip())
    if called is None:
        return replace(condition(text, columns), lenient=True)
    names = grouped(text)
    for name in names:
        known(name, columns)
    if called[1] == "unique":
        return Unique(text, names[0])
    return Together(text, tuple(names), frozenset(tuple(row) for row in together))


def grouped(text: str) -> tuple[str, ...]:
    """The columns of a rule that is written as a call, none of others."""
    called = CALLED.fullmatch(text.strip())
    return tuple(name.strip() for name in called[2].split("|")) if called else ()


def contradictions(conditions: Sequence[Condition]) -> None:
    """Refuse conditions that no row can fulfil together.

    Raises:
        InputError: for two values of one column, or a range that is empty.
    """
    for i, a in enumerate(conditions):
        for b in conditions[i + 1 :]:
            if a.column == b.column and not a.other and not b.other and _against(a, b):
                raise InputError(f"{a.text!r} and {b.text!r} cannot both hold; leave one out")


def _against(a: Condition, b: Condition) -> bool:
    values = [_comparable(c.value) for c in (a, b)]
    if MISSING in values:
        return values[0] != values[1] and "!=" not in (a.operator, b.operator)
    if isinstance(values[0], str) != isinstance(values[1], str):
        return False
    for (one, x), (two, y) in (((a, values[0]), (b, values[1])), ((b, values[1]), (a, values[0]))):
        if one.operator == "=" and not OPERATORS[two.operator](x, y):
            return True
        if one.operator in (">", ">=") and two.operator in ("<", "<="):
            return bool(x > y or (x == y and one.operator + two.operator != ">=<="))
    return False


def _comparable(value: Any) -> Any:
    """A level that is a number as one."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value
