"""Distributions of the columns of sampled rows next to those of real rows, and the conditions that forms offer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.modalities.asks import Field, Request
from sparring.modalities.samples import Comparison, Distribution
from sparring.modalities.tables.columns import Category, Column, Mixture, Number, frequencies, measure_of, shown
from sparring.modalities.tables.conditions import Condition
from sparring.modalities.tables.files.parts import Parts, pieces

if TYPE_CHECKING:
    from pandas import DataFrame

    from sparring.modalities.tables.table import Table

Floats = NDArray[np.float64]
MAX_BINS = 20
MAX_NAMED_LEVELS = 8  # the other levels share one bar
DRAWN_VALUES = 5000  # values drawn from a stored column if the training data are missing
COMPARED_ROWS = 50_000  # real rows, if not all fit into the memory
DAY = 86_400_000_000  # microseconds


def fields(columns: Sequence[Column]) -> tuple[Field, ...]:
    """The conditions that rows can be asked for: a level of a category, a range of a number or a date."""
    return tuple(
        Field(column.name, choices=levels(column))
        if isinstance(column, Category)
        else Field(column.name, (), *bounds(column))
        for column in columns
    )


def levels(column: Category) -> tuple[str, ...]:
    """All levels of a category, as they are typed."""
    return tuple(shown(level) for level in (*column.levels, *column.rare))


def bounds(column: Column) -> tuple[str, str]:
    """The smallest and the largest value of a number or a date, as they are typed."""
    if isinstance(column, Mixture):
        low, high = column.low, column.high
    else:
        assert isinstance(column, Number)
        values = [*column.knots, *(spike for spike in column.spikes if spike is not None)]
        low, high = min(values), max(values)
    return formatted(column, low), formatted(column, high)


def formatted(column: Column, value: float) -> str:
    """A number of a column, or a date, as text."""
    if column.form is not None:
        return str(column.form.texts(np.array([round(value) if measure_of(column) != "numbers" else value]))[0])
    unit = column.unit if isinstance(column, Number | Mixture) else 0
    if unit:
        moment = np.datetime64(int(value) * unit, "us")
        return str(moment.astype("datetime64[D]") if unit % DAY == 0 else moment.astype("datetime64[s]"))
    return f"{value:g}" if abs(value) < 1e5 else f"{value:.0f}"


def comparison(table: Table, samples: DataFrame, request: Request, items: Callable[[], Items | None]) -> Comparison:
    """Each column of samples next to that of the real rows that satisfy the same conditions.

    Args:
        items: loads the training data. If they are missing or other data, columns are compared with their stored
            distributions, without the conditions.
    """
    loaded = items()
    if loaded is None or not _is_of(table, next(iter(pieces(loaded.items)))):
        reference = "distributions stored in the model; the training data are missing or have changed"
        return Comparison(reference, distributions(table, samples, None))
    conditions = [rule for rule in request.rules if isinstance(rule, Condition) and not rule.lenient]
    data = loaded.items.drawn(COMPARED_ROWS) if isinstance(loaded.items, Parts) else loaded.items
    real = satisfying(data, conditions)
    same = " that satisfy the same conditions" if conditions else ""
    return Comparison(f"{len(real):,} real rows{same}", distributions(table, samples, real))


def _is_of(table: Table, rows: DataFrame) -> bool:
    """True if rows have the columns of a table."""
    try:
        table.rows(rows.head(2))
    except (InputError, KeyError):
        return False
    return True


def satisfying(rows: DataFrame, conditions: Sequence[Condition]) -> DataFrame:
    """The rows that satisfy every condition."""
    return rows[np.logical_and.reduce([np.ones(len(rows), bool), *(c.holds(rows) for c in conditions)])]


def distributions(table: Table, samples: DataFrame, real: DataFrame | None) -> tuple[Distribution, ...]:
    """The distribution of each learned column.

    Args:
        real: rows to compare with; None or no rows to compare with the distributions stored in the model.
    """
    sampled = table.rows(samples).values
    reference = None if real is None or not len(real) else table.rows(real).values
    results = []
    for i, column in enumerate(table.learned):
        values = stored_values(column) if reference is None else reference[:, i]
        if isinstance(column, Category):
            results.append(shares_of_levels(column, values, sampled[:, i]))
        else:
            results.append(histogram(column, values, sampled[:, i]))
    return tuple(results)


def stored_values(column: Column) -> Floats:
    """Values drawn from the distribution of a column that the model stores."""
    random = np.random.default_rng(0)
    counts = np.array(frequencies(column), float)
    codes = random.choice(len(counts), DRAWN_VALUES, p=counts / counts.sum())
    if isinstance(column, Category):
        return codes.astype(float)
    if isinstance(column, Mixture):
        scalars = random.normal(0, 0.25, DRAWN_VALUES).clip(-1, 1)
    else:
        scalars = random.uniform(-1, 1, DRAWN_VALUES)
    values: Floats = np.asarray(column.decode(codes, scalars, random.random(DRAWN_VALUES)), np.float64)
    return values


def histogram(column: Column, real: Floats, sampled: Floats) -> Distribution:
    """Shares of a number's values in the same bins, and the share of missing values."""
    present = [values[np.isfinite(values)] for values in (real, sampled)]
    both = np.concatenate(present)
    if not len(both):
        return Distribution(column.name, ("missing", "missing"), (1.0,), (1.0,), True, "all values are missing")
    edges = bin_edges(both)
    shares = [tuple((np.histogram(x, edges)[0] / max(1, len(x))).tolist()) for x in present]
    missing = [1 - len(x) / max(1, len(y)) for x, y in zip(present, (real, sampled), strict=True)]
    means = [_mean(column, x) for x in present]
    note = f"mean {means[0]}, sampled {means[1]}"
    note += f"; missing {missing[0]:.0%}, sampled {missing[1]:.0%}" if any(missing) else ""
    ends = formatted(column, float(both.min())), formatted(column, float(both.max()))
    return Distribution(column.name, ends, shares[0], shares[1], histogram=True, note=note)


