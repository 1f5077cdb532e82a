"""The order in which records are drawn: a two-level shuffle that is a function of position.

In each epoch, the blocks of the set are permuted, 16 blocks after each other in this order are a window, and the
records of a window are permuted. Nothing is listed for all blocks or all records: the permutation of the blocks is
computed for one position at a time. So memory does not grow with the set, and any step of a run is reached at once.

How random that is: every record is drawn exactly once in an epoch. The order of the blocks is pseudorandom and anew in
each epoch, and so is that of the records within a window. Records of one block are always drawn within the same window,
at most 16 blocks (16,384 small records) apart. Since `sparring shards` writes records in a random order, a block is a
random part of the set, and a window a random sample of it: batches are those of a full shuffle, except that records of
one block remain near each other from epoch to epoch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from sparring.data.records.index import Subset
from sparring.seeds import Seeds

WINDOW = 16  # blocks
ROUNDS = 8  # of a Feistel network; four with random functions are indistinguishable from a random permutation
MIN_HALF = 2  # bits of each half of its numbers


@dataclass(frozen=True)
class Permutation:
    """A pseudorandom permutation of the numbers below n, computed one by one.

    A Feistel network (Luby and Rackoff 1988) permutes the numbers below a power of four; those that are not below n are
    sent through it again (cycle walking, Black and Rogaway 2002).
    """

    n: int
    key: int

    def __call__(self, place: int) -> int:
        """The number at a place."""
        return self._walk(place, range(ROUNDS))

    def place(self, number: int) -> int:
        """The place of a number."""
        return self._walk(number, range(ROUNDS - 1, -1, -1))

    def _walk(self, value: int, rounds: range) -> int:
        half = max(MIN_HALF, -(-(self.n - 1).bit_length() // 2))
        mask = (1 << half) - 1
        while True:
            left, right = value >> half, value & mask
            for i in rounds:
                if rounds.step > 0:
                    left, right = right, left ^ (self._mixed(i, right) & mask)
                else:
                    left, right = right ^ (self._mixed(i, left) & mask), left
            value = left << half | right
            if value < self.n:
                return value

    def _mixed(self, i: int, half: int) -> int:
        text = f"{self.key} {i} {half}".encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


@dataclass(frozen=True)
class Order:
    """The order of the records of a subset in all epochs.

    Args:
        records: their number, at least 1.
        block: records in each block but the last.
        seeds: of the order.
    """

    records: int
    block: int
    seeds: Seeds

    @classmethod
    def of(cls, subset: Subset, seeds: Seeds) -> Order:
        return cls(subset.records, subset.block, seeds)

    @property
    def windows(self) -> int:
        """Number of windows in an epoch."""
        return -(-self._count // WINDOW)

    @property
    def _count(self) -> int:
        return -(-self.records // self.block)

    def _permutation(self, epoch: int) -> Permutation:
        return Permutation(self._count, self.seeds.key("blocks", epoch))

    def blocks(self, epoch: int, window: int) -> list[int]:
        """The blocks of a window, in their order."""
        permutation = self._permutation(epoch)
        return [permutation(i) for i in range(window * WINDOW, min(self._count, (window + 1) * WINDOW))]

    def begin(self, epoch: int, window: int) -> int:
        """Number of records of an epoch that are drawn before a window."""
        short = self._count * self.block - self.records
        before = min(window * WINDOW, self._count)
        return before * self.block - (short if _place_of_last(self._permutation(epoch)) < before else 0)

    def rows(self, epoch: int, window: int) -> NDArray[np.int64]:
        """The records of a window in the order in which they are drawn, as places in its blocks one after the other."""
        count = self.begin(epoch, window + 1) - self.begin(epoch, window)
        generator = torch.Generator().manual_seed(self.seeds.key("records", epoch, window))
        order: NDArray[np.int64] = torch.randperm(count, generator=generator).numpy()
        return order

    def parts(self, place: int, count: int) -> Iterator[tuple[int, int, int, int]]:
        """The draws from `place` on, counted over all epochs: epoch, window, and the first and last draws in it."""
        while count:
            epoch, offset = divmod(place, self.records)
            window = min(offset // (WINDOW * self.block), self.windows - 1)
            if offset >= self.begin(epoch, window + 1):  # the short block lies before
                window += 1
            begin, end = self.begin(epoch, window), self.begin(epoch, window + 1)
            taken = min(count, end - offset)
            yield epoch, window, offset - begin, offset - begin + taken
            place, count = place + taken, count - taken

    def after(self, epoch: int, window: int) -> tuple[int, int]:
        """Epoch and window after a window."""
        return (epoch, window + 1) if window + 1 < self.windows else (epoch + 1, 0)


@lru_cache(maxsize=64)  # it is asked for in each batch
def _place_of_last(permutation: Permutation) -> int:
    """The place of the last block, which may be shorter than the others."""
    return permutation.place(permutation.n - 1)
