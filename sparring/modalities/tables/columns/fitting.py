"""Detection of a column's type, precision and spikes."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparring.errors import InputError, nearest
from sparring.modalities.tables.columns import arrow
from sparring.modalities.tables.columns.forms.number_recognition import Context
from sparring.modalities.tables.columns.identifier import fit_identifier
from sparring.modalities.tables.columns.kinds import KNOTS_PER_BIN, Category, Column, Mixture, Number
from sparring.modalities.tables.columns.looks import is_coded, proposals
from sparring.modalities.tables.columns.recognition import Reading, recognized, whole_dates, whole_texts
from sparring.modalities.tables.columns.sentinels import sentinels
from sparring.modalities.tables.columns.values import Floats, as_python, is_date, is_text, microseconds, numbers

if TYPE_CHECKING:
    from pandas import Series

MAX_NUMERIC_LEVELS = 20  # a column with at most this many different numbers is a category
MAX_LEVELS = 100  # codes of a category; the rarer levels share the last one
UNIQUE_SHARE = 0.95  # share of different values above which a text column is an identifier
MIN_ROWS = 20  # of a table that can have identifiers
MAX_EXACT_INTEGER = 2**53  # that float64 represents exactly
MIN_IDENTIFIER_DIGITS = 14  # of different whole numbers, all as long; moments in milliseconds have 13
MAX_BINS = 32
MIN_BIN_SIZE = 50  # values
MAX_SPIKES = 24
MIN_SPIKE_COUNT = 20
SPIKE_RATIO = 5  # a spike is this many times as frequent as the median of its neighbors,
MIN_SPIKE_SHARE = 1 / 500  # and at least this share of all values
SPIKE_NEIGHBORS = 5  # on either side
MAX_MODES = 10  # of a mixture
MIN_MODE_WEIGHT = 0.005
MAX_FITTED_VALUES = 10_000  # that a mixture is fitted to
KINDS = ("category", "identifier", "number")
SECOND = 10**6  # microseconds
UNITS = (86_400 * SECOND, 3600 * SECOND, 60 * SECOND, SECOND, 1000, 1)


def fit_column(values: Series, kind: str = "", mixture: bool = False, context: Context = Context()) -> Column:
    """The fitted column for some values.

    Args:
        kind: "category", "number" or "identifier", or a pattern of dates such as "%d/%m/%Y"; detected unless given.
        mixture: represent numbers by mixtures of normal distributions instead of quantile bins.
        context: of the other columns of the file.

    Raises:
        InputError: if the column cannot have the given kind.
    """
    check_kind(values.name, kind, KINDS)
    reading = _reading(values, kind, context)
    measured = reading.form is not None and reading.form.measure != "numbers"
    found = "number" if "%" in kind or (measured and not kind) else kind or _kind(values, reading)
    if found == "number" and not _numeric(values) and reading.form is None:
        raise InputError(f"column {values.name!r} holds text and cannot be a number; choose category or identifier")
    if found != "number" and is_date(values):
        raise InputError(f"column {values.name!r} holds dates and cannot be {kind!r}; leave its kind out")
    column: Column
    if found == "number":
        column = (_mixture if mixture else _binned)(values, reading)
    else:
        column = _category(values, reading) if found == "category" else fit_identifier(values, _dtype(values))
    untold = reading.form is not None and (found == "identifier" or (found == "category" and bool(reading.bad)))
    said = () if untold else reading.notes
    return replace(column, notes=(*said, *([] if kind else proposals(column, values))))


def check_kind(name: Any, kind: str, kinds: Sequence[str]) -> None:
    """Check that a column can be asked to have a kind.

    Args:
        kinds: those that it can have, beside patterns of dates.

    Raises:
        InputError: if it cannot.
    """
    if kind not in ("", *kinds) and "%" not in kind:
        raise InputError(f"column {name!r} cannot be {kind!r}; {nearest(kind, kinds)}")


def _reading(values: Series, kind: str, context: Context) -> Reading:
    """How the text of a column is written, or whole numbers that are dates."""
    from pandas.api import types

    if kind == "identifier":
        return Reading()
    if is_text(values):
        return recognized(values, context, kind if "%" in kind else "", kind == "number")
    if kind == "" and types.is_integer_dtype(values.dtype):
        return whole_dates(values)
    if "%" in kind:
        raise InputError(f"columns={values.name}={kind}: the column holds {values.dtype}, not text; leave its kind out")
    return Reading()


def _numeric(values: Series) -> bool:
    from pandas.api import types

    dtype = values.dtype
    if arrow.is_exact(dtype):
        return True
    return (types.is_numeric_dtype(dtype) and not types.is_bool_dtype(dtype)) or types.is_datetime64_any_dtype(dtype)


def _kind(values: Series, reading: Reading) -> str:
    from pandas.api import types

    present = values.dropna()
    different = present.nunique()
    if reading.form is not None:
        return "category" if different <= MAX_NUMERIC_LEVELS else "number"
    if not _numeric(values):
        unique = different > UNIQUE_SHARE * len(present) and len(present) >= MIN_ROWS
        return "identifier" if unique and not types.is_bool_dtype(values.dtype) else "category"
    if is_date(values) or arrow.is_measured(values.dtype):
        return "number"
    integer = types.is_integer_dtype(values.dtype) or arrow.is_whole(values.dtype)
    if different <= MAX_NUMERIC_LEVELS or (integer and is_coded(present)):
        return "category"
    if integer and max(abs(int(present.max())), abs(int(present.min()))) > MAX_EXACT_INTEGER:
        return "identifier" if different > UNIQUE_SHARE * len(present) else "category"
    if integer and different == len(present) >= MIN_ROWS and _digits(present) >= MIN_IDENTIFIER_DIGITS:
        return "identifier"
    complete = integer and len(present) == len(values) >= MIN_ROWS
    consecutive = complete and different == len(values) and int(present.max()) - int(present.min()) + 1 == different
    return "identifier" if consecutive else "number"


def _digits(present: Series) -> int:
    """The number of digits of whole numbers; 0 if they have different numbers of digits."""
    low, high = len(str(int(present.min()))), len(str(int(present.max())))
    return high if low == high else 0


def _category(values: Series, reading: Reading) -> Category:
    levels = Counter(as_python(values)).most_common()
    own_codes = MAX_LEVELS if len(levels) <= MAX_LEVELS else MAX_LEVELS - 1
    top, rest = levels[:own_codes], levels[own_codes:]
    if any(level is None for level, _ in rest):  # a missing value has its own code, however rare it is
        missing = next(pair for pair in rest if pair[0] is None)
        rest.remove(missing)
        top.append(missing)
    return Category(
        str(values.name), _dtype(values), levels=tuple(v for v, _ in top), counts=tuple(n for _, n in top),
        rare=tuple(v for v, _ in rest), rare_counts=tuple(n for _, n in rest),
        order=tuple(values.dtype.categories) if str(values.dtype) == "category" else (),
        form=reading.form if is_text(values) and not reading.bad else None,
    )  # fmt: skip


def _numbers(values: Series, reading: Reading) -> tuple[Floats, int, str]:
    """The numbers of a column, microseconds per unit for dates, and the dtype of samples."""
    form = reading.form
    if form is None:
        unit = _unit(values)
        return numbers(values, unit), unit, _dtype(values)
    if not is_text(values):
        nullable = str(values.dtype)[0] in "IU" or not reading.bad
        return form.numbers(whole_texts(values, form)), 0, _dtype(values) if nullable else "Int64"
    dtype = form.dtype if str(values.dtype) == "string" else _dtype(values)
    return form.numbers(values.tolist()), form.unit if dtype.startswith("datetime") else 0, dtype


def _binned(values: Series, reading: Reading) -> Number:
    x, unit, dtype = _numbers(values, reading)
    present, missing = x[~np.isnan(x)], int(np.isnan(x).sum())
    different, counts = np.unique(present, return_counts=True)
    spikes = _spikes(counts, len(x))
    if reading.form is None or reading.form.measure == "numbers":
        spikes = np.union1d(spikes, sentinels(different, counts)) if not unit else spikes
    rest = present[~np.isin(present, different[spikes])]
    bins = int(np.clip(len(rest) // MIN_BIN_SIZE, 2, MAX_BINS)) if len(rest) else 0
    knots = np.quantile(rest, np.linspace(0, 1, bins * KNOTS_PER_BIN + 1)) if bins else np.zeros(0)
    column = Number(
        str(values.name), dtype, form=reading.form, spikes=(*(float(v) for v in different[spikes]), *[None][:missing]),
        spike_counts=(*(int(n) for n in counts[spikes]), *[missing][:missing]), knots=tuple(float(k) for k in knots),
        step=_column_step(values, present, unit, reading), unit=unit,
    )  # fmt: skip
    codes = column.encode_numbers(x)[0] - len(column.spikes)
    return replace(column, bin_counts=tuple(int(n) for n in np.bincount(codes[codes >= 0], minlength=bins)))


def _mixture(values: Series, reading: Reading) -> Mixture:
    """A mixture fitted by variational inference, which removes superfluous modes. Bishop 2006, section 10.2."""
    from sklearn.mixture import BayesianGaussianMixture

    x, unit, dtype = _numbers(values, reading)
    present = x[~np.isnan(x)]
    deviation = float(present.std()) or 1.0
    subset = np.random.default_rng(0).permutation(present)[:MAX_FITTED_VALUES]
    modes = min(MAX_MODES, len(np.unique(subset)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # full convergence is not needed
        fitted = BayesianGaussianMixture(
            n_components=modes, weight_concentration_prior=0.001, max_iter=100, random_state=0
        ).fit((subset[:, None] - present.mean()) / deviation)
    kept = fitted.weights_ > MIN_MODE_WEIGHT
    means = fitted.means_[kept, 0] * deviation + present.mean()
    deviations = np.sqrt(fitted.covariances_[kept, 0, 0]) * deviation
    column = Mixture(
        str(values.name), dtype, form=reading.form, means=tuple(map(float, means)),
        deviations=tuple(map(float, deviations)),
        low=float(present.min()), high=float(present.max()), missing=int(np.isnan(x).sum()),
        counts=tuple(int(w * len(present)) for w in fitted.weights_[kept]),
        step=_column_step(values, present, unit, reading), unit=unit,
    )  # fmt: skip
    codes = column.encode_numbers(x)[0] - (column.missing > 0)
    return replace(column, counts=tuple(int(n) for n in np.bincount(codes[codes >= 0], minlength=len(means))))


def _spikes(counts: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Indices of the values that are far more frequent than their neighbors, or fill a bin.

    Args:
        counts: of the different values, in their order.
        n: number of all values.
    """
    before, after = SPIKE_NEIGHBORS, SPIKE_NEIGHBORS + 1
    frequent = np.flatnonzero((counts >= MIN_SPIKE_COUNT) & (counts >= n * MIN_SPIKE_SHARE))
    neighbors = np.array([np.median(counts[max(0, i - before) : i + after]) for i in frequent])
    peaks = frequent[counts[frequent] > SPIKE_RATIO * neighbors] if len(frequent) else frequent
    full = np.flatnonzero(counts > n / MAX_BINS)
    both = np.union1d(peaks, full)
    return np.sort(both[np.argsort(-counts[both], kind="stable")][:MAX_SPIKES])


