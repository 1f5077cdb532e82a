"""What rows are asked for by, and what holds in every row: `income=>50K`, `age>=18`, `start<end`, `unique(id)`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparring.errors import InputError, nearest
from sparring.modalities.columns import Category, Column, Mixture, Number, shown

if TYPE_CHECKING:
    from pandas import DataFrame

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "!=": operator.ne, ">=": operator.ge, "<=": operator.le, "=": operator.eq, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
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
    """

    text: str
    column: str
    operator: str
    value: Any
    other: str = ""

    def holds(self, frame: DataFrame) -> NDArray[np.bool_]:
        """In which rows, (n,); where a value is missing, only what asks for that does."""
        compare, column = OPERATORS[self.operator], frame[self.column]
        if self.other:
            found = compare(column, frame[self.other])
            known = column.notna() & frame[self.other].notna()
        elif isinstance(self.value, str):
            levels = np.array([shown(None if gone else v) for v, gone in zip(column, column.isna(), strict=True)])
            return np.asarray(compare(levels, self.value), bool)
        else:
            found, known = compare(column, self.value), column.notna()
        held: NDArray[np.bool_] = found.fillna(False).to_numpy(bool) & known.to_numpy(bool)
        return held


@dataclass(frozen=True)
class Unique:
    """No value of a column comes twice."""

    text: str
    column: str

    def holds(self, frame: DataFrame) -> NDArray[np.bool_]:
        """In which rows: the first of each value."""
        first: NDArray[np.bool_] = ~frame[self.column].duplicated().to_numpy(bool)
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
    parts = WRITTEN.fullmatch(text.strip())
    if parts is None:
        raise InputError(f"{text!r} is no condition; write it as COLUMN=VALUE, COLUMN>=NUMBER or COLUMN<OTHER")
    name, compared, value = parts[1].strip(), parts[2], parts[3].strip()
    column = known(name, columns)
    if value in columns and compared != "=":
        if not isinstance(column, Number | Mixture) or not isinstance(columns[value], Number | Mixture):
            raise InputError(f"{text!r} compares columns that are not both numbers")
        return Condition(text, name, compared, None, value)
    if isinstance(column, Category) and not (compared in "<=>=" and compared != "=" and column.numeric):
        if compared not in ("=", "!="):
            raise InputError(f"{text!r}: {name!r} has levels, not numbers; ask for {name}=LEVEL")
        return Condition(text, name, compared, column.written(value))
    if isinstance(column, Number | Mixture) and value == "missing":
        return Condition(text, name, compared, value)
    return Condition(text, name, compared, _value(column, value, text))


def _value(column: Column, value: str, text: str) -> Any:
    """A number, or a date."""
    import pandas

    try:
        return pandas.Timestamp(value) if isinstance(column, Number | Mixture) and column.unit else float(value)
    except ValueError as error:
        what = "date" if isinstance(column, Number | Mixture) and column.unit else "number"
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
        return condition(text, columns)
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
    for one, two in ((a, b), (b, a)):
        if one.operator == "=":
            same_kind = isinstance(one.value, str) == isinstance(two.value, str)
            if same_kind and not OPERATORS[two.operator](one.value, two.value):
                return True
        if one.operator in (">", ">=") and two.operator in ("<", "<="):
            strict = ">" in (one.operator,) or "<" in (two.operator,)
            if one.value > two.value or (strict and one.value == two.value):
                return True
    return False
