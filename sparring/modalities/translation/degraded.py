"""Restoration: degraded images, and the clean images that they were made from."""

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
from sparring.modalities.translation.baselines import Restorer, restorer
from sparring.modalities.translation.crops import crop_all, whole_images
from sparring.modalities.translation.translation import (
    MIN_SIDE,
    Translation,
    check_count,
    encoded,
    examined,
    split_of,
    unseen,
)
from sparring.seeds import Seeds, reseed


@dataclass(frozen=True)
class Degraded(Translation):
    """Clean images; the condition of each is a degraded version of it, computed anew for every batch.

    Attributes:
        degrade: the degradation, step by step; see `sparring.layers.degrade.parse`.
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
        some = examined(items)
        channels = min(3, some.channels)  # transparent images are placed on white
        size, wide = self.sizes_for(some.sides)
        return replace(
            self, size=size, wide=wide, channels=channels, given=self.chain.channels(channels), levels=some.levels,
            given_levels=some.levels,
        )  # fmt: skip

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:
        """Crops of clean images, uint8 (n, channels, kept, kept).

        Raises:
            InputError: if fewer than two images can be read.
        """
        channels, levels = np.full(len(items), self.channels), [self.depth] * len(items)
        crops, skipped = crop_all(items, channels, self.kept, self.size, progress, levels)
        pixels = {i: crops[i].pixels for i in sorted(crops)}
        return check_count(encoded(pixels, skipped, examined(items).notes), items.name)

    def split(self, items: Items, readable: NDArray[np.int64] | None = None) -> Split:  # noqa: ARG002
        """The split of whole images."""
        return split_of(range(len(items)), items.held)

    def batch(self, tensors: Mapping[str, Tensor]) -> Tensors:
        clean = self.scale(self.augment(tensors[VALUES]))
        return {**tensors, VALUES: clean, CONDITION: self.chain(clean)}

    @property
    def downscale(self) -> Restorer | None:
        return self.chain if self.degrade == (f"x{self.times}",) else None

    def baselines(self, target: Tensor) -> dict[str, Restorer]:  # noqa: ARG002
        name, restore = restorer(self.chain, self.channels)
        return {name: restore}

    def examples(self, items: Items, trained_on: bool) -> Iterator[tuple[Tensor, Tensor]]:
        indices = unseen(self.split(items), items.held, trained_on)
        for i, pixels in whole_images(items, self.channels, sorted(indices), self.depth):
            height, width = (side // self.times * self.times for side in pixels.shape[1:])
            if min(height, width) < max(MIN_SIDE, 2 * self.times):
                continue  # too small to be evaluated
            clean = self.scale(torch.from_numpy(pixels[None, :, :height, :width].copy()))
            with torch.random.fork_rng([]):
                reseed(Seeds().key("example", i), clean.device)
                yield self.chain(clean), clean
