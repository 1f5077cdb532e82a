"""R3GAN: a modern baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.modalities import Images
from sparring.nets import dcgan, r3gan
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
    generator,
)


@dataclass(frozen=True)
class R3gan(RelativisticGan[Images], ImageRecipe[Images]):
    """Residual nets without norm, a relativistic loss with R1 and R2.

    Huang et al. 2024, "The GAN is dead; long live the GAN! A modern baseline GAN", arXiv:2501.05441. The paper's nets
    are wider (768 channels) and train on tens of millions of images; its schedules are stretched to the length of the
    run. Gamma is given for 64 pixels and grows with the number of pixels. Training is stable, and the quality exceeds
    StyleGAN2's.

    sparring train mnist --recipe r3gan
    """

    side: ClassVar[int] = 64

    # Generator
    z: Count = 64
    width: Count = generator(64, "channels of every stage, in G and D")
    depth: Count = generator(2, "residual blocks per stage, in G and D")
    group: Count = generator(16, "channels per group of the 3 x 3 convolutions, in G and D")
    expansion: Count = generator(2, "inner width of a block / its outer width, in G and D")
    # Losses
    gamma: Weight = 1.0
    gamma_end: Weight = 0.1
    # Optimization
    batch: Count = 64
    steps: Count = 20_000
    lr: Positive = 2e-4
    lr_end: Positive = 5e-5
    beta1: Decay = 0.0
    beta2: Decay = 0.9
    beta2_end: Decay = 0.99
    burn_in: Fraction = 0.2
    lazy: Count = 1
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def nets(self, modality: Images) -> tuple[nn.Module, Discriminator]:
        channels, size, _ = modality.shape
        widths = [self.width] * (dcgan.stages(size) + 1)
        block = (widths, self.depth, self.group, self.expansion, modality.condition)
        return r3gan.Generator(self.z, size, channels, *block), r3gan.Discriminator(size, channels, *block)
