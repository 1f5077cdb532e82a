"""Columns of a table: what is known of each, and how its values become codes and scalars and are made again."""

from __future__ import annotations

import re
import warnings
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparring.errors import InputError, nearest

if TYPE_CHECKING:
    from pandas import Series

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]

FEW = 20  # different numbers, up to which they are levels
LEVELS = 100  # of a category, at most; the rarer ones share the last
UNIQUE = 0.95  # of the values of a text column differ: it identifies rows
LEAST = 20  # rows, from which on a column may identify them
EXACT = 2**53  # integers up to which floats are exact
BINS = 32  # of a number, at most
IN_BIN = 50  # values that a bin has, at least
FINE = 8  # pieces in which the distribution within a bin is kept
SPIKES = 24  # values that are kept as levels of their own, at most
REPEATED = 5  # times as often as those about it is a spike
SHAPES = 1000  # shapes of identifiers that are kept, at most
MODES = 10  # of a mixture, at most,
LIGHT = 0.005  # of weights above this,
FITTED = 10_000  # to so many values
MISSING = "missing"


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
        plain = _plain(values)
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


def rounded(x: Floats, step: float) -> Floats:
    """To multiples of a power of ten, where it is above 0."""
    if not step:
        return x
    return np.round(np.round(x / step) * step, max(0, round(-np.log10(step))))


def _drawn(shape: str, random: np.random.Generator) -> str:
    first, many = {"9": ("0", 10), "A": ("A", 26), "a": ("a", 26)}.get(shape, (shape, 1))
    return chr(ord(first) + int(random.integers(many)))


KINDS: dict[str, type[Column]] = {
    "category": Category, "number": Number, "identifier": Identifier, "mixture": Mixture,
}  # fmt: skip
TOLD = ("category", "identifier", "number")


def learnt(values: Series, kind: str = "", mixture: bool = False) -> Column:
    """What is to be known of a column.

    Args:
        kind: "category", "number" or "identifier"; found out unless given.
        mixture: whether numbers are taken for mixtures of normal distributions.

    Raises:
        InputError: where it cannot be of the kind that was given.
    """
    kind = kind or _kind(values)
    if kind not in TOLD:
        raise InputError(f"column {values.name!r} cannot be a {kind!r}; {nearest(kind, TOLD)}")
    if kind == "number" and not _numeric(values):
        raise InputError(f"column {values.name!r} holds text and cannot be a number")
    if kind != "number" and _is_date(values):
        raise InputError(f"column {values.name!r} holds dates and cannot be {kind!r}; leave it to be found out")
    fit = {"category": _category, "number": _mixture if mixture else _as_number, "identifier": _identifier}
    return fit[kind](values)


def frequencies(column: Column) -> list[int]:
    """How often each code comes in the data."""
    if isinstance(column, Category):
        return [*column.counts, *([sum(column.rare_counts)] if column.rare else [])]
    if isinstance(column, Mixture):
        return [*[column.missing][: column.missing], *column.counts]
    assert isinstance(column, Number)
    return [*column.spike_counts, *column.bin_counts]


def _is_date(values: Series) -> bool:
    from pandas.api import types

    return bool(types.is_datetime64_any_dtype(values.dtype))


def _numeric(values: Series) -> bool:
    from pandas.api import types

    dtype = values.dtype
    return (types.is_numeric_dtype(dtype) and not types.is_bool_dtype(dtype)) or types.is_datetime64_any_dtype(dtype)


def _kind(values: Series) -> str:
    from pandas.api import types

    known = values.dropna()
    different = known.nunique()
    if not _numeric(values):
        many = different > UNIQUE * len(known) and len(known) >= LEAST and not types.is_bool_dtype(values.dtype)
        return "identifier" if many else "category"
    if _is_date(values):
        return "number"
    if different <= FEW:
        return "category"
    if types.is_integer_dtype(values.dtype) and max(abs(int(known.max())), abs(int(known.min()))) > EXACT:
        return "identifier" if different > UNIQUE * len(known) else "category"
    whole = types.is_integer_dtype(values.dtype) and len(known) == len(values) >= LEAST
    in_a_row = whole and different == len(values) and int(known.max()) - int(known.min()) + 1 == different
    return "identifier" if in_a_row else "number"


