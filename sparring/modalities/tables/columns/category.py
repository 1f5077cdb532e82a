"""Columns of levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from sparring.errors import InputError, nearest
from sparring.modalities.tables.columns.column import Column
from sparring.modalities.tables.columns.values import Codes, Floats, as_python, is_text, shown

if TYPE_CHECKING:
    from pandas import Series


@dataclass(frozen=True)
class Category(Column):
    """Levels: text, booleans, or a few different numbers.

    Attributes:
        levels: by decreasing frequency; None for a missing value.
        counts: of each level in the data.
        rare: levels beyond the hundred most frequent ones. They share one code and are drawn with their frequencies.
        rare_counts: of each rare level.
        order: categories of a categorical dtype.
    """

    kind: str = "category"
    levels: tuple[Any, ...] = ()
    counts: tuple[int, ...] = ()
    rare: tuple[Any, ...] = ()
    rare_counts: tuple[int, ...] = ()
    order: tuple[Any, ...] = ()

    def counted(self) -> list[tuple[Sequence[Any], tuple[int, ...]]]:
        return [(self.levels, self.counts), (self.rare, self.rare_counts)]

    @property
    def width(self) -> int:
        return len(self.levels) + bool(self.rare)

    def indices(self, values: Series) -> Codes:
        """Index of each value among all levels, rare ones included; unknown levels have the index after the last."""
        import pandas

        index = {level: i for i, level in enumerate((*self.levels, *self.rare))}
        which, different = pandas.factorize(values)  # -1 for missing values
        found = [index.get(v, len(index)) for v in as_python(pandas.Series(different))]
        indices: Codes = np.array([*found, index.get(None, len(index))], np.int64)[which]
        unknown = (indices == len(index)) & values.notna().to_numpy()
        if unknown.any() and is_text(values) != self.textual:  # another file has them as numbers, or as text
            indices[unknown] = self._converted(values[unknown])
        return indices

    @property
    def textual(self) -> bool:
        """True if the levels are text."""
        return any(isinstance(level, str) for level in self.levels)

    def _converted(self, values: Series) -> Codes:
        """Indices of levels that are equal to values of another type."""
        levels = (*self.levels, *self.rare)
        names = {shown(level).casefold(): i for i, level in enumerate(levels)}
        plain = [shown(value) for value in as_python(values)]
        indices = np.array([names.get(name.casefold(), len(levels)) for name in plain], np.int64)
        if self.numeric and (indices == len(levels)).any():
            known = {x: i for i, x in enumerate(self.level_numbers) if x == x}
            found = [self.number(name) for name in plain]
            indices = np.array([known.get(x, len(levels)) for x in found], np.int64)
        return indices

    def encode(self, values: Series) -> tuple[Codes, Floats]:
        indices = self.indices(values)
        return np.minimum(indices, self.width - 1), np.zeros(len(indices))

    def decode(self, codes: Codes, scalars: Floats, random: Floats, start: int = 0) -> Any:  # noqa: ARG002
        values = np.empty(len(self.levels), object)
        values[:] = self.levels
        decoded = values[np.minimum(codes, len(values) - 1)]
        rare = codes >= len(self.levels)
        if rare.any():
            edges = np.cumsum(self.rare_counts) / sum(self.rare_counts)
            tail = np.empty(len(self.rare), object)
            tail[:] = self.rare
            decoded[rare] = tail[np.searchsorted(edges, random[rare], side="right").clip(max=len(tail) - 1)]
        return decoded

    @property
    def numeric(self) -> bool:
        """True if the levels are numbers, which can be compared."""
        present = [level for level in self.levels if level is not None]
        return self.form is not None or all(
            isinstance(level, int | float) and not isinstance(level, bool) for level in present
        )

    @cached_property
    def level_numbers(self) -> list[float]:
        """The number of each level, rare ones included; NaN for a missing value and for words."""
        levels = (*self.levels, *self.rare)
        if self.form is not None:
            return list(self.form.numbers(levels))
        return [np.nan if level is None else float(level) for level in levels]

    def number(self, text: str) -> float:
        """The number of a level as it is typed; NaN if it is none."""
        if self.form is not None and not np.isnan(x := float(self.form.numbers([text])[0])):
            return x
        return plain_number(text)

    def rewritten(self, values: Series) -> Series:
        return values  # levels are as they are written

    def numbers(self, values: Series) -> Floats:
        return np.array([*self.level_numbers, np.nan])[self.indices(values)]

    def level(self, value: str) -> int:
        """Index of a level that the user typed, among all levels. Spaces around it and its case need not be typed.

        Raises:
            InputError: if there is no such level, or several.
        """
        names = [shown(level) for level in (*self.levels, *self.rare)]
        for same in (str, str.strip, lambda name: name.strip().casefold()):
            found = [i for i, name in enumerate(names) if same(name) == same(value)]
            if len(found) == 1 or (found and same is str):  # a level may be called as missing values are typed
                return max(found, key=lambda i: (*self.levels, *self.rare)[i] is not None)
            if found:
                raise InputError(
                    f"column {self.name!r} has the levels {', '.join(repr(names[i]) for i in found)}; choose one"
                )
        if self.numeric and (x := self.number(value)) in self.level_numbers:
            return self.level_numbers.index(x)
        raise InputError(f"column {self.name!r} has no level {value!r}; {nearest(value, names)}")

    def code(self, value: Any) -> int:
        return min(self.level(value), self.width - 1)


def plain_number(text: str) -> float:
    """The number of a text with a decimal point and nothing else; NaN for other texts."""
    try:
        return float(text)
    except ValueError:
        return np.nan
