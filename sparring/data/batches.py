"""Endless batches whose content is a function of their place."""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from sparring.data.store import Stored
from sparring.seeds import Seeds

AHEAD = 4  # batches read before they are asked for
FORGET = 64  # batches after which the pages of a mapped file that were read are given back


class Batches:
    """Batches of some of the items, reshuffled for every pass over them, or drawn by weights.

    Items that lie in memory, the device's or the machine's, are chosen there. Items that lie in a file
    are read from there by workers, a few batches ahead.

    Args:
        tensors: named tensors of one length, the items.
        rows: which of them are dealt.
        size: of a batch.
        shards: how many batches are dealt side by side in each round, one to a shard.
        seeds: the root of the run's randomness.
        device: where batches are wanted.
        weights: how often each of the rows is dealt, up to a factor; in passes over all of them unless given.
    """

    def __init__(
        self,
        tensors: Mapping[str, Tensor | Stored],
        rows: Tensor,
        size: int,
        shards: int,
        seeds: Seeds,
        device: torch.device = torch.device("cpu"),
        weights: Tensor | None = None,
    ) -> None:
        self._heights = None if weights is None else weights.double().cumsum(0).cpu()
        self.size, self.shards, self.seeds, self.device = size, shards, seeds, device
        self.rows = rows.cpu()
        self._here = {name: t for name, t in tensors.items() if isinstance(t, Tensor)}
        self._far = {name: _File(t, device) for name, t in tensors.items() if isinstance(t, Stored)}
        places = {t.device for t in self._here.values()}
        self._home = device if places == {device} and not self._far else torch.device("cpu")  # of the orders
        self._orders: dict[int, Tensor] = {}
        self._workers = ThreadPoolExecutor(2) if self._far else None
        self._read: dict[tuple[int, int], Future[dict[str, Tensor]]] = {}

    def __call__(self, number: int, shard: int) -> dict[str, Tensor]:
        """The batch of a round and a shard: {name: (size, ...)}."""
        chosen = self._chosen(number, shard)
        batch = {name: _moved(t[_moved(chosen, t.device)], self.device) for name, t in self._here.items()}
        if self._workers is None:
            return batch
        wanted = [(n, shard) for n in range(number, number + AHEAD)]
        self._read = {place: read for place, read in self._read.items() if place[1] != shard or place in wanted}
        for place in wanted:
            if place not in self._read:
                self._read[place] = self._workers.submit(self._fetch, self._chosen(*place))
        far = self._read.pop((number, shard)).result()
        return batch | {name: _moved(tensor, self.device) for name, tensor in far.items()}

    def _fetch(self, chosen: Tensor) -> dict[str, Tensor]:
        return {name: file.read(chosen) for name, file in self._far.items()}

    def _chosen(self, number: int, shard: int) -> Tensor:
        place = (number * self.shards + shard) * self.size
        if self._heights is not None:
            generator = torch.Generator().manual_seed(self.seeds.key("weighted", place))
            heights = torch.rand(self.size, dtype=torch.float64, generator=generator) * self._heights[-1]
            drawn = torch.searchsorted(self._heights, heights, right=True).clamp(max=len(self.rows) - 1)
            return self.rows[drawn].to(self._home, non_blocking=True)
        end = place + self.size
        parts: list[Tensor] = []
        while place < end:
            epoch, offset = divmod(place, len(self.rows))
            parts.append(self._order(epoch)[offset : offset + end - place])
            place += len(parts[-1])
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _order(self, epoch: int) -> Tensor:
        if epoch not in self._orders:
            # Batches that lie across two passes need both orders; older ones are not needed again.
            self._orders = {e: order for e, order in self._orders.items() if e >= epoch - 1}
            generator = torch.Generator().manual_seed(self.seeds.key("epoch", epoch))
            order = self.rows[torch.randperm(len(self.rows), generator=generator)]
            self._orders[epoch] = order.to(self._home, non_blocking=True)
        return self._orders[epoch]


def _moved(tensor: Tensor, device: torch.device) -> Tensor:
    return tensor.to(device, non_blocking=True)


class _File:
    """Rows of a mapped file."""

    def __init__(self, stored: Stored, device: torch.device) -> None:
        self.map, self.tensor = stored.map()
        self.pinned = device.type == "cuda"
        self.count = 0

    def read(self, rows: Tensor) -> Tensor:
        # By numpy: PyTorch would start threads of its own beside those that compute.
        made = torch.from_numpy(self.tensor.numpy()[rows.numpy()])
        self.count += 1
        if self.count % FORGET == 0 and hasattr(self.map, "madvise"):
            # The system keeps the pages as long as it has room, but not on this process's account.
            self.map.madvise(mmap.MADV_DONTNEED)
        return made.pin_memory() if self.pinned else made
