"""From a data set's items to an encoded data set, split into training and held-out samples."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.dataset import Dataset
from sparring.data.fingerprint import fingerprint
from sparring.data.items import Items
from sparring.data.store import Stored
from sparring.data.tensors import CONDITION
from sparring.modalities.base import Encoded, Modality


def assemble(
    modality: Modality,
    items: Items,
    encoded: Encoded,
    labels: NDArray[np.int64] | None = None,
    limit: int | None = None,
) -> Dataset:
    """The only place where a `Dataset` is made, so that every number is judged by the same held-out items.

    Args:
        modality: that encoded the items.
        labels: the class of each encoded sample; None where classes are not used.
        limit: bytes of samples that are loaded into memory at most; None leaves them where they are.
    """
    train, held = modality.split(items, encoded.readable).samples(encoded.items, encoded.span)
    loaded = {name: _loaded(stored, limit) for name, stored in encoded.tensors.items()}
    tensors: dict[str, Tensor | Stored] = {name: stored for name, (stored, _) in loaded.items()}
    if labels is not None:
        tensors[CONDITION] = torch.from_numpy(labels)
    beside = None if encoded.beside is None else assemble(modality, items, encoded.beside, None, limit)
    mark = fingerprint(items, tensors)
    return Dataset(
        tensors, torch.from_numpy(train), torch.from_numpy(held),
        fingerprint=mark if beside is None else f"{mark}-{beside.fingerprint}",
        beside=beside,
        fits=all(fits for _, fits in loaded.values()),
    )  # fmt: skip


def fingerprint_of(modality: Modality, items: Items) -> str:
    """The fingerprint of a data set as a training reads it.

    Args:
        modality: fitted, and with classes if labels are used.
    """
    encoded = modality.encode(items)
    labels = items.labels[encoded.items] if modality.classes and items.labels is not None else None
    return assemble(modality, items, encoded, labels).fingerprint


def _loaded(samples: Tensor | Stored, limit: int | None) -> tuple[Tensor | Stored, bool]:
    """Samples in memory if they fit, and whether they do."""
    if limit is None:
        return samples, True
    if isinstance(samples, Stored) and samples.bytes <= limit:
        samples = samples.load()
    return samples, isinstance(samples, Tensor) and samples.nbytes <= limit


def why_unlabeled(items: Items, labels: NDArray[np.int64] | None, words: str) -> str:
    """Why a data set's labels cannot be used, or "".

    Args:
        labels: of the items that can be read.
        words: what several items are called.
    """
    if labels is None:
        return f"{items.name!r} has no labels"
    counts = np.bincount(labels, minlength=len(items.classes))
    if counts.min() < 2:
        few = items.classes[int(counts.argmin())]
        return f"class {few!r} has {counts.min()} readable {words}; add more or remove it"
    return ""