def _mean(column: Column, values: Floats) -> str:
    if not len(values):
        return "-"
    mean = float(values.mean())
    date = measure_of(column) != "numbers" or column.form is not None
    return formatted(column, mean if date else float(f"{mean:.4g}"))


def bin_edges(values: Floats) -> Floats:
    """Edges of equally wide bins. Every bin of whole numbers holds the same number of them: otherwise some bins would
    be empty next to others that hold two.
    """
    low, high = float(values.min()), float(values.max())
    if (values % 1).any():
        return np.linspace(low, high if high > low else low + 1, MAX_BINS + 1)
    width = max(1, int(-(-(high - low + 1) // MAX_BINS)))
    return np.arange(low, high + width + 1, width) - 0.5


def shares_of_levels(column: Category, real: Floats, sampled: Floats) -> Distribution:
    """Shares of the most frequent levels, and of the others together."""
    names = [*levels(column), "unknown levels"]
    counts = [np.bincount(x.astype(int).clip(0, len(names) - 1), minlength=len(names)) for x in (real, sampled)]
    shares = [count / max(1, count.sum()) for count in counts]
    order = np.argsort(-(shares[0] + shares[1]), kind="stable")
    first = [i for i in order if shares[0][i] + shares[1][i] > 0][:MAX_NAMED_LEVELS]
    values = [names[i] for i in first]
    of_real, of_sampled = ([float(side[i]) for i in first] for side in shares)
    rest = [1 - sum(side) for side in (of_real, of_sampled)]
    if max(rest) > 1e-9:
        values.append(f"{len(names) - len(first)} others")
        of_real.append(rest[0])
        of_sampled.append(rest[1])
    return Distribution(column.name, tuple(values), tuple(of_real), tuple(of_sampled), histogram=False)
