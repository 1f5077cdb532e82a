"""What a table of the bench is: its protocol, its published rows, and how ours are trained and measured."""

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
    """A number of a table.

    Attributes:
        name: as it is headed.
        format: of the number, such as ".1%".
    """

    name: str
    format: str


@dataclass(frozen=True)
class Published:
    """A row as a paper has it.

    Attributes:
        name: of the method.
        numbers: by column; those that the paper does not give are left out.
        source: of the numbers.
    """

    name: str
    numbers: Mapping[str, float]
    source: str


@dataclass(frozen=True)
class Row:
    """A row of ours.

    Attributes:
        recipe: its name.
        fields: that are not the recipe's own.
        note: what it stands for.
    """

    recipe: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def name(self) -> str:
        """As it is typed."""
        return " ".join([self.recipe, *(f"{name}={value}" for name, value in self.fields.items())])


@dataclass(frozen=True)
class Plan:
    """How much is spent on a table.

    Attributes:
        seeds: runs of each row.
        bound: of a run, as `train` takes it; the recipe's own where there is none.
        rows: names of those that are trained, all unless given.
    """

    seeds: int
    bound: Mapping[str, Any] = field(default_factory=dict)
    rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A published table.

    Attributes:
        name: that it is called by.
        title, protocol: what it shows, and how its numbers are made.
        data: the set that rows are trained on.
        part: of a seed, in the folder of the runs: where there is one, what a run of that seed is trained on instead.
        columns: numbers of a row.
        published: rows of papers.
        rows: ours.
        plans: what is spent, by budget: cpu (minutes) and gpu (the papers' full protocol).
        measure: the numbers of a model, on a device.
        ideal: those of real data in the samples' place.
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
