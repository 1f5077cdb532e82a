"""What is known of a column, by its kind, and how values become codes and scalars and are made again."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sparring.errors import InputError, nearest
from sparring.modalities.tables.columns.values import MISSING, Codes, Floats, as_python, numbers, rounded, shown

if TYPE_CHECKING:
    from pandas import Series

FINE = 8  # pieces in which the distribution within a bin is kept


@dataclass(frozen=True)
class Column(ABC):
    """One column. Its values are a code, of which each is a place in a one-hot span, and maybe a scalar in [-1, 1].

    Attributes:
        name: of the column.
        dtype: of pandas, that samples are given.
    """

    name: str
    dtype: str
    kind: str = ""

    @property
    @abstractmethod
    def width(self) -> int:
        """How many codes there are; 0 where nothing is learnt."""

    @property
    def bare(self) -> int | None:
        """How many of the first codes have no scalar, None where there is no scalar at all."""
        return None

    @abstractmethod
    def encode(self, values: Series) -> tuple[Codes, Floats]:
        """Codes and scalars, both (n,)."""

    @abstractmethod
    def decode(self, codes: Codes, scalars: Floats, dice: Floats, start: int = 0) -> Any:
        """An array of values from codes, scalars and random numbers in [0, 1), each (n,).

        Args:
            start: how many rows have been made before these.
        """

    def code(self, value: Any) -> int:
        """Of a value that is asked for: a level as it is written, or a number.

        Raises:
            InputError: where no row can have it.
        """
        raise InputError(f"{self.name}={value} cannot be asked for: the column identifies rows")


@dataclass(frozen=True)
class Category(Column):
    """Levels; text, truth values, or a few numbers.

    Attributes:
        levels: in order of how frequent they are; None for a missing value.
        counts: of each in the data.
        rare: levels beyond the most frequent hundred, that share one code and are drawn as often as in the data.
        rare_counts: of each.
        order: of the levels of a dtype that has one.
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

    def places(self, values: Series) -> Codes:
        """Of each value among all levels, the rare ones too; those that the data have not come last."""
        known = {level: place for place, level in enumerate((*self.levels, *self.rare))}
        plain = as_python(values)
        return np.fromiter((known.get(v, len(known)) for v in plain), np.int64, len(plain))

    def encode(self, values: Series) -> tuple[Codes, Floats]:
        places = self.places(values)
        return np.minimum(places, self.width - 1), np.zeros(len(places))

    def decode(self, codes: Codes, scalars: Floats, dice: Floats, start: int = 0) -> Any:  # noqa: ARG002
        values = np.empty(len(self.levels), object)
        values[:] = self.levels
        made = values[np.minimum(codes, len(values) - 1)]
        rare = codes >= len(self.levels)
        if rare.any():
            edges = np.cumsum(self.rare_counts) / sum(self.rare_counts)
            tail = np.empty(len(self.rare), object)
            tail[:] = self.rare
            made[rare] = tail[np.searchsorted(edges, dice[rare], side="right").clip(max=len(tail) - 1)]
        return made

    @property
    def numeric(self) -> bool:
        """Whether levels are numbers, which can be compared."""
        known = [level for level in self.levels if level is not None]
        return all(isinstance(level, int | float) and not isinstance(level, bool) for level in known)

    def written(self, value: str) -> str:
        """A level as `shown` writes it.

        Raises:
            InputError: where there is no such level.
        """
        levels = {shown(level) for level in (*self.levels, *self.rare)}
        for said in (value, value.capitalize()):
            if said in levels and (said == value or said in ("True", "False")):
                return said
        if self.numeric and (number := _plain_number(value)) in levels:
            return number
        raise InputError(f"column {self.name!r} has no level {value!r}; {nearest(value, levels)}")

    def code(self, value: Any) -> int:
        levels = [shown(level) for level in self.levels]
        return levels.index(value) if value in levels else len(levels)


