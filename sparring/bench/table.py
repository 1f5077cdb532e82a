"""A table of the bench: its protocol, its published rows, and how our rows are trained and measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sparring.console import Screen
from sparring.model import Model

Numbers = dict[str, float]


@dataclass(frozen=True)
class Column:
    """A metric of a table.

    Attributes:
        name: heading of the column, and key of the metric in JSON.
        format: of the values, such as ".1%".
    """

    name: str
    format: str


@dataclass(frozen=True)
class Published:
    """A row of a paper.

    Attributes:
        name: of the method.
        numbers: values by column; without those that the paper does not report.
        source: of the values.
    """

    name: str
    numbers: Mapping[str, float]
    source: str


@dataclass(frozen=True)
class Row:
    """One of our rows.

    Attributes:
        recipe: its name.
        fields: settings that differ from the recipe's defaults.
        note: why the row is in the table.
    """

    recipe: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def name(self) -> str:
        """The recipe with its settings, as on the command line."""
        return " ".join([self.recipe, *(f"{name}={value}" for name, value in self.fields.items())])


@dataclass(frozen=True)
class Plan:
    """The budget of a table.

    Attributes:
        seeds: number of runs of each row.
        bound: steps or time of a run, as arguments of `train`; {} for the recipe's own number of steps.
        rows: names of the rows that are trained; () for all.
    """

    seeds: int
    bound: Mapping[str, Any] = field(default_factory=dict)
    rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A published table.

    Attributes:
        name: on the command line.
        title, protocol: what the table shows, and how its metrics are computed.
        data: name of the data set that rows are trained on.
        columns: metrics of a row.
        published: rows of papers.
        rows: our rows.
        plans: budgets by name: cpu (minutes) and gpu (the papers' full protocol).
        measure: computes the metrics of a model on a device.
        ideal: computes the metrics of real data in place of samples.
        part: for tables where the training data depend on the seed: takes the seed and the folder of the runs, and
            returns the file with the training data.
    """

    name: str
    title: str
    protocol: str
    data: str
    columns: tuple[Column, ...]
    published: tuple[Published, ...]
    rows: tuple[Row, ...]
    plans: Mapping[str, Plan]
    measure: Callable[[Model, str, Screen], Numbers]
    ideal: Callable[[str, Screen], Numbers]
    part: Callable[[int, Path], Path] | None = None
