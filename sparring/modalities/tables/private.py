"""Columns fitted from noisy counts, and noisy marginals of pairs of columns.

Types follow from the dtypes of the data, which are public: text and booleans are categories, numbers are numbers. Every
count has normal noise. Levels are published if their noisy count is so large that a level with a single row passes with
a probability of at most delta. Ranges of numbers are found in two rounds: which powers of two occur, then counts of
equal parts of these.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import combinations
from shlex import quote
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sparring.errors import InputError
from sparring.modalities.tables.columns import Category, Column, Number
from sparring.modalities.tables.columns.forms.numbers import NumberForm
from sparring.modalities.tables.columns.number import KNOTS_PER_BIN
from sparring.modalities.tables.columns.recognition import recognized
from sparring.modalities.tables.columns.values import as_python, is_date, is_text, numbers
from sparring.privacy import Release, SecretNoise

if TYPE_CHECKING:
    from pandas import DataFrame, Series

Floats = NDArray[np.float64]
MAX_LEVELS = 64  # of a category; the most frequent ones
MAX_BINS = 16  # of a number, besides the values that are levels
MAX_SPIKES = 16
PARTS = 32  # of the range between two powers of two
EXPONENTS = range(-20, 41)  # of the powers of two that are told apart; smaller numbers count as 0, larger ones are cut
SURE = 4.0  # standard deviations of the noise above which a count is taken for more than 0
MAX_PAIRS = 200  # of columns whose marginals are measured
RANGE_SHARE = 0.3  # of the precision that is spent on columns: for ranges; the rest is for counts
TARGET_PRECISION = 3.0  # of the marginals of pairs with the target, relative to others


@dataclass(frozen=True)
class Measured:
    """What was measured of a table, with noise.

    Attributes:
        releases: what was published, and with how much noise.
        selection: the part of delta that the choice of levels has taken.
        rows: number of rows; public.
        pairs: two learned columns, the share of rows with each pair of codes, row by row, and the standard deviation of
            the noise in these shares.
    """

    releases: tuple[Release, ...] = ()
    selection: float = 0.0
    rows: int = 0
    pairs: tuple[tuple[int, int, tuple[float, ...], float], ...] = ()

    def __post_init__(self) -> None:
        built = tuple(Release(**r) if isinstance(r, Mapping) else r for r in self.releases)
        object.__setattr__(self, "releases", built)


def fit_columns(
    frame: DataFrame, kinds: Mapping[str, str], noise: float, selection: float, source: SecretNoise
) -> tuple[tuple[Column, ...], Release]:
    """The columns of a table.

    Args:
        kinds: "category" or "number" for columns whose dtype does not say it.
        noise: of all counts together, as that of a single release.
        selection: the delta that the choice of levels of all columns may take.

    Raises:
        InputError: if a column cannot be fitted like this.
    """
    each = noise * math.sqrt(frame.shape[1])
    fitted, refused = [], {}
    for name in frame:
        try:
            fitted.append(_fit_column(frame[name], kinds.get(name, ""), each, selection / frame.shape[1], source))
        except InputError as error:
            refused[str(name)] = str(error)
    if refused:
        raise InputError(_all_refused(refused))
    return tuple(fitted), Release("ranges and counts of columns", noise)


def _all_refused(refused: Mapping[str, str]) -> str:
    """What is wrong with the first column, which others cannot be fitted, and how to leave out all of them."""
    first, *others = refused
    also = f"; nor can {', '.join(map(repr, others))} be fitted" if others else ""
    omitting = quote("columns=" + ",".join(f"{name}=omit" for name in refused))
    return f"{refused[first]}{also}; {omitting} leaves {'them' if others else 'it'} out"


def _fit_column(values: Series, kind: str, noise: float, selection: float, source: SecretNoise) -> Column:
    import pandas
    from pandas.api import types

    name = str(values.name)
    if kind not in ("", "category", "number"):
        raise InputError(f"columns={name}={kind} is not fitted privately; give category or number, or leave it out")
    if is_date(values):
        raise InputError(f"column {name!r} holds dates, which are not fitted privately; write them as numbers")
    form = _form(values, kind)
    if form is not None:
        values = pandas.Series(form.numbers(values.tolist()), values.index, dtype=form.dtype, name=name)
        fitted = _number(values, noise, source)
        return replace(fitted, form=form, step=fitted.step or form.step)
    numeric = types.is_numeric_dtype(values.dtype) and not types.is_bool_dtype(values.dtype)
    if kind == "number" and not numeric:
        raise InputError(f"columns={name}=number was given, but the column holds {values.dtype}; give category")
    if kind == "category" or not numeric:
        return _category(values, noise, selection, source)
    return _number(values, noise, source)


def _form(values: Series, kind: str) -> NumberForm | None:
    """How a column of text writes its numbers; None for codes and words, such as 00849."""
    if kind == "category" or not is_text(values):
        return None
    form = None
    with suppress(InputError):  # words that the user calls numbers
        form = recognized(values, number=kind == "number").form
    return form if isinstance(form, NumberForm) else None


def _category(values: Series, noise: float, selection: float, source: SecretNoise) -> Category:
    from scipy.special import ndtri

    counts = Counter(as_python(values))
    noisy = source.noisy(np.array(list(counts.values()), np.float64), noise)
    threshold = 1 + noise * -float(ndtri(selection))
    kept = sorted(
        ((n, level) for level, n in zip(counts, noisy, strict=True) if n > threshold), key=lambda pair: -pair[0]
    )
    if all(level is None for _, level in kept) and any(level is not None for level in counts):
        raise InputError(
            f"column {str(values.name)!r} has no level of at least {threshold:.0f} rows, so none may be published; "
            "give a larger epsilon"
        )
    kept = kept[:MAX_LEVELS]
    return Category(
        str(values.name), str(values.dtype), levels=tuple(level for _, level in kept),
        counts=tuple(max(1, round(n)) for n, _ in kept),
    )  # fmt: skip


def _number(values: Series, noise: float, source: SecretNoise) -> Number:
    from pandas.api import types

    whole = bool(types.is_integer_dtype(values.dtype))
    x = numbers(values, 0)
    missing, present = np.isnan(x), x[~np.isnan(x)]
    ranges = noise / math.sqrt(RANGE_SHARE)
    counted = noise / math.sqrt(1 - RANGE_SHARE)
    edges = _edges(present, ranges, SURE * counted, source, whole)
    zero = np.count_nonzero(present == 0)
    exact = np.array([float(missing.sum()), float(zero)])
    parts = np.histogram(present[present != 0].clip(edges[0], edges[-1]), edges)[0].astype(np.float64)
    noisy = source.noisy(np.concatenate([exact, parts]), counted)
    return _from_counts(values, edges, noisy, SURE * counted, whole)


def _edges(x: Floats, noise: float, sure: float, source: SecretNoise, whole: bool) -> Floats:
    """Ends of parts of the ranges between powers of two in which values occur, in order. The more values a range has,
    the more parts it has. Those nearer to zero than any such range are one part: the counts of many empty ones are
    noise, of which some seem to be values.

    Args:
        sure: count above which a part is taken for occupied.
    """
    first, last = EXPONENTS[0], EXPONENTS[-1]
    magnitude = np.floor(np.log2(np.abs(x).clip(2.0**first))).clip(first, last).astype(int) - first
    small = np.abs(x) < 2.0**first
    sign = np.where(small, 0, np.sign(x)).astype(int)
    width = len(EXPONENTS)
    cells = np.bincount(np.where(sign == 0, width, width + sign * (1 + magnitude)), minlength=2 * width + 1)
    noisy = source.noisy(cells[: 2 * width + 1].astype(np.float64), noise)
    occupied = np.flatnonzero(noisy > SURE * noise) - width  # -width..width; the exponent is first + |i| - 1
    signed = [int(i) for i in occupied if i] or [1 - first]  # [1, 2) if nothing is sure
    nearest = min(map(abs, signed))
    ends = set[float]()
    for i in range(min(signed), max(signed) + 1):
        if i == 0:
            continue
        low = 2.0 ** (first + abs(i) - 1)
        if whole and low < 1:
            continue
        if abs(i) < nearest:
            ends |= {math.copysign(1.0 if whole else 2.0**first, i), math.copysign(2.0 ** (first + nearest - 1), i)}
            continue
        most = int(np.clip(noisy[i + width] / sure, 1, PARTS))
        count = int(min(most, low)) if whole else most
        ends |= {math.copysign(low * (1 + k / count), i) for k in range(count + 1)}
    if not ends:
        ends = {1.0, 2.0}
    found = np.array(sorted(ends))
    return found - 0.5 * np.sign(found) if whole else found  # whole numbers are in the middle of their parts


def _from_counts(values: Series, edges: Floats, noisy: Floats, sure: float, whole: bool) -> Number:
    """A column of numbers from noisy counts of missing values, zeros, and parts of a range."""
    missing, zero = float(noisy[0]), float(noisy[1])
    parts = np.where(noisy[2:] > sure / 2, noisy[2:], 0.0)
    total = max(1.0, parts.sum() + max(0.0, zero) + max(0.0, missing))
    spikes: list[tuple[float | None, float]] = [(None, missing)] if missing > sure else []
    if zero > max(sure, total / (4 * MAX_BINS)):
        spikes.append((0.0, zero))
    elif zero > sure:
        edges, parts = _with_zero(edges, parts, zero)
    if whole:
        frequent = [i for i in np.argsort(-parts)[:MAX_SPIKES] if parts[i] > total / MAX_BINS]
        for i in (i for i in frequent if edges[i + 1] - edges[i] == 1):
            spikes.append((float(edges[i] + 0.5), float(parts[i])))
            parts[i] = 0.0
    if parts.sum() <= 0 and not spikes:  # nothing is sure
        parts = np.ones_like(parts)
    knots = _knots(parts, edges, sure) if parts.sum() > 0 else ()
    bins = max(0, (len(knots) - 1) // KNOTS_PER_BIN)
    return Number(
        str(values.name), str(values.dtype), spikes=tuple(value for value, _ in spikes),
        spike_counts=tuple(max(1, round(count)) for _, count in spikes), knots=knots,
        bin_counts=(max(1, round(parts.sum() / max(1, bins))),) * bins, step=1.0 if whole else 0.0,
    )  # fmt: skip


def _with_zero(edges: Floats, parts: Floats, zero: float) -> tuple[Floats, Floats]:
    """Parts with those zeros that are too few for a level."""
    place = int(np.searchsorted(edges, 0.0))
    if 0 < place < len(edges):  # between negative and positive numbers
        added = np.zeros_like(parts)
        added[place - 1] = zero
        return edges, parts + added
    side = 0 if place == 0 else len(edges)
    return np.insert(edges, side, 0.0), np.insert(parts, min(side, len(parts)), zero)


def _knots(parts: Floats, edges: Floats, sure: float) -> tuple[float, ...]:
    """The quantile function of counts of parts, with as many bins as the noise allows."""
    bins = int(np.clip(parts.sum() / max(sure, 1.0), 2, MAX_BINS))
    cumulative = np.concatenate([[0.0], parts.cumsum()]) / parts.sum()
    return tuple(map(float, _quantiles(np.linspace(0, 1, bins * KNOTS_PER_BIN + 1), cumulative, edges)))


def _quantiles(grid: Floats, cumulative: Floats, edges: Floats) -> Floats:
    """The quantile function; flat pieces of the distribution are stepped over."""
    rising = np.concatenate([[True], np.diff(cumulative) > 0])
    starts = np.concatenate([np.diff(cumulative) > 0, [True]])
    kept = rising | starts
    found: Floats = np.interp(grid, cumulative[kept] + np.arange(kept.sum()) * 1e-12, edges[kept])
    return found


def measure_pairs(
    codes: NDArray[np.int64], widths: Sequence[int], target: int, noise: float, source: SecretNoise
) -> tuple[tuple[tuple[int, int, tuple[float, ...], float], ...], Release]:
    """Noisy shares of the pairs of codes of two columns each. Pairs with the target are measured more precisely.

    Args:
        codes: (n, columns).
        noise: of all pairs together, as that of a single release.
    """
    chosen = sorted(combinations(range(len(widths)), 2), key=lambda pair: (target not in pair, pair))[:MAX_PAIRS]
    weights = np.array([TARGET_PRECISION if target in pair else 1.0 for pair in chosen])
    deviations = noise * np.sqrt(weights.sum() / weights)
    found: list[tuple[int, int, tuple[float, ...], float]] = []
    for (i, j), deviation in zip(chosen, deviations, strict=True):
        flat = codes[:, i] * widths[j] + codes[:, j]
        counts = np.bincount(flat, minlength=widths[i] * widths[j]).astype(np.float64)
        shares = source.noisy(counts, float(deviation)) / len(codes)
        found.append((i, j, tuple(round(float(s), 7) for s in shares), float(deviation) / len(codes)))
    return tuple(found), Release("marginals of pairs of columns", noise)
