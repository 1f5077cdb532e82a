"""Rows of tables, to be enlarged by samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sparring.errors import InputError, nearest
from sparring.metrics import tables
from sparring.metrics.tables import Floats, Rows
from sparring.modalities import Table
from sparring.model import Model
from sparring.use.strategies import Labelled, Labels, Strategies

if TYPE_CHECKING:
    from pandas import DataFrame


class OfRows(Strategies):
    """Rows as numbers, of which one column is the class.

    Args:
        model: of a table.
        train, unseen: real rows.
        target: the column that is the class; "" for the one that the model was trained for.
        made: as of `Strategies`.

    Raises:
        InputError: where there is no such column, or it is a number.
    """

    def __init__(self, model: Model, train: DataFrame, unseen: DataFrame, target: str, made: int | None) -> None:
        assert isinstance(model.modality, Table)
        self.model, self.modality = model, model.modality
        names = [column.name for column in self.modality.learnt]
        if target and target not in names:
            raise InputError(f"the model makes no column {target!r}; {nearest(target, names)}")
        self.place = names.index(target) if target else self.modality.place
        self.target = names[self.place]
        if self.modality.learnt[self.place].kind != "category":
            raise InputError(f"column {self.target!r} is a number; say which category is the class (--target COLUMN)")
        if missing := [name for name in names if name not in unseen]:
            raise InputError(f"the unseen rows have no column {missing[0]!r}, which the model makes")
        train, unseen = (frame[frame[self.target].notna()].reset_index(drop=True) for frame in (train, unseen))
        self.train = train
        self._rows, self._unseen = self.modality.rows(train), self.modality.rows(unseen)
        codes = self._rows.values[:, self.place]
        known, first = np.unique(codes, return_index=True)
        if len(known) < 2:
            raise InputError(f"column {self.target!r} has one level only; there is nothing to tell")
        self._levels = [train[self.target].iloc[i] for i in first]
        heard = self._unseen.of(np.flatnonzero(np.isin(self._unseen.values[:, self.place], known)))
        self._unseen = heard
        labels, apart = (np.searchsorted(known, rows.values[:, self.place]) for rows in (self._rows, heard))
        super().__init__([str(level) for level in self._levels], labels, apart, made)

    def real(self, rows: Labels) -> Labelled:
        return Labelled(self._rows.values[rows], self.labels[rows])

    def frame(self, label: int, n: int, seed: int) -> DataFrame:
        """Samples of a class, as the data have them."""
        made: DataFrame = self.model.sample(n, seed=seed, where={self.target: self._levels[label]}).items
        return made

    def drawn(self, label: int, n: int, seed: int) -> Floats:
        return self.modality.rows(self.frame(label, n, seed)).values

    def joined(self, parts: Sequence[Floats]) -> Floats:
        return np.concatenate(parts)

    def numbers(self, items: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        others = np.delete(items, self.place, 1)
        means = np.nan_to_num(np.nanmean(self._rows.values, axis=0))
        return np.where(np.isnan(others), np.delete(means, self.place), others), self._category

    @property
    def _category(self) -> NDArray[np.bool_]:
        return np.delete(self._rows.category, self.place)

    def from_numbers(self, x: Floats, like: Floats) -> Floats:  # noqa: ARG002
        return np.insert(x, self.place, 0.0, axis=1)  # the class is told beside it

    def told(self, train: Labelled, seed: int) -> Floats:
        rows = Rows(np.delete(train.items, self.place, 1), self._category)
        unseen = Rows(np.delete(self._unseen.values, self.place, 1), self._category)
        return tables.probabilities(rows, train.labels, unseen, len(self.classes), train.balanced, seed)
