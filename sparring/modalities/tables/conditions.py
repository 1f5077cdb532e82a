"""Conditions on rows that users type, and constraints on all rows: `income=>50K`, `age>=18`, `start<end`,
`unique(id)`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sparring.errors import InputError, nearest
from sparring.modalities.tables.columns import (
    MISSING,
    Category,
    Column,
    Identifier,
    as_python,
    measure_of,
    shown,
    typed_number,
)

if TYPE_CHECKING:
    from pandas import DataFrame, Series

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "!=": operator.ne, ">=": operator.ge, "<=": operator.le, "=": operator.eq, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
COMPARISON = re.compile(r"(!=|>=|<=|=|>|<)(.*)", re.DOTALL)
CONDITION = re.compile(r"([^=<>!]+?)\s*(!=|>=|<=|=|>|<)(.*)", re.DOTALL)
CALL = re.compile(r"(unique|together)\(([^()]+)\)")


@dataclass(frozen=True)
class Condition:
    """A column compared with a value or with another column.

    Attributes:
        text: the condition as it was typed.
        column: name of the column.
        operator: one of `OPERATORS`.
        value: the value it is compared with: a level as it is typed, `MISSING`, or a number of the column.
        other: name of the other column; "" if it is compared with a value.
        lenient: True if missing values satisfy it, which is the case for constraints.
        reader: the fitted column, which reads values of its own form.
        other_reader: the other fitted column.
    """

    text: str
    column: str
    operator: str
    value: Any
    other: str = ""
    lenient: bool = False
    reader: Column | None = field(default=None, repr=False, compare=False)
    other_reader: Column | None = field(default=None, repr=False, compare=False)

    def holds(self, frame: DataFrame) -> NDArray[np.bool_]:
        """True for the rows that satisfy it, (n,)."""
        compare, values = OPERATORS[self.operator], frame[self.column]
        assert self.reader is not None
        if isinstance(self.value, str):
            if isinstance(self.reader, Category):
                return np.asarray(compare(self.reader.indices(values), self.reader.level(self.value)), bool)
            return np.asarray(compare(np.isnan(self.reader.numbers(values)), True), bool)
        if self.other_reader is None:
            x, y = self.reader.numbers(values), np.full(len(frame), self.value, np.float64)
        else:
            x, y = self.reader.comparable(values), self.other_reader.comparable(frame[self.other])
        missing = np.isnan(x) | np.isnan(y)
        holds: NDArray[np.bool_] = np.where(missing, self.lenient or self.operator == "!=", compare(x, y))
        return holds


@dataclass(frozen=True)
class Unique:
    """All values of a column are different."""

    text: str
    column: str
    of_all: ClassVar[bool] = True

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
        readers: the fitted columns.
    """

    text: str
    columns: tuple[str, ...]
    allowed: frozenset[tuple[str, ...]]
    readers: tuple[Column, ...] = field(default=(), repr=False, compare=False)

    def holds(self, frame: DataFrame) -> NDArray[np.bool_]:
        """True for the rows with an allowed combination, (n,)."""
        return np.array([row in self.allowed for row in combinations(frame, self.readers)])


Rule = Condition | Unique | Together


def combinations(frame: DataFrame, columns: Sequence[Column]) -> list[tuple[str, ...]]:
    """The values of some columns as they are typed, one tuple per row."""
    return list(zip(*(_shown(frame[column.name], column) for column in columns), strict=True))


def _shown(values: Series, column: Column) -> list[str]:
    if isinstance(column, Category):
        names = [*(shown(level) for level in (*column.levels, *column.rare)), ""]
        indices = column.indices(values)
        unknown = [shown(value) for value in as_python(values)] if (indices == len(names) - 1).any() else names
        return [names[i] if i < len(names) - 1 else unknown[row] for row, i in enumerate(indices)]
    return [shown(value) for value in as_python(column.rewritten(values))]


def condition(text: str, columns: Mapping[str, Column]) -> Condition:
    """A condition from its text.

    Raises:
        InputError: if it cannot be parsed, or there is no such column or level.
    """
    name, comparison, value = _parts(text, columns)
    column, equality = column_called(name, columns), comparison in ("=", "!=")
    if isinstance(column, Identifier):
        raise InputError(f"{text!r}: {name!r} is an identifier, which is not learned; choose another column")
    trimmed = value.strip()
    if trimmed == MISSING and not isinstance(column, Category):
        if not equality:
            raise InputError(f"{text!r}: missing values cannot be compared; write {name}={MISSING}")
        return Condition(text, name, comparison, MISSING, reader=column)
    if trimmed in columns and not equality:
        other = columns[trimmed]
        if _measure(column) is None or _measure(column) != _measure(other):
            raise InputError(f"{text!r} compares columns that are not both numbers or both dates; choose such columns")
        return Condition(text, name, comparison, None, trimmed, reader=column, other_reader=other)
    if isinstance(column, Category) and (equality or not column.numeric):
        if not equality:
            raise InputError(f"{text!r}: {name!r} has levels, not numbers; write {name}=LEVEL")
        level = (*column.levels, *column.rare)[column.level(value)]
        return Condition(text, name, comparison, shown(level), reader=column)
    if trimmed == MISSING:
        raise InputError(f"{text!r}: missing values cannot be compared; write {name}={MISSING}")
    return Condition(text, name, comparison, typed_number(column, trimmed, text), reader=column)


def _parts(text: str, columns: Mapping[str, Column]) -> tuple[str, str, str]:
    """Column, operator and value. Names of columns may contain operators; values may begin or end with spaces."""
    typed = text.lstrip()
    for name in sorted(columns, key=len, reverse=True):
        rest = COMPARISON.fullmatch(typed[len(name) :].lstrip()) if typed.startswith(name) else None
        if rest is not None:
            return name, rest[1], rest[2]
    parts = CONDITION.fullmatch(typed)
    if parts is None:
        raise InputError(f"{text!r} is not a condition; write COLUMN=VALUE, COLUMN>=NUMBER or COLUMN<OTHER")
    return parts[1].strip(), parts[2], parts[3]


def _measure(column: Column) -> str | None:
    """The type of a column's values for comparisons; None if they cannot be ordered."""
    if isinstance(column, Category):
        return "numbers" if column.numeric else None
    return measure_of(column)


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
    readers = tuple(columns[name] for name in names)
    return Together(text, tuple(names), frozenset(tuple(row) for row in together), readers)


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
