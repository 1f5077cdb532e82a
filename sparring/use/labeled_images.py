"""Labelled pictures, to be enlarged by samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.tensors import VALUES
from sparring.errors import InputError
from sparring.evaluation.classifier import fitted
from sparring.evaluation.real import Real
from sparring.metrics.tables import Floats
from sparring.model import Model
from sparring.use.strategies import Labelled, Labels, Strategies

AT_ONCE = 500
LARGEST = 2**28  # numbers that SMOTE may look at


class OfPictures(Strategies):
    """Pictures as bytes (n, channels, size, size), and a small convolutional net that is shown them a little shifted.

    Args:
        model: of pictures, trained with labels.
        real: the labelled set, parted.
        other: labelled pictures that the model has not seen, in place of those held out; None for these.
        made: as of `Strategies`.

    Raises:
        InputError: where labels are missing, or none are kept apart.
    """

    def __init__(self, model: Model, real: Real, other: Real | None, made: int | None) -> None:
        if not model.modality.classes:
            raise InputError("this model was trained without labels and cannot enlarge a labelled set (labels=true)")
        apart = real.data.held if other is None else torch.cat([other.data.train, other.data.held])
        for labelled in (real, other or real):
            if "condition" not in labelled.data.tensors:
                raise InputError(
                    f"{labelled.name!r} does not have the model's labels ({', '.join(model.modality.classes[:5])})"
                )
        if not len(apart):
            raise InputError(f"{real.name!r} has nothing that the model has not seen; give --against DATA")
        self.model, self.set = model, real
        self._apart = (other or real).data.part("values", apart)
        labels, unseen = (
            real.data.part("condition", real.data.train).numpy(),
            (other or real).data.part("condition", apart).numpy(),
        )
        super().__init__(model.modality.classes, labels, unseen, made)

    def real(self, rows: Labels) -> Labelled:
        return Labelled(self.set.data.part("values", self.set.data.train[torch.from_numpy(rows)]), self.labels[rows])

    def drawn(self, label: int, n: int, seed: int) -> Tensor:
        made = [samples[VALUES] for samples, _ in self.model.stream(n, seed, label=self.classes[label])]
        return self.model.modality.unscale(torch.cat(made).cpu())

    def joined(self, parts: Sequence[Tensor]) -> Tensor:
        return torch.cat(list(parts))

    def numbers(self, items: Tensor) -> tuple[Floats, NDArray[np.bool_]]:
        if items.numel() > LARGEST:
            raise InputError(f"SMOTE cannot hold {items.numel():,} numbers; leave it out (--without SMOTE)")
        flat = items.flatten(1).numpy().astype(np.float64)
        return flat, np.zeros(flat.shape[1], bool)

    def from_numbers(self, x: Floats, like: Tensor) -> Tensor:
        return torch.from_numpy(np.round(x).clip(0, 255).astype(np.uint8)).view(-1, *like.shape[1:])

    def told(self, train: Labelled, seed: int) -> Floats:
        labels, modality = torch.from_numpy(train.labels), self.set.modality
        rows = torch.from_numpy(_evened(train.labels) if train.balanced else np.arange(len(labels)))

        def draw(chosen: Tensor) -> tuple[Tensor, Tensor]:
            picked = rows[chosen]
            return modality.scale(train.items[picked]), labels[picked]

        with torch.random.fork_rng([]):
            net = fitted(modality.shape, len(self.classes), len(rows), draw, seed)
        with torch.no_grad():
            parts = [net.probabilities(modality.scale(part)) for part in torch.split(self._apart, AT_ONCE)]
        return torch.cat(parts).double().numpy()


def _evened(labels: Labels) -> Labels:
    """Rows of which every class has as many, the rarer ones again and again."""
    most = np.bincount(labels).max()
    return np.concatenate([np.resize(np.flatnonzero(labels == c), most) for c in np.unique(labels)])
