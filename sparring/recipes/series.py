"""The default for time series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from torch import nn

from sparring.games.prior import Prior, path
from sparring.modalities import Series as SeriesModality
from sparring.nets import volatile
from sparring.nets.discriminator import Discriminator
from sparring.nets.tcn import receptive
from sparring.recipes.base import (
    Count,
    Decay,
    Fraction,
    Natural,
    Positive,
    RelativisticGan,
    SeriesRecipe,
    Share,
    Weight,
    discriminator,
    generator,
)
from sparring.recipes.base.fields import Within


@dataclass(frozen=True)
class Series(SeriesRecipe, RelativisticGan[SeriesModality]):
    """R3GAN's objective with a volatility model: paths of any length.

    G is the stochastic volatility net of Wiese et al. 2019, arXiv:1907.06673; some of its latents are autocorrelated
    over long times. D judges values and absolute values at several resolutions. The loss is that of `r3gan` (Huang et
    al. 2024, arXiv:2501.05441), with the penalties in every fourth step.

    sparring train prices.csv
    """

    bf16: ClassVar[tuple[str, ...]] = ("series",)

    # Data
    window: Count = 254
    # Generator
    z: Natural = generator(0, "independent latents per time step; 0: the number of channels + 8")
    width: Natural = generator(0, "channels of the hidden layers, in G and D; 0: 32 + half the series' channels")
    depth: Annotated[int, Within(1, 30)] = generator(3, "blocks; each doubles the number of steps that G looks back")
    # Discriminator
    D_depth: Count = discriminator(5, "resolutions, each half of the previous one; fewer for a short window")
    # Losses
    gamma: Weight = 30.0
    gamma_end: Weight = 30.0
    # Optimization
    batch: Count = 32
    steps: Count = 5000
    lr: Positive = 1e-3
    lr_end: Positive = 5e-5
    beta1: Decay = 0.0
    beta2: Decay = 0.9
    beta2_end: Decay = 0.99
    burn_in: Fraction = 1.0
    lazy: Count = 4
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def prior(self, modality: SeriesModality) -> Prior:
        before = volatile.Slow().before + receptive(self.depth) - 1
        return path(self._z(modality) + len(volatile.SCALES), before, modality.shape[1])

    def _z(self, modality: SeriesModality) -> int:
        return self.z or modality.shape[0] + 8

    def nets(self, modality: SeriesModality) -> tuple[nn.Module, Discriminator]:
        channels, window = modality.shape
        width = self.width or 32 + channels // 2
        G = volatile.Generator(self._z(modality), channels, width, self.depth)
        return G, volatile.Discriminator(channels, width, self.D_depth, window)
