"""Endless batches whose content is a function of their place."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from sparring.seeds import Seeds


class Batches:
    """Batches of items held in memory, on the device, reshuffled for every pass over them.

    Args:
        tensors: named tensors of one length, the items.
        size: of a batch.
        shards: how many batches are dealt side by side in each round, one to a shard.
        seeds: the root of the run's randomness.
    """

    def __init__(self, tensors: Mapping[str, Tensor], size: int, shards: int, seeds: Seeds) -> None:
        self.tensors = dict(tensors)
        self.size, self.shards, self.seeds = size, shards, seeds
        first = next(iter(self.tensors.values()))
        self.length, self.device = len(first), first.device
        self._orders: dict[int, Tensor] = {}

    def __call__(self, number: int, shard: int) -> dict[str, Tensor]:
        """The batch of a round and a shard: {name: (size, ...)}."""
        place = (number * self.shards + shard) * self.size
        end = place + self.size
        parts: list[Tensor] = []
        while place < end:
            epoch, offset = divmod(place, self.length)
            parts.append(self._order(epoch)[offset : offset + end - place])
            place += len(parts[-1])
        chosen = parts[0] if len(parts) == 1 else torch.cat(parts)
        return {name: tensor[chosen] for name, tensor in self.tensors.items()}

    def _order(self, epoch: int) -> Tensor:
        if epoch not in self._orders:
            # Batches that lie across two passes need both orders; older ones are not needed again.
            self._orders = {e: order for e, order in self._orders.items() if e == epoch - 1}
            generator = torch.Generator().manual_seed(self.seeds.key("epoch", epoch))
            order = torch.randperm(self.length, generator=generator)
            self._orders[epoch] = order.to(self.device, non_blocking=True)
        return self._orders[epoch]
