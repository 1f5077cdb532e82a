"""Poisson batches: every item is in a batch with the same probability, independently of all others.

The accountants of differential privacy assume such batches. Shuffled epochs reveal more: Chua et al. 2024,
arXiv:2411.04205.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.dataset import Dataset
from sparring.data.tensors import Tensors, move


class PoissonBatches:
    """Batches of random size, from random numbers that are secret: their numbers do not determine them.

    Each shard draws from items of its own, so that all shards together are a Poisson sample of all items.

    Args:
        data: whose training rows are drawn from.
        rate: probability of each row.
        shards: number of shards.
        chosen: (n, rate) -> the drawn ones of n indices.
        device: of the batches.
    """

    def __init__(
        self,
        data: Dataset,
        rate: float,
        shards: int,
        chosen: Callable[[int, float], NDArray[np.int64]],
        device: torch.device,
    ) -> None:
        self.data, self.rate, self.chosen, self.device = data, rate, chosen, device
        self.rows: list[Tensor] = [data.train[shard::shards].cpu() for shard in range(shards)]

    def __call__(self, number: int, shard: int) -> Tensors:  # noqa: ARG002
        """A batch of a shard: {name: (size, ...)}."""
        rows = self.rows[shard]
        return move(self.data.items(rows[torch.from_numpy(self.chosen(len(rows), self.rate))]), self.device)
