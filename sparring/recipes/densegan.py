"""A GAN of dense blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.modalities import Images
from sparring.nets import densenet
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    Count,
    Decay,
    Fraction,
    ImageRecipe,
    Positive,
    RelativisticGan,
    Share,
    Weight,
    discriminator,
    generator,
)


@dataclass(frozen=True)
class Densegan(RelativisticGan[Images], ImageRecipe[Images]):
    """Each layer receives all earlier ones: deep nets, few weights.

    Huang et al. 2016, "Densely connected convolutional networks", arXiv:1608.06993. The paper has no GAN; these nets
    use the objective of `r3gan` (arXiv:2501.05441), with the penalties in every eighth step.

    sparring train mnist --recipe densegan
    """

    side: ClassVar[int] = 32

    # Generator
    z: Count = 64
    G: Count = generator(128, "channels at the lowest resolution")
    growth: Count = generator(12, "channels that a layer adds, in G and D, k")
    depth: Count = generator(3, "layers per dense block, in G and D; each resolution has one block")
    # Discriminator
    D: Count = discriminator(16, "channels at the highest resolution")
    # Losses
    gamma: Weight = 0.4
    gamma_end: Weight = 0.04
    # Optimization
    batch: Count = 64
    steps: Count = 20_000
    lr: Positive = 5e-4
    lr_end: Positive = 1e-4
    beta1: Decay = 0.0
    beta2: Decay = 0.9
    beta2_end: Decay = 0.99
    burn_in: Fraction = 0.2
    lazy: Count = 8
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def nets(self, modality: Images) -> tuple[nn.Module, Discriminator]:
        channels, size, _ = modality.shape
        block = (self.growth, self.depth, modality.condition)
        return (
            densenet.Generator(self.z, size, channels, self.G, *block),
            densenet.Discriminator(size, channels, self.D, *block),
        )
