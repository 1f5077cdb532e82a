"""Items of any kind of data with classes, that generated ones can be added to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.dataset import Dataset
from sparring.data.tensors import CONDITION, VALUES
from sparring.errors import InputError
from sparring.evaluation.classifier import train_classifier
from sparring.evaluation.real import Real
from sparring.metrics import tables
from sparring.metrics.tables import Rows
from sparring.modalities import Samples
from sparring.modalities.labeled import Floats, LabeledSet, Labels
from sparring.model import Model

BATCH_SIZE = 500
MAX_SMOTE_VALUES = 2**28  # components of all vectors together


class EncodedSet(LabeledSet):
    """Encoded values of labeled items, (n, ...).

    The classifier is a small convolutional network for images, which are shifted at random during its training, and
    gradient-boosted trees on features of the kind of data for others.

    Args:
        model: trained with labels.
        real: the labeled data that it was trained on.
        other: labeled data that it was not trained on; None for the held-out part of `real`.

    Raises:
        InputError: if labels or held-out items are missing.
    """

    def __init__(self, model: Model, real: Real, other: Real | None) -> None:
        items = model.modality.words.items
        if not model.modality.classes:
            raise InputError(f"this model was trained without labels; augmenting {items} needs labels")
        for data in (real, other or real):
            if not data.data.labeled:
                classes = ", ".join(model.modality.classes[:5])
                raise InputError(f"{data.name!r} does not have the labels of the model ({classes}, ...); add them")
        held, rows = (real.data, real.data.held) if other is None else (other.data, _all_rows(other.data))
        if not len(rows):
            raise InputError(f"{real.name!r} has no held-out {items}; give --against DATA")
        self.model, self.real, self.modality = model, real, real.modality
        self._held = held.part(VALUES, rows)
        super().__init__(
            model.modality.classes,
            real.data.part(CONDITION, real.data.train).numpy(),
            held.part(CONDITION, rows).numpy(),
            "gradient-boosted trees" if self.modality.classifier_input is None else "a small convolutional network",
        )

    def items(self, rows: Labels) -> Tensor:
        return self.real.data.part(VALUES, self.real.data.train[torch.from_numpy(rows)])

    def generated(self, label: int, n: int, seed: int) -> Tensor:
        batches = [samples[VALUES] for samples, _ in self.model.stream(n, seed, label=self.classes[label])]
        return self.model.modality.unscale(torch.cat(batches).cpu())

    def concatenate(self, parts: Sequence[Tensor]) -> Tensor:
        return torch.cat(list(parts))

    def vectors(self, items: Tensor) -> tuple[Floats, NDArray[np.bool_]]:
        if items.numel() > MAX_SMOTE_VALUES:
            raise InputError(f"SMOTE cannot hold {items.numel():,} values; use --without SMOTE")
        flat = items.flatten(1).numpy().astype(np.float64)
        return flat, np.zeros(flat.shape[1], bool)

    def from_vectors(self, x: Floats) -> Tensor:
        items = torch.from_numpy(x)
        if not self._held.is_floating_point():
            limits = torch.iinfo(self._held.dtype)
            items = items.round().clamp(limits.min, limits.max)
        return items.to(self._held.dtype).view(-1, *self._held.shape[1:])

    def probabilities(self, items: Tensor, labels: Labels, balanced: bool, seed: int) -> Floats:
        if self.modality.classifier_input is None:
            train, held = (self._features(values) for values in (items, self._held))
            return tables.probabilities(train, labels, held, len(self.classes), balanced, seed)
        return self._by_convolutions(self.modality.classifier_input, items, labels, balanced, seed)

    def _features(self, values: Tensor) -> Rows:
        scale = self.modality.scale
        parts = [self.modality.features({VALUES: scale(part)}) for part in torch.split(values, BATCH_SIZE)]
        features = torch.cat(parts).double().numpy()
        return Rows(features, np.zeros(features.shape[1], bool))

    def _by_convolutions(
        self, shape: tuple[int, int, int], items: Tensor, labels: Labels, balanced: bool, seed: int
    ) -> Floats:
        targets = torch.from_numpy(labels)
        rows = torch.from_numpy(_balanced_rows(labels) if balanced else np.arange(len(labels)))

        def draw(chosen: Tensor) -> tuple[Tensor, Tensor]:
            picked = rows[chosen]
            return self.modality.scale(items[picked]), targets[picked]

        with torch.random.fork_rng([]):
            net = train_classifier(shape, len(self.classes), len(rows), draw, seed)
        with torch.no_grad():
            parts = [net.probabilities(self.modality.scale(part)) for part in torch.split(self._held, BATCH_SIZE)]
        return torch.cat(parts).double().numpy()

    def samples(self, counts: Labels, seed: int) -> Samples:
        classes = [label for label, n in enumerate(counts) if n]
        generated = [self.generated(label, int(counts[label]), seed) for label in classes]
        values = torch.cat([self.items(np.arange(len(self.labels))), *generated])
        labels = np.concatenate([self.labels, *(np.full(counts[label], label, np.int64) for label in classes)])
        return Samples(self.model.modality.decode({VALUES: self.modality.scale(values)}), labels, self.model.modality)


def _all_rows(data: Dataset) -> Tensor:
    return torch.cat([data.train, data.held])


def _balanced_rows(labels: Labels) -> Labels:
    """Rows in which every class is equally frequent; rows of rarer classes are repeated."""
    largest = np.bincount(labels).max()
    return np.concatenate([np.resize(np.flatnonzero(labels == c), largest) for c in np.unique(labels)])
