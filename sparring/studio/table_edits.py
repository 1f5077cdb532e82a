"""Conditions from a form, and how samples of a table are distributed beside real rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparring.errors import InputError
from sparring.modalities import find
from sparring.modalities.tables.columns import Category, Column, Mixture, Number, frequencies, shown
from sparring.modalities.tables.table import Table
from sparring.model import Model
from sparring.studio.charts import bars

if TYPE_CHECKING:
    from pandas import DataFrame

BINS = 20
LEVELS = 8  # that are named, at most
DRAWN = 5000  # values drawn where the data are gone


def asked(columns: Sequence[Column], answers: Mapping[str, Sequence[Any]]) -> list[str]:
    """Conditions as they are typed.

    Args:
        answers: for a category the chosen level, for a number the least and the greatest value; None or "" is free.
    """
    named = {column.name: column for column in columns}
    found = []
    for name, values in answers.items():
        given = [str(value).strip() if value is not None else "" for value in values]
        operators = ("=",) if isinstance(named[name], Category) else (">=", "<=")
        found += [f"{name}{operator}{value}" for operator, value in zip(operators, given, strict=True) if value]
    return found


def levels(column: Category) -> list[str]:
    """What a category can be asked for."""
    return [shown(level) for level in (*column.levels, *column.rare)]


def span(column: Column) -> tuple[str, str]:
    """The least and the greatest value of a number or a date, as they are typed."""
    if isinstance(column, Mixture):
        low, high = column.low, column.high
    else:
        assert isinstance(column, Number)
        known = [*column.knots, *(spike for spike in column.spikes if spike is not None)]
        low, high = min(known), max(known)
    return told(column, low), told(column, high)


def told(column: Column, value: float) -> str:
    """A number of a column's as it is read."""
    unit = column.unit if isinstance(column, Number | Mixture) else 0
    if unit:
        moment = np.datetime64(int(value) * unit, "us")
        return str(moment.astype("datetime64[D]") if unit % 86_400_000_000 == 0 else moment.astype("datetime64[s]"))
    return f"{value:g}" if abs(value) < 1e5 else f"{value:.0f}"


def real_rows(model: Model) -> DataFrame | None:
    """The rows that a model was trained on, None where they are gone or no longer what they were."""
    table = model.modality
    assert isinstance(table, Table)
    try:
        items = find(model.about["data"])
        if len(items) != model.about["items"]:
            return None
        table.rows(items.items.head(2))
    except (InputError, KeyError):
        return None
    frame: DataFrame = items.items
    return frame


def obeying(table: Table, frame: DataFrame, conditions: Sequence[str]) -> DataFrame:
    """The rows of which all conditions are true."""
    rules = [rule for rule in table.request(where=conditions).rules if rule.text in conditions]
    kept = np.logical_and.reduce([np.ones(len(frame), bool), *(rule.holds(frame) for rule in rules)])
    return frame[kept]


def figures(table: Table, made: DataFrame, real: DataFrame | None) -> str:
    """For each column that is learnt, how its values are distributed in real rows and in samples.

    Args:
        real: rows to compare with; where there are none, each column is as the model has it noted down.
    """
    ours = table.rows(made).values
    theirs = None if real is None or not len(real) else table.rows(real).values
    charts = []
    for i, column in enumerate(table.learned):
        known = _drawn(column) if theirs is None else theirs[:, i]
        if isinstance(column, Category):
            charts.append(_of_levels(column, known, ours[:, i]))
        else:
            charts.append(_of_numbers(column, known, ours[:, i]))
    return f'<div class="charts">{"".join(charts)}</div>'


def _drawn(column: Column) -> NDArray[np.float64]:
    """Values of a column by itself, as often as in the data: what the model has noted down of it."""
    random = np.random.default_rng(0)
    counts = np.array(frequencies(column), float)
    codes = random.choice(len(counts), DRAWN, p=counts / counts.sum())
    if isinstance(column, Category):
        return codes.astype(float)
    within = random.normal(0, 0.25, DRAWN).clip(-1, 1) if isinstance(column, Mixture) else random.uniform(-1, 1, DRAWN)
    made: NDArray[np.float64] = np.asarray(column.decode(codes, within, random.random(DRAWN)), np.float64)
    return made


def _of_numbers(column: Column, real: NDArray[np.float64], made: NDArray[np.float64]) -> str:
    """Both with the same bins, and how many are missing."""
    there = [x[np.isfinite(x)] for x in (real, made)]
    both = np.concatenate(there)
    if not len(both):
        return bars(column.name, ("missing", "missing"), [1.0], [1.0], "all are missing")
    edges = _edges(both)
    first, second = ((np.histogram(x, edges)[0] / max(1, len(x))).tolist() for x in there)
    gone = [1 - len(x) / max(1, len(y)) for x, y in zip(there, (real, made), strict=True)]
    means = [_mean(column, x) for x in there]
    missing = f", missing {gone[0]:.0%} and {gone[1]:.0%}" if any(gone) else ""
    ends = told(column, float(both.min())), told(column, float(both.max()))
    return bars(column.name, ends, first, second, f"mean {means[0]}, sampled {means[1]}{missing}")


def _mean(column: Column, values: NDArray[np.float64]) -> str:
    if not len(values):
        return "-"
    mean = float(values.mean())
    return told(column, mean if isinstance(column, Number | Mixture) and column.unit else float(f"{mean:.4g}"))


def _edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of bins; those of whole numbers hold equally many of them, or some would be empty beside others that hold two."""
    low, high = float(values.min()), float(values.max())
    if (values % 1).any():
        return np.linspace(low, high if high > low else low + 1, BINS + 1)
    each = max(1, int(-(-(high - low + 1) // BINS)))
    return np.arange(low, high + each + 1, each) - 0.5


def _of_levels(column: Category, real: NDArray[np.float64], made: NDArray[np.float64]) -> str:
    """The most frequent levels by name, the others together."""
    names = [*levels(column), "others"]
    counts = [np.bincount(x.astype(int).clip(0, len(names) - 1), minlength=len(names)) for x in (real, made)]
    shares = [count / max(1, count.sum()) for count in counts]
    order = np.argsort(-(shares[0] + shares[1]), kind="stable")
    first = [i for i in order if shares[0][i] + shares[1][i] > 0][:LEVELS]
    lines = [(names[i], shares[0][i], shares[1][i]) for i in first]
    rest = [1 - sum(line[part] for line in lines) for part in (1, 2)]
    if max(rest) > 1e-9:
        lines.append((f"{len(names) - len(first)} others", *rest))
    body = "".join(
        f'<div class="level"><span>{escape(name)}</span><i class="real" style="width:{100 * a:.1f}%"></i>'
        f'<b>{a:.1%}</b><i class="made" style="width:{100 * b:.1f}%"></i><b>{b:.1%}</b></div>'
        for name, a, b in lines
    )
    return f'<figure><figcaption>{escape(column.name)}</figcaption><div class="levels">{body}</div></figure>'
