"""Restoration: clean pictures, and what a degradation leaves of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from sparring.data.items import Items
from sparring.data.store import Progress
from sparring.layers.degrade import Chain, parse
from sparring.modalities.base import Encoded, unseen
from sparring.modalities.translation.crops import cut_all, wholes
from sparring.modalities.translation.translation import LEAST, Mapped, encoded, held, seen, several
from sparring.seeds import Seeds, reseed


@dataclass(frozen=True)
class Degraded(Mapped):
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

    def encode(self, items: Items, progress: Progress = unseen) -> Encoded:
        """Squares of clean pictures, uint8 (n, channels, kept, kept).

        Raises:
            InputError: where fewer than two pictures can be read.
        """
        found, skipped = cut_all(items, np.full(len(items), self.channels), self.kept, self.size, progress)
        squares = {i: found[i].squares for i in sorted(found)}
        return several(encoded(squares, held(range(len(items)), items.held), skipped), items.name)

    def batch(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        real = self.scale(self.cut(tensors["real"]))
        return {**tensors, "real": real, "label": self.chain(real)}

    def examples(self, items: Items, apart: bool) -> Iterator[tuple[Tensor, Tensor]]:
        for i, pixels in wholes(items, self.channels, held(range(len(items)), items.held, apart)):
            height, width = (side // self.times * self.times for side in pixels.shape[1:])
            if min(height, width) < max(LEAST, 2 * self.times):
                continue  # nothing to be seen
            real = self.scale(torch.from_numpy(pixels[None, :, :height, :width].copy()))
            with torch.random.fork_rng([]):
                reseed(Seeds().key("example", i), real.device)
                yield self.chain(real), real