@dataclass(frozen=True)
class Number(Column):
    """Integers, decimals, dates: values that repeat far above their density are levels, the others bins of equal
    shares, in which a scalar follows the distribution.

    Attributes:
        spikes: values that are levels; None for a missing one.
        spike_counts: of each in the data.
        knots: of the quantile function of all others, `FINE` to a bin and one.
        bin_counts: values in each bin.
        step: that values are multiples of; 0 for none.
        unit: microseconds that a date's number stands for; 0 where it is no date.
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
        return max(0, (len(self.knots) - 1) // FINE)

    @property
    def width(self) -> int:
        return len(self.spikes) + self.bins

    @property
    def bare(self) -> int | None:
        return len(self.spikes) if self.bins else None

    def encode(self, values: Series) -> tuple[Codes, Floats]:
        x = numbers(values, self.unit)
        codes, scalars = np.zeros(len(x), np.int64), np.zeros(len(x))
        if self.bins:
            places = self._places(np.nan_to_num(x))
            bins = np.floor(places).clip(0, self.bins - 1)
            codes = bins.astype(np.int64) + len(self.spikes)
            scalars = (2 * (places - bins) - 1).clip(-1, 1)
        for code, spike in enumerate(self.spikes):
            here = np.isnan(x) if spike is None else x == spike
            codes[here], scalars[here] = code, 0.0
        return codes, np.nan_to_num(scalars)

    def _places(self, x: Floats) -> Floats:
        """In bins and parts of them. A value that several knots share is laid in the middle of these."""
        knots, places = np.array(self.knots), np.arange(len(self.knots)) / FINE
        low = np.interp(x, knots, places)
        left, right = np.searchsorted(knots, x, "left"), np.searchsorted(knots, x, "right")
        many = right - left > 1
        low[many] = (places[left[many]] + places[right[many] - 1]) / 2
        return low

    def decode(self, codes: Codes, scalars: Floats, dice: Floats, start: int = 0) -> Any:  # noqa: ARG002
        made = np.full(len(codes), np.nan)
        for code, spike in enumerate(self.spikes):
            made[codes == code] = np.nan if spike is None else spike
        if self.bins:
            binned = codes >= len(self.spikes)
            places = codes[binned] - len(self.spikes) + (scalars[binned] + 1) / 2
            made[binned] = rounded(np.interp(places, np.arange(len(self.knots)) / FINE, self.knots), self.step)
        return made

    def code(self, value: Any) -> int:
        import pandas

        if value == MISSING:
            if None not in self.spikes:
                raise InputError(f"{self.name}={MISSING} was asked for, but no value of it is missing in the data")
            return self.spikes.index(None)
        return int(self.encode(pandas.Series([value]))[0][0])


@dataclass(frozen=True)
class Mixture(Column):
    """A number as one of several normal distributions and the place in it, in [-1, 1] for four deviations to either
    side. Xu et al. 2019, arXiv:1907.00503, section 4.2.

    Attributes:
        means, deviations: of the distributions.
        low, high: of the data; nothing beyond is made.
        missing: values that are missing, whose code is the first.
        counts: values of each distribution.
        step, unit: as `Number` has them.
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
    def bare(self) -> int | None:
        return int(self.missing > 0)

    @property
    def width(self) -> int:
        return int(self.missing > 0) + len(self.means)

    def encode(self, values: Series) -> tuple[Codes, Floats]:
        x = numbers(values, self.unit)
        gone = np.isnan(x)
        apart = (np.nan_to_num(x)[:, None] - np.array(self.means)) / np.array(self.deviations)  # (n, modes)
        likely = np.log(np.array(self.counts) + 1) - np.log(self.deviations) - apart**2 / 2
        codes = likely.argmax(1)
        scalars = (apart[np.arange(len(x)), codes] / 4).clip(-1, 1)
        return np.where(gone, 0, codes + (self.missing > 0)), np.where(gone, 0.0, scalars)

    def decode(self, codes: Codes, scalars: Floats, dice: Floats, start: int = 0) -> Any:  # noqa: ARG002
        modes = codes - (self.missing > 0)
        made = np.array(self.means)[modes] + 4 * scalars * np.array(self.deviations)[modes]
        return np.where(modes < 0, np.nan, rounded(made.clip(self.low, self.high), self.step))

    def code(self, value: Any) -> int:
        import pandas

        if value == MISSING and not self.missing:
            raise InputError(f"{self.name}={MISSING} was asked for, but no value of it is missing in the data")
        return 0 if value == MISSING else int(self.encode(pandas.Series([value]))[0][0])


