"""Types of columns: each encodes values as codes and scalars, and decodes them."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import gcd
from typing import TYPE_CHECKING, Any

import numpy as np

from sparring.errors import InputError, nearest
from sparring.modalities.tables.columns import arrow
from sparring.modalities.tables.columns.forms import Form, form_from_json
from sparring.modalities.tables.columns.forms.dates import SECOND
from sparring.modalities.tables.columns.recognition import recognized, whole_texts
from sparring.modalities.tables.columns.values import (
    MISSING,
    Codes,
    Floats,
    as_python,
    is_date,
    is_text,
    numbers,
    rounded,
    shown,
)

if TYPE_CHECKING:
    from pandas import Series

KNOTS_PER_BIN = 8  # of the quantile function
TEXT_DTYPES = ("string", "str", "object")
GOLDEN_SHARE = 0.6180339887  # of a range: multiples of such a step are spread evenly over it


@dataclass(frozen=True)
class Column(ABC):
    """One column. Its values are encoded as a code, which is an index of a one-hot span, and for some types also as a
    scalar in [-1, 1].

    Attributes:
        name: of the column.
        dtype: pandas dtype of samples: that of the data, or for text from a file that of its numbers or dates.
        form: how numbers and dates are written as text; None if they are not, or in no particular form.
        notes: what was recognized, for the user, a line each.
    """

    name: str
    dtype: str
    kind: str = ""
    form: Form | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        form: Any = self.form
        if isinstance(form, Mapping):
            object.__setattr__(self, "form", form_from_json(form))

    def numbers(self, values: Series) -> Floats:
        """Values in memory or as they are written, as the column's numbers, (n,); NaN for missing ones.

        Raises:
            ValueError: if they are words.
        """
        unit = self.unit if isinstance(self, Number | Mixture) else 0
        if is_text(values):
            form = self.form or recognized(values).form
            if form is None:
                raise ValueError(f"column {self.name!r} holds text such as {values.dropna().iloc[0]!r}")
            x = form.numbers(values.tolist())
            return x if form is self.form or not unit else np.floor(form.comparable(x) / unit)
        if self.form is not None and self.form.measure != "numbers":
            return self._of_typed(values, self.form)
        return numbers(values, unit)

    def _of_typed(self, values: Series, form: Form) -> Floats:
        """Dates, times or durations in memory as the numbers of a form."""
        if arrow.is_measured(values.dtype):
            return form.from_comparable(numbers(values, 0) * SECOND)
        if is_date(values) or str(values.dtype).startswith("date"):
            return form.from_comparable(numbers(values, 1))
        return form.numbers(whole_texts(values, form))

    def comparable(self, values: Series) -> Floats:
        """Values on a scale that columns of the same measure share: dates in microseconds since 1970."""
        x, unit = self.numbers(values), self.unit if isinstance(self, Number | Mixture) else 0
        return self.form.comparable(x) if self.form is not None else x * unit if unit else x

    def written(self, values: Series) -> Series:
        """Values as they are written in the data; unchanged if they are so already, or have no particular form."""
        return values if is_text(values) else self.rewritten(values)

    def rewritten(self, values: Series) -> Series:
        """Values as `written`, and text in one way where there are several to write it."""
        if self.form is None or isinstance(self, Category):
            return values
        import pandas

        return pandas.Series(self.form.texts(self.numbers(values)), values.index, name=values.name)

    @property
    @abstractmethod
    def width(self) -> int:
        """Number of codes; 0 if the column is not learned."""

    @property
    def bare_codes(self) -> int | None:
        """Number of the first codes that have no scalar; None if no code has one."""
        return None

    @abstractmethod
    def encode(self, values: Series) -> tuple[Codes, Floats]:
        """Codes and scalars, both (n,)."""

    @abstractmethod
    def decode(self, codes: Codes, scalars: Floats, random: Floats, start: int = 0) -> Any:
        """An array of values from codes, scalars and random numbers in [0, 1), each (n,).

        Args:
            start: number of rows decoded before these.
        """

    def code(self, value: Any) -> int:
        """The code of a requested value: a level as it is typed, or a number.

        Raises:
            InputError: if no row can have it.
        """
        raise InputError(
            f"{self.name}={value} cannot be requested: {self.name!r} is an identifier; choose another column"
        )


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

    @property
    def width(self) -> int:
        return len(self.levels) + bool(self.rare)

    def indices(self, values: Series) -> Codes:
        """Index of each value among all levels, rare ones included; unknown levels have the index after the last."""
        index = {level: i for i, level in enumerate((*self.levels, *self.rare))}
        plain = as_python(values)
        indices = np.fromiter((index.get(v, len(index)) for v in plain), np.int64, len(plain))
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


@dataclass(frozen=True)
class Number(Column):
    """Integers, decimals or dates. Spikes (values far more frequent than their neighbors) are levels. The others are
    divided into quantile bins; the scalar is the position within the bin, transformed so that it is uniform.

    Attributes:
        spikes: values that are levels; None for a missing value.
        spike_counts: of each spike in the data.
        knots: of the quantile function of all other values, `KNOTS_PER_BIN` per bin and one more.
        bin_counts: number of values in each bin.
        step: all values are multiples of it; 0 if there is none.
        unit: microseconds per unit of a date's number; 0 for numbers.
    """

    kind: str = "number"
    spikes: tuple[float | None, ...] = ()
    spike_counts: tuple[int, ...] = ()
    knots: tuple[float, ...] = ()
    bin_counts: tuple[int, ...] = ()
    step: float = 0.0
    unit: int = 0

    @property
    def bins(self) -> int:
        return max(0, (len(self.knots) - 1) // KNOTS_PER_BIN)

    @property
    def width(self) -> int:
        return len(self.spikes) + self.bins

    @property
    def bare_codes(self) -> int | None:
        return len(self.spikes) if self.bins else None

    def encode(self, values: Series) -> tuple[Codes, Floats]:
        return self.encode_numbers(self.numbers(values))

    def encode_numbers(self, x: Floats) -> tuple[Codes, Floats]:
        """Codes and scalars of the column's numbers, each (n,)."""
        codes, scalars = np.zeros(len(x), np.int64), np.zeros(len(x))
        if self.bins:
            positions = self._positions(np.nan_to_num(x))
            bins = np.floor(positions).clip(0, self.bins - 1)
            codes = bins.astype(np.int64) + len(self.spikes)
            scalars = (2 * (positions - bins) - 1).clip(-1, 1)
        for code, spike in enumerate(self.spikes):
            equal = np.isnan(x) if spike is None else x == spike
            codes[equal], scalars[equal] = code, 0.0
        return codes, np.nan_to_num(scalars)

    def _positions(self, x: Floats) -> Floats:
        """Positions in bins and fractions of bins. A value that equals several knots is in the middle of these."""
        knots, grid = np.array(self.knots), np.arange(len(self.knots)) / KNOTS_PER_BIN
        positions = np.interp(x, knots, grid)
        left, right = np.searchsorted(knots, x, "left"), np.searchsorted(knots, x, "right")
        repeated = right - left > 1
        positions[repeated] = (grid[left[repeated]] + grid[right[repeated] - 1]) / 2
        return positions

    def decode(self, codes: Codes, scalars: Floats, random: Floats, start: int = 0) -> Any:  # noqa: ARG002
        decoded = np.full(len(codes), np.nan)
        for code, spike in enumerate(self.spikes):
            decoded[codes == code] = np.nan if spike is None else spike
        if self.bins:
            binned, grid = codes >= len(self.spikes), np.arange(len(self.knots)) / KNOTS_PER_BIN
            positions = codes[binned] - len(self.spikes) + (scalars[binned] + 1) / 2
            decoded[binned] = rounded(np.interp(positions, grid, self.knots), self.step)
        return decoded

    def code(self, value: Any) -> int:
        if value == MISSING:
            if None not in self.spikes:
                raise InputError(_none_missing(self.name))
            return self.spikes.index(None)
        return int(self.encode_numbers(np.array([value], np.float64))[0][0])


