"""What is found out about a column."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sparring.errors import InputError, nearest
from sparring.modalities.tables.columns.kinds import FINE, Category, Column, Identifier, Mixture, Number
from sparring.modalities.tables.columns.values import Floats, as_python, is_date, microseconds, numbers

if TYPE_CHECKING:
    from pandas import Series

FEW = 20  # different numbers, up to which they are levels
LEVELS = 100  # of a category, at most; the rarer ones share the last
UNIQUE = 0.95  # of the values of a text column differ: it identifies rows
LEAST = 20  # rows, from which on a column may identify them
EXACT = 2**53  # integers up to which floats are exact
BINS = 32  # of a number, at most
IN_BIN = 50  # values that a bin has, at least
SPIKES = 24  # values that are kept as levels of their own, at most
REPEATED = 5  # times as often as those about it is a spike
SHAPES = 1000  # shapes of identifiers that are kept, at most
MODES = 10  # of a mixture, at most,
LIGHT = 0.005  # of weights above this,
FITTED = 10_000  # to so many values
TOLD = ("category", "identifier", "number")
SECOND = 10**6  # microseconds
UNITS = (86_400 * SECOND, 3600 * SECOND, 60 * SECOND, SECOND, 1000, 1)


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
    if kind != "number" and is_date(values):
        raise InputError(f"column {values.name!r} holds dates and cannot be {kind!r}; leave it to be found out")
    fit = {"category": _category, "number": _mixture if mixture else _as_number, "identifier": _identifier}
    return fit[kind](values)


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
    if is_date(values):
        return "number"
    if different <= FEW:
        return "category"
    if types.is_integer_dtype(values.dtype) and max(abs(int(known.max())), abs(int(known.min()))) > EXACT:
        return "identifier" if different > UNIQUE * len(known) else "category"
    whole = types.is_integer_dtype(values.dtype) and len(known) == len(values) >= LEAST
    in_a_row = whole and different == len(values) and int(known.max()) - int(known.min()) + 1 == different
    return "identifier" if in_a_row else "number"


def _category(values: Series) -> Category:
    found = Counter(as_python(values)).most_common()
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


def _unit(values: Series) -> int:
    """Microseconds of which all dates are multiples: a day, an hour, or what it takes; 0 for no dates."""
    if not is_date(values):
        return 0
    known = microseconds(values.dropna())
    return next(unit for unit in UNITS if not (known % unit).any())


def _dtype(values: Series) -> str:
    """Of pandas, by name."""
    dtype = values.dtype
    return f"{dtype} ordered" if str(dtype) == "category" and dtype.ordered else str(dtype)
