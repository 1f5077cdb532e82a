"""Records of a set in shards: blocks, windows of blocks that are read ahead, and the batches of a training."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.records.cache import FOLDER, BlockCache
from sparring.data.records.index import NAME, Index, Subset, parse
from sparring.data.records.order import Order
from sparring.data.records.place import Place, StorePlace, Unreachable
from sparring.data.tensors import Tensors
from sparring.errors import InputError
from sparring.files import cached
from sparring.seeds import Seeds

READERS = 8  # threads that read blocks
TRIES = 2  # of a block whose bytes are not those that were written
MAX_DRAWN = 20_000  # records that everything but training sees,
MAX_DRAWN_BYTES = 2**27  # and bytes of them
Records = NDArray[np.void]  # (n,), with a field for each part


@dataclass(frozen=True, eq=False)
class RecordSet:
    """A set in shards.

    Attributes:
        place: where it is.
        index: what it consists of.
        reached: False if the place cannot be reached, and the index is that which was kept on the local disk.
    """

    place: Place
    index: Index
    reached: bool = True

    def __len__(self) -> int:
        return self.index.train.records + self.index.held.records

    def __getstate__(self) -> dict[str, Any]:
        """What other processes get: each has threads and a cache of its own."""
        return {"place": self.place, "index": self.index, "reached": self.reached}

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        """The threads that read blocks."""
        return ThreadPoolExecutor(READERS)

    @cached_property
    def cache(self) -> BlockCache | None:
        """Where blocks are kept on the local disk; None where reading them again costs as little."""
        return BlockCache.of_user() if self.place.far else None

    def read(self, subset: Subset, block: int, into: Records) -> None:
        """Read a block.

        Args:
            into: receives its records, (subset.size(block),).

        Raises:
            InputError: if it cannot be read, or is damaged.
        """
        if self.cache is None:
            into[:] = np.frombuffer(self._fetched(subset, block), subset.dtype)
            return
        name = f"{self.index.identity}/{subset.name}-{block}"
        content = self._kept(self.cache, name, subset, block)
        if content is None:
            with self.cache.claimed(name):
                content = self._kept(self.cache, name, subset, block)  # another process may have fetched it meanwhile
                if content is None:
                    content = self._fetched(subset, block)
                    self.cache.write(name, content)
        into[:] = np.frombuffer(content, subset.dtype)

    def _kept(self, cache: BlockCache, name: str, subset: Subset, block: int) -> bytes | None:
        """A block that is on the local disk, unless it is damaged."""
        content = cache.read(name)
        if content is not None and zlib.crc32(content) != subset.checksums[block]:
            cache.drop(name)
            return None
        return content

    def _fetched(self, subset: Subset, block: int) -> bytes:
        span, wanted = subset.span(block), int(subset.checksums[block])
        for _ in range(TRIES):
            content = self.place.read(span.file, span.begin, span.end, span.size)
            if len(content) == span.end - span.begin and zlib.crc32(content) == wanted:
                return content
        raise InputError(
            f"{self.place.shown}/{span.file} is damaged, or of another set: block {block} has another checksum than "
            f"{NAME} says; copy it again, or import the set again"
        )

    def all(self, subset: Subset, blocks: Sequence[int]) -> Records:
        """The records of some blocks, one after the other."""
        sizes = [subset.size(block) for block in blocks]
        found = np.empty(sum(sizes), subset.dtype)
        try:
            for done in _begun(self, subset, blocks, sizes, found):
                done.result()
        except BaseException:
            self.close()
            raise
        return found

    def close(self) -> None:
        """Begin to read no further block, so that a program ends without waiting for those that were to be read ahead.
        `RecordBatches` of the set end.
        """
        pool: ThreadPoolExecutor | None = self.__dict__.pop("pool", None)
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    def drawn(self) -> tuple[Records, Records]:
        """A fixed draw of the records that are trained on, and the held-out records: as many as fit in memory. Shards
        are in random order, so that the first ones are a random draw.
        """
        train, held = self.index.train, self.index.held
        most = max(train.block, min(MAX_DRAWN, MAX_DRAWN_BYTES // train.dtype.itemsize))
        first, apart = (self.all(subset, range(min(subset.blocks, most // subset.block))) for subset in (train, held))
        return first, apart

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know, one line each."""
        if self.cache is None:
            return ()
        if not self.reached:
            return (f"{self.place.shown} cannot be reached; what was kept in {self.cache.folder} is used",)
        gib = self.cache.most / 2**30
        return (f"read by ranges from {self.place.shown}; up to {gib:,.1f} GiB of it are kept in {self.cache.folder}",)