def _category(values: Series) -> Category:
    found = Counter(_plain(values)).most_common()
    kept = LEVELS if len(found) <= LEVELS else LEVELS - 1
    top, rest = found[:kept], found[kept:]
    if any(level is None for level, _ in rest):  # to be missing is a level, however rare
        gone = next(pair for pair in rest if pair[0] is None)
        rest.remove(gone)
        top.append(gone)
    return Category(
        str(values.name), _dtype(values), levels=tuple(v for v, _ in top), counts=tuple(n for _, n in top),
        rare=tuple(v for v, _ in rest), rare_counts=tuple(n for _, n in rest),
        order=tuple(values.dtype.categories) if str(values.dtype) == "category" else (),
    )  # fmt: skip


def _as_number(values: Series) -> Number:
    unit = _unit(values)
    x = numbers(values, unit)
    known, missing = x[~np.isnan(x)], int(np.isnan(x).sum())
    different, counts = np.unique(known, return_counts=True)
    spiked = _spikes(counts, len(x))
    rest = known[~np.isin(known, different[spiked])]
    bins = int(np.clip(len(rest) // IN_BIN, 2, BINS)) if len(rest) else 0
    knots = np.quantile(rest, np.linspace(0, 1, bins * FINE + 1)) if bins else np.zeros(0)
    column = Number(
        str(values.name), _dtype(values), spikes=(*(float(v) for v in different[spiked]), *[None][:missing]),
        spike_counts=(*(int(n) for n in counts[spiked]), *[missing][:missing]), knots=tuple(float(k) for k in knots),
        step=_steps(values, known, unit), unit=unit,
    )  # fmt: skip
    codes = column.encode(values)[0] - len(column.spikes)
    return replace(column, bin_counts=tuple(int(n) for n in np.bincount(codes[codes >= 0], minlength=bins)))


def _mixture(values: Series) -> Mixture:
    """By variational inference, which leaves out what it does not need. Bishop 2006, section 10.2."""
    from sklearn.mixture import BayesianGaussianMixture

    unit = _unit(values)
    x = numbers(values, unit)
    known = x[~np.isnan(x)]
    deviation = float(known.std()) or 1.0
    some = np.random.default_rng(0).permutation(known)[:FITTED]
    many = min(MODES, len(np.unique(some)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whether it has converged does not matter here
        fitted = BayesianGaussianMixture(
            n_components=many, weight_concentration_prior=0.001, max_iter=100, random_state=0
        ).fit((some[:, None] - known.mean()) / deviation)
    kept = fitted.weights_ > LIGHT
    means = fitted.means_[kept, 0] * deviation + known.mean()
    deviations = np.sqrt(fitted.covariances_[kept, 0, 0]) * deviation
    column = Mixture(
        str(values.name), _dtype(values), means=tuple(map(float, means)), deviations=tuple(map(float, deviations)),
        low=float(known.min()), high=float(known.max()), missing=int(np.isnan(x).sum()),
        counts=tuple(int(w * len(known)) for w in fitted.weights_[kept]), step=_steps(values, known, unit), unit=unit,
    )  # fmt: skip
    codes = column.encode(values)[0] - (column.missing > 0)
    return replace(column, counts=tuple(int(n) for n in np.bincount(codes[codes >= 0], minlength=len(means))))


def _spikes(counts: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Which of the different values, in order, repeat far above those about them."""
    about = np.array([np.median(counts[max(0, i - 5) : i + 6]) for i in range(len(counts))])
    found = np.flatnonzero((counts >= LEAST) & (counts > REPEATED * about) & (counts >= n / 500))
    heavy = np.flatnonzero(counts > n / BINS)
    both = np.union1d(found, heavy)
    return np.sort(both[np.argsort(-counts[both], kind="stable")][:SPIKES])


def _step(x: Floats, exact: float = 1e-12) -> float:
    """The power of ten that all values are multiples of, 0 where there is none.

    Args:
        exact: how exact the values are.
    """
    largest = np.abs(x).max() if len(x) else 0.0
    for decimals in range(-3, 13) if largest else ():
        step = 10.0**-decimals
        if step <= largest and np.allclose(np.round(x / step) * step, x, rtol=exact, atol=step * 1e-6):
            return step
    return 0.0


def _steps(values: Series, x: Floats, unit: int) -> float:
    """Of a column: dates are whole units."""
    return 1.0 if unit else _step(x, 1e-6 if str(values.dtype).lower() == "float32" else 1e-12)


def _identifier(values: Series) -> Identifier:
    name, dtype, known = str(values.name), _dtype(values), values.dropna()
    if _numeric(values) and len(known) == len(values) and int(known.max()) - int(known.min()) + 1 == known.nunique():
        return Identifier(name, dtype, next=int(known.max()) + 1)
    text = [str(int(v)) if _numeric(values) else str(v) for v in known]
    prefix = re.sub(r"\d+$", "", _common(text))
    most = Counter("".join(map(_shape, v[len(prefix) :])) for v in text).most_common(SHAPES)
    return Identifier(
        name, dtype, prefix=prefix, shapes=tuple(s for s, _ in most), shape_counts=tuple(n for _, n in most),
        missing=len(values) - len(known), rows=len(values),
    )  # fmt: skip


def _common(texts: list[str]) -> str:
    """What all begin with."""
    low, high = min(texts), max(texts)
    return low[: next((i for i, pair in enumerate(zip(low, high, strict=False)) if len(set(pair)) > 1), len(low))]


def _shape(character: str) -> str:
    """9 for a digit, A or a for a letter of any script, others as they are."""
    if character.isdigit():
        return "9"
    return ("A" if character.isupper() else "a") if character.isalpha() else character


SECOND = 10**6  # microseconds
UNITS = (86_400 * SECOND, 3600 * SECOND, 60 * SECOND, SECOND, 1000, 1)


def _unit(values: Series) -> int:
    """Microseconds of which all dates are multiples: a day, an hour, or what it takes; 0 for no dates."""
    if not _is_date(values):
        return 0
    known = _microseconds(values.dropna())
    return next(unit for unit in UNITS if not (known % unit).any())


def _microseconds(values: Series) -> NDArray[np.int64]:
    plain = values.dt.tz_convert("UTC").dt.tz_localize(None) if values.dt.tz is not None else values
    found: NDArray[np.int64] = plain.dt.as_unit("us").to_numpy().astype("datetime64[us]").astype(np.int64)
    return found


def numbers(values: Series, unit: int) -> Floats:
    """A column of numbers or dates as floats, NaN where one is missing."""
    if not unit:
        found: Floats = values.to_numpy(np.float64, na_value=np.nan)
        return found
    gone = values.isna().to_numpy()
    x = np.full(len(values), np.nan)
    x[~gone] = _microseconds(values[~gone]) // unit
    return x


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


def _plain(values: Series) -> list[Any]:
    """Values as Python has them, None where one is missing."""
    gone = values.isna().to_numpy()
    return [None if missing else v for v, missing in zip(values.tolist(), gone, strict=True)]


def _dtype(values: Series) -> str:
    """Of pandas, by name."""
    dtype = values.dtype
    return f"{dtype} ordered" if str(dtype) == "category" and dtype.ordered else str(dtype)


def shown(value: Any) -> str:
    """A level as it is typed."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return str(value)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _plain_number(text: str) -> str:
    try:
        return shown(float(text))
    except ValueError:
        return text