@dataclass(frozen=True)
class Identifier(Column):
    """Values that tell rows apart: never learnt, made anew.

    Attributes:
        prefix: that all begin with.
        shapes: of the rest, with 9 for a digit, A and a for letters; empty for whole numbers in a row.
        shape_counts: of each in the data.
        next: the first whole number that the data have not.
        missing: how many values are missing, of
        rows: so many.
    """

    kind: str = "identifier"
    prefix: str = ""
    shapes: tuple[str, ...] = ()
    shape_counts: tuple[int, ...] = ()
    next: int = 0
    missing: int = 0
    rows: int = 0

    @property
    def width(self) -> int:
        return 0

    def encode(self, values: Series) -> tuple[Codes, Floats]:
        return np.zeros(len(values), np.int64), np.zeros(len(values))

    def decode(self, codes: Codes, scalars: Floats, dice: Floats, start: int = 0) -> Any:  # noqa: ARG002
        if not self.shapes:
            return self.next + start + np.arange(len(dice))
        edges = np.cumsum(self.shape_counts) / sum(self.shape_counts)
        made = np.empty(len(dice), object)
        for i, u in enumerate(dice):
            random = np.random.default_rng(int(u * 2**53))
            gone = random.random() * self.rows < self.missing
            shape = self.shapes[min(len(edges) - 1, int(np.searchsorted(edges, random.random(), "right")))]
            made[i] = None if gone else self.prefix + "".join(_drawn(c, random) for c in shape)
        return made


def _drawn(shape: str, random: np.random.Generator) -> str:
    first, many = {"9": ("0", 10), "A": ("A", 26), "a": ("a", 26)}.get(shape, (shape, 1))
    return chr(ord(first) + int(random.integers(many)))


def _plain_number(text: str) -> str:
    try:
        return shown(float(text))
    except ValueError:
        return text


KINDS: dict[str, type[Column]] = {
    "category": Category, "number": Number, "identifier": Identifier, "mixture": Mixture,
}  # fmt: skip


def frequencies(column: Column) -> list[int]:
    """How often each code comes in the data."""
    if isinstance(column, Category):
        return [*column.counts, *([sum(column.rare_counts)] if column.rare else [])]
    if isinstance(column, Mixture):
        return [*[column.missing][: column.missing], *column.counts]
    assert isinstance(column, Number)
    return [*column.spike_counts, *column.bin_counts]


def typed(column: Column, made: Any) -> Series:
    """Decoded values as a column of the data's own dtype."""
    import pandas

    if isinstance(column, Number | Mixture) and column.unit:
        gone = np.isnan(made)
        whole = np.where(gone, 0, made).astype(np.int64) * column.unit
        dates = pandas.Series(whole.astype("datetime64[us]")).mask(gone)
        timezone = re.search(r", (.+)\]", column.dtype)
        return (dates.dt.tz_localize("UTC") if timezone else dates).astype(column.dtype)
    if column.dtype.startswith("category"):
        levels = column.order if isinstance(column, Category) else None
        return pandas.Series(made).astype(pandas.CategoricalDtype(levels, column.dtype.endswith("ordered")))
    whole_numbers = column.dtype.lower().startswith(("int", "uint"))
    if made.dtype == object:  # levels and identifiers, exactly as they are
        plain = [v if v is None or not whole_numbers else int(v) for v in made]
        if column.dtype.startswith("float"):
            return pandas.Series([np.nan if v is None else v for v in plain], dtype=column.dtype)
        return pandas.Series(pandas.array(plain, dtype=column.dtype))
    series = pandas.Series(made)
    return (series.round() if whole_numbers else series).astype(column.dtype)
