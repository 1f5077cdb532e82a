"""Conditions on rows that users type, and constraints on all rows: `income=>50K`, `age>=18`, `start<end`,
`unique(id)`.
"""

from __future__ import annotations

import math
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
COMPARISON = re.compile(r"(!=|>=|<=|=|>|<)\s*(.*)")
CONDITION = re.compile(r"([^=<>!]+?)\s*(!=|>=|<=|=|>|<)\s*(.*)")
CALL = re.compile(r"(unique|together)\(([^()]+)\)")


@dataclass(frozen=True)
class Condition:
    """A column compared with a value or with another column.

    Attributes:
        text: the condition as it was typed.
        column: name of the column.
        operator: one of `OPERATORS`.
        value: the value it is compared with: a level as it is typed, or a number.
        other: name of the other column; "" if it is compared with a value.
        lenient: True if missing values satisfy it, which is the case for constraints.
    """

    text: str
    column: str
    operator: str
    value: Any
    other: str = ""
    lenient: bool = False

    def holds(self, frame: DataFrame) -> NDArray[np.bool_]:
        """True for the rows that satisfy it, (n,)."""
        compare, column = OPERATORS[self.operator], frame[self.column]
        if isinstance(self.value, str):
            levels = np.array([shown(None if gap else v) for v, gap in zip(column, column.isna(), strict=True)])
            return np.asarray(compare(levels, self.value), bool)
        other = _numeric(frame[self.other]) if self.other else self.value
        missing = column.isna().to_numpy() | (frame[self.other].isna().to_numpy() if self.other else False)
        satisfied = compare(_numeric(column), other).fillna(False).to_numpy(bool)
        holds: NDArray[np.bool_] = np.where(missing, self.lenient or self.operator == "!=", satisfied)
        return holds


def _numeric(column: Series) -> Series:
    """A column whose categorical levels are converted to numbers."""
    return column.astype("float64") if str(column.dtype) == "category" else column


@dataclass(frozen=True)
class Unique:
    """All values of a column are different."""

    text: str
    column: str

    def holds(self, frame: DataFrame) -> NDArray[np.bool_]:
        """True for the first row with each value, (n,)."""
        column = frame[self.column]
        first: NDArray[np.bool_] = (~column.duplicated() | column.isna()).to_numpy(bool)
        return first


@dataclass(frozen=True)
class Together:
    """Columns whose values occur together in the data only in some combinations.

    Attributes:
        allowed: these combinations, as tuples of values as they are typed.
    """

    text: str
    columns: tuple[str, ...]
    allowed: frozenset[tuple[str, ...]]

    def holds(self, frame: DataFrame) -> NDArray[np.bool_]:
        """True for the rows with an allowed combination, (n,)."""
        return np.array([row in self.allowed for row in combinations(frame, self.columns)])


Rule = Condition | Unique | Together


def combinations(frame: DataFrame, names: Sequence[str]) -> list[tuple[str, ...]]:
    """The values of some columns as they are typed, one tuple per row."""
    columns = [[shown(None if gap else v) for v, gap in zip(frame[n], frame[n].isna(), strict=True)] for n in names]
    return list(zip(*columns, strict=True))


def condition(text: str, columns: Mapping[str, Column]) -> Condition:
    """A condition from its text.

    Raises:
        InputError: if it cannot be parsed, or there is no such column or level.
    """
    name, comparison, value = _parts(text.strip(), columns)
    column, equality = column_called(name, columns), comparison in ("=", "!=")
    if isinstance(column, Identifier):
        raise InputError(f"{text!r}: {name!r} is an identifier, which is not learned; choose another column")
    if value == MISSING:
        if not equality:
            raise InputError(f"{text!r}: missing values cannot be compared; write {name}={MISSING}")
        return Condition(text, name, comparison, value)
    if value in columns and not equality:
        if _measure(column) is None or _measure(column) != _measure(columns[value]):
            raise InputError(f"{text!r} compares columns that are not both numbers or both dates; choose such columns")
        return Condition(text, name, comparison, None, value)
    if isinstance(column, Category) and (equality or not column.numeric):
        if not equality:
            raise InputError(f"{text!r}: {name!r} has levels, not numbers; write {name}=LEVEL")
        return Condition(text, name, comparison, column.typed_level(value))
    return Condition(text, name, comparison, _value(column, value, text))


def _parts(text: str, columns: Mapping[str, Column]) -> tuple[str, str, str]:
    """Column, operator and value. Names of columns may contain operators."""
    for name in sorted(columns, key=len, reverse=True):
        rest = COMPARISON.fullmatch(text[len(name) :].strip()) if text.startswith(name) else None
        if rest is not None:
            return name, rest[1], rest[2].strip()
    parts = CONDITION.fullmatch(text)
    if parts is None:
        raise InputError(f"{text!r} is not a condition; write COLUMN=VALUE, COLUMN>=NUMBER or COLUMN<OTHER")
    return parts[1].strip(), parts[2], parts[3].strip()


def _measure(column: Column) -> str | None:
    """The type of a column's values for comparisons; None if they cannot be ordered."""
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
            number = float(value)
            if not math.isfinite(number):
                raise ValueError
            return number
        moment = pandas.Timestamp(value)
        if moment is pandas.NaT:
            raise ValueError
        zoned = ", " in column.dtype
        if moment.tzinfo is None:
            return moment.tz_localize("UTC") if zoned else moment
        return moment if zoned else moment.tz_convert("UTC").tz_localize(None)
    except ValueError as error:
        expected = "date" if date else "number"
        raise InputError(f"{text!r}: {value!r} is not a {expected}, but {column.name!r} holds {expected}s") from error


def column_called(name: str, columns: Mapping[str, Column]) -> Column:
    """A column by its name.

    Raises:
        InputError: if there is none.
    """
    if name not in columns:
        raise InputError(f"there is no column {name!r}; {nearest(name, columns)}")
    return columns[name]


def rule(text: str, columns: Mapping[str, Column], together: Sequence[Sequence[str]] = ()) -> Rule:
    """A constraint from its text: a condition, `unique(COLUMN)`, or `together(ONE|OTHER)`.

    Args:
        together: the allowed combinations of values, as returned by `combinations`.

    Raises:
        InputError: if it cannot be parsed, or there is no such column.
    """
    call = CALL.fullmatch(text.strip())
    if call is None:
        return replace(condition(text, columns), lenient=True)
    names = parameters(text)
    for name in names:
        column_called(name, columns)
    if call[1] == "unique":
        return Unique(text, names[0])
    return Together(text, tuple(names), frozenset(tuple(row) for row in together))


def parameters(text: str) -> tuple[str, ...]:
    """Names of the columns in parentheses of `unique(...)` or `together(...)`; () for other rules."""
    call = CALL.fullmatch(text.strip())
    return tuple(name.strip() for name in call[2].split("|")) if call else ()


def check_compatible(conditions: Sequence[Condition]) -> None:
    """Check that a row can satisfy all conditions.

    Raises:
        InputError: if two values of one column are requested, or an empty range.
    """
    for i, a in enumerate(conditions):
        for b in conditions[i + 1 :]:
            if a.column == b.column and not a.other and not b.other and _contradict(a, b):
                raise InputError(f"{a.text!r} and {b.text!r} cannot both hold; leave one out")


def _contradict(a: Condition, b: Condition) -> bool:
    values = [_as_number(c.value) for c in (a, b)]
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


def _as_number(value: Any) -> Any:
    """A level as a number if it is one."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value
