"""The processes that evaluate or score the samples of a model together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import torch

from sparring import devices

if TYPE_CHECKING:
    from lightning_fabric import Fabric

R = TypeVar("R")
PARTS = 24  # of the samples, about; many numbers of ranks divide it


class Ranks:
    """One of the processes that evaluate or score samples together, each some parts of them. What is a part does not
    depend on the number of ranks, and the first rank adds the statistics of the parts in their order, so that metrics
    do not depend on it, either.

    Args:
        fabric: connected to the others; None if there are none.
    """

    def __init__(self, fabric: Fabric | None = None) -> None:
        self.fabric = fabric
        self.rank, self.number = (0, 1) if fabric is None else (fabric.global_rank, fabric.world_size)

    def parts(self, n: int, chunk: int) -> list[tuple[int, int]]:
        """The first sample and the number of samples of each part of this rank. Its parts follow one another.

        Args:
            n: number of all samples.
            chunk: of samples that are drawn together.
        """
        size = -(-n // (PARTS * chunk)) * chunk
        return self.own([(first, min(size, n - first)) for first in range(0, n, size)])

    def own(self, parts: Sequence[R]) -> list[R]:
        """This rank's share of all parts: they follow one another, after those of the ranks before it."""
        begin, end = (len(parts) * rank // self.number for rank in (self.rank, self.rank + 1))
        return list(parts[begin:end])

    def after_first(self, make: Callable[[], R]) -> R:
        """Make something on each machine first in one process, whose cache the others can use then."""
        return make() if self.fabric is None else devices.after_first(self.fabric, self.fabric.local_rank, make)

    def gather(self, own: R) -> list[R]:
        """What each rank has, in their order; on the first one. Nothing on the others."""
        if self.fabric is None:
            return [own]
        everything: list[R] | None = [own] * self.number if self.rank == 0 else None
        torch.distributed.gather_object(own, everything)
        return everything or []

    def share(self, result: R) -> R:
        """The first rank's result, on all ranks."""
        return result if self.fabric is None else self.fabric.broadcast(result)