@dataclass(frozen=True)
class Mixture(Column):
    """A number as a mode of a mixture of normal distributions and the position in it, in [-1, 1] for four standard
    deviations on either side. Xu et al. 2019, arXiv:1907.00503, section 4.2.

    Attributes:
        means, deviations: of the modes.
        low, high: range of the data, which samples do not exceed.
        missing: number of missing values; if there are any, they have the first code.
        counts: number of values in each mode.
        step, unit: as for `Number`.
    """

    kind: str = "mixture"
    means: tuple[float, ...] = ()
    deviations: tuple[float, ...] = ()
    low: float = 0.0
    high: float = 0.0
    missing: int = 0
    counts: tuple[int, ...] = ()
    step: float = 0.0
    unit: int = 0

    @property
    def bare_codes(self) -> int | None:
        return int(self.missing > 0)

    @property
    def width(self) -> int:
        return int(self.missing > 0) + len(self.means)

    def encode(self, values: Series) -> tuple[Codes, Floats]:
        return self.encode_numbers(self.numbers(values))

    def encode_numbers(self, x: Floats) -> tuple[Codes, Floats]:
        """Codes and scalars of the column's numbers, each (n,)."""
        missing = np.isnan(x)
        distance = (np.nan_to_num(x)[:, None] - np.array(self.means)) / np.array(self.deviations)  # (n, modes)
        log_likelihood = np.log(np.array(self.counts) + 1) - np.log(self.deviations) - distance**2 / 2
        codes = log_likelihood.argmax(1)
        scalars = (distance[np.arange(len(x)), codes] / 4).clip(-1, 1)
        return np.where(missing, 0, codes + (self.missing > 0)), np.where(missing, 0.0, scalars)

    def decode(self, codes: Codes, scalars: Floats, random: Floats, start: int = 0) -> Any:  # noqa: ARG002
        modes = codes - (self.missing > 0)
        decoded = np.array(self.means)[modes] + 4 * scalars * np.array(self.deviations)[modes]
        return np.where(modes < 0, np.nan, rounded(decoded.clip(self.low, self.high), self.step))

    def code(self, value: Any) -> int:
        if value == MISSING and not self.missing:
            raise InputError(_none_missing(self.name))
        return 0 if value == MISSING else int(self.encode_numbers(np.array([value], np.float64))[0][0])


