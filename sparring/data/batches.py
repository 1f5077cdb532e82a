"""Endless batches; the content of a batch is a function of its number."""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from sparring.data.store import Stored
from sparring.seeds import Seeds

PREFETCH = 4  # batches that are read in advance
RELEASE_EVERY = 64  # batches after which the pages of a mapped file are released


class Batches:
    """Batches of some of the items, reshuffled in every epoch, or drawn with replacement by weights.

    Items in memory, the device's or the machine's, are indexed there. Items in a file are read by worker threads, a few
    batches in advance.

    Args:
        tensors: the items, as named tensors of one length.
        rows: indices of the items that batches are drawn from.
        size: items per batch.
        shards: number of batches with the same number, one for each shard.
        seeds: the root of the run's randomness.
        device: of the batches.
        weights: relative frequency with which each of the rows is drawn; without them, epochs go through all rows.
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
        self._cumulative = None if weights is None else weights.double().cumsum(0).cpu()
        self.size, self.shards, self.seeds, self.device = size, shards, seeds, device
        self.rows = rows.cpu()
        self._in_memory = {name: t for name, t in tensors.items() if isinstance(t, Tensor)}
        self._in_files = {name: _File(t, device) for name, t in tensors.items() if isinstance(t, Stored)}
        devices = {t.device for t in self._in_memory.values()}
        self._order_device = device if devices == {device} and not self._in_files else torch.device("cpu")
        self._orders: dict[int, Tensor] = {}
        self._workers = ThreadPoolExecutor(2) if self._in_files else None
        self._read: dict[tuple[int, int], Future[dict[str, Tensor]]] = {}

    def __call__(self, number: int, shard: int) -> dict[str, Tensor]:
        """The batch of a number and a shard: {name: (size, ...)}."""
        rows = self._rows(number, shard)
        batch = {name: _to(t[_to(rows, t.device)], self.device) for name, t in self._in_memory.items()}
        if self._workers is None:
            return batch
        wanted = [(n, shard) for n in range(number, number + PREFETCH)]
        self._read = {place: read for place, read in self._read.items() if place[1] != shard or place in wanted}
        for place in wanted:
            if place not in self._read:
                self._read[place] = self._workers.submit(self._fetch, self._rows(*place))
        fetched = self._read.pop((number, shard)).result()
        return batch | {name: _to(tensor, self.device) for name, tensor in fetched.items()}

    def _fetch(self, rows: Tensor) -> dict[str, Tensor]:
        return {name: file.read(rows) for name, file in self._in_files.items()}

    def _rows(self, number: int, shard: int) -> Tensor:
        place = (number * self.shards + shard) * self.size
        if self._cumulative is not None:
            generator = torch.Generator().manual_seed(self.seeds.key("weighted", place))
            points = torch.rand(self.size, dtype=torch.float64, generator=generator) * self._cumulative[-1]
            drawn = torch.searchsorted(self._cumulative, points, right=True).clamp(max=len(self.rows) - 1)
            return self.rows[drawn].to(self._order_device, non_blocking=True)
        end = place + self.size
        parts: list[Tensor] = []
        while place < end:
            epoch, offset = divmod(place, len(self.rows))
            parts.append(self._order(epoch)[offset : offset + end - place])
            place += len(parts[-1])
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _order(self, epoch: int) -> Tensor:
        if epoch not in self._orders:
            # A batch that spans two epochs needs both orders; older ones are not needed again.
            self._orders = {e: order for e, order in self._orders.items() if e >= epoch - 1}
            generator = torch.Generator().manual_seed(self.seeds.key("epoch", epoch))
            order = self.rows[torch.randperm(len(self.rows), generator=generator)]
            self._orders[epoch] = order.to(self._order_device, non_blocking=True)
        return self._orders[epoch]


def _to(tensor: Tensor, device: torch.device) -> Tensor:
    return tensor.to(device, non_blocking=True)


class _File:
    """Rows of a mapped file."""

    def __init__(self, stored: Stored, device: torch.device) -> None:
        self.map, self.tensor = stored.map()
        self.pinned = device.type == "cuda"
        self.count = 0

    def read(self, rows: Tensor) -> Tensor:
        # With numpy: PyTorch would start more threads of its own.
        batch = torch.from_numpy(self.tensor.numpy()[rows.numpy()])
        self.count += 1
        if self.count % RELEASE_EVERY == 0 and hasattr(self.map, "madvise"):
            # The system may keep the pages, but they no longer count as memory of this process.
            self.map.madvise(mmap.MADV_DONTNEED)
        return batch.pin_memory() if self.pinned else batch
