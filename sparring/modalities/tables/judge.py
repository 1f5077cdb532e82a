"""Rows of a table as samples are held against them, with what real rows get and what three cheats get."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from math import nan
from typing import TYPE_CHECKING

import numpy as np

from sparring.metrics import tables
from sparring.metrics.results import Finding, Number
from sparring.metrics.tables import Rows
from sparring.modalities import Table

if TYPE_CHECKING:
    from pandas import DataFrame

Say = Callable[[str], None]
COMPARED = 2000  # rows that are held against all others, to look for copies
COPIED = 0.03  # of rows closer to training rows than to others, beyond a half, from which on they are learnt by heart
CAUGHT = 0.9  # the area under the curve from which on samples are easily told from real rows
OFF = 0.1  # by which a column's distribution is off where it is named


class TableJudge:
    """Holds rows against those that were trained on and against those that were not.

    Args:
        modality: fitted to the data.
        train, held: rows that a model has seen, and rows that it has not.
        say: is told what is being done.
    """

    def __init__(self, modality: Table, train: DataFrame, held: DataFrame, say: Say = lambda _: None) -> None:
        self.modality, self.say = modality, say
        self.train, self.held = modality.rows(train), modality.rows(held)
        self.target = modality.place

    @property
    def names(self) -> list[str]:
        """Of the columns that are judged."""
        return [column.name for column in self.modality.learnt]

    @cached_property
    def floor(self) -> list[Number]:
        """What held-out rows get in the samples' place. They cannot be learnt from and asked about at once, so that
        for this a model learns from as many training rows, and tells these from held-out ones.
        """
        self.say(f"judging {len(self.held):,} of the real ones")
        some = self.train.of(np.random.default_rng(0).permutation(len(self.train))[: 4 * len(self.held)])
        halves = np.array_split(np.random.default_rng(0).permutation(len(self.held)), 2)
        a, b = (self.held.of(rows) for rows in halves)
        known = {n.name: n for n in self.numbers(some)}
        near = {
            "copies": tables.copied(self.held, self.train),
            "closer to training": tables.closer(a, self.train, b),
            "column shapes": float(tables.shapes(self.train, self.held).mean()),
            "pair trends": float(tables.trends(self.train, self.held).mean()),
        }
        return [Number(n.name, near.get(n.name, n.value), n.best, share=n.share) for n in known.values()]

    @cached_property
    def baselines(self) -> dict[str, list[Number]]:
        """What is no generator gets: columns drawn each for itself, columns shuffled among rows of one level of the
        target, and a copy of the training rows.
        """
        random = np.random.default_rng(0)
        self.say("judging what is no generator")
        values = self.train.values
        alone = np.stack([random.permutation(column) for column in values.T], 1)
        shuffled = values.copy()
        for level in np.unique(self._groups(values)):
            here = np.flatnonzero(self._groups(values) == level)
            for i in range(values.shape[1]):
                shuffled[here, i] = values[random.permutation(here), i]
        kinds = {"independent": alone, "shuffled in class": shuffled, "copy": values}
        return {name: self.numbers(Rows(made, self.train.category)) for name, made in kinds.items()}

    def _groups(self, values: np.ndarray) -> np.ndarray:
        """Levels of the target, or tenths of it where it is a number."""
        column = values[:, self.target]
        if self.train.category[self.target]:
            return column
        edges = np.nanquantile(column, np.linspace(0, 1, 11)[1:-1])
        return np.where(np.isnan(column), -1, np.searchsorted(edges, column))

    def numbers(self, made: Rows) -> list[Number]:
        """All numbers of rows."""
        few = made.of(np.random.default_rng(0).permutation(len(made))[:COMPARED])
        learnt = tables.useful(made, self.held, self.target)
        target = self.names[self.target]
        pairs = tables.trends(self.train, made)
        return [
            Number("column shapes", float(tables.shapes(self.train, made).mean()), "high", share=True),
            Number("pair trends", float(pairs.mean()) if len(pairs) else nan, "high", share=True),
            Number("told apart[auc]", tables.told_apart(self.held, made), "low"),
            *(Number(f"learnt from[{target} {name}]", value, "high") for name, value in learnt.items()),
            Number("copies", tables.copied(made, self.train), "real", share=True),
            Number("closer to training", tables.closer(few, self.train, self.held), "real", share=True),
        ]

    def findings(self, made: Rows, numbers: list[Number]) -> list[Finding]:
        """What is wrong with rows; nothing where nothing stands out."""
        value = {n.name: n.value for n in numbers}
        floor = {n.name: n.value for n in self.floor}
        found = []
        shapes = tables.shapes(self.train, made)
        off = [f"{self.names[i]} {shapes[i]:.0%}" for i in np.argsort(shapes) if shapes[i] < 1 - OFF]
        if off:
            advice = "train longer, or say what kind the column is (columns=NAME=KIND)"
            found.append(Finding("columns are off", f"alike: {', '.join(off[:5])}", advice))
        if value["told apart[auc]"] > CAUGHT:
            seen = f"told apart {value['told apart[auc]']:.2f}, where .5 is best"
            found.append(Finding("easily told from real rows", seen, "train longer"))
        more = value["copies"] > 0.01 + 2 * floor["copies"]
        if more or value["closer to training"] > 0.5 + COPIED + 0.5 * max(0.0, floor["closer to training"] - 0.5):
            seen = f"{value['copies']:.1%} are copies, {value['closer to training']:.1%} are closer to training rows"
            found.append(Finding("copies", seen, "train on more rows, or for fewer steps"))
        return found