@dataclass(frozen=True)
class Identifier(Column):
    """Values that are different in each row. They are not learned; samples get new ones.

    Attributes:
        prefix: common prefix of all values.
        shapes: patterns of the rest, with 9 for a digit, A and a for letters; () for consecutive integers.
        shape_counts: of each pattern in the data.
        next: the integer after the largest one of the data.
        low, high: range of whole numbers that are not consecutive; both 0 for text.
        missing: number of missing values.
        rows: number of rows of the data.
    """

    kind: str = "identifier"
    prefix: str = ""
    shapes: tuple[str, ...] = ()
    shape_counts: tuple[int, ...] = ()
    next: int = 0
    missing: int = 0
    rows: int = 0
    low: int = 0
    high: int = 0

    @property
    def width(self) -> int:
        return 0

    def encode(self, values: Series) -> tuple[Codes, Floats]:
        return np.zeros(len(values), np.int64), np.zeros(len(values))

    def decode(self, codes: Codes, scalars: Floats, random: Floats, start: int = 0) -> Any:  # noqa: ARG002
        if self.high > self.low:
            gaps = random * self.rows < self.missing
            return np.where(gaps, None, self._spread(len(random), start))
        if not self.shapes:
            return self._following(len(random), start)
        edges = np.cumsum(self.shape_counts) / sum(self.shape_counts)
        decoded = np.empty(len(random), object)
        for i, u in enumerate(random):
            generator = np.random.default_rng(int(u * 2**53))
            missing = generator.random() * self.rows < self.missing
            shape = self.shapes[min(len(edges) - 1, int(np.searchsorted(edges, generator.random(), "right")))]
            decoded[i] = None if missing else self.prefix + "".join(_random_character(c, generator) for c in shape)
        return decoded

    def _following(self, n: int, start: int) -> Any:
        """The integers after the largest one of the data; from 0 again after the largest one of the dtype."""
        largest = _largest(self.dtype)
        if self.next + start + n <= min(largest, np.iinfo(np.int64).max):
            return self.next + start + np.arange(n)
        return np.array([(self.next + start + i) % (largest + 1) for i in range(n)], object)

    def _spread(self, n: int, start: int) -> Any:
        """Different integers of as many digits as those of the data: above them if there are such, otherwise in their
        range.
        """
        span = self.high - self.low + 1
        last = self.high + span
        above = last <= _largest(self.dtype) and len(str(last)) == len(str(self.high))
        step = round(span * GOLDEN_SHARE)
        while gcd(step, span) > 1:
            step += 1
        begin = self.high + 1 if above else self.low
        spread = np.empty(n, object)
        spread[:] = [begin + (start + i) * step % span for i in range(n)]
        return spread