def open_set(place: Place) -> RecordSet | None:
    """The set in shards at a place; None if there is none. If a store cannot be reached, the index that was kept on the
    local disk is used, and the blocks.

    Raises:
        InputError: if it is damaged or not complete, or cannot be read.
    """
    cache, reached = BlockCache.of_user() if place.far else None, True
    try:
        content = place.get(NAME)
    except Unreachable:
        content, reached = None if cache is None else cache.read(_kept_index(place.shown)), False
        if content is None:
            raise
    index = None if content is None else parse(content, f"{place.shown}/{NAME}")
    if content is None or index is None:
        return None
    if cache is None:
        _check_files(place, index)
    else:
        cache.write(_kept_index(place.shown), content)
    return RecordSet(place, index, reached)


def was_read(address: str) -> bool:
    """True if the index of a set in shards at an address was kept on the local disk."""
    return (cached(FOLDER) / _kept_index(StorePlace(address.rstrip("/")).shown)).exists()


def _kept_index(shown: str) -> str:
    """The name of the index of a place in the cache of blocks."""
    return f"{hashlib.blake2b(shown.encode(), digest_size=12).hexdigest()}/{NAME}"


def _check_files(place: Place, index: Index) -> None:
    """Check that all files of a folder are there, before hours are spent with the first of them."""
    sizes = place.sizes()
    for subset in (index.train, index.held):
        for name, size in map(subset.file, range(subset.shards)):
            if name not in sizes:
                raise InputError(f"{place.shown} has no {name}; copy it again, or import the set again")
            if sizes[name] != size:
                raise place.cut_off(name, sizes[name], size)


def parts_of(records: Records, names: Sequence[str]) -> Tensors:
    """Parts of records as tensors, {name: (n, ...)}; whole numbers are int64."""
    found = {name: torch.from_numpy(np.ascontiguousarray(records[name])) for name in names}
    return {name: part.long() if part.dtype == torch.int32 else part for name, part in found.items()}


def _begun(
    records: RecordSet, subset: Subset, blocks: Sequence[int], sizes: Sequence[int], into: Records
) -> list[Future[None]]:
    """Begins to read blocks one after the other into an array."""
    ends = np.cumsum(sizes).tolist()
    places = zip(blocks, sizes, ends, strict=True)
    return [records.pool.submit(records.read, subset, block, into[end - size : end]) for block, size, end in places]


class Window:
    """The records of a window, which are being read."""

    def __init__(self, records: RecordSet, order: Order, epoch: int, window: int) -> None:
        subset, blocks = records.index.train, order.blocks(epoch, window)
        sizes = [subset.size(block) for block in blocks]
        self.rows = order.rows(epoch, window)
        self._records = np.empty(sum(sizes), subset.dtype)
        self._reads = _begun(records, subset, blocks, sizes, self._records)

    def take(self, begin: int, end: int) -> Records:
        """Records of some draws, when all of them have arrived.

        Raises:
            InputError: if one cannot be read.
        """
        while self._reads:
            self._reads[-1].result()
            self._reads.pop()
        return self._records[self.rows[begin:end]]

    def cancel(self) -> None:
        """Do not begin to read further blocks."""
        for read in self._reads:
            read.cancel()


class RecordBatches:
    """Endless batches of the records that are trained on. As with `Batches`, the content of a batch is a function of
    its number and its shard; the order is that of `Order`. The window after that of a batch is read ahead.

    Args:
        records: the set.
        names: parts that batches have.
        size: records per batch.
        shards: number of batches with the same number, one for each shard.
        seeds: the root of the run's randomness.
        device: of the batches.
    """

    def __init__(
        self,
        records: RecordSet,
        names: Sequence[str],
        size: int,
        shards: int,
        seeds: Seeds,
        device: torch.device = torch.device("cpu"),
    ) -> None:
        self.records, self.names, self.size, self.shards, self.device = records, names, size, shards, device
        self.order = Order.of(records.index.train, seeds)
        self._windows: dict[tuple[int, int], Window] = {}

    def __call__(self, number: int, shard: int) -> Tensors:
        """The batch of a number and a shard: {name: (size, ...)}.

        Raises:
            InputError: if it cannot be read.
        """
        place = (number * self.shards + shard) * self.size
        parts = self.order.parts(place, self.size)
        drawn = [self._window(epoch, window).take(begin, end) for epoch, window, begin, end in parts]
        batch = parts_of(drawn[0] if len(drawn) == 1 else np.concatenate(drawn), self.names)
        return {name: self._moved(part) for name, part in batch.items()}

    def _window(self, epoch: int, window: int) -> Window:
        wanted = ((epoch, window), self.order.after(epoch, window))
        for place in set(self._windows) - set(wanted):
            self._windows.pop(place).cancel()
        for place in wanted:
            if place not in self._windows:
                self._windows[place] = Window(self.records, self.order, *place)
        return self._windows[wanted[0]]

    def _moved(self, part: Tensor) -> Tensor:
        if self.device.type == "cuda":
            part = part.pin_memory()
        return part.to(self.device, non_blocking=True)
