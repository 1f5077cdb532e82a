"""The default for time series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.games.prior import Prior, path
from sparring.modalities import Modality
from sparring.nets import volatile
from sparring.nets.discriminator import Discriminator
from sparring.nets.tcn import receptive
from sparring.recipes.base import Count, Decay, Fraction, Natural, OfSeries, Positive, Weight, discriminator, generator
from sparring.recipes.r3gan import Regularised


@dataclass(frozen=True)
class Series(OfSeries, Regularised):
    """R3GAN's game on noise with a volatility: paths of any length.

    G is the volatility net of Wiese et al. 2019, arXiv:1907.06673, on latents some of which forget slowly; D looks at
    values and their sizes at several resolutions; the loss is that of `r3gan` (Huang et al. 2024, arXiv:2501.05441),
    its penalties in one step of four.

    sparring train prices.csv
    """

    bf16: ClassVar[tuple[str, ...]] = ("series",)

    batch: Count = 32
    window: Count = 254
    z: Natural = generator(0, "quick latents of each step; 0 for 8 more than channels")
    width: Natural = generator(0, "channels of the hidden layers, in D too; 0 for 32 and half of those of the series")
    depth: Count = generator(3, "blocks, each of which sees twice as far back as the one before")
    D_depth: Count = discriminator(5, "resolutions, each half as fine as the one before; fewer for a short window")
    gamma: Weight = 30.0
    gamma_end: Weight = 30.0
    lr: Positive = 1e-3
    lr_end: Positive = 5e-5
    beta2: Decay = 0.9
    beta2_end: Decay = 0.99
    burn_in: Fraction = 1.0
    lazy: Count = 4
    steps: Count = 5000

    def prior(self, modality: Modality) -> Prior:
        before = volatile.Slow().before + receptive(self.depth) - 1
        return path(self._z(modality) + len(volatile.SCALES), before, modality.shape[1])

    def _z(self, modality: Modality) -> int:
        return self.z or modality.shape[0] + 8

    def nets(self, modality: Modality) -> tuple[nn.Module, Discriminator]:
        channels, window = modality.shape
        width = self.width or 32 + channels // 2
        G = volatile.Generator(self._z(modality), channels, width, self.depth)
        return G, volatile.Discriminator(channels, width, self.D_depth, window)
