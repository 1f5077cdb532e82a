"""Items in the order in which D takes them for real ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from sparring.data import tensors
from sparring.data.items import Items
from sparring.data.store import Progress, Stored
from sparring.data.tensors import CONDITION, VALUES
from sparring.errors import InputError
from sparring.losses.adversarial import Logits
from sparring.nets.discriminator import Discriminator

if TYPE_CHECKING:
    from sparring.modalities.base import Encoded, Modality

BATCH = 64


@dataclass(frozen=True)
class Ranked:
    """An item as D judges it.

    Attributes:
        place: where it is in its file.
        item: its text or its name; "" if it has none.
        score: D's probability that it is real.
        against: what of it makes D take it for a generated one, the most telling first.
    """

    place: str
    item: str
    score: float
    against: tuple[str, ...] = ()


def rank_values(
    modality: Modality, critic: Discriminator, items: Items, device: torch.device, progress: Progress
) -> list[Ranked]:
    """Items ranked by a D of their values as networks see them.

    Raises:
        InputError: if D needs labels, and the items lack those of the model.
    """
    encoded = modality.deterministic().encode(items)
    labels = None
    if modality.classes:
        if items.labels is None or items.classes != modality.classes:
            raise InputError(
                f"D judges {modality.words.items} by class, and {items.name!r} lacks the classes of the model; give "
                "labeled data"
            )
        labels = torch.from_numpy(items.labels[encoded.items])
    found: list[Ranked] = []
    for rows in torch.split(torch.arange(len(encoded.items)), BATCH):
        batch = tensors.move(modality.deterministic().batch(dict(_part(encoded, rows))), device)
        condition = batch.get(CONDITION) if labels is None else labels[rows].to(device)
        scores = probabilities(critic(batch[VALUES], condition))
        places = [f"{modality.words.item} {encoded.items[i] + 1}" for i in rows.tolist()]
        found += [Ranked(place, "", score) for place, score in zip(places, scores, strict=True)]
        progress(len(found), len(encoded.items))
    return found


def _part(encoded: Encoded, rows: Tensor) -> Iterator[tuple[str, Tensor]]:
    for name, stored in encoded.tensors.items():
        tensor = stored.map()[1] if isinstance(stored, Stored) else stored
        yield name, tensor[rows]


def probabilities(logits: Logits) -> list[float]:
    """Of each sample, (n,): the mean over the heads and the places of D's logits."""
    heads = [logits] if isinstance(logits, Tensor) else list(logits)
    mean = np.mean([head.float().reshape(len(head), -1).mean(1).cpu().numpy() for head in heads], 0)
    return [float(x) for x in 1 / (1 + np.exp(-mean))]
