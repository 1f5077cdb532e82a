"""The real clips that an evaluation compares with: some that a model was trained on, and some that it was not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.modalities.judge import TrainingData

if TYPE_CHECKING:
    from sparring.modalities.base import Encoded
    from sparring.modalities.video.video import Video

MAX_CLIPS = 256  # clips of each set that are compared
MAX_TRAINING = 1024  # training clips that the classifier and the search for copies see
MIN_HELD = 4  # clips


@dataclass(frozen=True)
class Clips:
    """Clips (n, channels, t, size, size) in [-1, 1], and the class that each was generated for, (n,), or None."""

    values: Tensor
    labels: Tensor | None = None

    def __len__(self) -> int:
        return len(self.values)


def real_clips(
    modality: Video,
    training: TrainingData,
    against: Items | None,
    options: Mapping[str, Any],
    classes: tuple[str, ...],
) -> tuple[Clips, Clips]:
    """Some training clips, and clips that the model has not seen.

    Args:
        against: as for `Modality.judge`.
        classes: whose labels the clips get, if the data have them.

    Raises:
        InputError: if the data are missing, changed or too few, or features are asked for.
    """
    if features := options.get("features"):
        raise InputError(f"features={features[0]} is not for films, which have their own metrics; remove --features")
    training.check_unchanged(modality.words.items)
    items = training.items
    encoded = modality.encode(items)
    train_rows, held_rows = modality.split(items, encoded.readable).samples(encoded.items)
    real = chosen(modality, items, encoded, train_rows, MAX_TRAINING, classes)
    if against is None:
        held = chosen(modality, items, encoded, held_rows, MAX_CLIPS, classes)
    else:
        other = modality.encode(against)
        held = chosen(modality, against, other, np.arange(len(other.items)), MAX_CLIPS, classes)
    if len(held) < MIN_HELD:
        source = training.source if against is None else against.name
        raise InputError(
            f"{source} has {len(held)} held-out clips, which is too few to evaluate; give --against DATA with at least "
            f"{MIN_HELD}"
        )
    return real, held


def chosen(modality: Video, items: Items, encoded: Encoded, rows: Any, most: int, classes: tuple[str, ...]) -> Clips:
    """Some of the clips at random, as networks see them."""
    picked = np.sort(np.random.default_rng(0).permutation(rows)[:most])
    np.random.default_rng(1).shuffle(picked)
    if len(picked) < 1:
        return Clips(torch.empty(0, *modality.shape))
    stored = encoded.values
    pixels = stored if isinstance(stored, Tensor) else stored.map()[1]
    values = modality.scale(pixels[torch.from_numpy(picked)])
    known = classes and items.labels is not None and items.classes == classes
    labels = torch.from_numpy(items.labels[encoded.items[picked]]) if known and items.labels is not None else None
    return Clips(values, labels)


def first(labels: Tensor | None, n: int) -> Tensor | None:
    """The first of some labels."""
    return None if labels is None else labels[:n]
