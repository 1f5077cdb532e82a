"""Rows of a table, one column of which is the class, that generated rows can be added to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sparring.data.items import Items
from sparring.errors import InputError, nearest
from sparring.metrics import tables
from sparring.metrics.tables import Rows
from sparring.modalities.judge import Sampler, TrainingData
from sparring.modalities.labeled import Floats, LabeledSet, Labels
from sparring.modalities.samples import Samples
from sparring.modalities.tables.columns import Category
from sparring.modalities.tables.files.parts import Parts

if TYPE_CHECKING:
    from pandas import DataFrame

    from sparring.modalities.tables.table import Table

MIN_HELD = 20  # held-out rows


class LabeledRows(LabeledSet):
    """Rows as arrays of numbers, one column of which is the class.

    Args:
        modality: of the model.
        model: generates rows.
        train, held: real rows.
        target: name of the column that is the class; "" for the one that the model was trained with.

    Raises:
        InputError: if there is no such column, it is not a category, or there are too few rows.
    """

    def __init__(self, modality: Table, model: Sampler, train: DataFrame, held: DataFrame, target: str) -> None:
        self.modality, self.model = modality, model
        names = [column.name for column in modality.learned]
        if target and target not in names:
            raise InputError(f"the model generates no column {target!r}; {nearest(target, names)}")
        self.target_index = names.index(target) if target else modality.target_index
        self.target = names[self.target_index]
        if not isinstance(modality.learned[self.target_index], Category):
            raise InputError(f"column {self.target!r} is a number; choose a category as the class (--target COLUMN)")
        if missing := [name for name in names if name not in held]:
            raise InputError(f"the held-out rows have no column {missing[0]!r}, which the model generates")
        train, held = (frame[frame[self.target].notna()].reset_index(drop=True) for frame in (train, held))
        self.frame, self._train, held_rows = train, modality.rows(train), modality.rows(held)
        levels, first = np.unique(self._train.values[:, self.target_index], return_index=True)
        if len(levels) < 2:
            raise InputError(f"column {self.target!r} has only one level; choose another one as the class")
        self._levels = [train[self.target].iloc[i] for i in first]
        self._held = held_rows.take(np.flatnonzero(np.isin(held_rows.values[:, self.target_index], levels)))
        if len(self._held) < MIN_HELD:
            raise InputError(
                f"{len(self._held)} held-out rows have a level of {self.target!r} that occurs in the training data; at "
                f"least {MIN_HELD} are needed: give --against FILE"
            )
        labels, held_labels = (
            np.searchsorted(levels, rows.values[:, self.target_index]) for rows in (self._train, self._held)
        )
        super().__init__([str(level) for level in self._levels], labels, held_labels, "gradient-boosted trees")

    def items(self, rows: Labels) -> Floats:
        return self._train.values[rows]

    def generated(self, label: int, n: int, seed: int) -> Floats:
        return self.modality.rows(self._generated_frame(label, n, seed)).values

    def _generated_frame(self, label: int, n: int, seed: int) -> DataFrame:
        frame: DataFrame = self.model.sample(n, seed=seed, where={self.target: self._levels[label]}).items
        return frame

    def concatenate(self, parts: Sequence[Floats]) -> Floats:
        return np.concatenate(parts)

    def vectors(self, items: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        others = np.delete(items, self.target_index, 1)
        means = np.delete(np.nan_to_num(np.nanmean(self._train.values, axis=0)), self.target_index)
        return np.where(np.isnan(others), means, others), self._category

    @property
    def _category(self) -> NDArray[np.bool_]:
        return np.delete(self._train.category, self.target_index)

    def from_vectors(self, x: Floats) -> Floats:
        return np.insert(x, self.target_index, 0.0, axis=1)  # the class is passed separately

    def probabilities(self, items: Floats, labels: Labels, balanced: bool, seed: int) -> Floats:
        train, held = (
            Rows(np.delete(values, self.target_index, 1), self._category) for values in (items, self._held.values)
        )
        return tables.probabilities(train, labels, held, len(self.classes), balanced, seed)

    def samples(self, counts: Labels, seed: int) -> Samples:
        generated = [self._generated_frame(label, int(n), seed) for label, n in enumerate(counts) if n]
        real = self.modality.in_memory(self.frame[[column.name for column in self.modality.columns]])
        return Samples(self.modality.concatenate([real, *generated]), None, self.modality)


def labeled_rows(
    modality: Table, model: Sampler, training: TrainingData, against: Items | None, target: str
) -> LabeledRows:
    """See `Modality.labeled_set`."""
    training.check_unchanged(modality.words.items)
    if against is not None and not modality.accepts(against):
        raise InputError(f"{against.name!r} holds {against.kind}, but the model generates rows; give such data")
    split, data = modality.split(training.items), training.items.items
    if isinstance(data, Parts) or (against is not None and isinstance(against.items, Parts)):
        raise InputError(
            f"{training.name!r} or the rows to compare with are larger than the memory, in which a classifier is "
            "trained; give --data with fewer rows"
        )
    held = data.iloc[split.held] if against is None else against.items
    return LabeledRows(modality, model, data.iloc[split.train], held, target)
