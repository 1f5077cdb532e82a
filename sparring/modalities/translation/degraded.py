"""Restoration: clean pictures, and what a degradation leaves of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.items import Items
from sparring.data.split import Split
from sparring.data.store import Progress, no_progress
from sparring.data.tensors import CONDITION, VALUES, Tensors
from sparring.layers.degrade import Chain, parse
from sparring.modalities.base import Encoded
from sparring.modalities.translation.crops import cut_all, wholes
from sparring.modalities.translation.translation import (
    LEAST,
    Translation,
    encoded,
    seen,
    several,
    split_of,
    unseen_by_training,
)
from sparring.seeds import Seeds, reseed


@dataclass(frozen=True)
class Degraded(Translation):
    """Clean pictures ("real"), each beside what a degradation makes of it ("label"), drawn anew for every batch.

    Attributes:
        degrade: what is done to a clean picture, in order: `sparring.layers.degrade.parse`.
    """

    kind: ClassVar[str] = "degraded"

    degrade: tuple[str, ...] = ("x4",)

    @cached_property
    def chain(self) -> Chain:
        """The degradation."""
        return parse(self.degrade)

    @property
    def times(self) -> int:
        return self.chain.times

    @property
    def masked(self) -> bool:
        return self.chain.masks

    def fit(self, items: Items) -> Self:
        sides, channels = seen(items)
        channels = min(3, channels)  # transparent pictures are laid on white
        size, wide = self.sized(sides)
        return replace(self, size=size, wide=wide, channels=channels, given=self.chain.channels(channels))

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:
        """Squares of clean pictures, uint8 (n, channels, kept, kept).

        Raises:
            InputError: where fewer than two pictures can be read.
        """
        found, skipped = cut_all(items, np.full(len(items), self.channels), self.kept, self.size, progress)
        squares = {i: found[i].squares for i in sorted(found)}
        return several(encoded(squares, skipped), items.name)

    def split(self, items: Items, readable: NDArray[np.int64] | None = None) -> Split:  # noqa: ARG002
        """Whole pictures."""
        return split_of(range(len(items)), items.held)

    def batch(self, tensors: Mapping[str, Tensor]) -> Tensors:
        real = self.scale(self.cut(tensors[VALUES]))
        return {**tensors, VALUES: real, CONDITION: self.chain(real)}

    def examples(self, items: Items, apart: bool) -> Iterator[tuple[Tensor, Tensor]]:
        kept = unseen_by_training(self.split(items), items.held, apart)
        for i, pixels in wholes(items, self.channels, sorted(kept)):
            height, width = (side // self.times * self.times for side in pixels.shape[1:])
            if min(height, width) < max(LEAST, 2 * self.times):
                continue  # nothing to be seen
            real = self.scale(torch.from_numpy(pixels[None, :, :height, :width].copy()))
            with torch.random.fork_rng([]):
                reseed(Seeds().key("example", i), real.device)
                yield self.chain(real), real