def _largest(dtype: str) -> int:
    """The largest integer of a dtype."""
    try:
        return int(np.iinfo(dtype.lower()).max)
    except (TypeError, ValueError):
        return 10**38


def _random_character(shape: str, generator: np.random.Generator) -> str:
    first, count = {"9": ("0", 10), "A": ("A", 26), "a": ("a", 26)}.get(shape, (shape, 1))
    return chr(ord(first) + int(generator.integers(count)))


def _none_missing(name: str) -> str:
    return f"{name}={MISSING} was given, but the data have no missing value in this column; leave it out"


def plain_number(text: str) -> float:
    """The number of a text with a decimal point and nothing else; NaN for other texts."""
    try:
        return float(text)
    except ValueError:
        return np.nan


KINDS: dict[str, type[Column]] = {
    "category": Category, "number": Number, "identifier": Identifier, "mixture": Mixture,
}  # fmt: skip


def frequencies(column: Column) -> list[int]:
    """Count of each code in the data."""
    if isinstance(column, Category):
        return [*column.counts, *([sum(column.rare_counts)] if column.rare else [])]
    if isinstance(column, Mixture):
        return [*[column.missing][: column.missing], *column.counts]
    assert isinstance(column, Number)
    return [*column.spike_counts, *column.bin_counts]


def in_form(form: Form, dtype: str, values: Floats) -> Series:
    """Numbers as text in a form, or as whole numbers such as 20230623."""
    import pandas

    texts = form.texts(values)
    if dtype in TEXT_DTYPES:
        return pandas.Series(texts, dtype=dtype)
    return pandas.Series(pandas.array([None if text is None else int(text) for text in texts], dtype=dtype))


def typed(column: Column, values: Any) -> Series:
    """Decoded values as a column with the dtype of the data."""
    import pandas

    form = column.form if isinstance(column, Number | Mixture) and not column.unit else None
    if form is not None and (form.measure != "numbers" or column.dtype in TEXT_DTYPES):
        return in_form(form, column.dtype, values)
    if isinstance(column, Number | Mixture) and column.unit:
        missing = np.isnan(values)
        counted = np.where(missing, 0, values).astype(np.int64) * column.unit
        dates = pandas.Series(counted.astype("datetime64[us]")).mask(missing)
        timezone = re.search(r", (.+)\]", column.dtype)
        return (dates.dt.tz_localize("UTC") if timezone else dates).astype(column.dtype)
    if arrow.is_exact(column.dtype):
        return (
            arrow.from_objects(values, column.dtype)
            if values.dtype == object
            else arrow.from_floats(values, column.dtype)
        )
    if column.dtype.startswith("category"):
        levels = column.order if isinstance(column, Category) else None
        return pandas.Series(values).astype(pandas.CategoricalDtype(levels, column.dtype.endswith("ordered")))
    integers = column.dtype.lower().startswith(("int", "uint"))
    if values.dtype == object:  # levels and identifiers, exactly as they are
        plain = [v if v is None or not integers else min(int(v), _largest(column.dtype)) for v in values]
        if column.dtype.startswith("float"):
            return pandas.Series([np.nan if v is None else v for v in plain], dtype=column.dtype)
        if integers and column.dtype.islower():  # pandas reads some large unsigned integers as floats
            return pandas.Series(np.array(plain, column.dtype))
        return pandas.Series(pandas.array(plain, dtype=column.dtype))
    series = pandas.Series(values)
    return (series.round() if integers else series).astype(column.dtype)
