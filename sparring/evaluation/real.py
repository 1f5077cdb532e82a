"""Real data that samples are compared with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from sparring.data.dataset import Dataset
from sparring.data.items import Items
from sparring.data.store import Progress, no_progress
from sparring.data.tensors import Tensors
from sparring.errors import InputError
from sparring.evaluation.distance import BATCH_SIZE, real_batches
from sparring.modalities import Modality
from sparring.modalities.dataset import assemble, why_unlabeled, with_classes

MIN_ITEMS = 18  # items of a data set, at least; a third of them are evaluated in place of samples


@dataclass(frozen=True)
class Real:
    """A data set as networks see it.

    Attributes:
        name: short.
        modality: fitted to it; with its classes if there are labels to be used.
        data: encoded and split.
    """

    name: str
    modality: Modality
    data: Dataset

    def batches(self, rows: Tensor) -> Iterator[tuple[Tensors, Tensor | None]]:
        """Samples as networks see them, and their classes if they are known. Augmentation is always the same for the
        same rows.
        """
        batches = real_batches(self.modality, self.data, rows)
        for samples, part in zip(batches, torch.split(rows, BATCH_SIZE), strict=True):
            yield samples, self.labels(part)

    def labels(self, rows: Tensor) -> Tensor | None:
        """Classes of some rows, if they are known."""
        return self.data.labels(rows)

    def parts(self, n: int, limit: int) -> tuple[Tensor, Tensor]:
        """Rows of the reference, and about n others that are evaluated in place of samples: held-out ones first and, if
        there are too few, some that are trained on.

        Args:
            n: at most a third of all items.
            limit: number of reference rows at most.
        """
        n = min(n, (len(self.data.train) + len(self.data.held)) // 3)
        held, train = (x[torch.randperm(len(x), generator=_fixed())] for x in (self.data.held, self.data.train))
        more = max(0, n - len(held))
        return train[more:][:limit], torch.cat([held[:n], train[:more]])


def _fixed() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def read(
    modality: Modality, items: Items, progress: Progress = no_progress, min_items: int = MIN_ITEMS
) -> tuple[Real, list[str]]:
    """A data set, split as for training, and notes for the user, one line each.

    Args:
        modality: of a model, as it was fitted. If it has classes, labels are used if the data have the same ones;
            otherwise if they have any.
        min_items: number of items that are needed.

    Raises:
        InputError: if the data are of another kind or shape, are too few, or cannot be read.
    """
    words = modality.words
    if not modality.accepts(items):
        raise InputError(f"{items.name!r} holds {items.kind}, but the model generates {words.items}; give such data")
    unlabeled = replace(modality.deterministic(), classes=(), counts=())
    encoded = unlabeled.encode(items, progress)
    if len(encoded.items) < min_items:
        found = f"{items.name!r} has {len(encoded.items)} {words.trained}"
        raise InputError(f"{found}; evaluating needs at least {min_items}")
    labels = None if items.labels is None or modality.source is not None else items.labels[encoded.items]
    notes = list(items.notes)
    why_not = why_unlabeled(items, labels, words.items)
    if modality.classes and not why_not and items.classes != modality.classes:
        why_not = f"the model was trained with other classes ({', '.join(modality.classes[:3])}, ...)"
    if labels is not None and why_not:
        notes.append(f"labels are not used: {why_not}")
        labels = None
    data = assemble(unlabeled, items, encoded, labels)
    if labels is not None:
        unlabeled = with_classes(unlabeled, items, labels[data.train.numpy()])
    return Real(items.name, unlabeled, data), notes