def _step(x: Floats, precision: float = 1e-12) -> float:
    """The power of ten that all values are multiples of; 0 if there is none.

    Args:
        precision: relative precision of the values.
    """
    largest = np.abs(x).max() if len(x) else 0.0
    for decimals in range(-3, 13) if largest else ():
        step = 10.0**-decimals
        if step <= largest and np.allclose(np.round(x / step) * step, x, rtol=precision, atol=step * 1e-6):
            return step
    return 0.0


def _column_step(values: Series, x: Floats, unit: int, reading: Reading) -> float:
    """The step of a column; dates are multiples of one unit."""
    measured = reading.form is not None and reading.form.measure != "numbers"
    return 1.0 if unit or measured else _step(x, 1e-6 if str(values.dtype).lower() == "float32" else 1e-12)


def _unit(values: Series) -> int:
    """Microseconds of the largest unit that all dates are multiples of: a day, an hour, ...; 0 if they are no dates."""
    if not is_date(values):
        return 0
    counted = microseconds(values.dropna())
    return next(unit for unit in UNITS if not (counted % unit).any())


def _dtype(values: Series) -> str:
    """Name of the pandas dtype."""
    dtype = values.dtype
    return f"{dtype} ordered" if str(dtype) == "category" and dtype.ordered else str(dtype)
